// Logging port: level, module, event id, fields. A core is given a logger; the shell decides where lines go.
//
// error = we failed; warning = the other side did; info = the golden path; debug = for the bench only.
// Fields never carry names of people, vitals, pictures, keys or mail addresses.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace tomoshibi {

enum class log_level : std::uint8_t { error, warning, info, debug };
std::string_view name_of(log_level level);  // "error" "warn" "info" "debug"

struct log_field {
  std::string_view key;
  std::string value;
  log_field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  log_field(std::string_view k, std::string_view v) : key(k), value(v) {}
  log_field(std::string_view k, const char* v) : key(k), value(v) {}
  log_field(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
};

class log_sink {
public:
  virtual ~log_sink() = default;
  virtual void write(log_level level, std::string_view module, std::string_view event,
                     std::span<const log_field> fields) = 0;
};

log_sink& null_log();

class logger {
public:
  logger(log_sink& sink, std::string_view module) : sink_(&sink), module_(module) {}
  void error(std::string_view event, std::initializer_list<log_field> f = {}) const { put(log_level::error, event, f); }
  void warning(std::string_view event, std::initializer_list<log_field> f = {}) const { put(log_level::warning, event, f); }
  void info(std::string_view event, std::initializer_list<log_field> f = {}) const { put(log_level::info, event, f); }
  void debug(std::string_view event, std::initializer_list<log_field> f = {}) const { put(log_level::debug, event, f); }
  log_sink& sink() const { return *sink_; }
private:
  void put(log_level level, std::string_view event, std::initializer_list<log_field> f) const {
    sink_->write(level, module_, event, {f.begin(), f.size()});
  }
  log_sink* sink_;
  std::string_view module_;  // a literal
};

// One line "lvl=info mod=uplink evt=live gw=box-1 seq=17": values with blanks, quotes, '=' or control characters are
// quoted and escaped, so that no outside byte can forge a line.
std::string format_log_line(log_level level, std::string_view module, std::string_view event,
                            std::span<const log_field> fields);

}  // namespace tomoshibi
