#include "relay/shell/day_row.hpp"

#include <limits>

namespace tomoshibi::relay {
namespace {

enum head_bit : std::uint8_t {
  state_mask = 0x03,
  uncertain_bit = 0x04,
  energy_bit = 0x08,
  after_gap_bit = 0x10,
  on_seconds_bit = 0x20,
  readings_bit = 0x40,
  run_bit = 0x80,
};

// The reading counts that a cell without bit 6 has.
struct reading_counts {
  std::uint16_t expected = 0;
  std::uint16_t got = 0;
  bool operator==(const reading_counts&) const = default;
};

void put_number(bytes& out, std::uint32_t v) {
  while (v >= 0x80) {
    put_u8(out, static_cast<std::uint8_t>(v | 0x80));
    v >>= 7;
  }
  put_u8(out, static_cast<std::uint8_t>(v));
}

// Numbers of the row. After a bad one every answer is 0 and ok() is false.
class number_reader {
public:
  explicit number_reader(byte_view data) : in_(data) {}
  bool ok() const { return ok_ && in_.ok(); }
  bool at_end() const { return in_.left() == 0; }
  std::uint8_t byte() { return in_.u8(); }
  template <class T>
  T number() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const std::uint8_t b = in_.u8();
      v |= std::uint64_t{b & 0x7fu} << shift;
      if (b < 0x80) return fits<T>(v);
    }
    ok_ = false;
    return 0;
  }

private:
  template <class T>
  T fits(std::uint64_t v) {
    if (v > std::numeric_limits<T>::max()) ok_ = false;
    return ok() ? static_cast<T>(v) : T{0};
  }
  byte_reader in_;
  bool ok_ = true;
};

std::uint8_t head_of(const slot_cell& c, const reading_counts& before) {
  if (!c.present) return 0;
  unsigned head = static_cast<unsigned>(c.state);
  if (c.time_uncertain) head |= uncertain_bit;
  if (c.energy_wh) head |= energy_bit;
  if (c.energy_after_gap) head |= after_gap_bit;
  if (c.on_seconds != 0) head |= on_seconds_bit;
  if (reading_counts{c.readings_expected, c.readings_got} != before) head |= readings_bit;
  return static_cast<std::uint8_t>(head);
}

void put_cell(bytes& out, const slot_cell& c, std::uint8_t head, std::size_t run) {
  put_u8(out, static_cast<std::uint8_t>(head | (run > 0 ? run_bit : 0)));
  if (head & on_seconds_bit) put_number(out, c.on_seconds);
  if (head & energy_bit) put_number(out, *c.energy_wh);
  if (head & readings_bit) {
    put_number(out, c.readings_expected);
    put_number(out, c.readings_got);
  }
  if (run > 0) put_number(out, static_cast<std::uint32_t>(run));
}

bool same_cell(const slot_cell& a, const slot_cell& b) { return (!a.present && !b.present) || a == b; }

std::size_t run_after(const day_cells& cells, std::size_t i) {
  std::size_t n = 0;
  while (i + n + 1 < cells.size() && same_cell(cells[i], cells[i + n + 1])) ++n;
  return n;
}

slot_cell read_cell(number_reader& in, std::uint8_t head, reading_counts& before) {
  slot_cell c;
  if ((head & state_mask) == 0) return c;
  c.present = true;
  c.state = static_cast<slot_state>(head & state_mask);
  c.time_uncertain = (head & uncertain_bit) != 0;
  c.energy_after_gap = (head & after_gap_bit) != 0;
  if (head & on_seconds_bit) c.on_seconds = in.number<std::uint16_t>();
  if (head & energy_bit) c.energy_wh = in.number<std::uint32_t>();
  if (head & readings_bit) {
    before.expected = in.number<std::uint16_t>();
    before.got = in.number<std::uint16_t>();
  }
  c.readings_expected = before.expected;
  c.readings_got = before.got;
  return c;
}

std::unexpected<error> corrupt(const char* what) { return fail(errc::storage_corrupt, std::string("day row: ") + what); }

}  // namespace

bytes encode_day(const day_cells& cells) {
  constexpr std::size_t often = 64;
  bytes out;
  out.reserve(often);
  put_u8(out, day_row_version);
  std::size_t end = cells.size();
  while (end > 0 && !cells[end - 1].present) --end;
  reading_counts before;
  for (std::size_t i = 0; i < end;) {
    const slot_cell& c = cells[i];
    const std::size_t run = run_after(cells, i);
    put_cell(out, c, head_of(c, before), run);
    if (c.present) before = {c.readings_expected, c.readings_got};
    i += run + 1;
  }
  return out;
}

result<day_cells> decode_day(byte_view row) {
  result<day_cells> out{std::in_place};
  if (auto ok = decode_day(row, *out); !ok) return std::unexpected(ok.error());
  return out;
}

status decode_day(byte_view row, day_cells& cells) {
  number_reader in(row);
  const std::uint8_t version = in.byte();
  if (!in.ok()) return corrupt("empty");
  if (version == 0) return corrupt("version 0");
  if (version > day_row_version) return fail(errc::storage_version, "day row: version " + std::to_string(version));
  reading_counts before;
  for (std::size_t i = 0; !in.at_end();) {
    const std::uint8_t head = in.byte();
    if ((head & state_mask) == 0 && (head & ~unsigned{run_bit}) != 0) return corrupt("an absent cell with values");
    const slot_cell c = read_cell(in, head, before);
    const std::size_t count = 1 + ((head & run_bit) ? in.number<std::uint8_t>() : 0u);
    if (!in.ok()) return corrupt("a cell ends early or a number is too large");
    if (count > cells.size() - i) return corrupt("more than 96 cells");
    std::fill_n(cells.begin() + static_cast<std::ptrdiff_t>(i), count, c);
    i += count;
  }
  return {};
}

}  // namespace tomoshibi::relay
