#include "protocol/adapters/guard_link.hpp"

#include "protocol/adapters/pki.hpp"
#include "protocol/adapters/plain_stream.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>

namespace tomoshibi {
namespace {

// The sender decides how long to wait; this only ends what it should have ended.
constexpr tls_stream_options stream_options{.connect_timeout = 120s, .close_timeout = 3s, .queue_bytes_max = 16 * 1024};

void fill_with_random(std::span<std::uint8_t> into) {
  const auto drawn = random_bytes(into.size());
  TOMO_REQUIRE(drawn.has_value());  // a machine without randomness cannot do TLS either
  std::ranges::copy(*drawn, into.begin());
}

dc09::sender_settings with_random(dc09::sender_settings s) {
  if (!s.random) s.random = fill_with_random;
  return s;
}

}  // namespace

class guard_link::line final : public tls_stream_events {
public:
  line(guard_link& owner, std::size_t receiver, std::uint64_t number)
      : owner_(owner), receiver_(receiver), number_(number) {}

  void dial(const place& at) {
    const tls_stream::target to{.host = at.to.host, .port = at.to.port, .address = at.address};
    if (at.to.secure) secure_ = tls_stream::connect(owner_.loop_, owner_.tls_, to, *this, stream_options);
    else plain_ = plain_stream::connect(owner_.loop_, to, *this, stream_options);
  }
  status send(byte_view data) { return secure_ ? secure_->send(data) : plain_->send(data); }
  std::string address() const { return (secure_ ? secure_->remote() : plain_->remote()).address; }
  std::size_t receiver() const { return receiver_; }
  std::uint64_t number() const { return number_; }

private:
  // Each may be the last thing that this object does: the sender may drop the line.
  void on_open(const tls_peer&) override { owner_.on_line_open(*this); }
  void on_bytes(byte_view data) override { owner_.on_line_bytes(*this, data); }
  void on_closed(const error& why) override { owner_.on_line_closed(*this, why); }

  guard_link& owner_;
  std::size_t receiver_;
  std::uint64_t number_;
  std::unique_ptr<tls_stream> secure_;
  std::unique_ptr<plain_stream> plain_;
};

guard_link::guard_link(event_loop& loop, guard_link_settings settings, log_sink& log, listener& events)
    : loop_(loop), tls_(std::move(settings.tls)), log_(log, "guard"), events_(&events),
      sender_(with_random(std::move(settings.sender))), alive_(std::make_shared<int>(0)) {
  for (guard_receiver& r : settings.receivers) {
    TOMO_REQUIRE(!r.secure || tls_);
    places_.push_back({std::move(r), {}});
  }
  TOMO_REQUIRE(places_.size() == sender_.receivers());
  loop_.add(*this);
}

guard_link::~guard_link() { loop_.remove(*this); }

wall_at guard_link::wall() const { return loop_.wall().at; }

// ---- what comes in

status guard_link::submit(dc09::outgoing event) {
  output out;
  if (auto taken = sender_.submit(loop_.now(), wall(), std::move(event), out); !taken) return taken;
  if (out.actions.empty()) return {};
  // An event that cannot be written ends at once: its owner hears of it in a turn of its own, like of every end.
  output later;
  const auto io = std::ranges::stable_partition(out.actions, [](const output::action& a) {
    return std::holds_alternative<output::connect_to>(a) || std::holds_alternative<output::write>(a) ||
           std::holds_alternative<output::close>(a);
  });
  later.actions.assign(std::make_move_iterator(io.begin()), std::make_move_iterator(io.end()));
  out.actions.erase(io.begin(), io.end());
  perform(out);
  if (later.actions.empty()) return {};
  loop_.post([this, alive = std::weak_ptr(alive_), later = std::move(later)]() mutable {
    if (!alive.expired()) perform(later);
  });
  return {};
}

bool guard_link::cancel(std::uint64_t id) { return sender_.cancel(id); }

void guard_link::on_wake(mono_time now) {
  output out;
  sender_.on_wake(now, wall(), out);
  perform(out);
}

void guard_link::on_line_open(const line& of) {
  log_.info("connected", {{"receiver", of.receiver()}});
  output out;
  sender_.on_connected(loop_.now(), wall(), of.number(), out);
  perform(out);
}

void guard_link::on_line_bytes(const line& of, byte_view data) {
  places_[of.receiver()].address = of.address();
  output out;
  sender_.on_bytes(loop_.now(), wall(), of.number(), data, out);
  perform(out);
}

void guard_link::on_line_closed(const line& of, const error& why) {
  const std::uint64_t number = of.number();
  log_.warning("closed", {{"receiver", of.receiver()}, {"code", name_of(why.code)}, {"err", why.detail}});
  line_.reset();
  output out;
  sender_.on_closed(loop_.now(), wall(), number, out);
  perform(out);
}

// ---- what the sender decided

// Sockets first: an end that is told may bring the next event, and the sender must find the line as it left it.
void guard_link::perform(output& out) {
  for (const output::action& a : out.actions) {
    if (const auto* c = std::get_if<output::connect_to>(&a)) carry_out(*c);
    if (const auto* w = std::get_if<output::write>(&a)) carry_out(*w);
    if (const auto* c = std::get_if<output::close>(&a)) carry_out(*c);
    if (const auto* d = std::get_if<output::doubted>(&a)) note(*d);
  }
  for (const output::action& a : out.actions) tell(a);
}

void guard_link::carry_out(const output::connect_to& a) {
  place& at = places_[a.receiver];
  log_.info("dial", {{"receiver", a.receiver}, {"known", at.address.empty() ? 0 : 1}});
  line_ = std::make_unique<line>(*this, a.receiver, a.connection);
  line_->dial(at);
  at.address.clear();              // until it answers: what fails there is asked for by name the next time
}

void guard_link::carry_out(const output::write& a) {
  if (!line_ || line_->number() != a.connection) return;
  if (auto sent = line_->send(as_bytes(a.data)); !sent)
    log_.warning("not_sent", {{"receiver", line_->receiver()}, {"code", name_of(sent.error().code)}});
  // The sender waits for the answer either way; a line that is gone says so by itself.
}

void guard_link::carry_out(const output::close& a) {
  if (line_ && line_->number() == a.connection) line_.reset();
}

void guard_link::note(const output::doubted& a) {
  const bool damaged = a.what.why == dc09::disbelief::malformed;
  log_.warning("no_acknowledgement", {{"receiver", a.receiver}, {"was", name_of(a.what.is)}, {"why", name_of(a.what.why)},
                                      {"broken", damaged ? name_of(a.what.broken) : "-"}});
}

void guard_link::tell(const output::action& a) {
  if (const auto* d = std::get_if<output::delivered>(&a)) events_->on_delivered(d->id, d->receiver, d->at);
  if (const auto* f = std::get_if<output::failed>(&a)) events_->on_not_delivered(f->id, f->why);
  if (const auto* d = std::get_if<output::doubted>(&a)) events_->on_guard_doubted(d->receiver);
  if (const auto* l = std::get_if<output::link>(&a)) {
    if (l->now == dc09::link_state::down) log_.warning("down");
    else log_.info("up", {{"receiver", l->receiver}});
    events_->on_guard_link(l->now, l->receiver);
  }
}

}  // namespace tomoshibi
