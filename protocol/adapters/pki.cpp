#include "protocol/adapters/pki.hpp"

#include "protocol/adapters/mbedtls_support.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tomoshibi {
namespace {

constexpr std::size_t serial_bytes = 16;   // RFC 5280 4.1.2.2: at most 20; 127 random bits are never guessed or repeated
constexpr std::size_t pem_buffer_bytes = 8 * 1024;
constexpr std::size_t common_name_max = 64;  // X.520 ub-common-name
constexpr std::size_t dns_name_max = 253;

enum class role { authority, server, gateway };

struct certificate_writer {
  certificate_writer() { mbedtls_x509write_crt_init(&crt); }
  ~certificate_writer() { mbedtls_x509write_crt_free(&crt); }
  certificate_writer(const certificate_writer&) = delete;
  certificate_writer& operator=(const certificate_writer&) = delete;
  mbedtls_x509write_cert crt;
};

// RFC 4514: whatever could mean something in a name's text form goes as a hex pair; UTF-8 passes.
std::string escaped(std::string_view value) {
  std::string out;
  for (char c : value) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
                       c == '.' || c == '_' || u >= 0x80;
    if (plain) {
      out += c;
    } else {
      out += '\\' + to_hex({&u, 1});
    }
  }
  return out;
}

status check_name(std::string_view name) {
  if (name.empty() || name.size() > common_name_max)
    return fail(errc::config_invalid, "a certificate's name has 1 to 64 bytes");
  for (char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return fail(errc::config_invalid, "a certificate's name has no control characters");
  return {};
}

std::string certificate_time(wall_at t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss<seconds> time{floor<seconds>(t - day)};
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02u%02u%02d%02d%02d", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

status check_validity(validity valid) {
  if (valid.until <= valid.from) return fail(errc::config_invalid, "a certificate must end after it begins");
  if (valid.from < wall_at{} || valid.until >= wall_at{std::chrono::sys_days{std::chrono::year{9999} / 1 / 1}})
    return fail(errc::config_invalid, "a certificate's dates lie between 1970 and 9998");
  return {};
}

result<std::string> key_to_pem(const mbedtls_pk_context& key) {
  std::string pem(pem_buffer_bytes, '\0');
  const int rc = mbedtls_pk_write_key_pem(&key, reinterpret_cast<unsigned char*>(pem.data()), pem.size());
  if (rc != 0) return mbed::failed(rc, "write key");
  pem.resize(std::strlen(pem.c_str()));
  return pem;
}

status make_key(mbed::private_key& key) {
  int rc = mbedtls_pk_setup(&key.pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (rc == 0) rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key.pk), mbed::random, nullptr);
  if (rc != 0) return mbed::failed(rc, "make key");
  return {};
}

// ---- parts of a certificate; each answers an Mbed TLS code

int set_serial(mbedtls_x509write_cert& crt) {
  unsigned char serial[serial_bytes];
  const int rc = mbed::random(nullptr, serial, sizeof serial);
  if (rc != 0) return rc;
  serial[0] &= 0x7f;  // positive
  if (serial[0] == 0) serial[0] = 1;
  return mbedtls_x509write_crt_set_serial_raw(&crt, serial, sizeof serial);
}

int set_usage(mbedtls_x509write_cert& crt, role as) {
  if (as == role::authority) return mbedtls_x509write_crt_set_key_usage(&crt, MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
  int rc = mbedtls_x509write_crt_set_key_usage(&crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
  if (rc != 0) return rc;
  const bool server = as == role::server;
  std::string oid = server ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
  mbedtls_asn1_sequence purpose{};
  purpose.buf.tag = MBEDTLS_ASN1_OID;
  purpose.buf.len = oid.size();
  purpose.buf.p = reinterpret_cast<unsigned char*>(oid.data());
  return mbedtls_x509write_crt_set_ext_key_usage(&crt, &purpose);
}

struct alternative_names {
  std::vector<std::string> values;  // DNS names and packed addresses; must outlive the list
  std::vector<mbedtls_x509_san_list> list;
};

status collect_names(const server_certificate_request& request, alternative_names& names) {
  const std::size_t count = request.dns_names.size() + request.ip_addresses.size();
  if (count == 0) return fail(errc::config_invalid, "a server certificate needs a DNS name or an IP address");
  for (const auto& name : request.dns_names) {
    const bool odd = name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*_") !=
                     std::string::npos;
    if (name.empty() || name.size() > dns_name_max || odd)
      return fail(errc::config_invalid, "not a DNS name: '" + name + "'");
    names.values.push_back(name);
  }
  for (const auto& text : request.ip_addresses) {
    std::string packed(16, '\0');
    if (inet_pton(AF_INET, text.c_str(), packed.data()) == 1) {
      packed.resize(4);
    } else if (inet_pton(AF_INET6, text.c_str(), packed.data()) != 1) {
      return fail(errc::config_invalid, "not an IP address: '" + text + "'");
    }
    names.values.push_back(packed);
  }
  names.list.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& entry = names.list[i];
    entry.node.type = i < request.dns_names.size() ? MBEDTLS_X509_SAN_DNS_NAME : MBEDTLS_X509_SAN_IP_ADDRESS;
    entry.node.san.unstructured_name.p = reinterpret_cast<unsigned char*>(names.values[i].data());
    entry.node.san.unstructured_name.len = names.values[i].size();
    entry.next = i + 1 < count ? &names.list[i + 1] : nullptr;
  }
  return {};
}

struct certificate_plan {
  std::string subject;                 // CN
  std::string issuer_dn;               // text form of the issuer's whole name
  role as = role::gateway;
  validity valid;
  alternative_names names;
  std::string key_pem = {};            // empty: a new key
};

result<key_and_certificate> write_certificate(certificate_plan& plan, mbed::private_key& own, mbed::private_key& issuer) {
  certificate_writer writer;
  auto& crt = writer.crt;
  mbedtls_x509write_crt_set_version(&crt, MBEDTLS_X509_CRT_VERSION_3);
  mbedtls_x509write_crt_set_md_alg(&crt, MBEDTLS_MD_SHA256);
  mbedtls_x509write_crt_set_subject_key(&crt, &own.pk);
  mbedtls_x509write_crt_set_issuer_key(&crt, &issuer.pk);
  const std::string subject_dn = "CN=" + escaped(plan.subject);
  const std::string& issuer_dn = plan.issuer_dn.empty() ? subject_dn : plan.issuer_dn;
  const bool authority = plan.as == role::authority;
  int rc = mbedtls_x509write_crt_set_subject_name(&crt, subject_dn.c_str());
  if (rc == 0) rc = mbedtls_x509write_crt_set_issuer_name(&crt, issuer_dn.c_str());
  if (rc == 0) rc = set_serial(crt);
  if (rc == 0)
    rc = mbedtls_x509write_crt_set_validity(&crt, certificate_time(plan.valid.from).c_str(),
                                            certificate_time(plan.valid.until).c_str());
  if (rc == 0) rc = mbedtls_x509write_crt_set_basic_constraints(&crt, authority, authority ? 0 : -1);
  if (rc == 0) rc = set_usage(crt, plan.as);
  if (rc == 0) rc = mbedtls_x509write_crt_set_subject_key_identifier(&crt);
  if (rc == 0) rc = mbedtls_x509write_crt_set_authority_key_identifier(&crt);
  if (rc == 0 && !plan.names.list.empty()) rc = mbedtls_x509write_crt_set_subject_alternative_name(&crt, plan.names.list.data());
  std::string pem(pem_buffer_bytes, '\0');
  if (rc == 0) rc = mbedtls_x509write_crt_pem(&crt, reinterpret_cast<unsigned char*>(pem.data()), pem.size(), mbed::random, nullptr);
  if (rc != 0) return mbed::failed(rc, "write certificate");
  pem.resize(std::strlen(pem.c_str()));

  auto key_pem = key_to_pem(own.pk);
  if (!key_pem) return std::unexpected(key_pem.error());
  auto facts = read_certificate(pem);
  if (!facts) return std::unexpected(facts.error());
  return key_and_certificate{std::move(pem), std::move(*key_pem), facts->sha256};
}

result<key_and_certificate> issue(const key_and_certificate& ca, certificate_plan& plan) {
  if (auto started = mbed::start(); !started) return std::unexpected(started.error());
  if (auto named = check_name(plan.subject); !named) return std::unexpected(named.error());
  if (auto dated = check_validity(plan.valid); !dated) return std::unexpected(dated.error());
  mbed::certificate_chain authority;
  mbed::private_key issuer;
  mbed::private_key own;
  if (auto parsed = authority.parse(ca.certificate_pem, "CA certificate"); !parsed) return std::unexpected(parsed.error());
  if (auto parsed = issuer.parse(ca.key_pem, "CA key"); !parsed) return std::unexpected(parsed.error());
  if (mbedtls_pk_check_pair(&authority.crt.pk, &issuer.pk, mbed::random, nullptr) != 0)
    return fail(errc::config_invalid, "the CA's key does not belong to its certificate");
  if (plan.valid.from < mbed::to_wall(authority.crt.valid_from) || plan.valid.until > mbed::to_wall(authority.crt.valid_to))
    return fail(errc::config_invalid, "a certificate must lie within the CA's own dates");
  char dn[512];
  if (const int n = mbedtls_x509_dn_gets(dn, sizeof dn, &authority.crt.subject); n < 0) return mbed::failed(n, "CA name");
  plan.issuer_dn = dn;
  const status key = plan.key_pem.empty() ? make_key(own) : own.parse(plan.key_pem, "private key");
  if (!key) return std::unexpected(key.error());
  return write_certificate(plan, own, issuer);
}

void read_names(const mbedtls_x509_crt& crt, certificate_facts& into) {
  for (const auto* name = &crt.subject_alt_names; name != nullptr && name->buf.p != nullptr; name = name->next) {
    const int kind = name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
    const std::string value(reinterpret_cast<const char*>(name->buf.p), name->buf.len);
    char text[INET6_ADDRSTRLEN];
    if (kind == MBEDTLS_X509_SAN_DNS_NAME) into.dns_names.push_back(value);
    if (kind != MBEDTLS_X509_SAN_IP_ADDRESS || (value.size() != 4 && value.size() != 16)) continue;
    if (inet_ntop(value.size() == 4 ? AF_INET : AF_INET6, value.data(), text, sizeof text) != nullptr)
      into.ip_addresses.emplace_back(text);
  }
}

// ---- files

status sync_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) return fail(errc::storage_io, folder + ": " + std::strerror(errno));
  return {};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return ::fsync(fd) == 0;
}

