// Goal: the bytes of protocol version 1 never change. A vector that has been released is never edited: a change that
// breaks one is a change of protocol. New kinds get new vectors (run the hidden test [write-golden] to make their files).
#include "tests/protocol/wire/samples.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

using namespace tomoshibi;
using namespace tomoshibi::wire;

namespace {

std::string path_of(const std::string& name) { return "tests/protocol/golden/v1/" + name + ".hex"; }

std::optional<bytes> golden(const std::string& name) {
  std::ifstream file{path_of(name)};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  std::erase_if(text, [](char c) { return c == '\n'; });
  return text.empty() ? std::nullopt : from_hex(text);
}

}  // namespace

TEST_CASE("every golden vector is encoded and decoded as it was frozen") {
  for (const auto& [name, value] : named_samples()) {
    INFO(name);
    const auto frozen = golden(name);
    REQUIRE(frozen);
    const auto encoded = encode_frame(value);
    REQUIRE(encoded);
    CHECK(to_hex(*encoded) == to_hex(*frozen));
    const auto decoded = decode_payload(byte_view{*frozen}.subspan(2));
    REQUIRE(decoded);
    CHECK((*decoded == value));
  }
}

TEST_CASE("write the files of vectors that have none yet", "[.write-golden]") {
  for (const auto& [name, value] : named_samples()) {
    if (golden(name)) continue;
    std::string hex = to_hex(encode_frame(value).value());
    std::ofstream file{path_of(name)};
    for (std::size_t at = 0; at < hex.size(); at += 96) file << hex.substr(at, 96) << '\n';
  }
}
