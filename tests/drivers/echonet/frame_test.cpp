// Goal: frames are read as the specification lays them out, whatever the bytes; what is read writes the same bytes again.
#include "drivers/echonet/frame.hpp"
#include "drivers/echonet/limits.hpp"
#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

namespace {

bytes hex(std::string_view text) { return *from_hex(text); }

bytes encoded(const frame_view& f) {
  bytes out;
  encode_frame(f, out);
  return out;
}

}  // namespace

TEST_CASE("the shortest request is read") {
  const bytes raw = hex("1081000a05ff010ef0016201d600");
  const auto f = decode_frame(raw);
  REQUIRE(f.has_value());
  CHECK(f->tid == 10);
  CHECK(f->seoj == controller);
  CHECK(f->deoj == node_profile);
  CHECK(f->service == esv::get);
  CHECK(f->complete);
  REQUIRE(f->properties.size() == 1);
  CHECK((*f->properties.begin()).epc == 0xd6);
  CHECK((*f->properties.begin()).edt.empty());
  CHECK(encoded(*f) == raw);
}

TEST_CASE("a refused answer keeps its good values") {
  const bytes raw = hex("10810001013001" "05ff01" "5203" "800130" "8400" "85040000002a");
  const auto f = decode_frame(raw);
  REQUIRE(f.has_value());
  CHECK(f->service == esv::get_sna);
  CHECK(f->properties.find(0x80)->edt.size() == 1);
  CHECK(f->properties.find(0x84)->edt.empty());
  CHECK(f->properties.find(0x85)->edt[3] == 0x2a);
  CHECK_FALSE(f->properties.find(0x86).has_value());
}

TEST_CASE("SetGet carries two lists") {
  const bytes raw = hex("1081000105ff01029001" "6e" "01800130" "02" "8000" "b000");
  const auto f = decode_frame(raw);
  REQUIRE(f.has_value());
  CHECK(f->properties.size() == 1);
  CHECK(f->second.size() == 2);
  CHECK(encoded(*f) == raw);
}

TEST_CASE("every way to cut a frame gives whole properties or a refusal") {
  const bytes raw = hex("10810001013001" "05ff01" "7203" "800130" "84020010" "85040000002a");
  for (std::size_t n = 0; n < raw.size(); ++n) {
    const auto f = decode_frame(byte_view{raw}.first(n));
    if (n < 11) {
      REQUIRE_FALSE(f.has_value());
      CHECK(f.error().code == errc::truncated);
      continue;
    }
    REQUIRE(f.has_value());
    CHECK_FALSE(f->complete);
    CHECK(f->properties.size() == (n < 15 ? 0 : n < 19 ? 1 : 2));
  }
}

TEST_CASE("what is not ECHONET Lite format 1 is refused with its reason") {
  CHECK(decode_frame(hex("1082000a05ff010ef0016201d600")).error().code == errc::unsupported);  // format 2
  CHECK(decode_frame(hex("8081000a05ff010ef0016201d600")).error().code == errc::unsupported);  // 2002 ECHONET
  CHECK(decode_frame(hex("1081000a05ff010ef0019901d600")).error().code == errc::unsupported);  // unknown ESV
  CHECK(decode_frame(hex("1081000a05ff010ef0016200")).error().code == errc::malformed);        // no property
  CHECK(decode_frame(bytes(datagram_max + 1, 0x10)).error().code == errc::too_long);
  CHECK(decode_frame({}).error().code == errc::truncated);
}

TEST_CASE("bytes behind the last property are padding") {
  const auto f = decode_frame(hex("1081000a05ff010ef0016201d600" "0000"));
  REQUIRE(f.has_value());
  CHECK(f->complete);
  CHECK(f->properties.size() == 1);
}

TEST_CASE("the writer stops at its limits and leaves a whole frame") {
  bytes out{0xaa};
  frame_writer writer{out, {1, controller, node_profile, esv::get_res}};
  CHECK_FALSE(writer.add(0x80, bytes(256)));
  std::size_t added = 0;
  while (writer.add(0x80, bytes(200))) ++added;
  CHECK(added == (datagram_max - 12) / 202);
  const auto f = decode_frame(byte_view{out}.subspan(1));
  REQUIRE(f.has_value());
  CHECK(f->properties.size() == added);
}

TEST_CASE("random frames come back as they were written, random bytes never do harm") {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    const esv services[] = {esv::get, esv::get_res, esv::get_sna, esv::inf, esv::infc, esv::set_c, esv::set_get};
    frame_header header{static_cast<std::uint16_t>(random.next()), {static_cast<std::uint32_t>(random.below(1 << 24))},
                        {static_cast<std::uint32_t>(random.below(1 << 24))}, services[random.below(7)]};
    bytes raw;
    frame_writer writer{raw, header};
    const auto fill = [&random, &writer] {
      const auto count = random.between(1, 6);
      for (std::int64_t i = 0; i < count; ++i) {
        bytes value(random.below(20));
        for (auto& b : value) b = static_cast<std::uint8_t>(random.next());
        writer.add(static_cast<epc_code>(random.between(0x80, 0xff)), value);
      }
    };
    fill();
    if (has_two_lists(header.service)) {
      writer.begin_second_list();
      fill();
    }
    const auto f = decode_frame(raw);
    REQUIRE(f.has_value());
    REQUIRE(f->complete);
    REQUIRE(f->tid == header.tid);
    REQUIRE(encoded(*f) == raw);

    // Broken at one place: read or refused; if read, writing and reading again changes nothing.
    raw[random.below(raw.size())] ^= static_cast<std::uint8_t>(1u << random.below(8));
    for (auto cut = random.below(3); cut > 0; --cut) raw.pop_back();
    if (const auto broken = decode_frame(raw)) {
      if (broken->properties.size() + broken->second.size() == 0) continue;
      const bytes once = encoded(*broken);
      const auto again = decode_frame(once);
      REQUIRE(again.has_value());
      REQUIRE(encoded(*again) == once);
    }
  }
}