// Whole and durable beside its place, or not there at all.
status write_part(const std::string& part, std::string_view text, mode_t mode) {
  ::unlink(part.c_str());
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return fail(errc::storage_io, part + ": " + std::strerror(errno));
  const bool written = ::fchmod(fd, mode) == 0 && write_all(fd, text);
  const int why = errno;
  ::close(fd);
  if (written) return {};
  ::unlink(part.c_str());
  return fail(errc::storage_io, part + ": " + std::strerror(why));
}

status write_new_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string part = path + ".part";
  if (auto written = write_part(part, text, mode); !written) return written;
  // link(2) refuses an existing target, so a key is never replaced by accident.
  const bool placed = ::link(part.c_str(), path.c_str()) == 0;
  const int why = errno;
  ::unlink(part.c_str());
  if (!placed && why == EEXIST) return fail(errc::already_exists, path);
  if (!placed) return fail(errc::storage_io, path + ": " + std::strerror(why));
  return sync_folder(path);
}

status replace_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string part = path + ".part";
  if (auto written = write_part(part, text, mode); !written) return written;
  if (::rename(part.c_str(), path.c_str()) == 0) return sync_folder(path);
  const int why = errno;
  ::unlink(part.c_str());
  return fail(errc::storage_io, path + ": " + std::strerror(why));
}

}  // namespace

