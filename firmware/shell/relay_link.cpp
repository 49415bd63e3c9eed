#include "firmware/shell/relay_link.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

// 8 records frames in flight, an acknowledgement or a ping between them, and the TLS record of each.
constexpr tls_stream_options stream_options{
    .connect_timeout = 20s, .close_timeout = 3s, .queue_bytes_max = 64 * 1024};
constexpr std::size_t connections_max = 2;
constexpr std::uint32_t failures_told = 4;  // then every 64th: a lane dials every ten seconds for as long as a relay is away

}  // namespace

class relay_link::connection final : public tls_stream_events {
public:
  connection(relay_link& owner, link_number number) : owner_(&owner), number_(number) {}

  void dial(const host_port& to, bool with_certificate) {
    tls_stream_options options = stream_options;
    if (with_certificate) options.resumption = tls_resumption::off;
    stream_ = tls_stream::connect(*owner_->loop_, owner_->context_, {.host = to.host, .port = to.port}, *this, options);
  }
  void leave() {
    leaving_ = true;
    stream_->close();
  }
  status send(byte_view data) { return stream_->send(data); }
  link_number number() const { return number_; }
  bool leaving() const { return leaving_; }

private:
  void on_open(const tls_peer& relay) override {
    owner_->failures_ = 0;
    opened_ = true;
    owner_->log_.info("connected", {{"link", number_}, {"resumed", relay.resumed ? 1 : 0}});
    owner_->events_->on_link_open(number_);
  }
  void on_bytes(byte_view data) override {
    if (!leaving_) owner_->events_->on_link_bytes(number_, data);
  }
  // The last callback: this object goes here, before the core hears of it and may ask for the next connection.
  void on_closed(const error& why) override {
    relay_link& owner = *owner_;
    const link_number number = number_;
    const bool tell = !leaving_;
    const bool worth = opened_ || owner.worth_a_line();
    if (!opened_) ++owner.failures_;
    const error reason = why;
    owner.forget(*this);
    if (!tell) return;
    if (worth) owner.log_.warning("closed", {{"link", number}, {"code", name_of(reason.code)}, {"err", reason.detail}});
    owner.events_->on_link_closed(number, reason);
  }

  relay_link* owner_;
  link_number number_;
  std::unique_ptr<tls_stream> stream_;
  bool leaving_ = false;
  bool opened_ = false;
};

relay_link::relay_link(event_loop& loop, tls_context_ptr context, std::vector<host_port> relays, log_sink& log,
                       listener& events, std::string_view name)
    : loop_(&loop), context_(std::move(context)), relays_(std::move(relays)), log_(log, name),
      sparse_(name == lane_link_name), events_(&events) {}

relay_link::~relay_link() = default;

void relay_link::use(tls_context_ptr context, std::vector<host_port> relays) {
  context_ = std::move(context);
  relays_ = std::move(relays);
}

void relay_link::act(const link_action& action) {
  std::visit([this](const auto& a) { carry_out(a); }, action);
}

bool relay_link::worth_a_line() const { return !sparse_ || failures_ < failures_told || failures_ % 64 == 0; }

relay_link::connection* relay_link::find(link_number link) {
  for (const auto& c : connections_)
    if (c->number() == link && !c->leaving()) return c.get();
  return nullptr;
}

void relay_link::forget(const connection& c) {
  std::erase_if(connections_, [&c](const auto& held) { return held.get() == &c; });
}

void relay_link::carry_out(const link_open& a) {
  if (!context_ || relays_.empty()) {
    loop_->post([this, link = a.link] { events_->on_link_closed(link, {errc::net_unreachable, "no relay configured"}); });
    return;
  }
  if (connections_.size() >= connections_max) connections_.erase(connections_.begin());
  connections_.push_back(std::make_unique<connection>(*this, a.link));
  const host_port& to = relays_[next_relay_++ % relays_.size()];
  if (worth_a_line()) log_.info("dial", {{"link", a.link}, {"host", to.host}, {"port", to.port}});
  connections_.back()->dial(to, a.with_certificate);
}

void relay_link::carry_out(const link_send& a) {
  connection* c = find(a.link);
  if (c == nullptr) return;
  const status sent = c->send(a.data);
  // Over the bounds of what may be in flight: the line takes nothing. The core hears of it in a turn of its own.
  if (sent || sent.error().code == errc::net_closed) return;
  log_.warning("send_refused", {{"link", a.link}, {"code", name_of(sent.error().code)}});
  forget(*c);
  loop_->post([this, link = a.link, why = sent.error()] { events_->on_link_closed(link, why); });
}

void relay_link::carry_out(const link_close& a) {
  if (connection* c = find(a.link)) c->leave();
}

}  // namespace tomoshibi::firmware
