// How values of the cores are numbers in the database, in both directions.
#pragma once

#include "protocol/adapters/sqlite_db.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/slot.hpp"

#include <limits>
#include <optional>
#include <type_traits>

namespace tomoshibi::relay {

template <class E>
  requires std::is_enum_v<E>
constexpr std::int64_t number(E value) {
  return static_cast<std::int64_t>(value);  // 64-bit ids keep their bits, SQLite shows them signed
}
constexpr std::int64_t number(bool value) { return value ? 1 : 0; }
constexpr std::int64_t number(wall_at t) { return to_ms(t); }
constexpr std::int64_t number(slot_index s) { return s.value; }
template <class T>
constexpr std::optional<std::int64_t> number(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return number(*value);
}

// A row being read: out-of-range numbers turn it bad instead of becoming another value.
class row_reader {
public:
  explicit row_reader(const statement& s) : s_(s) {}
  bool ok() const { return ok_; }

  std::string text(int column) const { return s_.text(column); }
  bool flag(int column) { return whole<std::uint8_t>(column, 0, 1) != 0; }
  wall_at time(int column) const { return wall_from_ms(s_.int64(column)); }
  std::optional<wall_at> maybe_time(int column) const {
    if (s_.is_null(column)) return std::nullopt;
    return time(column);
  }
  slot_index slot(int column) { return {whole<std::int32_t>(column)}; }
  std::optional<slot_index> maybe_slot(int column) {
    if (s_.is_null(column)) return std::nullopt;
    return slot(column);
  }
  template <class T>
  T whole(int column, std::int64_t low = std::numeric_limits<T>::min(),
          std::int64_t high = std::numeric_limits<T>::max()) {
    const std::int64_t v = s_.int64(column);
    if (v >= low && v <= high) return static_cast<T>(v);
    ok_ = false;
    return T{};
  }
  template <class E>
  E name(int column) {  // an id
    return static_cast<E>(whole<std::underlying_type_t<E>>(column));
  }
  template <class E>
  E one_of(int column, E first, E last) {
    return static_cast<E>(whole<std::underlying_type_t<E>>(column, number(first), number(last)));
  }
  gateway_id gateway(int column) {
    auto id = gateway_id::parse(s_.text(column));
    if (!id) ok_ = false;
    return id.value_or(gateway_id{});
  }

private:
  const statement& s_;
  bool ok_ = true;
};

}  // namespace tomoshibi::relay
