// The line to a guard centre: carries out dc09::sender's actions on TLS and plain TCP streams of an event loop, and tells the
// owner what became of each event. Both daemons use it; everything about DC-09 is decided in the sender.
//
// A name is asked for off the loop's thread. The address on which a receiver last answered is kept, and dialled without asking
// again as long as that goes well, so that a press does not wait for a name server; the certificate must carry the name all
// the same. Logs say which receiver, never the account or what was sent.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/tls_engine.hpp"
#include "protocol/dc09/sender.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tomoshibi {

struct guard_receiver {
  bool secure = true;              // TLS
  std::string host;                // name or address; also what the certificate must carry
  std::uint16_t port = 0;
  bool operator==(const guard_receiver&) const = default;
};

struct guard_link_settings {
  std::vector<guard_receiver> receivers;   // 1..dc09::receivers_max, the preferred one first
  tls_context_ptr tls;                     // needed if any receiver is secure
  dc09::sender_settings sender;            // one entry of `receivers` for each; `random` is filled in
};

class guard_link final : public loop_part {
public:
  // Called from the loop, never from inside submit() or cancel(). May call submit() and cancel(), not destroy the link.
  class listener {
  public:
    virtual ~listener() = default;
    virtual void on_delivered(std::uint64_t id, std::size_t receiver, mono_time at) = 0;
    virtual void on_not_delivered(std::uint64_t id, dc09::not_delivered why) = 0;
    virtual void on_guard_link(dc09::link_state now, std::size_t receiver) = 0;   // receiver: the one that answers, when up
    virtual void on_guard_doubted(std::size_t /*receiver*/) {}  // it answered, and that was no acknowledgement (already logged)
  };

  // The settings must hold. All outlive the link.
  guard_link(event_loop& loop, guard_link_settings settings, log_sink& log, listener& events);
  ~guard_link() override;
  guard_link(const guard_link&) = delete;
  guard_link& operator=(const guard_link&) = delete;

  // Each event that is taken ends in exactly one on_delivered or on_not_delivered, unless it is cancelled.
  // refused: as many as are allowed wait; come again.
  status submit(dc09::outgoing event);
  bool cancel(std::uint64_t id);

  std::size_t waiting() const { return sender_.waiting(); }
  dc09::link_state state() const { return sender_.link(); }

  mono_time next_wake() const override { return sender_.next_wake(); }
  void on_wake(mono_time now) override;

private:
  class line;
  friend class line;
  struct place {
    guard_receiver to;
    std::string address;           // where it answered last; empty: ask for the name
  };
  using output = dc09::sender_output;

  wall_at wall() const;
  void perform(output& out);
  void carry_out(const output::connect_to& a);
  void carry_out(const output::write& a);
  void carry_out(const output::close& a);
  void note(const output::doubted& a);
  void tell(const output::action& a);
  void on_line_open(const line& of);
  void on_line_bytes(const line& of, byte_view data);
  void on_line_closed(const line& of, const error& why);

  event_loop& loop_;
  tls_context_ptr tls_;
  std::vector<place> places_;
  logger log_;
  listener* events_;
  dc09::sender sender_;
  std::unique_ptr<line> line_;     // one connection at a time
  std::shared_ptr<int> alive_;     // for what is posted
};

}  // namespace tomoshibi
