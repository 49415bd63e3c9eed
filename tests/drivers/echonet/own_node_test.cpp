// Goal: the bytes by which others know this gateway. They are a contract: controllers in homes depend on them.
#include "drivers/echonet/own_node.hpp"
#include "drivers/echonet/property_map.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;

namespace {

constexpr std::array<std::uint8_t, 13> unique_part{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
const endpoint asker{"192.0.2.9", 23610};

struct fixture {
  own_node node{unique_part};
  mono_time now = mono_from_ms(1'000);
  std::vector<datagram> out;

  fixture() {
    node.on_start(now, out);
    out.clear();
    now += 10s;
  }
  // All answers as hex, "*" before a multicast.
  std::string ask(std::string_view request) {
    out.clear();
    const bytes raw = *from_hex(request);
    const auto frame = decode_frame(raw);
    if (frame) node.on_frame(now, asker, *frame, out);
    std::string text;
    for (const datagram& d : out) {
      if (d.to) REQUIRE(*d.to == endpoint{asker.address, 3610});
      text += (text.empty() ? "" : " ") + std::string(d.to ? "" : "*") + to_hex(d.payload);
    }
    return text;
  }
};

}  // namespace

TEST_CASE("it announces its instance list when it starts") {
  own_node node{unique_part};
  std::vector<datagram> out;
  node.on_start(mono_from_ms(0), out);
  REQUIRE(out.size() == 1);
  CHECK_FALSE(out[0].to.has_value());
  CHECK(to_hex(out[0].payload) == "108100010ef0010ef0017301d5040105ff01");
}

TEST_CASE("every mandatory property of the node profile") {
  fixture f;
  const std::string head = "108100070ef00105ff017201";
  CHECK(f.ask("1081000705ff010ef00162018000") == head + "800130");
  CHECK(f.ask("1081000705ff010ef00162018200") == head + "8204010d0100");
  CHECK(f.ask("1081000705ff010ef00162018300") == head + "8311feffffff0102030405060708090a0b0c0d");
  CHECK(f.ask("1081000705ff010ef00162018a00") == head + "8a03ffffff");
  CHECK(f.ask("1081000705ff010ef00162019d00") == head + "9d030280d5");
  CHECK(f.ask("1081000705ff010ef00162019e00") == head + "9e0100");
  CHECK(f.ask("1081000705ff010ef00162019f00") == head + "9f0c0b8082838a9d9e9fd3d4d6d7");
  CHECK(f.ask("1081000705ff010ef0016201d300") == head + "d303000001");
  CHECK(f.ask("1081000705ff010ef0016201d400") == head + "d4020002");
  CHECK(f.ask("1081000705ff010ef0016201d600") == head + "d6040105ff01");
  CHECK(f.ask("1081000705ff010ef0016201d700") == head + "d7030105ff");
}

TEST_CASE("every mandatory property of the controller object") {
  fixture f;
  const std::string head = "1081000705ff0105ff017201";
  CHECK(f.ask("1081000705ff0105ff0162018000") == head + "800130");
  CHECK(f.ask("1081000705ff0105ff0162018100") == head + "810100");
  CHECK(f.ask("1081000705ff0105ff0162018200") == head + "820400005201");
  CHECK(f.ask("1081000705ff0105ff0162018800") == head + "880142");
  CHECK(f.ask("1081000705ff0105ff0162018a00") == head + "8a03ffffff");
  CHECK(f.ask("1081000705ff0105ff0162019d00") == head + "9d0403808188");
  CHECK(f.ask("1081000705ff0105ff0162019e00") == head + "9e020181");
  CHECK(f.ask("1081000705ff0105ff0162019f00") == head + "9f0908808182888a9d9e9f");
}

TEST_CASE("what it lists it can read") {
  fixture f;
  for (const char* object : {"0ef001", "05ff01"}) {
    const std::string answer = f.ask("1081000705ff01" + std::string(object) + "62019f00");
    const auto raw = from_hex(answer);
    const auto frame = decode_frame(*raw);
    const auto map = property_map::decode(frame->properties.find(0x9f)->edt);
    for (unsigned c = 0x80; c <= 0xff; ++c) {
      const auto code = static_cast<epc_code>(c);
      f.now += 100ms;
      const std::string one = f.ask("1081000705ff01" + std::string(object) + "6201" + to_hex(bytes{code}) + "00");
      CHECK((one.substr(20, 2) == "72") == map->contains(code));
    }
    f.now += 10s;
  }
}

TEST_CASE("instance 0 means all of that class") {
  fixture f;
  CHECK(f.ask("1081000705ff010ef0006201d600") == "108100070ef00105ff017201d6040105ff01");
  CHECK(f.ask("1081000705ff0105ff0062018000") == "1081000705ff0105ff017201800130");
}

TEST_CASE("a Get with one unknown property is refused with the good values") {
  fixture f;
  CHECK(f.ask("1081000705ff010ef00162038000f0008a00") == "108100070ef00105ff015203800130f0008a03ffffff");
}

TEST_CASE("INF_REQ is answered by multicast, or refused to the one who asked") {
  fixture f;
  CHECK(f.ask("1081000705ff010ef0016301d500") == "*108100070ef00105ff017301d5040105ff01");
  f.now += 2s;
  CHECK(f.ask("1081000705ff010ef0016301f000") == "108100070ef00105ff015301f000");
}

TEST_CASE("INFC is answered with the same properties, empty") {
  fixture f;
  CHECK(f.ask("10810007000301" "05ff01" "7402b10141800130") == "1081000705ff010003017a02b1008000");
  CHECK(f.ask("10810007000301" "0ef001" "7401b10141") == "108100070ef0010003017a01b100");
}

TEST_CASE("the installation location can be set, and tells that it changed") {
  fixture f;
  CHECK(f.ask("1081000705ff0105ff016101810108") ==
        "1081000705ff0105ff0171018100 *1081000205ff010ef0017301810108");
  f.now += 2s;
  CHECK(f.ask("1081000705ff0105ff016101810108") == "1081000705ff0105ff0171018100");  // no change, no notice
  CHECK(f.ask("1081000705ff0105ff0162018100") == "1081000705ff0105ff017201810108");
  CHECK(f.ask("1081000705ff0105ff0161028101098001ff") ==
        "1081000705ff0105ff01510281008001ff *1081000305ff010ef0017301810109");  // what is refused is echoed
  CHECK(f.ask("1081000705ff0105ff0160018001ff") == "1081000705ff0105ff0150018001ff");
  CHECK(f.ask("1081000705ff0105ff01600181020102").find("5001") != std::string::npos);  // a length it cannot have
}

TEST_CASE("SetGet does both") {
  fixture f;
  CHECK(f.ask("1081000705ff0105ff016e0181010a018100").starts_with("1081000705ff0105ff017e0181000181010a"));
  CHECK(f.ask("1081000705ff0105ff016e01800131018000") ==
        "1081000705ff0105ff015e0180013101800130");
}

TEST_CASE("silence for what deserves none") {
  fixture f;
  CHECK(f.ask("1081000705ff0101300162018000").empty());  // not ours
  CHECK(f.ask("1081000705ff010ef00199018000").empty());      // unknown service
  CHECK(f.ask("1082000705ff010ef00162018000").empty());      // format 2
  CHECK(f.ask("1081000705ff010ef0017201800130").empty());    // an answer
  CHECK(f.ask("1081000705ff010ef0017a018000").empty());      // an answer
  CHECK(f.ask("1081000705ff010ef00162038000").empty());  // cut short
  CHECK(f.ask("108100070130010ef0017301800130").empty());    // an announcement
}

TEST_CASE("it cannot be used to amplify") {
  fixture f;
  // 255 times the largest property: once with its value, then as refused, and not more than the limit.
  std::string request = "1081000705ff010ef00162ff";
  for (int i = 0; i < 255; ++i) request += "8300";
  const std::string answer = f.ask(request);
  CHECK(answer.size() < request.size());
  CHECK(answer.substr(20, 4) == "5220");

  // INF_REQ: one multicast a second, however often it is asked.
  std::size_t multicasts = 0;
  f.now += 10s;
  for (int i = 0; i < 1'000; ++i, f.now += 10ms) multicasts += f.ask("1081000705ff010ef0016301d500").empty() ? 0u : 1u;
  CHECK(multicasts == 10);

  // Answers: a burst, then a bounded rate.
  f.now += 10s;
  std::size_t answers = 0;
  for (int i = 0; i < 10'000; ++i) answers += f.ask("1081000705ff010ef00162018000").empty() ? 0u : 1u;
  CHECK(answers == own_answers_burst);
  f.now += 1s;
  CHECK_FALSE(f.ask("1081000705ff010ef00162018000").empty());
}
