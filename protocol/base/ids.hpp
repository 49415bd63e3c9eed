// Names of things. Each is a type of its own so that one cannot be passed for another.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi {

// A gateway's name: the subject CN of its certificate. 1..32 characters of [a-z0-9-], first one a letter or digit.
class gateway_id {
public:
  static constexpr std::size_t length_max = 32;
  gateway_id() = default;
  static std::optional<gateway_id> parse(std::string_view text);
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const gateway_id&, const gateway_id&) = default;
private:
  std::string text_;
};

enum class home_id : std::uint32_t {};
enum class appliance_id : std::uint16_t {};  // unique within a home, 1..65535, never used again after removal
enum class contact_id : std::uint32_t {};
enum class episode_id : std::uint64_t {};
enum class mail_id : std::uint64_t {};

// Outbox log: a sequence per epoch. A new epoch begins only when the outbox file had to be made anew.
enum class outbox_epoch : std::uint64_t {};
using record_seq = std::uint64_t;  // 1, 2, 3 ... within an epoch; 0 = none yet

}  // namespace tomoshibi
