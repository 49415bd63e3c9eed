// Sends DC-09 events through the sender's core over TCP, for tests against receivers of other authors. One line of output for
// each event: "1 delivered 3 ms", "2 refused"; what was heard and not believed goes to standard error.
//   dc09_send ADDRESS PORT adm-cid|sia-dcs ACCOUNT KEYHEX|- COUNT SECONDS      an event is given up after so many
#include "protocol/adapters/dc09_cipher.hpp"
#include "tests/support/dc09_line.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  using namespace tomoshibi;
  if (argc != 8) {
    std::fputs("dc09_send ADDRESS PORT adm-cid|sia-dcs ACCOUNT KEYHEX|- COUNT SECONDS\n", stderr);
    return 2;
  }
  const bool sia = std::string_view{argv[3]} == "sia-dcs";
  std::unique_ptr<dc09::cipher> key;
  if (std::string_view{argv[5]} != "-") key = make_dc09_cipher(from_hex(argv[5]).value()).value();
  const auto loop = event_loop::open({}).value();
  dc09::sender_settings s;
  s.receivers = {{.format = sia ? dc09::token::sia_dcs : dc09::token::adm_cid, .receiver = "1", .line = "1"}};
  testing::dc09_line line(*loop, std::move(s), {{{argv[1], static_cast<std::uint16_t>(std::atoi(argv[2]))}, {}}});
  const auto count = static_cast<std::uint64_t>(std::atoi(argv[6]));
  const mono_time give_up_at = loop->now() + 1s * std::atoi(argv[7]);
  constexpr auto events = static_cast<std::uint64_t>(dc09::last_event);
  for (std::uint64_t id = 1; id <= count; ++id)
    line.submit({.id = id, .sequence = static_cast<std::uint16_t>(id), .account = argv[4], .key = key.get(),
                 .what = {static_cast<dc09::event>(1 + (id - 1) % events), dc09::edge::begun, 1, static_cast<std::uint16_t>(id)},
                 .occurred = loop->wall().at, .reference = "press " + std::to_string(id), .give_up_at = give_up_at});
  line.run_until_ended(count);
  bool all = true;
  for (const auto& [id, end] : line.ends) {
    all &= end.delivered;
    const std::string how = end.delivered ? "delivered " + std::to_string(end.took.count()) + " ms" : std::string(name_of(end.why));
    std::printf("%llu %s\n", static_cast<unsigned long long>(id), how.c_str());
  }
  std::fprintf(stderr, "%s\n", line.doubts.c_str());
  return all ? 0 : 1;
}
