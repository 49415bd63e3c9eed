#include "firmware/shell/emergency_rows.hpp"

#include "protocol/base/crc32.hpp"

#include <utility>

namespace tomoshibi::firmware {
namespace {

constexpr std::uint8_t path_bits = 3, undelivered_bit = 4, request_bit = 8;

struct fields {
  bool used = false;
  std::uint64_t order = 0, id = 0, occurred = 0, request = 0;
  std::uint8_t source = 0, test = 0, stage = 0, flags = 0;
  std::string name;
};

void put_u64(bytes& out, std::uint64_t v) {
  put_u32(out, static_cast<std::uint32_t>(v >> 32));
  put_u32(out, static_cast<std::uint32_t>(v));
}

std::uint64_t u64(byte_reader& in) {
  const std::uint64_t high = in.u32();
  return high << 32 | in.u32();
}

std::uint32_t sum_of(std::int64_t slot, byte_view body) {
  bytes number;
  put_u64(number, static_cast<std::uint64_t>(slot));
  return crc32(body, crc32(number));
}

bytes encode(std::int64_t slot, const fields& f) {
  bytes out;
  if (f.used) {
    put_u8(out, 1);
    put_u64(out, f.order);
    put_u64(out, f.id);
    put_u64(out, f.occurred);
    put_u8(out, f.source);
    put_u8(out, f.test);
    put_u8(out, f.stage);
    put_u8(out, f.flags);
    put_u64(out, f.request);
    put_u8(out, static_cast<std::uint8_t>(f.name.size()));
    for (const std::uint8_t c : as_bytes(f.name)) put_u8(out, c);
  }
  out.resize(emergency_row_size - 4);
  put_u32(out, sum_of(slot, out));
  return out;
}

result<fields> decode(std::int64_t slot, byte_view data) {
  if (data.size() != emergency_row_size) return fail(errc::storage_corrupt, "a row has a wrong size");
  const byte_view body = data.first(emergency_row_size - 4);
  byte_reader sum(data.last(4));
  if (sum.u32() != sum_of(slot, body)) return fail(errc::storage_corrupt, "a row is damaged");
  byte_reader in(body);
  fields f;
  f.used = in.u8() != 0;
  f.order = u64(in);
  f.id = u64(in);
  f.occurred = u64(in);
  f.source = in.u8();
  f.test = in.u8();
  f.stage = in.u8();
  f.flags = in.u8();
  f.request = u64(in);
  const std::size_t length = in.u8();
  f.name = as_text(in.take(length));
  if (!in.ok() || length > button_name_max) return fail(errc::storage_corrupt, "a row has a name of a wrong size");
  return f;
}

bool known(const fields& f) {
  return f.source >= std::to_underlying(press_source::button) && f.source <= std::to_underlying(press_source::drill) &&
         f.stage >= std::to_underlying(press_stage::calling) && f.stage <= std::to_underlying(press_stage::closed) &&
         (f.flags & path_bits) <= std::to_underlying(press_path::direct);
}

std::uint8_t flags_of(const press& p) {
  return static_cast<std::uint8_t>(std::to_underlying(p.path) | (p.undelivered ? undelivered_bit : 0) |
                                   (p.request ? request_bit : 0));
}

}  // namespace

bytes encode_row(std::int64_t slot, const press_row& row) {
  const press& p = row.what;
  return encode(slot, {.used = row.used, .order = row.order, .id = std::to_underlying(p.id),
                       .occurred = static_cast<std::uint64_t>(to_ms(p.occurred)), .request = p.request.value_or(0),
                       .source = std::to_underlying(p.source), .test = p.test ? std::uint8_t{1} : std::uint8_t{0},
                       .stage = std::to_underlying(p.stage), .flags = flags_of(p), .name = p.button});
}

bytes encode_row(std::int64_t slot, const button_row& row) {
  return encode(slot, {.used = row.used, .order = row.order, .id = 0, .occurred = 0, .request = 0, .source = 0,
                       .test = 0, .stage = row.what.pressed ? std::uint8_t{1} : std::uint8_t{0}, .flags = 0, .name = row.what.button});
}

result<press_row> decode_press_row(std::int64_t slot, byte_view data) {
  auto f = decode(slot, data);
  if (!f) return std::unexpected(f.error());
  if (!f->used) return press_row{};
  if (!known(*f)) return fail(errc::storage_corrupt, "a press of a kind that does not exist");
  std::optional<std::uint64_t> request;
  if ((f->flags & request_bit) != 0) request = f->request;
  return press_row{.used = true, .order = f->order,
                   .what = {.id = press_id{f->id}, .source = press_source{f->source}, .button = std::move(f->name),
                            .occurred = wall_from_ms(static_cast<std::int64_t>(f->occurred)), .test = f->test != 0,
                            .stage = press_stage{f->stage}, .path = press_path(f->flags & path_bits),
                            .undelivered = (f->flags & undelivered_bit) != 0, .request = request}};
}

result<button_row> decode_button_row(std::int64_t slot, byte_view data) {
  auto f = decode(slot, data);
  if (!f) return std::unexpected(f.error());
  return button_row{.used = f->used, .order = f->order, .what = {.button = std::move(f->name), .pressed = f->stage != 0}};
}

}  // namespace tomoshibi::firmware
