#include "protocol/adapters/toml_reader.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace tomoshibi {
namespace {

using namespace testing;

enum class colour : std::uint8_t { red, green };
enum class number_of : std::uint16_t {};

struct thing {
  number_of id{};
  std::string label;
};

struct settings {
  std::string name = "unnamed";
  std::string host;
  std::uint16_t port = 8443;
  std::optional<std::int32_t> limit;
  bool on = true;
  colour paint = colour::green;
  std::string file = "/etc/a";
  std::vector<std::string> words{"a", "b"};
  std::vector<thing> things;
};

config_schema schema_of(settings& s) {
  config_schema schema("A program.\nIt does things.");
  schema.table("", "Before the tables.").text("name", s.name, {1, 10}).help("A name.");
  config_table& net = schema.table("net", "The network.");
  net.text("host", s.host, {1, 20}).required().example("\"h.example\"").help("Whom to call.");
  net.integer("port", s.port, 1, 65535).at_start().help("TCP port.");
  net.integer("limit", s.limit, -5, 5).help("May be absent.");
  net.boolean("on", s.on).help("Whether.");
  net.choice("paint", s.paint, {{"red", colour::red}, {"green", colour::green}}).help("Colour.");
  net.path("file", s.file).help("A file.");
  net.text_list("words", s.words, 1, 3, {1, 5}).help("Words.");
  net.text("even", s.name, {0, 10}).help("Checked.").check([](const config_value& v) {
    return std::get<std::string>(v).size() % 2 == 0 ? "" : "of even length";
  });
  schema.tables<thing>("thing", s.things, 2, "Things.", [](config_table& t, thing& x) {
    t.integer("id", x.id, 1, 99).required().example("1").help("Number.");
    t.text("label", x.label, {0, 5}).help("Label.");
  });
  schema.check_all([&s](std::vector<std::string>& problems) {
    if (s.port == 666) problems.push_back("net.port: not this one");
  });
  return schema;
}

// What is wrong with the text, one line each; empty: nothing.
std::string problems_of(std::string_view toml) {
  settings s;
  auto schema = schema_of(s);
  const auto done = schema.read_text(toml, "f.toml");
  if (done) return {};
  CHECK(done.error().code == errc::config_invalid);
  return done.error().detail;
}

}  // namespace

// Goal: every kind of value arrives; what is absent keeps its default.
TEST_CASE("values are read") {
  settings s;
  auto schema = schema_of(s);
  const auto done = schema.read_text(R"(
name = "x"
[net]
host = "h"
port = 1
limit = -5
on = false
paint = "red"
file = "sub/b"
words = ["c"]
[[thing]]
id = 7
label = "seven"
[[thing]]
id = 8
)", "/some/folder/f.toml");
  REQUIRE(done);
  CHECK(s.name == "x");
  CHECK(s.host == "h");
  CHECK(s.port == 1);
  CHECK(s.limit == -5);
  CHECK_FALSE(s.on);
  CHECK(s.paint == colour::red);
  CHECK(s.file == "/some/folder/sub/b");
  CHECK(s.words == std::vector<std::string>{"c"});
  REQUIRE(s.things.size() == 2);
  CHECK(s.things[0].id == number_of{7});
  CHECK(s.things[0].label == "seven");
  CHECK(s.things[1].label.empty());

  settings defaults;
  auto again = schema_of(defaults);
  REQUIRE(again.read_text("[net]\nhost = \"h\"", "f.toml"));
  CHECK(defaults.port == 8443);
  CHECK_FALSE(defaults.limit);
  CHECK(defaults.words.size() == 2);
  CHECK(defaults.file == "/etc/a");
}

