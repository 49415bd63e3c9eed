// Goal: frames from public sources and by another encoder are read to the letter and written to the letter; public frames
// with mistakes in them are refused by the mistake's name. Sources: docs/DC09.md.
#include "tests/protocol/dc09/samples.hpp"

#include "protocol/dc09/content.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

namespace {

struct golden {
  const char* text;
  token id;
  std::uint16_t sequence;
  const char* receiver;   // null: none
  const char* line;
  const char* account;
  const char* data;
  const char* stamp;      // null: none
};

constexpr golden plain_frames[] = {
    {R"(CE110032"SIA-DCS"9876R579BDFL789ABC#12345A[#12345A|NFA129])", token::sia_dcs, 9876, "579BDF", "789ABC", "12345A",
     "#12345A|NFA129", nullptr},
    {R"(87CD0037"ADM-CID"9876R579BDFL789ABC#12345A[#12345A|1110 00 129])", token::adm_cid, 9876, "579BDF", "789ABC", "12345A",
     "#12345A|1110 00 129", nullptr},
    {R"(9EC40027"ADM-CID"0001L0#1002[#1002|1602 00 001])", token::adm_cid, 1, nullptr, "0", "1002", "#1002|1602 00 001", nullptr},
    {R"(75140027"ADM-CID"0001L0#1002[#1002|3354 00 004])", token::adm_cid, 1, nullptr, "0", "1002", "#1002|3354 00 004", nullptr},
    {R"(F68B003B"ADM-CID"0028L0#9757[#9757|1602 00 000]_20:59:45,02-20-2024)", token::adm_cid, 28, nullptr, "0", "9757",
     "#9757|1602 00 000", "20:59:45,02-20-2024"},
    {R"(D730002F"NULL"0000R7896L7896#3456[]_17:01:26,07-26-2024)", token::null, 0, "7896", "7896", "3456", "",
     "17:01:26,07-26-2024"},
    {R"(B0970029"NULL"0000L000#0809[]_21:00:01,02-20-2024)", token::null, 0, nullptr, "000", "0809", "", "21:00:01,02-20-2024"},
    {R"(37070047"SIA-DCS"0038R0L0#10303117[#10303117|Nri0001/BH005]_13:44:48,08-17-2022)", token::sia_dcs, 38, "0", "0",
     "10303117", "#10303117|Nri0001/BH005", "13:44:48,08-17-2022"},
    {R"(79140029"ADM-CID"0001R1L1#1234[#1234|1101 01 001])", token::adm_cid, 1, "1", "1", "1234", "#1234|1101 01 001", nullptr},
    {R"(BCAD0029"ADM-CID"0002R1L1#1234[#1234|3101 01 001])", token::adm_cid, 2, "1", "1", "1234", "#1234|3101 01 001", nullptr},
    {R"(C0FA0028"SIA-DCS"0007R1L1#1234[#1234|Nri1/QA001])", token::sia_dcs, 7, "1", "1", "1234", "#1234|Nri1/QA001", nullptr},
    {R"(89C90029"ADM-CID"0003R1L1#1234[#1234|1100 02 010])", token::adm_cid, 3, "1", "1", "1234", "#1234|1100 02 010", nullptr},
    {R"(CA400029"ADM-CID"0004R1L1#1234[#1234|1654 00 020])", token::adm_cid, 4, "1", "1", "1234", "#1234|1654 00 020", nullptr},
    {R"(FF430028"SIA-DCS"0008R1L1#1234[#1234|Nri1/NA020])", token::sia_dcs, 8, "1", "1", "1234", "#1234|Nri1/NA020", nullptr},
    {R"(871F0029"ADM-CID"0005R1L1#1234[#1234|1301 00 000])", token::adm_cid, 5, "1", "1", "1234", "#1234|1301 00 000", nullptr},
    {R"(B95A0029"ADM-CID"0006R1L1#1234[#1234|1602 00 000])", token::adm_cid, 6, "1", "1", "1234", "#1234|1602 00 000", nullptr},
    {R"(21A30015"NULL"0000R1L1#1234[])", token::null, 0, "1", "1", "1234", "", nullptr},
};

frame frame_of(const golden& g) {
  frame f{.id = g.id, .sequence = g.sequence, .line = g.line, .account = g.account, .data = g.data};
  if (g.receiver != nullptr) f.receiver = g.receiver;
  if (g.stamp != nullptr) f.stamp = at(g.stamp);
  return f;
}

}  // namespace

