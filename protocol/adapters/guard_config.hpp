// How a program reaches a guard centre, as its configuration says it: one [guard] table, the same in both daemons.
#pragma once

#include "protocol/adapters/guard_link.hpp"
#include "protocol/adapters/toml_reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi {

struct guard_config {
  std::vector<std::string> receivers;      // as written: "tls://host:port"; empty: there is no guard centre
  bool plain = false;                      // tcp:// to others than this machine is meant
  std::string ca, certificate, key;        // PEM files; certificate and key may be empty
  dc09::token format = dc09::token::adm_cid;
  std::string receiver = "0", line = "0";  // R and L
  bool extensions = true;
  unsigned null_interval_s = 60;           // 0: the line is not supervised
  bool operator==(const guard_config&) const = default;
};

// Declares the keys. check_guard() afterwards says what does not fit together, as lines "table.key: what is allowed".
void declare_guard(config_table& table, guard_config& into);
void check_guard(const guard_config& c, std::string_view table, std::vector<std::string>& problems);

// "tls://centre.example:10443", "tcp://127.0.0.1:12000", "tls://[2001:db8::7]:443"; nothing if it is none.
std::optional<guard_receiver> parse_guard_receiver(std::string_view text);

// Settings of a link, but for the account whose line it is (sender.null_account, null_key): without one the line is not
// supervised. Reads the files: config_invalid, with key, file and what is wanted.
result<guard_link_settings> read_guard_settings(const guard_config& c, tls_date_source date);

// An account's number: 3 to 16 hexadecimal digits. An empty string if it is one, otherwise what is allowed, to stand after "must be".
std::string check_guard_account(std::string_view text);

// As it goes into frames on every path, whatever was typed: upper case. Receivers may compare letter by letter.
std::string written_guard_account(std::string text);

// A file with an account's key, 32, 48 or 64 hexadecimal digits, which others must not be able to read. config_invalid, with `key` (of the
// configuration that names the file), path and what is wanted.
result<bytes> read_guard_key(std::string_view key, const std::string& path);

// Every receiver is on this machine; what a replay asks of its peers (docs/adr/0002).
bool on_this_machine(const guard_config& c);

}  // namespace tomoshibi
