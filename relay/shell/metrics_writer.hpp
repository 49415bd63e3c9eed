// Prometheus text format 0.0.4, written line by line; private to metrics_text.cpp and emergency_metrics.cpp.
#pragma once

#include "relay/shell/relay_view.hpp"

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tomoshibi::relay {

class metrics {
public:
  void gauge(std::string_view name, std::string_view help, std::uint64_t value) { single(name, help, "gauge", value); }
  void counter(std::string_view name, std::string_view help, std::uint64_t value) { single(name, help, "counter", value); }

  void head(std::string_view name, std::string_view help, std::string_view type) {
    text_ += joined({"# HELP tomoshibi_relay_", name, " ", help, "\n# TYPE tomoshibi_relay_", name, " ", type, "\n"});
  }
  // Label values are our own words: nothing to escape.
  void labelled(std::string_view name, std::string_view label, std::string_view word, std::uint64_t value) {
    text_ += joined({"tomoshibi_relay_", name, "{", label, "=\"", word, "\"} ", std::to_string(value), "\n"});
  }
  // A histogram's lines; `labels` like `hop="stored",`, or empty.
  void bucket(std::string_view name, std::string_view labels, std::string_view le, std::uint64_t value) {
    text_ += joined({"tomoshibi_relay_", name, "_bucket{", labels, "le=\"", le, "\"} ", std::to_string(value), "\n"});
  }
  void line(std::string_view name, std::string_view value) {
    text_ += joined({"tomoshibi_relay_", name, " ", value, "\n"});
  }
  std::string take() { return std::move(text_); }

private:
  static std::string joined(std::initializer_list<std::string_view> parts) {
    std::string out;
    for (auto p : parts) out += p;
    return out;
  }
  void single(std::string_view name, std::string_view help, std::string_view type, std::uint64_t value) {
    head(name, help, type);
    line(name, std::to_string(value));
  }
  std::string text_;
};

// Exact decimal seconds.
std::string seconds_text(std::chrono::microseconds t);

void add_emergency(metrics& m, const relay_view& v);  // emergency_metrics.cpp

}  // namespace tomoshibi::relay
