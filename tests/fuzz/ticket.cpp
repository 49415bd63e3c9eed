// The session ticket that a gateway presents, which may be anything: opened is only what was sealed under a key of the ring
// for these certificates, unchanged; and what an authentic envelope holds, however strange, is understood or refused.
//
// The envelope is written here a second time from its description in ticket_seal.hpp, with a nonce of the fuzzer's choosing,
// so that an input does the same each time and reaches what lies behind the seal.
#include "protocol/adapters/ticket_seal.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"

#include <array>
#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <memory>

using namespace tomoshibi;

namespace {

constexpr wall_at start = wall_from_ms(1'893'456'000'000);  // 2030-01-01
constexpr ticket_seal::binding bound{1, 2, 3};
constexpr ticket_seal::binding bound_elsewhere{1, 2, 4};
constexpr std::string_view purpose = "tomoshibi tls ticket 1";
constexpr std::size_t plain_bytes_max = 600;
constexpr std::size_t fixed_bytes = 4 * 8 + 32 + 1;  // times, digest, length of the name
constexpr std::size_t name_at = fixed_bytes;
constexpr std::uint8_t version = 1;
constexpr int damages_max = 16;

ticket_key::secret_bytes secret(std::uint8_t fill) {
  ticket_key::secret_bytes out{};
  out.fill(fill);
  return out;
}

std::shared_ptr<const ticket_keys> ring() {
  auto keys = std::make_shared<ticket_keys>();
  for (std::uint8_t day = 0; day <= ticket_keys_max; ++day) keys->turn(start + day * ticket_key_turn, secret(day));
  return keys;  // the secret of day 0 is gone
}

// A key as ticket_seal derives it, and the id in front of a ticket.
struct sealer {
  sealer(std::uint8_t day, const ticket_seal::binding& to) {
    const auto from = secret(day);
    std::array<std::uint8_t, 40> out{};
    TOMO_REQUIRE(mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), to.data(), to.size(), from.data(), from.size(),
                              as_bytes(purpose).data(), purpose.size(), out.data(), out.size()) == 0);
    mbedtls_gcm_init(&cipher);
    TOMO_REQUIRE(mbedtls_gcm_setkey(&cipher, MBEDTLS_CIPHER_ID_AES, out.data(), 256) == 0);
    id.assign(out.begin() + 32, out.end());
  }
  bytes seal(std::uint8_t first, std::array<std::uint8_t, 12> nonce, byte_view plain) {
    bytes out{first};
    put_bytes(out, id);
    put_bytes(out, nonce);
    const std::size_t head = out.size();
    out.resize(head + plain.size() + 16);
    TOMO_REQUIRE(mbedtls_gcm_crypt_and_tag(&cipher, MBEDTLS_GCM_ENCRYPT, plain.size(), nonce.data(), nonce.size(), out.data(),
                                           head, plain.data(), out.data() + head, 16, out.data() + head + plain.size()) == 0);
    return out;
  }
  mbedtls_gcm_context cipher{};
  bytes id;
};

std::int64_t time_at(byte_view plain, std::size_t at) {
  std::uint64_t ms = 0;
  for (std::size_t i = at; i < at + 8; ++i) ms = ms << 8 | plain[i];
  return static_cast<std::int64_t>(ms);
}

// usable() again, by ages. What is too long ago to be counted is too old; nothing is that far ahead.
bool usable_by_the_book(const ticket_content& c, wall_at now) {
  const auto good_for = [now](wall_at t, millis life) {
    std::int64_t age = 0;
    return !__builtin_sub_overflow(to_ms(now), to_ms(t), &age) && age >= -millis{ticket_clock_slack}.count() && age <= life.count();
  };
  return good_for(c.issued, ticket_life) && good_for(c.proved, proof_life) && to_ms(c.peer.not_before) <= to_ms(now) &&
         to_ms(now) <= to_ms(c.peer.not_after);
}

void check_content(const ticket_content& c, byte_view plain) {
  const std::size_t name_size = plain[name_at - 1];
  TOMO_REQUIRE(to_ms(c.issued) == time_at(plain, 0) && to_ms(c.proved) == time_at(plain, 8));
  TOMO_REQUIRE(to_ms(c.peer.not_before) == time_at(plain, 16) && to_ms(c.peer.not_after) == time_at(plain, 24));
  TOMO_REQUIRE(c.peer.sha256 == to_hex(plain.subspan(32, 32)));
  TOMO_REQUIRE(c.peer.common_name == as_text(plain.subspan(name_at, name_size)));
  TOMO_REQUIRE(std::ranges::equal(c.session, plain.subspan(name_at + name_size)));
}

void damage(fuzz::input& in, bytes& ticket, const bytes& other) {
  switch (in.below(5)) {
    case 0: if (!ticket.empty()) ticket[in.u16() % ticket.size()] ^= in.u8(); return;
    case 1: ticket.resize(ticket.size() - std::min<std::size_t>(ticket.size(), in.u8())); return;
    case 2: put_bytes(ticket, in.part(40)); return;
    case 3: std::copy_n(other.begin(), std::min<std::size_t>({ticket.size(), other.size(), in.u8()}), ticket.begin()); return;
    default: ticket.erase(ticket.begin(), ticket.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(ticket.size(), in.u8())));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ticket_seal seal{ring(), bound};
  static std::array<sealer, 5> sealers{sealer{1, bound}, sealer{2, bound}, sealer{3, bound}, sealer{0, bound},
                                       sealer{3, bound_elsewhere}};
  fuzz::input in{data, size};
  const std::size_t which = in.below(sealers.size());
  const std::uint8_t first = in.below(8) == 7 ? in.u8() : version;
  std::array<std::uint8_t, 12> nonce{};
  nonce[0] = in.u8();
  const wall_at now = in.flag() ? start + millis{in.u32()} : wall_from_ms(static_cast<std::int64_t>(in.number() >> 20));
  const byte_view plain = in.part(plain_bytes_max);
  const bytes whole = sealers[which].seal(first, nonce, plain);

  const auto opened = seal.open(whole);
  const bool ours = which < ticket_keys_max && first == version;
  TOMO_REQUIRE(opened.has_value() == (ours && plain.size() >= fixed_bytes && plain.size() >= fixed_bytes + plain[name_at - 1]));
  if (opened) {
    check_content(*opened, plain);
    TOMO_REQUIRE(usable(*opened, now) == usable_by_the_book(*opened, now));
    const auto again = seal.seal(*opened);
    TOMO_REQUIRE(again.has_value());
    const auto reopened = seal.open(*again);
    TOMO_REQUIRE(reopened.has_value());
    check_content(*reopened, plain);
  }

  bytes changed = whole;
  const bytes other = sealers[(which + 1) % sealers.size()].seal(version, nonce, plain);
  for (int i = 0; i < damages_max && in.left(); ++i) {
    damage(in, changed, other);
    if (changed != whole && changed != other) TOMO_REQUIRE(!seal.open(changed).has_value());
  }
  return 0;
}
