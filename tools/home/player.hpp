// Runs a household on real sockets, by one of three clocks: the machine's (at any speed), a conductor elsewhere, or a
// conductor in this process.
#pragma once

#include "tools/home/control.hpp"
#include "tools/home/node_sockets.hpp"
#include "tools/replay/conductor_server.hpp"

#include <optional>

namespace tomoshibi::home {

struct player_options {
  mapping map;
  std::vector<device_change> timeline;
  std::vector<scripted_fault> faults;
  wall_at start{};
  std::uint64_t seed = 1;
  std::string control;                   // path of the socket at which it is told things; empty: none
};

class player final : public replay::local_participant {
public:
  explicit player(player_options options);
  status open();

  // The machine's clock, `speed` virtual seconds per real second, until `end` or a signal.
  status run_by_machine(std::uint32_t speed, std::optional<wall_at> end, replay::progress_options progress);
  // As a participant of a conductor; ends when it goes.
  status run_by_conductor(const std::string& socket_path);

  std::string_view name() const override { return "home"; }
  answer run(mono_time mono, wall_at wall) override;

  std::string summary() const;           // JSON, one line

private:
  // The home begins to exist with the first moment it is told.
  household& home_at(mono_time mono, wall_at wall);

  player_options options_;
  std::optional<household> home_;
  bool started_ = false;
  node_sockets sockets_;
  control_socket control_;
  std::vector<outgoing> out_;
};

}  // namespace tomoshibi::home
