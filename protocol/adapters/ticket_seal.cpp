#include "protocol/adapters/ticket_seal.hpp"

#include "protocol/adapters/mbedtls_support.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>
#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/platform_util.h>

namespace tomoshibi {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t id_bytes = 8;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr unsigned key_bits = 256;
constexpr std::size_t head_bytes = 1 + id_bytes + nonce_bytes;
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t name_bytes_max = 255;
constexpr std::string_view purpose = "tomoshibi tls ticket 1";

struct gcm {
  gcm() { mbedtls_gcm_init(&context); }
  ~gcm() { mbedtls_gcm_free(&context); }
  gcm(const gcm&) = delete;
  gcm& operator=(const gcm&) = delete;
  bool set(const std::array<std::uint8_t, 32>& key) {
    return mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, key.data(), key_bits) == 0;
  }
  mbedtls_gcm_context context;
};

void put_time(bytes& out, wall_at t) {
  const auto ms = static_cast<std::uint64_t>(to_ms(t));
  put_u32(out, static_cast<std::uint32_t>(ms >> 32));
  put_u32(out, static_cast<std::uint32_t>(ms));
}
wall_at take_time(byte_reader& in) {
  const std::uint64_t high = in.u32();
  return wall_from_ms(static_cast<std::int64_t>(high << 32 | in.u32()));
}

// Times, digest, name (u8 length), session (the rest).
bytes encode(const ticket_content& c) {
  bytes out;
  put_time(out, c.issued);
  put_time(out, c.proved);
  put_time(out, c.peer.not_before);
  put_time(out, c.peer.not_after);
  const auto digest = from_hex(c.peer.sha256);
  TOMO_REQUIRE(digest && digest->size() == digest_bytes && c.peer.common_name.size() <= name_bytes_max);
  put_bytes(out, *digest);
  put_u8(out, static_cast<std::uint8_t>(c.peer.common_name.size()));
  put_bytes(out, as_bytes(c.peer.common_name));
  put_bytes(out, c.session);
  return out;
}

std::optional<ticket_content> decode(byte_view plain) {
  byte_reader in{plain};
  ticket_content c;
  c.issued = take_time(in);
  c.proved = take_time(in);
  c.peer.not_before = take_time(in);
  c.peer.not_after = take_time(in);
  c.peer.sha256 = to_hex(in.take(digest_bytes));
  c.peer.common_name = as_text(in.take(in.u8()));
  const byte_view session = in.take(in.left());
  if (!in.ok()) return std::nullopt;
  c.session.assign(session.begin(), session.end());
  return c;
}

}  // namespace

bool usable(const ticket_content& ticket, wall_at now) {
  const wall_at soon = now + ticket_clock_slack;
  // Compared, not subtracted: a time at the far end of its type would make the difference overflow.
  return ticket.issued <= soon && ticket.proved <= soon && ticket.issued >= now - ticket_life &&
         ticket.proved >= now - proof_life && ticket.peer.not_before <= now && now <= ticket.peer.not_after;
}

ticket_seal::ticket_seal(std::shared_ptr<const ticket_keys> keys, const binding& bound_to)
    : keys_(std::move(keys)), bound_to_(bound_to) {}

const std::vector<ticket_seal::sealing_key>& ticket_seal::derived() {
  if (derived_from_ == keys_->newest_first()) return derived_;
  derived_from_ = keys_->newest_first();
  derived_.clear();
  for (const ticket_key& key : keys_->newest_first()) {
    std::array<std::uint8_t, 32 + id_bytes> out{};
    const int rc = mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), bound_to_.data(), bound_to_.size(),
                                key.secret.data(), key.secret.size(), as_bytes(purpose).data(), purpose.size(), out.data(),
                                out.size());
    if (!TOMO_CHECK(rc == 0)) continue;
    sealing_key& made = derived_.emplace_back();
    std::copy_n(out.begin(), 32, made.key.begin());
    std::copy_n(out.begin() + 32, id_bytes, made.id.begin());
    mbedtls_platform_zeroize(out.data(), out.size());
  }
  return derived_;
}

result<bytes> ticket_seal::seal(const ticket_content& content) {
  if (auto started = mbed::start(); !started) return std::unexpected(started.error());
  if (derived().empty()) return fail(errc::tls_failed, "no ticket key");
  if (content.peer.common_name.size() > name_bytes_max) return fail(errc::tls_failed, "a name too long for a ticket");
  const sealing_key& key = derived().front();
  bytes plain = encode(content);
  bytes out{version};
  put_bytes(out, key.id);
  out.resize(head_bytes + plain.size() + tag_bytes);
  std::uint8_t* nonce = out.data() + 1 + id_bytes;
  std::uint8_t* sealed = out.data() + head_bytes;
  gcm cipher;
  const bool done = mbed::random(nullptr, nonce, nonce_bytes) == 0 && cipher.set(key.key) &&
                    mbedtls_gcm_crypt_and_tag(&cipher.context, MBEDTLS_GCM_ENCRYPT, plain.size(), nonce, nonce_bytes,
                                              out.data(), head_bytes, plain.data(), sealed, tag_bytes,
                                              sealed + plain.size()) == 0;
  mbedtls_platform_zeroize(plain.data(), plain.size());
  if (!done) return fail(errc::tls_failed, "a ticket could not be sealed");
  return out;
}

std::optional<ticket_content> ticket_seal::open(byte_view ticket) {
  if (ticket.size() < head_bytes + tag_bytes || ticket[0] != version) return std::nullopt;
  const byte_view id = ticket.subspan(1, id_bytes);
  const auto& keys = derived();
  const auto key = std::ranges::find_if(keys, [id](const sealing_key& k) { return std::ranges::equal(k.id, id); });
  if (key == keys.end()) return std::nullopt;
  const byte_view sealed = ticket.subspan(head_bytes, ticket.size() - head_bytes - tag_bytes);
  bytes plain(sealed.size());
  gcm cipher;
  if (!cipher.set(key->key) ||
      mbedtls_gcm_auth_decrypt(&cipher.context, sealed.size(), ticket.data() + 1 + id_bytes, nonce_bytes, ticket.data(),
                               head_bytes, sealed.data() + sealed.size(), tag_bytes, sealed.data(), plain.data()) != 0)
    return std::nullopt;
  auto content = decode(plain);
  mbedtls_platform_zeroize(plain.data(), plain.size());
  return content;
}

}  // namespace tomoshibi
