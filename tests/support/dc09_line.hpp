// The sender of DC-09 on real sockets, for tests: TCP where there is no TLS context, otherwise TLS. Writes down every end of
// an event.
#pragma once

#include "protocol/adapters/pki.hpp"
#include "protocol/adapters/plain_stream.hpp"
#include "protocol/dc09/sender.hpp"

#include <algorithm>
#include <map>

namespace tomoshibi::testing {

class dc09_line final : public loop_part, tls_stream_events {
public:
  struct receiver_at {
    endpoint at;
    tls_context_ptr tls = {};            // null: TCP
  };
  struct end {
    bool delivered = false;
    std::size_t receiver = 0;
    dc09::not_delivered why{};
    millis took{0};
  };

  dc09_line(event_loop& loop, dc09::sender_settings settings, std::vector<receiver_at> receivers)
      : loop_(loop), receivers_(std::move(receivers)), sender_(with_random(std::move(settings))) {
    loop_.add(*this);
  }
  ~dc09_line() override { loop_.remove(*this); }

  void submit(dc09::outgoing e) {
    began_[e.id] = loop_.now();
    dc09::sender_output out;
    if (!sender_.submit(loop_.now(), wall(), std::move(e), out)) std::abort();
    perform(out);
  }
  // Until so many events have ended.
  void run_until_ended(std::size_t count) {
    wanted_ = count;
    if (ends.size() < count && !loop_.run()) std::abort();
    wanted_ = 0;                         // what comes later must not end another wait
  }

  std::map<std::uint64_t, end> ends;
  std::string doubts;                    // what was heard and not believed
  millis clock_error{0};
  dc09::sender& core() { return sender_; }

  mono_time next_wake() const override { return sender_.next_wake(); }
  void on_wake(mono_time now) override {
    dc09::sender_output out;
    sender_.on_wake(now, wall(), out);
    perform(out);
  }

private:
  static dc09::sender_settings with_random(dc09::sender_settings s) {
    s.random = [](std::span<std::uint8_t> out) { std::ranges::copy(random_bytes(out.size()).value(), out.begin()); };
    return s;
  }
  wall_at wall() const { return loop_.wall().at + clock_error; }

  void on_open(const tls_peer&) override {
    dc09::sender_output out;
    sender_.on_connected(loop_.now(), wall(), connection_, out);
    perform(out);
  }
  void on_bytes(byte_view data) override {
    dc09::sender_output out;
    sender_.on_bytes(loop_.now(), wall(), connection_, data, out);
    perform(out);
  }
  void on_closed(const error&) override {
    dc09::sender_output out;
    sender_.on_closed(loop_.now(), wall(), connection_, out);
    perform(out);
  }

  void perform(dc09::sender_output& out) {
    for (auto& a : out.actions) {
      if (const auto* c = std::get_if<dc09::sender_output::connect_to>(&a)) connect(*c);
      if (const auto* w = std::get_if<dc09::sender_output::write>(&a)) {
        const status sent = plain_ ? plain_->send(as_bytes(w->data)) : secure_->send(as_bytes(w->data));
        (void)sent;                      // a line that is gone says so by itself
      }
      if (std::holds_alternative<dc09::sender_output::close>(a)) drop();
      if (const auto* d = std::get_if<dc09::sender_output::delivered>(&a))
        ends[d->id] = {true, d->receiver, {}, d->at - began_[d->id]};
      if (const auto* f = std::get_if<dc09::sender_output::failed>(&a)) ends[f->id] = {false, 0, f->why, 0ms};
      if (const auto* d = std::get_if<dc09::sender_output::doubted>(&a))
        doubts += std::string(name_of(d->what.is)) + '/' + std::string(name_of(d->what.why)) + ' ';
    }
    if (wanted_ > 0 && ends.size() >= wanted_) loop_.stop();
  }
  void drop() {
    plain_.reset();
    secure_.reset();
  }
  void connect(const dc09::sender_output::connect_to& c) {
    drop();
    connection_ = c.connection;
    const receiver_at& to = receivers_.at(c.receiver);
    if (to.tls) secure_ = tls_stream::connect(loop_, to.tls, {.host = to.at.address, .port = to.at.port}, *this);
    else plain_ = plain_stream::connect(loop_, {.host = to.at.address, .port = to.at.port}, *this);
  }

  event_loop& loop_;
  std::vector<receiver_at> receivers_;
  dc09::sender sender_;
  std::uint64_t connection_ = 0;
  std::unique_ptr<plain_stream> plain_;
  std::unique_ptr<tls_stream> secure_;
  std::map<std::uint64_t, mono_time> began_;
  std::size_t wanted_ = 0;
};

}  // namespace tomoshibi::testing
