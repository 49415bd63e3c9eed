#include "protocol/adapters/guard_config.hpp"

#include "protocol/base/host_port.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tomoshibi {
namespace {

constexpr std::string_view receiver_form =
    "tls://host:port or tcp://host:port, for example \"tls://centre.example.net:10443\" or \"tcp://127.0.0.1:12000\"";

std::string check_receivers(const config_value& value) {
  for (const auto& text : std::get<std::vector<std::string>>(value))
    if (!parse_guard_receiver(text)) return "a list of " + std::string(receiver_form);
  return {};
}

std::string check_prefix(const config_value& value) {
  return dc09::is_hex(std::get<std::string>(value), 1, 6) ? "" : "1 to 6 hexadecimal digits, as the guard centre gave them";
}

// Of names only localhost is one, so that no name server decides where a press goes in plain text.
bool loopback(const std::string& host) {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  return host == "localhost";
}

struct descriptor {
  int fd;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

void declare_guard(config_table& t, guard_config& c) {
  t.text_list("receivers", c.receivers, 0, dc09::receivers_max, {1, host_bytes_max + 16}).at_start()
      .check(check_receivers)
      .example("[\"tls://centre.example.net:10443\"]")
      .help("Alarm receivers of the guard centre (SIA DC-09), the preferred one first: " + std::string(receiver_form) +
            ". Empty: there is no guard centre.");
  t.boolean("plain", c.plain).at_start()
      .help("Allows tcp:// to another machine. Whoever can write on such a line can forge an acknowledgement: only inside a VPN.");
  t.path("ca", c.ca).at_start().example("\"/etc/tomoshibi/guard-ca.pem\"")
      .help("Whose certificates are believed of receivers (PEM). Needed for tls://.");
  t.path("certificate", c.certificate).at_start().example("\"/etc/tomoshibi/guard.pem\"")
      .help("What is shown to receivers that ask for a certificate (PEM).");
  t.path("key", c.key).at_start().example("\"/etc/tomoshibi/guard.key\"").help("The key of the certificate (PEM).");
  t.choice("format", c.format, {{"adm-cid", dc09::token::adm_cid}, {"sia-dcs", dc09::token::sia_dcs}}).at_start()
      .help("Contact ID or SIA; what SIA has no code for goes as Contact ID.");
  t.text("receiver", c.receiver, {1, 6}).at_start().check(check_prefix).help("Receiver number (R).");
  t.text("line", c.line, {1, 6}).at_start().check(check_prefix).help("Line prefix (L).");
  t.boolean("extensions", c.extensions).at_start()
      .help("Sends time of occurrence and name of a press along. Only receivers of the first editions cannot take them; such a "
            "centre cannot see that two paths brought one press.");
  t.integer("null_interval_s", c.null_interval_s, 0, 86'400).at_start()
      .help("Seconds between two questions whether the line lives, while nothing else is sent. 0: none are asked.");
}

void check_guard(const guard_config& c, std::string_view table, std::vector<std::string>& problems) {
  const std::string at(table);
  bool secure = false;
  for (const std::string& text : c.receivers) {
    const auto r = parse_guard_receiver(text);
    if (!r) continue;              // told already
    secure |= r->secure;
    if (!r->secure && !c.plain && !loopback(r->host))
      problems.push_back(at + ".receivers: tcp:// only to this machine (127.0.0.0/8, ::1, localhost), unless " + at + ".plain = true");
  }
  if (secure && c.ca.empty()) problems.push_back(at + ".ca: needed for tls://");
  if (c.certificate.empty() != c.key.empty()) problems.push_back(at + ".certificate and " + at + ".key: both or none");
}

std::optional<guard_receiver> parse_guard_receiver(std::string_view text) {
  guard_receiver out;
  if (!text.starts_with("tls://") && !text.starts_with("tcp://")) return std::nullopt;
  out.secure = text.starts_with("tls://");
  text.remove_prefix(6);
  const auto at = parse_host_port(text);
  if (!at) return std::nullopt;
  out.host = at->host;
  out.port = at->port;
  return out;
}

result<guard_link_settings> read_guard_settings(const guard_config& c, tls_date_source date) {
  guard_link_settings out;
  bool secure = false;
  for (const std::string& text : c.receivers) {
    auto r = parse_guard_receiver(text);
    if (!r) return fail(errc::config_invalid, "guard.receivers: must be a list of " + std::string(receiver_form));
    secure |= r->secure;
    out.receivers.push_back(std::move(*r));
    out.sender.receivers.push_back({.format = c.format, .receiver = c.receiver, .line = c.line, .extensions = c.extensions});
  }
  if (out.receivers.empty()) return fail(errc::config_invalid, "guard.receivers: at least one is needed");
  out.sender.null_interval = std::chrono::seconds{c.null_interval_s};
  if (!secure) return out;
  auto files = load_tls_identity({.certificate = c.certificate, .key = c.key, .ca = c.ca, .table = "guard"});
  if (!files) return std::unexpected(files.error());
  auto context = make_tls_client(*files, std::move(date));
  if (!context) return std::unexpected(context.error());
  out.tls = std::move(*context);
  return out;
}

std::string check_guard_account(std::string_view text) {
  return dc09::is_hex(text, 3, 16) ? "" : "the account number that the guard centre gave: 3 to 16 hexadecimal digits (0 to 9, A to F)";
}

std::string written_guard_account(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

result<bytes> read_guard_key(std::string_view key, const std::string& path) {
  const auto wrong = [key, &path](const std::string& why) {
    return fail(errc::config_invalid, std::string(key) + ": " + path + ": " + why);
  };
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return wrong(std::strerror(errno));
  struct stat found{};
  if (::fstat(file.fd, &found) != 0 || (found.st_mode & (S_IWGRP | S_IRWXO)) != 0)
    return wrong("a key that others can read or write; mode 0640 or less is allowed; chmod 0640 " + path);
  char text[256];
  const ssize_t n = ::read(file.fd, text, sizeof text);
  if (n < 0) return wrong(std::strerror(errno));
  std::string_view digits{text, static_cast<std::size_t>(n)};
  while (!digits.empty() && std::string_view{" \t\r\n"}.find(digits.back()) != std::string_view::npos) digits.remove_suffix(1);
  auto secret = from_hex(digits);
  if (!secret || (secret->size() != 16 && secret->size() != 24 && secret->size() != 32))
    return wrong("must hold 32, 48 or 64 hexadecimal digits on one line, the account's key for AES-128, AES-192 or AES-256");
  return std::move(*secret);
}

bool on_this_machine(const guard_config& c) {
  for (const std::string& text : c.receivers) {
    const auto r = parse_guard_receiver(text);
    if (!r || !loopback(r->host)) return false;
  }
  return true;
}

}  // namespace tomoshibi
