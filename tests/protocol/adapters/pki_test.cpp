#include "protocol/adapters/pki.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_pki.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace tomoshibi {
namespace {

using namespace testing;

constexpr validity decade{certificates_from, certificates_until};

bool have_openssl() { return std::system("openssl version >/dev/null 2>&1") == 0; }

// Runs openssl in the folder; what it prints goes to out.txt.
bool openssl(const temporary_folder& folder, const std::string& arguments) {
  const std::string line = "cd '" + folder.path() + "' && openssl " + arguments + " >out.txt 2>&1";
  return std::system(line.c_str()) == 0;
}

}  // namespace

// Goal: another implementation reads what we write and agrees on names, purposes, dates and fingerprints.
TEST_CASE("openssl verifies what we issue") {
  if (!have_openssl()) SKIP("no openssl command");
  const temporary_folder folder;
  const auto ca = make_ca("Tomoshibi CA: 見守り, \"A\" + B=C/D <x>;#1 ", decade);
  REQUIRE(ca);
  const auto server = issue_server(*ca, {"relay", {"relay.example.net", "*.r.example.net"}, {"192.0.2.7", "2001:db8::7"}, decade});
  REQUIRE(server);
  const auto gateway = issue_gateway(*ca, *gateway_id::parse("box-1"), decade);
  REQUIRE(gateway);
  write_file(folder.file("ca.crt"), ca->certificate_pem);
  write_file(folder.file("server.crt"), server->certificate_pem);
  write_file(folder.file("gateway.crt"), gateway->certificate_pem);
  write_file(folder.file("gateway.key"), gateway->key_pem);

  const std::string verify = "verify -x509_strict -attime 1893456000 -CAfile ca.crt ";
  CHECK(openssl(folder, verify + "-purpose sslserver -verify_hostname relay.example.net server.crt"));
  CHECK(openssl(folder, verify + "-purpose sslserver -verify_ip 192.0.2.7 server.crt"));
  CHECK(openssl(folder, verify + "-purpose sslserver -verify_ip 2001:db8::7 server.crt"));
  CHECK_FALSE(openssl(folder, verify + "-purpose sslserver -verify_hostname other.example.net server.crt"));
  CHECK_FALSE(openssl(folder, verify + "-purpose sslclient server.crt"));
  CHECK(openssl(folder, verify + "-purpose sslclient gateway.crt"));
  CHECK_FALSE(openssl(folder, verify + "-purpose sslserver gateway.crt"));
  CHECK_FALSE(openssl(folder, "verify -x509_strict -attime 2208988800 -CAfile ca.crt gateway.crt"));  // 2040
  CHECK(openssl(folder, "pkey -in gateway.key -check -noout"));

  REQUIRE(openssl(folder, "x509 -in ca.crt -noout -subject -nameopt utf8,sep_multiline"));
  CHECK(read_file(folder.file("out.txt")).find("見守り, \"A\" + B=C/D <x>;#1 ") != std::string::npos);
  REQUIRE(openssl(folder, "x509 -in gateway.crt -outform DER -out gateway.der"));
  REQUIRE(openssl(folder, "dgst -sha256 -r gateway.der"));
  CHECK(read_file(folder.file("out.txt")).starts_with(gateway->sha256));
}

// Goal: what is read back is what was asked for; serials never repeat.
TEST_CASE("certificates carry what was asked for") {
  const auto ca = make_ca("CA", decade);
  REQUIRE(ca);
  std::set<std::string> serials;
  for (int i = 0; i < 20; ++i) {
    const validity valid{certificates_from + 1h, certificates_from + 100h};
    const auto gateway = issue_gateway(*ca, *gateway_id::parse("box-" + std::to_string(i)), valid);
    REQUIRE(gateway);
    const auto facts = read_certificate(gateway->certificate_pem);
    REQUIRE(facts);
    CHECK(facts->common_name == "box-" + std::to_string(i));
    CHECK(facts->issuer_common_name == "CA");
    CHECK(facts->sha256 == gateway->sha256);
    CHECK(facts->valid.from == valid.from);
    CHECK(facts->valid.until == valid.until);
    CHECK(facts->serial.size() == 32);
    serials.insert(facts->serial);
  }
  CHECK(serials.size() == 20);
}

// Goal: a request that cannot be met is refused in words, not by a certificate that nobody accepts.
TEST_CASE("impossible requests are refused") {
  const auto ca = make_ca("CA", decade);
  REQUIRE(ca);
  const auto code_of = [](const result<key_and_certificate>& r) { return r ? errc{} : r.error().code; };
  CHECK(code_of(make_ca("", decade)) == errc::config_invalid);
  CHECK(code_of(make_ca(std::string(65, 'x'), decade)) == errc::config_invalid);
  CHECK(code_of(make_ca("a\nb", decade)) == errc::config_invalid);
  CHECK(code_of(make_ca("a", {certificates_until, certificates_from})) == errc::config_invalid);
  CHECK(code_of(issue_server(*ca, {"relay", {}, {}, decade})) == errc::config_invalid);
  CHECK(code_of(issue_server(*ca, {"relay", {"a b"}, {}, decade})) == errc::config_invalid);
  CHECK(code_of(issue_server(*ca, {"relay", {}, {"300.1.1.1"}, decade})) == errc::config_invalid);
  const validity longer{certificates_from, certificates_until + 1s};
  CHECK(code_of(issue_gateway(*ca, *gateway_id::parse("box"), longer)) == errc::config_invalid);
  auto mixed = *ca;
  mixed.key_pem = make_ca("B", decade)->key_pem;
  CHECK(code_of(issue_gateway(mixed, *gateway_id::parse("box"), decade)) == errc::config_invalid);
  CHECK_FALSE(read_certificate("garbage"));
  CHECK_FALSE(read_certificate(""));
}

// Goal: keys are readable by their owner only, and no file is ever replaced.
TEST_CASE("files are written once and keys are private") {
  const temporary_folder folder;
  REQUIRE(write_secret_file(folder.file("a.key"), "secret"));
  REQUIRE(write_public_file(folder.file("a.crt"), "public"));
  struct stat found{};
  REQUIRE(::stat(folder.file("a.key").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0600);
  REQUIRE(::stat(folder.file("a.crt").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0644);
  const auto again = write_secret_file(folder.file("a.key"), "other");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::already_exists);
  CHECK(read_file(folder.file("a.key")) == "secret");
  CHECK(::access(folder.file("a.key.part").c_str(), F_OK) != 0);
  CHECK_FALSE(write_secret_file(folder.file("no/such/folder"), "x"));

  const auto ca = make_ca("CA", decade);
  REQUIRE(write_secret_file(folder.file("ca.key"), ca->key_pem));
  REQUIRE(write_public_file(folder.file("ca.crt"), ca->certificate_pem));
  const auto loaded = load_ca(folder.file("ca.crt"), folder.file("ca.key"));
  REQUIRE(loaded);
  CHECK(loaded->sha256 == ca->sha256);
  CHECK(issue_gateway(*loaded, *gateway_id::parse("box"), decade));
}

// Goal: the hash is SHA-256 (FIPS 180-4 example), and random bytes are not constant.
TEST_CASE("hash and random bytes") {
  CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const auto a = random_bytes(32);
  const auto b = random_bytes(32);
  REQUIRE(a);
  REQUIRE(b);
  CHECK(*a != *b);
}

}  // namespace tomoshibi
