// A participant's end of the conductor's line (docs/adr/0002): virtual time comes from it. Blocking, Unix socket, lines of
// text; event_loop drives it.
//
//   we:        join <name>
//   conductor: run <mono_ms> <wall_ms>
//   we:        ran <handlers> <next_mono_ms | never>
#pragma once

#include "protocol/adapters/clock_source.hpp"
#include "protocol/base/result.hpp"

#include <string>
#include <string_view>

namespace tomoshibi {

class replay_clock final : public clock_source {
public:
  // Connects and joins. Time is 0 until the first run. Errors: net_unreachable, net_closed.
  static result<replay_clock> join(const std::string& socket_path, std::string_view name);
  replay_clock(replay_clock&& other) noexcept;
  replay_clock& operator=(replay_clock&&) = delete;
  ~replay_clock() override;

  enum class turn { run, interrupted };
  // Waits for the next run line and sets the clock, or until `interrupt_fd` (a signalfd, -1 = none) becomes readable.
  // Errors: net_closed (the conductor is gone), malformed (not its language, or time that goes back).
  result<turn> wait(int interrupt_fd);
  status answer(std::uint64_t handlers, mono_time next_wake);

  mono_time now() const override { return mono_; }
  wall_time wall() const override { return {wall_, true}; }

private:
  replay_clock() = default;
  status take_line(std::string_view line);
  int fd_ = -1;
  mono_time mono_{};
  wall_at wall_{};
  std::string pending_;
};

}  // namespace tomoshibi
