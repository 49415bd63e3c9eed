#include "tests/drivers/echonet/virtual_lan.hpp"

#include "protocol/base/check.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet::test {

virtual_lan::virtual_lan(const options& o) : options_(o), random_(o.seed) {
  driver_setup setup;
  setup.seed = o.seed ^ 0x5eed;
  setup.identity = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  driver_ = std::make_unique<echonet_driver>(setup);
}

twin::twin_node& virtual_lan::add(const std::string& address, std::uint64_t identity_number, millis answer_delay) {
  twin::twin_options t;
  t.identity = twin::identity_of(identity_number);
  t.answer_delay = answer_delay;
  t.seed = options_.seed * 1'000 + identity_number;
  hosts_.push_back({address, std::make_unique<twin::twin_node>(t), 0, true});
  return *hosts_.back().node;
}

void virtual_lan::start_twin(const std::string& address) {
  for (host& h : hosts_) {
    if (h.address != address) continue;
    std::vector<datagram> said;
    h.node->on_start(now_, said);
    transmit(address, said);
  }
}

void virtual_lan::start(const read_plan& plan) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    std::vector<datagram> said;
    hosts_[i].node->on_start(now_, said);
    transmit(hosts_[i].address, said);
  }
  driver_->on_plan(now_, plan, out_);
  driver_->on_start(now_, out_);
  drain_driver();
}

void virtual_lan::replan(const read_plan& plan) {
  driver_->on_plan(now_, plan, out_);
  drain_driver();
}

void virtual_lan::move(const std::string& from, const std::string& to) {
  for (host& h : hosts_) {
    if (h.address == from && h.plugged) {
      h.address = to;
      return;
    }
  }
}

void virtual_lan::unplug(const std::string& address) {
  for (host& h : hosts_) {
    if (h.address == address) h.plugged = false;
  }
}

std::uint64_t virtual_lan::datagrams_to(const std::string& address) const {
  for (const host& h : hosts_) {
    if (h.address == address) return h.received;
  }
  return 0;
}