result<key_and_certificate> make_ca(const std::string& name, validity valid) {
  if (auto started = mbed::start(); !started) return std::unexpected(started.error());
  if (auto named = check_name(name); !named) return std::unexpected(named.error());
  if (auto dated = check_validity(valid); !dated) return std::unexpected(dated.error());
  mbed::private_key key;
  if (auto made = make_key(key); !made) return std::unexpected(made.error());
  certificate_plan plan{.subject = name, .issuer_dn = {}, .as = role::authority, .valid = valid, .names = {}};
  return write_certificate(plan, key, key);
}

result<key_and_certificate> issue_server(const key_and_certificate& ca, const server_certificate_request& request) {
  certificate_plan plan{.subject = request.name, .issuer_dn = {}, .as = role::server, .valid = request.valid, .names = {}};
  plan.key_pem = request.key_pem;
  if (auto collected = collect_names(request, plan.names); !collected) return std::unexpected(collected.error());
  return issue(ca, plan);
}

result<key_and_certificate> issue_gateway(const key_and_certificate& ca, const gateway_id& gateway, validity valid) {
  certificate_plan plan{.subject = gateway.text(), .issuer_dn = {}, .as = role::gateway, .valid = valid, .names = {}};
  return issue(ca, plan);
}

result<certificate_facts> read_certificate(const std::string& pem) {
  mbed::certificate_chain chain;
  if (auto parsed = chain.parse(pem, "certificate"); !parsed) return std::unexpected(parsed.error());
  const auto& crt = chain.crt;
  certificate_facts out{.common_name = mbed::common_name(crt.subject),
                        .issuer_common_name = mbed::common_name(crt.issuer),
                        .sha256 = mbed::sha256_hex(crt),
                        .serial = to_hex({crt.serial.p, crt.serial.len}),
                        .valid = {mbed::to_wall(crt.valid_from), mbed::to_wall(crt.valid_to)},
                        .dns_names = {},
                        .ip_addresses = {}};
  read_names(crt, out);
  return out;
}

