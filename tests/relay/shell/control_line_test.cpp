// Goal: what tomoshibi-ctl asks arrives as it was meant, whatever is in its texts; everything else is refused.
#include "relay/shell/control_line.hpp"

#include "relay/ports/emergency_book.hpp"
#include "relay/shell/data_folder.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

template <class T>
T request(std::string_view line) {
  const auto read = read_control_line(line);
  REQUIRE(read);
  return std::get<T>(std::get<emergency_request>(*read));
}

}  // namespace

TEST_CASE("requests arrive as they were written") {
  CHECK(std::holds_alternative<ask_reload>(*read_control_line("reload")));
  CHECK(std::holds_alternative<ask_status>(*read_control_line("status")));
  CHECK(request<ask_drill>(write_control_line(ask_drill{home_id{7}})).home == home_id{7});
  CHECK(request<ask_guard_test>(write_control_line(ask_guard_test{home_id{4'294'967'295}})).home == home_id{4'294'967'295});
  const auto d = request<ask_dispatch>(write_control_line(ask_dispatch{home_id{1}, "花子 (daughter)", "does not answer; 'quoted'"}));
  CHECK(d.who == "花子 (daughter)");
  CHECK(d.reason == "does not answer; 'quoted'");
}

TEST_CASE("the longest request fits the socket's line") {
  const ask_dispatch longest{home_id{4'294'967'295}, std::string(who_bytes_max, 'x'), std::string(reason_bytes_max, 'x')};
  const auto line = write_control_line(longest);
  CHECK(line.size() <= control_line_max);
  CHECK(request<ask_dispatch>(line).reason == longest.reason);
}

TEST_CASE("everything else is malformed") {
  for (const char* line : {"", "drill", "drill ", "drill 0", "drill -1", "drill 1 2", "drill 1x", "drill 99999999999", "Drill 1", "reload ",
                           "guard-test", "guard-test 1 1", "dispatch 1", "dispatch 1 61", "dispatch 1 61 62 63", "dispatch 1  62",
                           "dispatch 1 6 62", "dispatch 1 2020 62", "dispatch 1 61 e38080",
                           "dispatch 1 0a 62", "dispatch 1 61 ff", "dispatch 1 zz 62"}) {
    CAPTURE(line);
    const auto read = read_control_line(line);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::malformed);
  }
  const ask_dispatch too_long{home_id{1}, std::string(who_bytes_max + 1, 'x'), "x"};
  CHECK_FALSE(read_control_line(write_control_line(too_long)));
}

TEST_CASE("answers arrive with their code and words, on one line") {
  CHECK(read_control_answer(write_control_answer(std::uint64_t{0xfedcba9876543210})).value() == 0xfedcba9876543210);
  const auto refused = write_control_answer(fail(errc::refused, "no account\nat all"));
  CHECK(refused.find('\n') == std::string::npos);
  CHECK(read_control_answer(refused).error().code == errc::refused);
  CHECK(read_control_answer(refused).error().detail == "no account at all");
  CHECK(read_control_answer("error unknown command").error().code == errc::refused);
  for (const char* bad : {"", "ok", "ok 12", "ok 00000000000000zz", "{}"}) CHECK(read_control_answer(bad).error().code == errc::malformed);
}