// Goal: two readings can be told apart key by key, for every kind of value, and what needs a restart says so here and in the
// sample.
TEST_CASE("differences are named") {
  settings before;
  before.host = "h";
  settings after = before;
  auto was = schema_of(before);
  auto is = schema_of(after);
  CHECK(is.differences(was).empty());
  const auto names = [&] {
    std::string out;
    for (const auto& d : is.differences(was)) out += (out.empty() ? "" : " ") + d.key + (d.at_start ? "!" : "");
    return out;
  };
  REQUIRE(is.read_text("[net]\nhost = \"i\"\nport = 1\nlimit = 0\non = false\npaint = \"red\"\nfile = \"/b\"\nwords = [\"a\"]", "f.toml"));
  CHECK(names() == "net.host net.port! net.limit net.on net.paint net.file net.words");
  after.name = "x";
  CHECK(names().starts_with("name net.host"));
  CHECK(is.sample().find("Allowed: an integer from 1 to 65535. Changes at the next start only.\n#port = ") != std::string::npos);
}

// Goal: each kind of mistake is named with file, line, key and what is allowed.
TEST_CASE("each mistake has its words") {
  const std::string good = "[net]\nhost = \"h\"\n";
  const std::pair<std::string, std::string> cases[] = {
      {"", "f.toml: net.host: is missing; must be a text of 1 to 20 bytes"},
      {"[net]\n", "f.toml:1: net.host: is missing; must be a text of 1 to 20 bytes"},
      {good + "colour = 1", "f.toml:3: net.colour: unknown key"},
      {"typo = 1\n" + good, "f.toml:1: typo: unknown key"},
      {good + "[other]\na = 1", "f.toml:3: other: unknown table"},
      {"[net]\nhost = 1234\n", "f.toml:2: net.host: must be a text of 1 to 20 bytes, in quotes"},
      {good + "port = \"80\"", "f.toml:3: net.port: must be an integer from 1 to 65535"},
      {good + "port = 80.0", "f.toml:3: net.port: must be an integer from 1 to 65535"},
      {good + "port = 0", "f.toml:3: net.port: must be an integer from 1 to 65535"},
      {good + "port = 65536", "f.toml:3: net.port: must be an integer from 1 to 65535"},
      {good + "limit = 6", "f.toml:3: net.limit: must be an integer from -5 to 5"},
      {good + "on = 1", "f.toml:3: net.on: must be true or false"},
      {good + "paint = \"blue\"", "f.toml:3: net.paint: must be one of \"red\" \"green\""},
      {good + "words = []", "f.toml:3: net.words: must be a list of 1 to 3 texts, each a text of 1 to 5 bytes"},
      {good + "words = [\"toolong\"]", "f.toml:3: net.words: must be a list of 1 to 3 texts, each a text of 1 to 5 bytes"},
      {good + "words = [1]", "f.toml:3: net.words: must be a list of 1 to 3 texts, each a text of 1 to 5 bytes"},
      {good + "even = \"odd\"", "f.toml:3: net.even: must be of even length"},
      {good + "file = \"\"", "f.toml:3: net.file: must be a path"},
      {"[net]\nhost = \"a\\u0001\"", "f.toml:2: net.host: must be a text of 1 to 20 bytes"},
      {"net = 5", "f.toml:1: net: must be a table: [net]"},
      {good + "[thing]\nid = 1", "f.toml:3: thing: must be written as [[thing]]"},
      {good + "[[thing]]\nlabel = \"x\"", "f.toml:3: thing[1].id: is missing; must be an integer from 1 to 99"},
      {good + "[[thing]]\nid = 1\n[[thing]]\nid = 100", "f.toml:6: thing[2].id: must be an integer from 1 to 99"},
      {good + "[[thing]]\nid = 1\nsize = 1", "f.toml:5: thing[1].size: unknown key"},
      {good + "[[thing]]\nid=1\n[[thing]]\nid=2\n[[thing]]\nid=3", "f.toml:3: thing: at most 2 of them"},
      {good + "port = 666", "f.toml: net.port: not this one"},
  };
  for (const auto& [toml, expected] : cases) {
    CAPTURE(toml);
    CHECK(problems_of(toml) == expected);
  }
}

