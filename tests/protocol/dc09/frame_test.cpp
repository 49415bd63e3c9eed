// Goal: what is written is read again; no damage of one byte passes; what has no form is refused by name.
#include "tests/protocol/dc09/samples.hpp"

#include "protocol/dc09/crc16.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

namespace {

std::string checked(std::string_view text) {
  char head[16];
  std::snprintf(head, sizeof head, "%04X0%03X", unsigned{crc16(text)}, static_cast<unsigned>(text.size()));
  return framed(head + std::string(text));
}

fault fault_of(std::string_view text) { return read_frame(checked(text)).error(); }

}  // namespace

TEST_CASE("any frame that can be written is read back, plain and under every key size") {
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    const frame f = any_frame(random, random.chance(500));
    const std::size_t sizes[] = {16, 24, 32};
    const cipher& key = key_of(sizes[random.below(3)]);
    const std::size_t least = 1 + random.below(24);
    const bytes pad = random_bytes_of(random, least + 15);
    const auto whole = write_frame(f, {&key, pad, least});
    REQUIRE(whole);
    REQUIRE(whole->size() <= frame_bytes_max);
    const auto read = read_frame(*whole, &key);
    REQUIRE(read);
    CHECK(*read == f);
  }
}

TEST_CASE("a frame with one byte changed, lost or added is refused") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    const frame f = any_frame(random, random.chance(500));
    const std::string whole = write_frame(f, {&key_of(16), random_bytes_of(random, 40), 16}).value();
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string bad = whole;
      for (int flip = 1; flip < 256; flip += seed <= 2 ? 1 : 1 + static_cast<int>(random.below(60))) {
        bad[i] = static_cast<char>(static_cast<unsigned char>(whole[i]) ^ flip);
        if (read_frame(bad, &key_of(16))) FAIL("byte " << i << " ^ " << flip << " of " << whole);
      }
      std::string shorter = whole, longer = whole;
      shorter.erase(i, 1);
      longer.insert(i, 1, static_cast<char>(random.below(256)));
      CHECK_FALSE(read_frame(shorter, &key_of(16)));
      CHECK_FALSE(read_frame(longer, &key_of(16)));
    }
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(read_frame(whole.substr(0, n), &key_of(16)));
  }
}

