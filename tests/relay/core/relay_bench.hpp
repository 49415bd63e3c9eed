// A relay core on a bench: memory store, virtual time, gateways that are a few lines, commits and mails on command.
#pragma once

#include "relay/core/relay.hpp"
#include "relay/ports/memory_store.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::relay::test {

inline constexpr wall_at bench_wall = start_of(slot_index{1'900'800});  // a local midnight of nobody; mono 0 is here

class relay_bench {
public:
  relay_bench();

  // ---- the world
  memory_store store;
  std::optional<relay_core> core;
  mono_time now{};
  millis wall_offset = bench_wall - wall_at{};   // wall = mono + this
  relay::limits limits{};
  bool commits_at_once = true;
  mail_outcome mail_answer = mail_outcome::ok;
  bool mails_at_once = true;

  wall_at wall() const { return wall_at{now.time_since_epoch() + wall_offset}; }
  slot_index slot() const { return slot_of(wall()); }

  // home 1, gateway "box-1", appliances 1 (rule: `days`) and 2 (no rule), one family and one provider contact
  void add_home(std::uint32_t number, std::uint16_t days = 3);
  void start();                                  // also: again, after cut()
  void cut();                                    // the power goes: what is not committed is lost
  void run_until(mono_time end);                 // every wake on the way
  void run_for(millis length) { run_until(now + length); }
  void directory_changed();

  // ---- gateways
  session_id connect(const std::string& name, const std::string& certificate = {});
  session_id connect_live(const std::string& name, wire::hello h = {});  // hello done
  void bytes_from(session_id s, byte_view data);
  void from(session_id s, const wire::message& m);
  std::vector<wire::message> take_inbox(session_id s);   // whole messages received since the last call
  template <class M>
  std::optional<M> last_of(session_id s) {
    std::optional<M> found;
    for (auto& m : take_inbox(s))
      if (auto* one = std::get_if<M>(&m)) found = std::move(*one);
    return found;
  }
  std::optional<close_reason> closed(session_id s) const;
  void hang_up(session_id s);

  // ---- the store's side and the mail server's
  std::deque<commit> commits;                    // asked for and not answered
  void finish_commit(bool applied, bool told = true);   // applied without being told: the power goes between
  std::vector<submit_mail> mails;                // handed out, all of them
  std::deque<mail_key> mails_out;                // not answered (mails_at_once == false)
  void finish_mail(mail_outcome outcome);

  void act();                                    // does what the core asked for

private:
  std::uint64_t next_session_ = 1;
  std::map<session_id, bytes> received_;
  std::map<session_id, close_reason> closed_;
  output out_;
};

// Records made easy.
wire::record slot_record(slot_index slot, std::initializer_list<std::pair<int, slot_state>> appliances);
wire::record gap_record(slot_index first, std::uint32_t count, std::initializer_list<int> appliances,
                        wire::gap_reason reason = wire::gap_reason::gateway_off);
inline gateway_id box(const std::string& name) { return *gateway_id::parse(name); }
std::string certificate_of(const std::string& name);

}  // namespace tomoshibi::relay::test
