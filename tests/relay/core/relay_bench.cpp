#include "tests/relay/core/relay_bench.hpp"

#include "protocol/base/check.hpp"
#include "protocol/wire/frame_reader.hpp"

#include <algorithm>

namespace tomoshibi::relay::test {

std::string certificate_of(const std::string& name) { return "cert-of-" + name; }

wire::record slot_record(slot_index slot, std::initializer_list<std::pair<int, slot_state>> appliances) {
  wire::slot_closed closed{.slot = slot, .time_uncertain = false, .appliances = {}};
  for (const auto& [id, state] : appliances) {
    wire::appliance_slot a;
    a.appliance = static_cast<appliance_id>(id);
    a.state = state;
    a.on_seconds = state == slot_state::on ? 900 : 0;
    a.readings_expected = 15;
    a.readings_got = state == slot_state::unknown ? 0 : 15;
    closed.appliances.push_back(a);
  }
  return {closed, end_of(slot)};
}

wire::record gap_record(slot_index first, std::uint32_t count, std::initializer_list<int> appliances,
                        wire::gap_reason reason) {
  wire::slot_gap gap{.first_slot = first, .count = count, .reason = reason, .time_uncertain = false, .appliances = {}};
  for (int id : appliances) gap.appliances.push_back(static_cast<appliance_id>(id));
  return {gap, end_of(first + static_cast<std::int32_t>(count))};
}

relay_bench::relay_bench() = default;

void relay_bench::add_home(std::uint32_t number, std::uint16_t days) {
  directory& d = store.edit_directory();
  const home_id id{number};
  home h;
  h.id = id;
  h.name = "home " + std::to_string(number);
  h.watch_mode = true;
  h.watch_since = wall();
  d.homes[id] = h;
  const gateway_id g = box("box-" + std::to_string(number));
  d.gateways[g] = {g, id, false, certificate_of(g.text())};
  wire::config c{.version = 1, .poll_interval_s = 60, .gap_limit_s = 180, .appliances = {}};
  for (std::uint16_t n : {std::uint16_t{1}, std::uint16_t{2}}) {
    appliance a;
    a.home = id;
    a.spec.appliance = appliance_id{n};
    a.spec.label = n == 1 ? "TV" : "fridge";
    a.spec.eoj = 0x060201;
    if (n == 1) a.quiet_days = days;
    a.added = wall();
    d.appliances[{id, appliance_id{n}}] = a;
    c.appliances.push_back(a.spec);
  }
  d.configs[id] = c;
  d.contacts[contact_id{number * 10}] = {contact_id{number * 10}, id, contact_role::family, "daughter",
                                         "d@example.org", language::en, {}};
  d.contacts[contact_id{1}] = {contact_id{1}, std::nullopt, contact_role::provider, "desk", "desk@example.org",
                               language::en, {}};
}

void relay_bench::start() {
  core.emplace(setup{.store = store, .log = null_log(), .seed = 7, .limits = limits, .mail_from = "watch@example.net"});
  TOMO_REQUIRE(core->on_start(now, wall(), out_).has_value());
  act();
}

void relay_bench::cut() {
  for (std::uint64_t id = 1; id < next_session_; ++id) closed_.try_emplace(session_id{id}, close_reason::done);
  core.reset();
  commits.clear();
  mails_out.clear();
  out_.clear();
}

void relay_bench::act() {
  while (!out_.empty()) {
    output todo;
    todo.swap(out_);
    for (action& a : todo) {
      if (auto* s = std::get_if<relay::send>(&a)) {
        put_bytes(received_[s->session], s->data);
      } else if (auto* c = std::get_if<relay::close>(&a)) {
        closed_[c->session] = c->reason;
      } else if (auto* w = std::get_if<commit>(&a)) {
        TOMO_REQUIRE(commits.empty());  // one at a time
        commits.push_back(std::move(*w));
      } else if (auto* m = std::get_if<submit_mail>(&a)) {
        TOMO_REQUIRE(store.mails().contains(m->what.key));  // durable before it is handed out
        mails_out.push_back(m->what.key);
        mails.push_back(std::move(*m));
      }
    }
    if (commits_at_once && !commits.empty()) {
      const commit c = std::move(commits.front());
      commits.pop_front();
      core->on_commit_done(now, wall(), c.ticket, store.commit(*c.batch), out_);
    }
    while (mails_at_once && !mails_out.empty()) {
      const mail_key key = mails_out.front();
      mails_out.pop_front();
      core->on_mail_done(now, wall(), key, {mail_answer, "250 as told"}, out_);
    }
  }
}

void relay_bench::finish_commit(bool applied, bool told) {
  TOMO_REQUIRE(!commits.empty());
  const commit c = std::move(commits.front());
  commits.pop_front();
  const status done = applied ? store.commit(*c.batch) : status{fail(errc::storage_io, "told to fail")};
  if (!told) return;
  core->on_commit_done(now, wall(), c.ticket, done, out_);
  act();
}

void relay_bench::finish_mail(mail_outcome outcome) {
  TOMO_REQUIRE(!mails_out.empty());
  const mail_key key = mails_out.front();
  mails_out.pop_front();
  core->on_mail_done(now, wall(), key, {outcome, "answer"}, out_);
  act();
}

void relay_bench::run_until(mono_time end) {
  int idle_rounds = 0;
  while (core->next_wake() <= end) {
    const mono_time next = std::max(core->next_wake(), now);
    idle_rounds = next == now ? idle_rounds + 1 : 0;
    TOMO_REQUIRE(idle_rounds < 10);  // a core that wants to be woken for ever at one time
    now = next;
    core->on_wake(now, wall(), out_);
    act();
  }
  now = end;
}

void relay_bench::directory_changed() {
  TOMO_REQUIRE(core->on_directory_changed(now, wall(), out_).has_value());
  act();
}

// ---- gateways

session_id relay_bench::connect(const std::string& name, const std::string& certificate) {
  const session_id id{next_session_++};
  core->on_session_open(now, wall(), id, {name, certificate.empty() ? certificate_of(name) : certificate, "192.0.2.1:4"},
                        out_);
  act();
  return id;
}

session_id relay_bench::connect_live(const std::string& name, wire::hello h) {
  const session_id s = connect(name);
  h.gateway = name;
  from(s, h);
  return s;
}

void relay_bench::bytes_from(session_id s, byte_view data) {
  core->on_session_bytes(now, wall(), s, data, out_);
  act();
}

void relay_bench::from(session_id s, const wire::message& m) {
  auto frame = wire::encode_frame(m);
  TOMO_REQUIRE(frame.has_value());
  bytes_from(s, *frame);
}

std::vector<wire::message> relay_bench::take_inbox(session_id s) {
  bytes data;
  data.swap(received_[s]);
  wire::frame_reader reader;
  std::vector<wire::message> out;
  for (byte_view rest{data};;) {
    const auto frame = reader.next(rest);
    TOMO_REQUIRE(frame.has_value());
    if (!*frame) return out;
    auto m = wire::decode_payload(**frame);
    TOMO_REQUIRE(m.has_value());
    out.push_back(std::move(*m));
  }
}

std::optional<close_reason> relay_bench::closed(session_id s) const {
  const auto found = closed_.find(s);
  return found == closed_.end() ? std::nullopt : std::optional{found->second};
}

void relay_bench::hang_up(session_id s) {
  closed_.try_emplace(s, close_reason::done);
  core->on_session_closed(now, wall(), s, out_);
  act();
}

}  // namespace tomoshibi::relay::test
