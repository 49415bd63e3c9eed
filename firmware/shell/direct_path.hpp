// The gateway's own way to the guard centre: DC-09 from here, for a press that the relay has not brought there in time.
//
// What it says of a press: core/direct_event.hpp. What the centre refuses (DUH) is offered again every refused_retry as long as the press
// is open: nobody gives up.
#pragma once

#include "firmware/ports/emergency_store.hpp"
#include "protocol/adapters/guard_config.hpp"
#include "protocol/adapters/guard_link.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

struct direct_config {
  guard_config guard;
  std::string account;                 // of this home at the guard centre; empty: there is no direct path
  std::string account_key;             // file; empty: not encrypted inside the TLS
  bool used() const { return !account.empty() && !guard.receivers.empty(); }
};

// Whether the files that it names can be used, if there is a direct path: config_invalid, with key, file and what is wanted.
status check_direct_files(const direct_config& config);

class direct_path final : guard_link::listener {
public:
  class listener {
  public:
    virtual ~listener() = default;
    virtual void on_direct_accepted(press_id id) = 0;    // a valid, matching acknowledgement; once for each start()
    virtual void on_direct_link(bool down) = 0;          // only when it changes
  };

  // `config` is used(). Reads its files: config_invalid. All outlive the path.
  static result<std::unique_ptr<direct_path>> make(event_loop& loop, const direct_config& config, tls_date_source date,
                                                   log_sink& log, listener& events);

  void start(const press& what);       // nothing if it has been started
  void stop(press_id id);              // also if it has not

private:
  direct_path(event_loop& loop, const direct_config& config, guard_link_settings settings, std::unique_ptr<dc09::cipher> key,
              log_sink& log, listener& events);
  void submit(const press& what);
  void offer_again();
  void on_delivered(std::uint64_t id, std::size_t receiver, mono_time at) override;
  void on_not_delivered(std::uint64_t id, dc09::not_delivered why) override;
  void on_guard_link(dc09::link_state now, std::size_t receiver) override;

  std::string account_;
  std::unique_ptr<dc09::cipher> key_;
  logger log_;
  listener* events_;
  std::vector<press> open_;
  std::vector<press_id> refused_;      // of those: to be offered again
  bool down_ = false;
  loop_timer again_;
  guard_link link_;
};

}  // namespace tomoshibi::firmware
