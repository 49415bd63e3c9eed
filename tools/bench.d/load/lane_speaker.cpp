#include "protocol/wire/message_reader.hpp"
#include "tools/bench.d/load/speaker.hpp"

namespace tomoshibi::load {
namespace {

// An emergency lane that stands: hello, the state of a box without troubles, pings. Nobody presses.
class lane_speaker final : public speaker {
public:
  explicit lane_speaker(const std::string& name) : name_(name) {}

  bytes greeting() override {
    ready_ = false;
    reader_ = {};
    return *wire::encode_frame(wire::lane_hello{.gateway = name_, .boot = 1, .firmware_version = "load"});
  }

  result<bytes> take(byte_view plain) override {
    bytes answer;
    while (!plain.empty()) {
      const auto message = reader_.next(plain);
      if (!message) return std::unexpected(message.error());
      if (!*message) break;
      if (const auto* b = std::get_if<wire::bye>(&**message))
        return fail(errc::net_closed, "bye: " + std::string{wire::name_of(b->reason)});
      if (!std::holds_alternative<wire::lane_welcome>(**message)) continue;
      ready_ = true;
      put_bytes(answer, *wire::encode_frame(wire::box_state{}));
    }
    return answer;
  }

  bytes message(std::uint64_t) override { return {}; }
  bytes sign_of_life() override { return *wire::encode_frame(wire::ping{7}); }
  bool ready() const override { return ready_; }
  std::uint64_t acknowledged() const override { return 0; }

private:
  std::string name_;
  wire::message_reader reader_;
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<speaker> make_lane_speaker(const std::string& name) { return std::make_unique<lane_speaker>(name); }

}  // namespace tomoshibi::load
