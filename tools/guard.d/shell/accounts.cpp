#include "tools/guard.d/shell/accounts.hpp"

#include "protocol/adapters/dc09_cipher.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace tomoshibi::guard {
namespace {

result<account> parse_line(const std::string& line, const std::string& where) {
  std::istringstream in(line);
  account out;
  std::string key;
  in >> out.number >> key;
  std::getline(in >> std::ws, out.name);
  if (!dc09::is_hex(out.number, 3, 16)) return fail(errc::config_invalid, where + "an account number has 3 to 16 hexadecimal digits");
  std::ranges::transform(out.number, out.number.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (key.empty()) return fail(errc::config_invalid, where + "a key, or '-' for none, follows the number");
  if (key == "-") return out;
  const auto bytes_of = from_hex(key);
  if (!bytes_of) return fail(errc::config_invalid, where + "a key has 32, 48 or 64 hexadecimal digits");
  auto cipher = make_dc09_cipher(*bytes_of);
  if (!cipher) return fail(errc::config_invalid, where + "a key has 32, 48 or 64 hexadecimal digits");
  out.key = std::move(*cipher);
  return out;
}

}  // namespace

result<std::vector<account>> parse_accounts(std::string_view text, const std::string& file) {
  std::vector<account> out;
  std::istringstream in{std::string(text)};
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const std::string where = file + ':' + std::to_string(number) + ": ";
    auto one = parse_line(line, where);
    if (!one) return std::unexpected(one.error());
    if (std::ranges::find(out, one->number, &account::number) != out.end())
      return fail(errc::config_invalid, where + "account " + one->number + " stands here twice");
    if (out.size() >= accounts_max) return fail(errc::config_invalid, where + "more than " + std::to_string(accounts_max) + " accounts");
    out.push_back(std::move(*one));
  }
  return out;
}

result<std::vector<account>> load_accounts(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(errc::config_invalid, path + ": cannot be read");
  return parse_accounts(text.str(), path);
}

}  // namespace tomoshibi::guard
