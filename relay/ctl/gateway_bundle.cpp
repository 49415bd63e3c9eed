#include "relay/ctl/gateway_bundle.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tomoshibi::ctl {

namespace {

std::string guard_table(const bundle_guard& g) {
  return "\n# The box's own way to the guard centre, for a press that the relay has not brought there in time.\n"
         "[guard]\n"
         "receivers = [\"" + g.receiver + "\"]\n"
         "account = \"" + g.account + "\"\n" +
         (g.key_hex.empty() ? "" : "account_key = \"guard-account.key\"\n") +
         (g.ca_pem.empty() ? "" : "ca = \"guard-ca.pem\"\n") +
         (g.sia ? "format = \"sia-dcs\"\n" : "") +
         "receiver = \"" + g.receiver_number + "\"\n"
         "line = \"" + g.line_prefix + "\"\n" +
         (g.extensions ? "" : "extensions = false\n");
}

}  // namespace

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
         "ca = \"ca.pem\"\n" +
         (b.emergency_port == lane_port ? "" : "\n[emergency]\nport = " + std::to_string(b.emergency_port) + "\n") +
         (b.guard ? guard_table(*b.guard) : "");
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
  if (done && b.guard && !b.guard->ca_pem.empty()) done = write_public_file(folder + "/guard-ca.pem", b.guard->ca_pem);
  if (done && b.guard && !b.guard->key_hex.empty()) done = write_secret_file(folder + "/guard-account.key", b.guard->key_hex + "\n");
  if (done) return {};
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return done;
}

}  // namespace tomoshibi::ctl
