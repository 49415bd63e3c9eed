// Goal: the person in the room hears what is true, briefly, in both languages; a broken panel never stops anything.
#include "firmware/ports/panel_words.hpp"
#include "firmware/shell/led_panel.hpp"
#include "firmware/shell/log_panel.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sys/stat.h>
#include <vector>

namespace tomoshibi::firmware {
namespace {

using testing::read_file;
using testing::temporary_folder;
using testing::write_file;
using enum panel_word;

constexpr panel_word every_word[] = {idle, accepted, received, calling, not_delivered};
constexpr std::size_t seconds_max = 12;  // nobody listens for longer

class heard_log final : public log_sink {
public:
  void write(log_level, std::string_view, std::string_view event, std::span<const log_field>) override { events.emplace_back(event); }
  std::vector<std::string> events;
};

std::size_t letters(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

void make_lamp(const temporary_folder& folder, const std::string& name, bool with_timer = true) {
  REQUIRE(::mkdir(folder.file(name).c_str(), 0700) == 0);
  for (const char* file : {"brightness", "trigger"}) write_file(folder.file(name + "/" + file), "");
  for (const char* file : {"delay_on", "delay_off"})
    if (with_timer) write_file(folder.file(name + "/" + file), "");
}

// "none 255" or "timer 250 250"
std::string lamp_of(const temporary_folder& folder, const std::string& name) {
  const std::string trigger = read_file(folder.file(name + "/trigger"));
  if (trigger == "none") return trigger + " " + read_file(folder.file(name + "/brightness"));
  return trigger + " " + read_file(folder.file(name + "/delay_on")) + " " + read_file(folder.file(name + "/delay_off"));
}

led_panel_options all_lamps(const temporary_folder& folder) {
  return {.folder = folder.path(), .call = "red", .answer = "green", .fault = "yellow", .buzzer = "beep"};
}

}  // namespace

TEST_CASE("the words are there in both languages, short, and a drill is said to be one") {
  for (const panel_word word : every_word) {
    for (const bool test : {false, true}) {
      CAPTURE(name_of(word), test);
      const panel_view view{.word = word, .test = test, .not_saved = false};
      const auto japanese = voice_of(view, panel_language::japanese), english = voice_of(view, panel_language::english);
      CHECK(japanese.empty() == (word == idle));
      CHECK(english.empty() == (word == idle));
      // About 5 Japanese letters (kana and kanji) and 12 English ones are spoken in a second.
      CHECK(letters(japanese) <= 5 * seconds_max);
      CHECK(letters(english) <= 12 * seconds_max);
      if (word == idle) continue;
      CHECK(has(japanese, "訓練") == test);
      CHECK(has(english, "drill") == test);
      for (const auto text : {japanese, english}) {
        CHECK(has(text, "110") == (word == not_delivered));
        CHECK(has(text, "119") == (word == not_delivered));
      }
      // Only the guard centre's word may sound like it.
      if (word == calling) CHECK_FALSE(has(english, "guard"));
    }
  }
}

TEST_CASE("no two words look alike, a drill is silent, and what is not saved is a lamp, not a word") {
  for (const panel_word word : every_word) {
    for (const panel_word other : every_word)
      CHECK((word == other || signal_of({word, false, false}) != signal_of({other, false, false})));
    CHECK(signal_of({word, true, false}).buzzer == pulse_off);
    CHECK(signal_of({word, false, true}).fault == pulse_on);
    CHECK(signal_of({word, false, false}).fault == pulse_off);
    CHECK(voice_of({word, false, true}, panel_language::english) == voice_of({word, false, false}, panel_language::english));
  }
}

TEST_CASE("the log panel says each change and keeps its file") {
  temporary_folder folder;
  heard_log log;
  log_panel shown(log, folder.file("panel"));
  shown.show({calling, true, true});
  CHECK(log.events == std::vector<std::string>{"shown"});
  const std::string text = read_file(folder.file("panel"));
  CHECK(text.starts_with("word=calling test=1 not_saved=1\n"));
  CHECK(has(text, voice_of({calling, true, true}, panel_language::japanese)));
  shown.show({});
  CHECK(read_file(folder.file("panel")) == "word=idle test=0 not_saved=0\n\n\n");

  log_panel nowhere(log, folder.file("missing/panel"));
  nowhere.show({calling, false, false});
  nowhere.show({received, false, false});
  CHECK(log.events == std::vector<std::string>{"shown", "shown", "shown", "state_file", "shown"});  // told once
}

TEST_CASE("the LED panel drives lamps and buzzer as documented") {
  temporary_folder folder;
  heard_log log;
  for (const char* name : {"red", "green", "yellow", "beep"}) make_lamp(folder, name);
  led_panel shown(log, all_lamps(folder));
  const auto lamps = [&folder] {
    return lamp_of(folder, "red") + ", " + lamp_of(folder, "green") + ", " + lamp_of(folder, "yellow") + ", " + lamp_of(folder, "beep");
  };
  shown.show({calling, false, false});
  CHECK(lamps() == "timer 250 250, none 0, none 0, timer 200 800");
  shown.show({received, false, true});
  CHECK(lamps() == "none 255, timer 500 500, none 255, none 0");
  shown.show({accepted, false, false});
  CHECK(lamps() == "none 0, none 255, none 0, none 0");
  shown.show({not_delivered, false, false});
  CHECK(lamps() == "timer 100 100, none 0, none 0, timer 500 500");
  shown.show({not_delivered, true, false});
  CHECK(lamps() == "timer 100 100, none 0, none 0, none 0");
  shown.show({});
  CHECK(lamps() == "none 0, none 0, none 0, none 0");
  CHECK(log.events.empty());
}

TEST_CASE("missing lamps are told once and hold nothing up; without the timer a lamp is steady") {
  temporary_folder folder;
  heard_log log;
  make_lamp(folder, "green");
  make_lamp(folder, "yellow");
  make_lamp(folder, "beep", false);
  led_panel shown(log, all_lamps(folder));
  shown.show({calling, false, true});
  shown.show({not_delivered, false, true});
  CHECK(log.events == std::vector<std::string>{"lamp", "lamp"});  // red is not there, the buzzer has no timer
  CHECK(lamp_of(folder, "beep") == "none 255");
  CHECK(lamp_of(folder, "yellow") == "none 255");
  make_lamp(folder, "red");
  shown.show({received, false, false});
  CHECK(lamp_of(folder, "red") == "none 255");
  led_panel none(log, {.folder = folder.path(), .call = "", .answer = "", .fault = "", .buzzer = ""});
  none.show({calling, false, false});
  CHECK(log.events.size() == 2);
}

}  // namespace tomoshibi::firmware
