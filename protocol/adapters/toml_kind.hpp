// The kind of a key: the index of its type in config_value. For the toml_*.cpp files.
#pragma once

#include "protocol/adapters/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <variant>

namespace tomoshibi {

// Counted by type: clang with libstdc++ 12 makes no constant std::string.
template <class T, class... Kinds>
consteval std::size_t index_in(std::type_identity<std::variant<Kinds...>>) {
  const std::array same{std::is_same_v<T, Kinds>...};
  return static_cast<std::size_t>(std::find(same.begin(), same.end(), true) - same.begin());
}
template <class T>
constexpr std::size_t kind_of = index_in<T>(std::type_identity<config_value>{});

}  // namespace tomoshibi