TEST_CASE("each part out of form has its name") {
  CHECK(read_frame("").error() == fault::no_start);
  CHECK(read_frame("x\r").error() == fault::no_start);
  CHECK(read_frame("\n").error() == fault::no_end);
  CHECK(read_frame("\n\r").error() == fault::crc);
  CHECK(read_frame("\n1234\r").error() == fault::length);
  CHECK(read_frame('\n' + std::string(frame_bytes_max, 'A') + '\r').error() == fault::too_long);
  CHECK(fault_of(R"("FOO"0001L0#123[])") == fault::token);
  CHECK(fault_of(R"(ACK"0001L0#123[])") == fault::token);
  CHECK(fault_of(R"("ACK"001L0#123[])") == fault::sequence);
  CHECK(fault_of(R"("ACK"00001L0#123[])") == fault::sequence);
  CHECK(fault_of(R"("ADM-CID"0000L0#123[#123|1602 00 000])") == fault::sequence);
  CHECK(fault_of(R"("ACK"0001#123[])") == fault::prefix);
  CHECK(fault_of(R"("ACK"0001RL0#123[])") == fault::prefix);
  CHECK(fault_of(R"("ACK"0001NoneL0#123[])") == fault::prefix);
  CHECK(fault_of(R"("ACK"0001L1234567#123[])") == fault::prefix);
  CHECK(fault_of(R"("ACK"0001L0#12[])") == fault::account);
  CHECK(fault_of(R"("ACK"0001L0#12345678901234567[])") == fault::account);
  CHECK(fault_of(R"("ADM-CID"0001L0[#123|1602 00 000])") == fault::account);
  CHECK(fault_of(R"("ACK"0001L0#123)") == fault::form);
  CHECK(fault_of(R"("ACK"0001L0#123[)") == fault::form);
  CHECK(fault_of(R"("ACK"0001L0#123[]x)") == fault::form);
  CHECK(fault_of(R"("ACK"0001L0#123[][h]x)") == fault::form);
  CHECK(fault_of(R"("ACK"0001L0#123[][H)") == fault::form);
  CHECK(fault_of(R"("ADM-CID"0001L0#123[])") == fault::form);
  CHECK(fault_of(R"("NAK"0000R0L0A0[x])") == fault::form);
  CHECK(fault_of("\"*NAK\"0000R0L0A0[00") == fault::form);
  CHECK(fault_of(R"("ACK"0001L0#123[]_)") == fault::stamp);
  CHECK(fault_of(R"("ACK"0001L0#123[]_24:00:00,01-01-2027)") == fault::stamp);
  CHECK(fault_of(R"("ACK"0001L0#123[]_10:00:00,02-30-2027)") == fault::stamp);
  CHECK(fault_of(R"("ACK"0001L0#123[]_10:00:00,01-01-2027 )") == fault::stamp);
  CHECK(read_frame(checked(R"("*ACK"0001L0#123[12)"), &key_of(16)).error() == fault::cipher_text);
  CHECK(read_frame(checked(R"("*ACK"0001L0#123[)"), &key_of(16)).error() == fault::cipher_text);
  CHECK(read_frame(checked(R"("*ACK"0001L0#123[00112233445566778899AABBCCDDEEXY)"), &key_of(16)).error() == fault::cipher_text);
}

TEST_CASE("the writer refuses what the reader would") {
  const frame good{.id = token::adm_cid, .sequence = 1, .account = "1234", .data = "#1234|1101 01 001", .stamp = std::nullopt};
  REQUIRE(write_frame(good));
  const auto refused = [&good](auto change) {
    frame f = good;
    change(f);
    return write_frame(f, {&key_of(16), bytes(40), 16}).error();
  };
  CHECK(refused([](frame& f) { f.sequence = 0; }) == fault::sequence);
  CHECK(refused([](frame& f) { f.sequence = 10000; }) == fault::sequence);
  CHECK(refused([](frame& f) { f.receiver = ""; }) == fault::prefix);
  CHECK(refused([](frame& f) { f.line = "G"; }) == fault::prefix);
  CHECK(refused([](frame& f) { f.account = ""; }) == fault::account);
  CHECK(refused([](frame& f) { f.data = ""; }) == fault::form);
  CHECK(refused([](frame& f) { f.data = "a]b"; }) == fault::form);
  CHECK(refused([](frame& f) { f.data = "a\nb"; }) == fault::form);
  CHECK(refused([](frame& f) { f.extensions = {{'h', ""}}; }) == fault::form);
  CHECK(refused([](frame& f) { f.encrypted = true; }) == fault::no_stamp);
  CHECK(refused([](frame& f) { f.stamp = wall_from_ms(1); }) == fault::stamp);
  CHECK(refused([](frame& f) { f.data = std::string(frame_bytes_max, 'x'); }) == fault::too_long);
  frame sealed = good;
  sealed.encrypted = true;
  sealed.stamp = at("10:00:00,01-01-2027");
  CHECK(write_frame(sealed).error() == fault::no_key);
}

TEST_CASE("encrypted equal events differ: padding of at least a block, without the letters that end it") {
  frame f{.id = token::adm_cid, .encrypted = true, .sequence = 1, .account = "1234", .data = "#1234|1101 01 001",
          .stamp = at("10:00:00,01-01-2027")};
  prng random{7};
  std::string last;
  for (int i = 0; i < 50; ++i) {
    const std::string whole = write_frame(f, {&key_of(16), random_bytes_of(random, 31)}).value();
    const std::size_t hex = whole.size() - whole.find('[') - 2;
    CHECK(hex % 32 == 0);
    const std::string clear{as_text(key_of(16).decrypt(from_hex(whole.substr(whole.find('[') + 1, hex)).value()))};
    CHECK(clear.find_first_of("|[]") >= padding_bytes);
    CHECK(whole != last);
    last = whole;
  }
}

TEST_CASE("liberties towards real receivers: a bar before an empty body, a block of padding behind, lower-case cipher text") {
  const cipher& key = key_of(32);
  const auto answer = [&key](std::string clear, bool lower) {
    std::string hex = to_hex(key.encrypt(as_bytes(clear)));
    if (!lower)
      for (char& c : hex) c = static_cast<char>(std::toupper(c));
    return read_frame(checked(R"("*ACK"0009R1L1#1234[)" + hex), &key);
  };
  const frame expected{.id = token::ack, .encrypted = true, .sequence = 9, .receiver = "1", .line = "1", .account = "1234",
                       .data = "", .stamp = at("10:00:00,01-01-2027")};
  CHECK(answer(std::string(11, 'x') + "]_10:00:00,01-01-2027", false).value() == expected);
  CHECK(answer(std::string(10, '\0') + "|]_10:00:00,01-01-2027", true).value() == expected);
  CHECK(answer(std::string(10, '\0') + "|]_10:00:00,01-01-2027" + std::string(16, '\x10'), true).value() == expected);
  CHECK(answer(std::string(10, '\0') + "|]_10:00:00,01-01-2027" + std::string(15, '\x10') + 'x', true).error() == fault::stamp);
  CHECK(answer(std::string(15, 'x') + "]", true).error() == fault::no_stamp);
  CHECK(answer("]_10:00:00,01-01-2027" + std::string(11, 'x'), true).error() == fault::wrong_key);
}

TEST_CASE("sequence numbers go round from 9999 to 1") {
  CHECK(next_sequence(0) == 1);
  CHECK(next_sequence(1) == 2);
  CHECK(next_sequence(9998) == 9999);
  CHECK(next_sequence(9999) == 1);
}

TEST_CASE("stamps are UTC with whole seconds, and only times that exist") {
  CHECK(write_stamp(at("23:59:59,12-31-2027") + 999ms) == "23:59:59,12-31-2027");
  CHECK(to_ms(at("00:00:00,01-01-1970")) == 0);
  CHECK(read_stamp("00:00:00,02-29-2028"));
  for (const char* bad : {"", "00:00:00,02-29-2027", "00:00:60,01-01-2027", "00:60:00,01-01-2027", "0:00:00,01-01-2027",
                          "00:00:00,13-01-2027", "00:00:00,00-01-2027", "00:00:00,01-00-2027", "00-00:00,01-01-2027",
                          "00:00:00,01-01-20270", "00:00:00 01-01-2027", " 0:00:00,01-01-2027", "-1:00:00,01-01-2027"})
    CHECK_FALSE(read_stamp(bad));
}
