// A verb of tomoshibi-ctl: what it is called, what it takes, what it does. Each file in verbs/ declares its own.
//
// A verb appends what it has to say to standard output's text and answers a status. Exit codes: 0 done; 1 it should have
// worked and did not (file, database, relay, mail server); 2 it was asked wrongly: usage, invalid value, no such thing,
// already there, or refused by a rule.
#pragma once

#include "protocol/adapters/sqlite_db.hpp"
#include "relay/shell/data_folder.hpp"

#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::ctl {

enum class argument_kind { positional, optional_positional, option, required_option, repeatable_option, flag };

struct argument {
  std::string name;  // "HOME", "--zone", "--json"
  argument_kind kind = argument_kind::option;
  std::string help;
};

class context {
public:
  relay::data_folder folder;
  wall_at now{};
  std::string out;   // standard output
  std::string note;  // standard error, beside an error

  void set(const std::string& name, std::vector<std::string> values) { values_[name] = std::move(values); }
  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name, std::string otherwise = {}) const {
    const auto found = values_.find(name);
    return found == values_.end() || found->second.empty() ? otherwise : found->second.front();
  }
  std::vector<std::string> list(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>{} : found->second;
  }
  void say(std::string_view line) { out.append(line) += '\n'; }
  // At once, before what is said: for a verb that waits while somebody looks on.
  static void say_now(std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }

private:
  std::map<std::string, std::vector<std::string>> values_;
};

struct verb {
  std::string group;    // "home", or empty for a verb of one word
  std::string name;     // "add"
  std::string help;     // one line
  std::vector<argument> arguments;
  std::string example;  // command lines, one a line, without the program's name
  status (*run)(context&) = nullptr;
};

struct verb_group {
  std::string name;
  std::string help;
};

const std::vector<verb_group>& groups();
const std::vector<verb>& verbs();  // in the order in which help shows them

int exit_code_of(errc code);

}  // namespace tomoshibi::ctl