mono_time virtual_lan::arrival(std::size_t size) {
  if (options_.line_bits_per_s == 0) return now_ + options_.delay;
  // 8 bits of data, one start and one stop bit.
  const millis time{static_cast<std::int64_t>(size * 10 * 1'000 / options_.line_bits_per_s)};
  line_free_at_ = std::max(line_free_at_, now_) + time + options_.line_overhead;
  return line_free_at_ + options_.delay;
}

void virtual_lan::transmit(const std::string& from, std::vector<datagram>& said) {
  for (datagram& d : said) {
    if (keep_log) log.push_back({now_, from, d.to, d.payload});
    const mono_time at = arrival(d.payload.size());
    const bool from_gateway = from == gateway_address;
    const bool to_gateway = d.to ? d.to->address == gateway_address : !from_gateway || options_.driver_hears_itself;
    if (d.to) TOMO_REQUIRE(d.to->port == udp_port);
    if (to_gateway) deliver(0, from, d.payload, at, udp_port);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      const bool addressed = d.to ? d.to->address == hosts_[i].address : hosts_[i].address != from;
      if (addressed && hosts_[i].plugged) deliver(i + 1, from, d.payload, at, udp_port);
    }
  }
  said.clear();
}

void virtual_lan::deliver(std::size_t to, const std::string& from, const bytes& payload, mono_time at,
                          std::uint16_t port) {
  if (random_.chance(options_.loss_per_mille)) return;
  queue_.push({at, order_++, to, from, port, payload, {}});
}

void virtual_lan::inject(const std::string& from, bytes payload, std::uint16_t port) {
  queue_.push({now_, order_++, 0, from, port, std::move(payload), {}});
}

void virtual_lan::at(millis after_start, std::function<void()> what) {
  queue_.push({mono_from_ms(1'000) + after_start, order_++, 0, {}, 0, {}, std::move(what)});
}

void virtual_lan::say(twin::twin_node& node, std::vector<datagram>& said) {
  for (host& h : hosts_) {
    if (h.node.get() == &node && h.plugged) transmit(h.address, said);
  }
}

void virtual_lan::drain_driver() {
  for (observation& o : out_.observations) seen_.emplace_back(now_, std::move(o));
  out_.observations.clear();
  std::vector<datagram> said = std::move(out_.datagrams);
  out_.datagrams.clear();
  transmit(gateway_address, said);
}

void virtual_lan::dispatch(const event& e) {
  if (e.script) {
    e.script();
    return;
  }
  if (e.to == 0) {
    driver_->on_datagram(now_, {e.from, e.port}, e.payload, out_);
    drain_driver();
    return;
  }
  host& h = hosts_[e.to - 1];
  if (!h.plugged) return;
  ++h.received;
  std::vector<datagram> said;
  h.node->on_datagram(now_, {e.from, e.port}, e.payload, said);
  transmit(h.address, said);
}

mono_time virtual_lan::next_wake() const {
  mono_time at = driver_->next_wake();
  for (const host& h : hosts_) at = std::min(at, h.node->next_wake());
  if (!queue_.empty()) at = std::min(at, queue_.top().at);
  return at;
}

void virtual_lan::wake() {
  for (host& h : hosts_) {
    if (h.node->next_wake() > now_) continue;
    std::vector<datagram> said;
    h.node->on_wake(now_, said);
    if (h.plugged) transmit(h.address, said);
  }
  if (driver_->next_wake() <= now_) {
    driver_->on_wake(now_, out_);
    drain_driver();
  }
}

void virtual_lan::run_for(millis time) {
  const mono_time end = now_ + time;
  std::uint64_t turns_at_one_moment = 0;
  for (;;) {
    const mono_time next = next_wake();
    if (next > end) break;
    // A core that asks to be woken at once for ever would stop time.
    turns_at_one_moment = next > now_ ? 0 : turns_at_one_moment + 1;
    TOMO_REQUIRE(turns_at_one_moment < 100'000);
    now_ = std::max(now_, next);
    if (!queue_.empty() && queue_.top().at <= now_) {
      const event e = queue_.top();
      queue_.pop();
      dispatch(e);
    } else {
      wake();
    }
  }
  now_ = end;
}

namespace {

template <class Kind, class Test>
std::size_t count_if_kind(const std::vector<std::pair<mono_time, observation>>& seen, Test test) {
  std::size_t n = 0;
  for (const auto& [when, o] : seen) {
    if (const auto* const x = std::get_if<Kind>(&o)) n += test(*x) ? 1u : 0u;
  }
  return n;
}

}  // namespace

std::size_t virtual_lan::readings(std::uint32_t eoj) const {
  return count_if_kind<reading>(seen_, [eoj](const reading& r) { return r.eoj == eoj && r.polled; });
}
std::size_t virtual_lan::readings_of(const device_key& key) const {
  return count_if_kind<reading>(seen_, [&key](const reading& r) { return r.device == key && r.polled; });
}
std::size_t virtual_lan::missed(std::uint32_t eoj) const {
  return count_if_kind<reading_missed>(seen_, [eoj](const reading_missed& m) { return m.eoj == eoj; });
}
std::size_t virtual_lan::presence(presence_change change) const {
  return count_if_kind<device_presence>(seen_, [change](const device_presence& p) { return p.change == change; });
}
std::optional<reading> virtual_lan::last_reading(std::uint32_t eoj) const {
  for (auto at = seen_.rbegin(); at != seen_.rend(); ++at) {
    const auto* const r = std::get_if<reading>(&at->second);
    if (r != nullptr && r->eoj == eoj) return *r;
  }
  return std::nullopt;
}

read_plan watch_all(std::initializer_list<std::uint32_t> classes, millis interval) {
  read_plan plan;
  plan.poll_interval = interval;
  for (const std::uint32_t c : classes) {
    watch w;
    w.eoj = c << 8;
    w.wants_power = true;
    w.wants_sensor_state = true;
    plan.watches.push_back(w);
  }
  return plan;
}

}  // namespace tomoshibi::drivers::echonet::test
