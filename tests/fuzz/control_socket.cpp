// Whatever is written to the relay's control socket: the handler sees one line of bounded length, and one line comes back.
// The first byte says in which pieces the rest arrives.
#include "protocol/base/check.hpp"
#include "relay/core/plain_text.hpp"
#include "relay/ports/emergency_book.hpp"
#include "relay/shell/control_line.hpp"
#include "relay/shell/control_socket.hpp"
#include "relay/shell/data_folder.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/drive.hpp"
#include "tests/support/plain_socket.hpp"
#include "tests/support/temporary_folder.hpp"

#include <vector>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

// An input is judged by its bytes alone: on a busy machine one may take longer than a relay's patience.
constexpr millis patience = 24h;

// A line that is a request is the one that would be written for it, and its texts fit the book.
void check_line(std::string_view line) {
  const auto read = read_control_line(line);
  if (!read) return;
  const auto* request = std::get_if<emergency_request>(&*read);
  if (request == nullptr) return;
  const auto again = read_control_line(write_control_line(*request));
  TOMO_REQUIRE(again.has_value());
  TOMO_REQUIRE(write_control_line(std::get<emergency_request>(*again)) == write_control_line(*request));
  const auto* d = std::get_if<ask_dispatch>(request);
  TOMO_REQUIRE(d == nullptr || (!d->who.empty() && d->who.size() <= who_bytes_max && one_line(d->who) == d->who &&
                                !d->reason.empty() && d->reason.size() <= reason_bytes_max && one_line(d->reason) == d->reason));
}

struct bench {
  testing::temporary_folder folder;
  std::vector<std::string> asked;
  std::unique_ptr<event_loop> loop = event_loop::open({}).value();
  std::unique_ptr<control_socket> socket =
      control_socket::open(*loop, folder.file("s"), [this](std::string_view line, const control_socket::reply& answer) {
        asked.emplace_back(line);
        check_line(line);
        answer("answer");
      }, patience).value();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bench b;
  b.asked.clear();
  fuzz::input in{data, size};
  const std::size_t piece = 1 + std::size_t{in.u8()};
  const std::string_view text = as_text(in.rest());
  auto caller = testing::plain_socket::local(b.folder.file("s"));
  TOMO_REQUIRE(caller.connected());
  bool ended = false;
  for (std::size_t at = 0; at < text.size() && !ended; at += piece) {
    caller.write(text.substr(at, piece));
    for (int turn = 0; turn < 3; ++turn) b.loop->poll();
    ended = caller.ended();
  }
  caller.end();
  TOMO_REQUIRE(testing::drive(*b.loop, [&caller] { return caller.ended(); }));

  const auto end = text.find('\n');
  const bool whole = end != std::string_view::npos && end <= control_line_max;
  const bool too_long = !whole && std::min(end, text.size()) > control_line_max;
  TOMO_REQUIRE(b.asked.size() == (whole ? 1u : 0u));
  if (whole) TOMO_REQUIRE(b.asked[0] == text.substr(0, end));
  // A caller that left with bytes unread may find its answer gone with the connection.
  const auto& got = caller.received();
  TOMO_REQUIRE(got.empty() || (whole && got == "answer\n") || (too_long && got == "error unknown command\n"));
  return 0;
}
