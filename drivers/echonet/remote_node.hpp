// A node of the home: who it is (identity), where it is (a session with its address), and its device objects.
//
//   unidentified --0x83 answered or refused--> claim (the owner decides) --become()--> known
//   known --address answers as somebody else, or its node answers elsewhere--> the owner moves the session
//   known without a session: its objects are missed until an address claims its identity again
//
// Jobs, most urgent first: identify; describe a watched object; poll the object that is due longest; describe the rest.
// After silent_jobs_to_probe silent jobs in a row the node is probed: a due poll is preceded by one small identification,
// and if that stays unanswered every object due is missed, so that a dead node costs one datagram a cycle.
#pragma once

#include "drivers/driver.hpp"
#include "drivers/echonet/device_object.hpp"
#include "drivers/echonet/node_session.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/prng.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::drivers::echonet {

// What all nodes share; outlives them.
struct node_context {
  read_plan plan;
  prng random;
  logger log;
};

// The usable identity in a value of property 0x83: 34 hex digits. Nothing if it is not 17 bytes long or its maker-unique
// part is all zero (some libraries send FE and zeros). A first byte other than FE is taken as it is.
std::optional<std::string> identity_from(byte_view edt);

class remote_node {
public:
  explicit remote_node(node_context& context) : context_(&context) {}

  // ---- who
  const std::string& identity() const { return identity_; }  // empty: not known yet
  void become(mono_time now, std::string identity, driver_output& out);
  void rename(mono_time now, std::string identity, driver_output& out);  // its objects under other keys

  // What the last identification said. Taken by the owner after every call that may have ended one.
  struct claim {
    bool answered = false;
    std::optional<std::string> identity;  // nothing: it has no usable one
    bytes instances;                      // the list that came with it
  };
  std::optional<claim> take_claim();

  // ---- where
  bool has_session() const { return session_ != nullptr; }
  const std::string& address() const { return session_->address(); }
  node_session& session() { return *session_; }
  const node_session& session() const { return *session_; }
  void set_session(std::unique_ptr<node_session> session) { session_ = std::move(session); }
  // Gives its session, and what it heard there, to another node.
  void give_session_to(mono_time now, remote_node& other);
  void announce_move(mono_time now, driver_output& out);

  // ---- events
  void on_plan(mono_time now);
  void on_answer(mono_time now, const frame_view& frame, driver_output& out);
  void on_announcement(mono_time now, byte_view datagram, const frame_view& frame, driver_output& out);
  void on_wake(mono_time now, driver_output& out);
  mono_time next_wake() const;
  void identify_soon(mono_time at);

  std::uint8_t identify_failures() const { return identify_failures_; }
  bool wanted() const;
  mono_time heard_at() const { return heard_at_; }
  // Adds the objects of an instance list (value of 0xD5 or 0xD6). A list is never taken as the whole truth: nodes with
  // many objects send it in parts.
  void merge_instances(mono_time now, byte_view list, driver_output& out);
  bytes instance_list() const;
  const std::vector<device_object>& objects() const { return objects_; }

private:
  enum class purpose : std::uint8_t { identify, describe, poll };

  bool probing() const { return silent_jobs_ >= silent_jobs_to_probe; }
  device_object* find(eoj id);
  device_object* longest_due(mono_time now);
  void hear_instances(mono_time now, byte_view list, driver_output& out);
  void apply_plan(mono_time now, device_object& object);
  void tell_presence(mono_time now, const device_object& object, presence_change change, driver_output& out) const;

  void start_job(mono_time now, driver_output& out);
  void start_identify(mono_time now, driver_output& out);
  bool start_describe(mono_time now, bool wanted_only, driver_output& out);
  bool start_poll(mono_time now, driver_output& out);
  void start(mono_time now, purpose why, const job& what, driver_output& out);
  mono_time next_job_at() const;

  void end_job(mono_time now, driver_output& out);
  void end_identify(mono_time now, driver_output& out);
  void end_describe(mono_time now, device_object& object);
  void end_poll(mono_time now, device_object& object, driver_output& out);
  void take_part_of_poll(mono_time now, driver_output& out);
  void miss_everything_due(mono_time now, driver_output& out);
  void poll_unanswered(mono_time now, device_object& object, bool is_final, driver_output& out);

  void on_heard(mono_time now, device_object& object, driver_output& out);
  void on_restart_notice(mono_time now);
  bool look_again(mono_time now);
  void take_announced_values(mono_time now, const frame_view& frame, driver_output& out);
  void take_late_values(mono_time now, const frame_view& frame, driver_output& out);
  static void put_reading(device_object& object, std::optional<reading> r, driver_output& out);

  node_context* context_;
  std::string identity_;
  std::unique_ptr<node_session> session_;
  std::vector<device_object> objects_;
  std::vector<bytes> held_;  // announcements heard before the node was known
  std::uint32_t maker_ = 0;
  std::optional<claim> claim_;

  mono_time identify_due_ = mono_time::min();
  millis identify_retry_ = identify_retry_min;
  std::uint8_t identify_failures_ = 0;
  mono_time looked_at_ = mono_time::min();
  mono_time heard_at_{};
  purpose purpose_ = purpose::identify;
  bool probe_ = false;  // the identification that runs stands before a poll
  std::uint8_t silent_jobs_ = 0;
};

}  // namespace tomoshibi::drivers::echonet
