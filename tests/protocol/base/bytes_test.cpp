// Goal: a reader never passes its end and says so; hex round-trips and refuses what is not hex.
#include "protocol/base/bytes.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/ring.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;

TEST_CASE("a reader past its end is bad and answers zeros") {
  const bytes data{0x12, 0x34, 0x56};
  byte_reader in{data};
  CHECK(in.u16() == 0x1234);
  CHECK(in.ok());
  CHECK(in.u16() == 0);
  CHECK_FALSE(in.ok());
  CHECK(in.left() == 0);
  CHECK(in.u8() == 0);
}

TEST_CASE("writers and readers agree on big-endian") {
  bytes out;
  put_u8(out, 0xfe);
  put_u16(out, 0x0102);
  put_u24(out, 0x0ef001);
  put_u32(out, 0xfffffffe);
  CHECK(to_hex(out) == "fe01020ef001fffffffe");
  byte_reader in{out};
  CHECK(in.u8() == 0xfe);
  CHECK(in.u16() == 0x0102);
  CHECK(in.u24() == 0x0ef001);
  CHECK(in.u32() == 0xfffffffe);
  CHECK(in.ok());
}

TEST_CASE("hex refuses an odd length and foreign characters") {
  CHECK(from_hex("0aFf") == bytes{0x0a, 0xff});
  CHECK(from_hex("") == bytes{});
  CHECK_FALSE(from_hex("0").has_value());
  CHECK_FALSE(from_hex("0g").has_value());
  CHECK_FALSE(from_hex(" 0").has_value());
}

TEST_CASE("a gateway's name is 1 to 32 of a-z 0-9 and -, not led by -") {
  CHECK(gateway_id::parse("box-1").has_value());
  CHECK(gateway_id::parse(std::string(32, 'a')).has_value());
  CHECK_FALSE(gateway_id::parse("").has_value());
  CHECK_FALSE(gateway_id::parse(std::string(33, 'a')).has_value());
  CHECK_FALSE(gateway_id::parse("-box").has_value());
  CHECK_FALSE(gateway_id::parse("Box").has_value());
  CHECK_FALSE(gateway_id::parse("box\n1").has_value());
}

TEST_CASE("a bounded queue refuses what does not fit and keeps order") {
  bounded_queue<int> queue{2};
  CHECK(queue.push(1));
  CHECK(queue.push(2));
  CHECK_FALSE(queue.push(3));
  CHECK(queue.full());
  CHECK(queue.pop() == 1);
  CHECK(queue.pop() == 2);
  CHECK(queue.empty());
}