// Goal: one run shows all mistakes, in the order of the lines.
TEST_CASE("all mistakes are told at once") {
  const std::string found = problems_of("wrong = 1\n[net]\nport = 0\non = 3\n[[thing]]\nid = 0\n");
  CHECK(std::count(found.begin(), found.end(), '\n') == 4);
  CHECK(found.starts_with("f.toml:1: wrong"));
  std::string many;
  for (int i = 0; i < 500; ++i) many += "k" + std::to_string(i) + " = 1\n";
  const std::string lots = problems_of(many + "[net]\nhost = \"h\"");
  CHECK(std::count(lots.begin(), lots.end(), '\n') == 50);
  CHECK(lots.ends_with("and 450 more"));
}

// Goal: what is not TOML is told with its line.
TEST_CASE("syntax errors have a line") {
  CHECK(problems_of("[net]\nhost = \n").starts_with("f.toml:2: not TOML: "));
  CHECK(problems_of("[net]\nhost = \"a\"\nhost = \"b\"").starts_with("f.toml:3: not TOML: "));
  CHECK(problems_of(std::string(1, '\xff')).starts_with("f.toml:1: not TOML: "));
  // Found by the fuzzer: the library ended the program at these.
  for (const std::string header : {"[[[1]]]", "[[`a]]", "[[=", "[[[", "[[]]", "[=", "[`"})
    CHECK(problems_of("\n" + header + "\n").starts_with("f.toml:2: not TOML: "));
  for (const std::string value : {"[}", "[1,}", "[ }]", "[\"a\", }]", "[[}", "{a = [}"})
    CHECK(problems_of("[net]\nhost = " + value + "\n").starts_with("f.toml:2: not TOML: "));
  CHECK(problems_of(std::string("[[\0]]", 5)).starts_with("f.toml:1: not TOML: "));
  // And these it took for impossible, which the undefined-behaviour sanitizer tells.
  for (const std::string text : {"あ", "é = 1", "[net]\nhost = あ", "[net] ﺎ", "s = \"\"\"\\\n§\"\"\"\n[", "\xef\xb9\xbf"})
    CHECK(problems_of(text).find(": not TOML: ") != std::string::npos);
}

// Goal: files that cannot be read are told apart.
TEST_CASE("files") {
  const temporary_folder folder;
  settings s;
  auto schema = schema_of(s);
  CHECK(schema.read_file(folder.file("none.toml")).error().code == errc::not_found);
  CHECK(schema.read_file(folder.path()).error().code == errc::config_invalid);
  write_file(folder.file("a.toml"), "[net]\nhost = \"h\"\nfile = \"b\"");
  REQUIRE(schema.read_file(folder.file("a.toml")));
  CHECK(s.file == folder.file("b"));
  write_file(folder.file("big.toml"), std::string(1024 * 1024 + 1, '#'));
  CHECK(schema.read_file(folder.file("big.toml")).error().code == errc::config_invalid);
}

// Goal: the sample that a program prints is good input for it once its required keys are there, with every default.
TEST_CASE("the sample is true") {
  settings s;
  std::string sample = schema_of(s).sample();
  CHECK(sample.find("# Whom to call.") != std::string::npos);
  CHECK(sample.find("# Allowed: an integer from 1 to 65535.") != std::string::npos);
  CHECK(sample.find("#port = 8443") != std::string::npos);
  CHECK(sample.find("\nhost = \"h.example\"") != std::string::npos);
  settings read;
  auto schema = schema_of(read);
  REQUIRE(schema.read_text(sample, "sample"));
  // Switched on line by line, it is still good.
  std::string all;
  for (std::size_t at = 0; at < sample.size();) {
    const auto end = sample.find('\n', at);
    std::string line = sample.substr(at, end - at);
    const bool off = line.starts_with("#") && !line.starts_with("# ");
    const bool skipped = line.find("limit") != std::string::npos || line.find("even") != std::string::npos;  // no default of their own
    if (!skipped) all += (off ? line.substr(1) : line) + "\n";
    at = end + 1;
  }
  settings everything;
  auto full = schema_of(everything);
  const auto done = full.read_text(all, "sample");
  CHECK((done ? "" : done.error().detail) == "");
  CHECK(everything.port == 8443);
  CHECK(everything.words == settings{}.words);
  CHECK(everything.things.size() == 1);
}

}  // namespace tomoshibi
