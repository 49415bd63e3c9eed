#include "relay/ctl/server_names.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace tomoshibi::ctl {
namespace {

constexpr std::size_t names_max = 16;
constexpr std::size_t common_name_max = 64;

// The bytes of an address; empty: it is none.
std::string address_bytes(const std::string& name) {
  char parsed[sizeof(in6_addr)];
  if (inet_pton(AF_INET, name.c_str(), parsed) == 1) return {parsed, sizeof(in_addr)};
  if (inet_pton(AF_INET6, name.c_str(), parsed) == 1) return {parsed, sizeof(in6_addr)};
  return {};
}

bool is_address(const std::string& name) { return !address_bytes(name).empty(); }

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// Both in lower case.
bool matches(const std::string& name, const std::string& host) {
  if (name == host) return true;
  const auto dot = host.find('.');
  return name.starts_with("*.") && dot != 0 && dot != std::string::npos && host.substr(dot) == name.substr(1);
}

bool is_dns_name(const std::string& name) {
  static constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  return !name.empty() && name.size() <= 253 && name.find_first_not_of(allowed) == std::string::npos &&
         name.front() != '-' && name.front() != '.' && name.find("..") == std::string::npos;
}

}  // namespace

result<server_certificate_request> read_server_names(const std::vector<std::string>& names) {
  if (names.size() > names_max)
    return fail(errc::config_invalid, "--name: at most " + std::to_string(names_max) + " times");
  server_certificate_request request;
  for (const auto& name : names) {
    if (is_address(name)) request.ip_addresses.push_back(name);
    else if (is_dns_name(name)) request.dns_names.push_back(name);
    else return fail(errc::config_invalid, "--name: a host name or IP address that gateways dial, given as often as needed");
  }
  if (!names.empty()) request.name = names.front().substr(0, common_name_max);
  return request;
}

std::string names_of(const certificate_facts& facts) {
  std::string out;
  for (const auto* list : {&facts.dns_names, &facts.ip_addresses})
    for (const auto& name : *list) out += (out.empty() ? "" : ", ") + name;
  return out;
}

bool covers(const certificate_facts& facts, const std::string& host) {
  if (const auto dialled = address_bytes(host); !dialled.empty())
    return std::ranges::any_of(facts.ip_addresses, [&](const auto& a) { return address_bytes(a) == dialled; });
  return std::ranges::any_of(facts.dns_names, [&](const auto& name) { return matches(lower(name), lower(host)); });
}

}  // namespace tomoshibi::ctl
