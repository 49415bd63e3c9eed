#include "protocol/base/ids.hpp"

namespace tomoshibi {
namespace {
bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
}  // namespace

std::optional<gateway_id> gateway_id::parse(std::string_view text) {
  if (text.empty() || text.size() > length_max || !lower_or_digit(text.front())) return std::nullopt;
  for (char c : text)
    if (!lower_or_digit(c) && c != '-') return std::nullopt;
  gateway_id id;
  id.text_ = text;
  return id;
}

}  // namespace tomoshibi
