#include "protocol/adapters/ticket_keys.hpp"

#include "protocol/base/bytes.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tomoshibi {
namespace {

bool from_the_future(const ticket_key& key, wall_at now) { return key.made > now + ticket_clock_slack; }

std::optional<ticket_key> parse_line(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::int64_t made = 0;
  const auto [end, failed] = std::from_chars(line.data(), line.data() + space, made);
  if (failed != std::errc{} || end != line.data() + space || made < 0) return std::nullopt;
  const auto secret = from_hex(line.substr(space + 1));
  ticket_key key{.made = wall_from_ms(made), .secret = {}};
  if (!secret || secret->size() != key.secret.size()) return std::nullopt;
  std::ranges::copy(*secret, key.secret.begin());
  return key;
}

}  // namespace

result<ticket_keys> ticket_keys::parse(std::string_view text) {
  ticket_keys read;
  int number = 1;
  for (; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto key = parse_line(text.substr(0, end));
    if (!key || read.keys_.size() == ticket_keys_max)
      return fail(errc::storage_corrupt, "line " + std::to_string(number) + " of the ticket keys");
    read.keys_.push_back(*key);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return read;
}

std::string ticket_keys::text() const {
  std::string out;
  for (const ticket_key& key : keys_) out += std::to_string(to_ms(key.made)) + " " + to_hex(key.secret) + "\n";
  return out;
}

bool ticket_keys::due(wall_at now) const {
  return keys_.empty() || now - keys_.front().made >= ticket_key_turn || from_the_future(keys_.front(), now);
}

void ticket_keys::turn(wall_at now, const ticket_key::secret_bytes& secret) {
  std::erase_if(keys_, [now](const ticket_key& key) { return from_the_future(key, now); });
  keys_.insert(keys_.begin(), {.made = now, .secret = secret});
  if (keys_.size() > ticket_keys_max) keys_.resize(ticket_keys_max);
}

}  // namespace tomoshibi
