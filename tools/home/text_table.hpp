// Comma-separated text as records and fault scripts use it: a header line, then fields without quoting, LF or CRLF.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::home {

inline constexpr std::size_t columns_max = 8;
inline constexpr std::size_t line_bytes_max = 512;
inline constexpr std::size_t complaints_max = 20;  // further mistakes of one file are only counted

// What is wrong with a file, as "file:line: what is allowed", for a person to correct it in one go.
class complaints {
public:
  explicit complaints(std::string_view file) : file_(file) {}
  void add(std::size_t line, std::string_view text);
  bool empty() const { return count_ == 0; }
  std::string text() const;

private:
  std::string file_;
  std::string text_;
  std::size_t count_ = 0;
};

struct table_row {
  std::size_t line = 0;                  // 1-based, of the file
  std::array<std::string_view, columns_max> fields{};
  std::size_t count = 0;
};

// Calls `row` for the header and each non-empty line; a line that is too long or has too many fields is complained about.
// `row` answers false to stop.
void read_table(std::string_view text, complaints& wrong, const std::function<bool(const table_row&)>& row);

}  // namespace tomoshibi::home
