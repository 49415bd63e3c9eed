// JSON, written: one value after the other, on one line.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::ctl {

std::string json_string(std::string_view text);  // quoted; bad UTF-8 becomes U+FFFD

inline std::string json(std::string_view v) { return json_string(v); }
inline std::string json(const std::string& v) { return json_string(v); }
inline std::string json(const char* v) { return json_string(v); }
template <std::integral T>
std::string json(T v) {
  if constexpr (std::same_as<T, bool>) return v ? "true" : "false";
  else return std::to_string(v);
}
template <class T>
std::string json(const std::optional<T>& v) { return v ? json(*v) : std::string("null"); }

class json_array {
public:
  template <class T>
  json_array& add(const T& v) { return add_raw(json(v)); }
  json_array& add_raw(std::string_view v) {
    if (!items_.empty()) items_ += ',';
    items_ += v;
    return *this;
  }
  std::string text() const { return "[" + items_ + "]"; }

private:
  std::string items_;
};

class json_object {
public:
  template <class T>
  json_object& add(std::string_view key, const T& v) { return add_raw(key, json(v)); }
  json_object& add_raw(std::string_view key, std::string_view v) {
    if (!items_.empty()) items_ += ',';
    items_ += json_string(key);
    items_ += ':';
    items_ += v;
    return *this;
  }
  json_object& add(std::string_view key, const json_array& v) { return add_raw(key, v.text()); }
  json_object& add(std::string_view key, const json_object& v) { return add_raw(key, v.text()); }
  std::string text() const { return "{" + items_ + "}"; }

private:
  std::string items_;
};

}  // namespace tomoshibi::ctl
