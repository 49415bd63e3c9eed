#include "relay/ctl/command_line.hpp"

#include "protocol/adapters/clock_source.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/verb.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <deque>
#include <sstream>

namespace tomoshibi::ctl {
namespace {

constexpr const char* about =
    "Registers homes, gateways, appliances and contacts with a Tomoshibi relay, and shows what it knows.\n";
constexpr const char* epilogue =
    "HOME is a home's number or its name, APPLIANCE a number or label within the home.\n"
    "The folder is --dir, or $TOMOSHIBI_DIR, or /var/lib/tomoshibi.\n"
    "Exit codes: 0 done; 1 failed (file, database, relay, mail server); 2 asked wrongly (usage, invalid value, no such\n"
    "thing, already there, refused by a rule).\n"
    "First steps: init, home add, gateway add, gateway enrol, appliance add, contact add, watch on.";

// One verb as CLI11 sees it. Lives as long as the parse.
struct bound_verb {
  const verb* what = nullptr;
  CLI::App* app = nullptr;
  std::deque<std::pair<std::string, std::vector<std::string>>> values;
  std::deque<std::pair<std::string, CLI::Option*>> options;
};

void bind_argument(bound_verb& b, const argument& a) {
  CLI::Option* o = nullptr;
  if (a.kind == argument_kind::flag) {
    o = b.app->add_flag(a.name, a.help);
    b.values.emplace_back(a.name, std::vector<std::string>{});
  } else {
    auto& [name, values] = b.values.emplace_back(a.name, std::vector<std::string>{});
    o = b.app->add_option(name, values, a.help);
    o->expected(1)->allow_extra_args(false);  // one value each time it is given
    if (a.kind == argument_kind::repeatable_option) o->take_all();
    if (a.kind == argument_kind::positional || a.kind == argument_kind::required_option) o->required();
    o->type_name(a.name.starts_with("--") ? "VALUE" : "");
  }
  b.options.emplace_back(a.name, o);
}

void bind_verb(CLI::App& app, std::map<std::string, CLI::App*>& parents, bound_verb& b, const verb& v) {
  CLI::App* parent = v.group.empty() ? &app : parents.at(v.group);
  b.what = &v;
  b.app = parent->add_subcommand(v.name, v.help);
  b.app->fallthrough();
  if (!v.example.empty()) b.app->footer("Examples:\n" + v.example);
  for (const argument& a : v.arguments) bind_argument(b, a);
}

void take_values(const bound_verb& b, context& c) {
  for (std::size_t i = 0; i < b.options.size(); ++i)
    if (b.options[i].second->count() > 0) c.set(b.options[i].first, b.values[i].second);
}

// "tomoshibi-ctl home add", as far as it was understood.
std::string understood(const CLI::App& app) {
  std::string words = app.get_name();
  for (auto below = app.get_subcommands(); !below.empty(); below = below.front()->get_subcommands())
    words += " " + below.front()->get_name();
  return words;
}

// What a word is that nobody wanted: a home's name without quotes gives more words than its verb takes.
std::string too_much(const CLI::App& app, const std::string& word) {
  if (word.starts_with("-")) return "no such option: '" + word + "'";
  const CLI::App* verb = &app;
  for (auto below = verb->get_subcommands(); !below.empty(); below = verb->get_subcommands()) verb = below.front();
  if (!verb->get_subcommands(nullptr).empty()) return "no such verb: '" + word + "'";
  return "one word too many: '" + word + "' (a name with blanks needs quotes)";
}

// Help, the version, or what is wrong with the words. CLI11 tells what is missing before it tells what it did not know: of
// a misspelt verb that a verb is missing.
asked answer(const CLI::App& app, const CLI::ParseError& e, asked a) {
  std::ostringstream out;
  std::ostringstream ignored;
  a.exit_code = app.exit(e, out, ignored) == 0 ? 0 : 2;
  a.c.out = out.str();
  if (a.exit_code == 0) return a;
  const auto unknown = app.remaining(true);
  const std::string said = e.what();
  a.c.note = "tomoshibi-ctl: " +
             (!unknown.empty()                    ? too_much(app, unknown.front())
              : said.starts_with("A subcommand") ? "a verb is missing"
                                                  : said) +
             "; see: " + understood(app) + " --help\n";
  return a;
}

int finish(const context& c, const status& done) {
  bool written = std::fwrite(c.out.data(), 1, c.out.size(), stdout) == c.out.size();
  written = std::fflush(stdout) == 0 && written;
  std::fwrite(c.note.data(), 1, c.note.size(), stderr);
  if (!done) {
    std::fprintf(stderr, "tomoshibi-ctl: %s\n", done.error().detail.c_str());
    return exit_code_of(done.error().code);
  }
  return written ? 0 : 1;
}

result<wall_at> present(const std::string& option) {
  if (option.empty()) return system_clock_source{}.wall().at;
  return parse_utc("--now", option);
}

}  // namespace

asked read_command_line(int argc, const char* const* argv) {
  CLI::App app(about, "tomoshibi-ctl");
  app.footer(epilogue);
  app.set_version_flag("--version", std::string{"tomoshibi-ctl "} + TOMOSHIBI_VERSION);
  app.require_subcommand(1);
  asked a;
  context& c = a.c;
  std::string now;
  c.folder.path = "/var/lib/tomoshibi";
  app.add_option("--dir", c.folder.path, "The relay's folder")->envname("TOMOSHIBI_DIR")->type_name("DIR");
  app.add_option("--now", now, "Take this as the present, 2026-01-31T08:15:00Z (replays and tests)")->type_name("TIME");

  std::map<std::string, CLI::App*> parents;
  for (const verb_group& g : groups()) {
    parents[g.name] = app.add_subcommand(g.name, g.help);
    parents[g.name]->require_subcommand(1);
    parents[g.name]->fallthrough();
  }
  std::deque<bound_verb> bound;
  for (const verb& v : verbs()) bind_verb(app, parents, bound.emplace_back(), v);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return answer(app, e, std::move(a));
  }
  auto at = present(now);
  if (!at) {
    c.note = "tomoshibi-ctl: " + at.error().detail + "\n";
    return a;
  }
  c.now = *at;
  for (const bound_verb& b : bound) {
    if (!b.app->parsed()) continue;
    a.what = b.what;
    take_values(b, c);
  }
  return a;
}

int run_command_line(int argc, char** argv) {
  asked a = read_command_line(argc, argv);
  if (a.what == nullptr) {
    finish(a.c, {});
    return a.exit_code;
  }
  const status done = a.what->run(a.c);
  return finish(a.c, done);
}

}  // namespace tomoshibi::ctl
