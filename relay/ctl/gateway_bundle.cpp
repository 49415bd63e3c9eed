#include "relay/ctl/gateway_bundle.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tomoshibi::ctl {

std::string gateway_configuration(const bundle& b) {
  const bool v6 = b.relay_host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + b.relay_host + "]" : b.relay_host;
  return "# Gateway " + b.gateway.text() +
         ", written by tomoshibi-ctl gateway enrol. Every key: tomoshibi-gateway --print-config.\n"
         "# Paths count from this file's folder, /etc/tomoshibi on the box.\n"
         "\n"
         "[relay]\n"
         "addresses = [\"" + host + ":" + std::to_string(b.relay_port) + "\"]\n"
         "certificate = \"gateway.pem\"\n"
         "key = \"gateway.key\"\n"
         "ca = \"ca.pem\"\n";
}

status write_bundle(const std::string& folder, const bundle& b) {
  if (::mkdir(folder.c_str(), 0700) != 0) {
    const int e = errno;
    if (e == EEXIST) return fail(errc::already_exists, folder + ": exists already; name a folder that is to be made");
    return fail(errc::storage_io, folder + ": cannot make it: " + std::strerror(e));
  }
  status done = write_public_file(folder + "/gateway.toml", gateway_configuration(b));
  if (done) done = write_public_file(folder + "/ca.pem", b.ca_pem);
  if (done) done = write_public_file(folder + "/gateway.pem", b.identity.certificate_pem);
  if (done) done = write_secret_file(folder + "/gateway.key", b.identity.key_pem);
  if (done) return {};
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return done;
}

}  // namespace tomoshibi::ctl