TEST_CASE("plain frames from public sources are read and written to the letter") {
  for (const golden& g : plain_frames) {
    INFO(g.text);
    const auto read = read_frame(framed(g.text));
    REQUIRE(read);
    CHECK(*read == frame_of(g));
    CHECK(write_frame(frame_of(g)).value() == framed(g.text));
  }
}

TEST_CASE("what the events of public frames say") {
  const auto said = [](std::size_t i) { return read_content(frame_of(plain_frames[i])).value(); };
  CHECK(said(0) == content{"12345A", "FA", event::fire, edge::begun, 0, 129});
  CHECK(said(1) == content{"12345A", "110", event::fire, edge::begun, 0, 129});
  CHECK(said(2) == content{"1002", "602", event::periodic_test, edge::begun, 0, 1});
  CHECK(said(3) == content{"1002", "354", event::communication_failed, edge::restored, 0, 4});
  CHECK(said(7) == content{"10303117", "BH", std::nullopt, edge::begun, 1, 5});
  CHECK(said(8) == content{"1234", "101", event::personal_emergency, edge::begun, 1, 1});
  CHECK(said(9) == content{"1234", "101", event::personal_emergency, edge::restored, 1, 1});
  CHECK(said(10) == content{"1234", "QA", event::personal_emergency, edge::begun, 1, 1});
  CHECK(said(11) == content{"1234", "100", event::medical, edge::begun, 2, 10});
  CHECK(said(12) == content{"1234", "654", event::inactivity, edge::begun, 0, 20});
  CHECK(said(13) == content{"1234", "NA", event::inactivity, edge::begun, 1, 20});
  CHECK(said(14) == content{"1234", "301", event::mains_lost, edge::begun, 0, 0});
}

TEST_CASE("an encrypted link test from a public source is read") {
  const auto key = make_dc09_cipher(as_bytes("AAAAAAAAAAAAAAAA")).value();
  const std::string text =
      framed(R"(76D80055"*NULL"0000R0L0#AAAB[B4BC8B40D0E6D959D6BEA78E88CC0B2155741A3C44FBB96D476A3E557CAD64D9)");
  const auto read = read_frame(text, key.get());
  REQUIRE(read);
  CHECK(*read == frame{.id = token::null, .encrypted = true, .receiver = "0", .line = "0", .account = "AAAB", .data = "",
                       .stamp = at("18:24:52,07-05-2020")});
  CHECK(read_frame(text).error() == fault::no_key);
  CHECK(read_frame(text, &key_of(16)).error() == fault::wrong_key);
}

TEST_CASE("an encrypted event of another encoder is read and written to the letter") {
  const std::string text = framed(R"(87120078"*ADM-CID"0009R1L1#1234[BDA8AFF5F745943D7FE0FD96EF619C6F)"
                                  R"(8D9010AF0B7EF29CE1E0C9AFF8D640546740B3B124875325CA41470142C4DC50)");
  const frame f{.id = token::adm_cid, .encrypted = true, .sequence = 9, .receiver = "1", .line = "1", .account = "1234",
                .data = "#1234|1101 01 001", .stamp = at("00:00:00,01-01-2027")};
  // The other encoder's data begins "|#1234|": its padding is nine letters 'p'.
  CHECK(read_frame(text, &key_of(16)).value() == f);
  const bytes always_p(32, 41);   // letter 41 of our alphabet
  CHECK(write_frame(f, {&key_of(16), always_p, 1}).value() == text);
}

TEST_CASE("public frames with mistakes are refused by the mistake's name") {
  // The CRC is judged first: what it does not cover says nothing.
  CHECK(read_frame(framed(R"(5C3A0032"ADM-CID"0043L0#5101[#5101|1602 00 000]_18:27:41,09-21-2026)")).error() == fault::crc);
  CHECK(read_frame(framed(R"(57150047"ADM-CID"0247R4F39L4F39#4F39[#4F39|3401 01 057])")).error() == fault::length);
  CHECK(read_frame(framed(R"(87CD0037"ADM-CID"9876R579BDFL789ABC#12345A[#12345A|1110 00 129]_14:12:04,09-25-2011)")).error() ==
        fault::crc);
}

TEST_CASE("answers of public sources are read") {
  std::string nak = R"("NAK"0000R0L0A0[]_10:00:00,01-02-2027)";
  const frame f{.id = token::nak, .receiver = "0", .line = "0", .account = "", .data = "", .stamp = at("10:00:00,01-02-2027")};
  const std::string whole = write_frame(f).value();
  CHECK(whole.substr(9, whole.size() - 10) == nak);
  CHECK(read_frame(whole).value() == f);
}