result<key_and_certificate> load_ca(const std::string& certificate_path, const std::string& key_path) {
  auto files = load_tls_identity({.certificate = certificate_path, .key = key_path, .ca = certificate_path});
  if (!files) return std::unexpected(files.error());
  auto facts = read_certificate(files->certificate_pem);
  if (!facts) return std::unexpected(facts.error());
  return key_and_certificate{std::move(files->certificate_pem), std::move(files->key_pem), facts->sha256};
}

status write_secret_file(const std::string& path, std::string_view text) { return write_new_file(path, text, 0600); }
status write_public_file(const std::string& path, std::string_view text) { return write_new_file(path, text, 0644); }

status replace_secret_file(const std::string& path, std::string_view text) { return replace_file(path, text, 0600); }
status replace_public_file(const std::string& path, std::string_view text) { return replace_file(path, text, 0644); }

std::array<std::uint8_t, 32> sha256(byte_view data) {
  std::array<std::uint8_t, 32> digest{};
  mbedtls_sha256(data.data(), data.size(), digest.data(), 0);
  return digest;
}

result<bytes> random_bytes(std::size_t count) {
  if (auto started = mbed::start(); !started) return std::unexpected(started.error());
  bytes out(count);
  if (const int rc = mbed::random(nullptr, out.data(), out.size()); rc != 0) return mbed::failed(rc, "random bytes");
  return out;
}

}  // namespace tomoshibi
