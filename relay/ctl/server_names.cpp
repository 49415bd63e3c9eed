#include "relay/ctl/server_names.hpp"

#include <arpa/inet.h>

namespace tomoshibi::ctl {
namespace {

constexpr std::size_t names_max = 16;
constexpr std::size_t common_name_max = 64;

bool is_address(const std::string& name) {
  unsigned char parsed[16];
  return inet_pton(AF_INET, name.c_str(), parsed) == 1 || inet_pton(AF_INET6, name.c_str(), parsed) == 1;
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

}  // namespace tomoshibi::ctl
