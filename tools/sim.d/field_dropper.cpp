#include "tools/sim.d/field_dropper.hpp"

#include "protocol/wire/messages.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace tomoshibi::sim {
namespace {

constexpr std::size_t depth_max = 5;
constexpr std::uint32_t unknown_tag = 1'000;    // far beyond what any version has
constexpr std::uint32_t unknown_per_mille = 100;
constexpr std::uint8_t varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5;

// Version 1 as it is: what a message means without them is said in the schema. None was added since.
constexpr std::array<std::uint32_t, 2> hello_firmware{1, 4}, hello_wall{1, 9}, hello_synced{1, 10}, pong_wall{8, 2},
    applied_reason{6, 3}, bye_text{9, 2};
constexpr std::array<std::uint32_t, 4> device_maker{3, 2, 3, 3}, fault_description{3, 2, 4, 3};
constexpr std::array<optional_field, 8> fields{{{hello_firmware, "Hello.firmware_version"},
                                                {hello_wall, "Hello.wall_ms"},
                                                {hello_synced, "Hello.clock_synced"},
                                                {pong_wall, "Pong.wall_ms"},
                                                {applied_reason, "ConfigApplied.reason"},
                                                {bye_text, "Bye.text"},
                                                {device_maker, "DeviceReport.maker"},
                                                {fault_description, "DeviceFault.description"}}};
// Messages inside messages, by the way to them: all others that are delimited are text, or lists of numbers.
constexpr std::array<std::uint32_t, 2> record{3, 2};
constexpr std::array<std::uint32_t, 3> in_record{3, 2, 0};
constexpr std::array<std::uint32_t, 4> appliance_slot{3, 2, 1, 3};
constexpr std::array<std::uint32_t, 2> watched{5, 4};

bool is_message(std::span<const std::uint32_t> path) {
  if (path.size() == 1) return path[0] < unknown_tag;
  if (path.size() == 3 && path[0] == in_record[0] && path[1] == in_record[1]) return path[2] <= 5;
  return std::ranges::equal(path, record) || std::ranges::equal(path, appliance_slot) || std::ranges::equal(path, watched);
}

bool is_optional(std::span<const std::uint32_t> path) {
  return std::ranges::any_of(fields, [path](const optional_field& f) { return std::ranges::equal(f.path, path); });
}

std::optional<std::uint64_t> take_varint(byte_view& from) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const std::uint8_t b = from.front();
    from = from.subspan(1);
    value |= static_cast<std::uint64_t>(b & 0x7f) << shift;
    if (b < 0x80) return value;
  }
  return std::nullopt;
}

void put_varint(std::uint64_t value, bytes& to) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::uint8_t>(value | 0x80));
  to.push_back(static_cast<std::uint8_t>(value));
}

// The value behind a tag; nothing: the bytes are no message.
std::optional<byte_view> take_value(std::uint8_t type, byte_view& from) {
  const byte_view begin = from;
  std::size_t size = 0;
  switch (type) {
    case varint:
      if (!take_varint(from)) return std::nullopt;
      return begin.first(begin.size() - from.size());
    case fixed64: size = 8; break;
    case fixed32: size = 4; break;
    case delimited: {
      const auto length = take_varint(from);
      if (!length) return std::nullopt;
      size = static_cast<std::size_t>(*length);
      break;
    }
    default: return std::nullopt;
  }
  if (size > from.size()) return std::nullopt;
  const byte_view value = from.first(size);
  from = from.subspan(size);
  return value;
}

}  // namespace

std::span<const optional_field> optional_fields() { return fields; }

bool field_dropper::copy_message(byte_view from, std::uint32_t* path, std::size_t depth, bytes& to) {
  while (!from.empty()) {
    const auto key = take_varint(from);
    if (!key) return false;
    const auto type = static_cast<std::uint8_t>(*key & 7);
    const auto value = take_value(type, from);
    if (!value || depth == depth_max) return false;
    path[depth] = static_cast<std::uint32_t>(*key >> 3);
    const std::span<const std::uint32_t> here{path, depth + 1};
    if (is_optional(here) && random_.chance(500)) {
      ++dropped_;
      continue;
    }
    put_varint(*key, to);
    if (type == delimited && is_message(here)) {
      bytes inner;
      if (!copy_message(*value, path, depth + 1, inner)) return false;
      put_varint(inner.size(), to);
      put_bytes(to, inner);
      continue;
    }
    if (type == delimited) put_varint(value->size(), to);
    put_bytes(to, *value);
  }
  if (depth > 0 && random_.chance(unknown_per_mille)) {
    put_varint(unknown_tag << 3 | varint, to);
    put_varint(random_.next(), to);
    ++added_;
  }
  return true;
}

byte_view field_dropper::change(byte_view frames) {
  constexpr std::size_t head = 2;
  out_.clear();
  while (frames.size() >= head) {
    const std::size_t size = static_cast<std::size_t>(frames[0] << 8 | frames[1]);
    const byte_view frame = frames.first(std::min(frames.size(), head + size));
    frames = frames.subspan(frame.size());
    bytes changed;
    std::array<std::uint32_t, depth_max> path{};
    if (!copy_message(frame.subspan(head), path.data(), 0, changed) || changed.size() > wire::frame_payload_max) {
      put_bytes(out_, frame);
      continue;
    }
    put_u16(out_, static_cast<std::uint16_t>(changed.size()));
    put_bytes(out_, changed);
  }
  return out_;
}

}  // namespace tomoshibi::sim
