// Goal: whatever a guard centre answers, to an event or a link test: no crash, and "delivered" only for an answer that a
// plain reading also finds right. The first byte says whether our frame was encrypted and whether the CRC is made to fit.
#include "protocol/base/check.hpp"
#include "protocol/dc09/sender.hpp"
#include "tests/fuzz/dc09.hpp"

using namespace tomoshibi;

namespace {

const fuzz::glass_cipher glass;
constexpr wall_at now{std::chrono::sys_days{std::chrono::year{2027} / 1 / 1} + 10h};

void check_judge(std::string_view whole, bool encrypted) {
  const dc09::sent_frame out{encrypted, 17, "1", "1", "1234"};
  const dc09::reply r = dc09::judge_reply(whole, out, &glass, now, 0ms);
  if (r.is != dc09::verdict::delivered) {
    TOMO_REQUIRE(r.offset <= dc09::offset_max && r.offset >= -dc09::offset_max);
    return;
  }
  const auto f = dc09::read_frame(whole, &glass);
  TOMO_REQUIRE(f && f->id == dc09::token::ack && f->sequence == 17 && f->account == "1234");
  TOMO_REQUIRE(!encrypted || (f->encrypted && f->stamp));
}

// The sender with the answer as it comes: one event, and what became of it.
void check_sender(byte_view answer, bool encrypted) {
  dc09::sender sender({.receivers = {{.receiver = "1", .line = "1"}, {.receiver = "2"}},
                       .random = [](std::span<std::uint8_t> out) { for (auto& b : out) b = 7; }});
  dc09::sender_output out;
  (void)sender.submit(mono_from_ms(0), now, {.id = 1, .sequence = 17, .account = "1234", .key = encrypted ? &glass : nullptr}, out);
  sender.on_connected(mono_from_ms(1), now, 1, out);
  sender.on_bytes(mono_from_ms(2), now, 1, answer, out);
  std::size_t ends = 0;
  for (const auto& a : out.actions)
    ends += std::holds_alternative<dc09::sender_output::delivered>(a) || std::holds_alternative<dc09::sender_output::failed>(a);
  TOMO_REQUIRE(ends + sender.waiting() == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const bool encrypted = (data[0] & 1) != 0;
  std::string text{as_text({data + 1, size - 1})};
  if ((data[0] & 2) != 0) text = fuzz::dc09_frame(text);
  check_judge(text, encrypted);
  check_sender(as_bytes(text), encrypted);
  return 0;
}
