#include "tools/bench.d/load/fleet.hpp"

#include "protocol/adapters/pki.hpp"

#include <fstream>
#include <sstream>

namespace tomoshibi::load {
namespace {

constexpr std::string_view heading = "gateway ";

}  // namespace

result<std::string> read_text(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(errc::config_invalid, path + ": cannot be read");
  return text.str();
}

status write_fleet(const std::string& path, const std::vector<member>& members) {
  std::string text;
  for (const member& m : members) text += std::string{heading} + m.name + "\n" + m.certificate_pem + m.key_pem;
  return write_secret_file(path, text);
}

result<std::vector<member>> read_fleet(const std::string& path, std::size_t count) {
  std::ifstream in{path};
  std::vector<member> out;
  std::string line;
  std::string* into = nullptr;
  while (std::getline(in, line)) {
    if (line.starts_with(heading)) {
      if (out.size() == count) break;
      out.push_back({.name = line.substr(heading.size()), .certificate_pem = {}, .key_pem = {}});
      into = nullptr;
      continue;
    }
    if (out.empty()) return fail(errc::config_invalid, path + ": not a fleet; make one with: tomoshibi-load enrol");
    if (line.starts_with("-----BEGIN"))
      into = line.find("CERTIFICATE") != std::string::npos ? &out.back().certificate_pem : &out.back().key_pem;
    if (into != nullptr) *into += line + "\n";
  }
  if (out.size() < count)
    return fail(errc::config_invalid, path + ": has " + std::to_string(out.size()) + " gateways, " +
                                          std::to_string(count) + " are wanted");
  return out;
}

}  // namespace tomoshibi::load
