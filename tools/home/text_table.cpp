#include "tools/home/text_table.hpp"

#include <algorithm>

namespace tomoshibi::home {

void complaints::add(std::size_t line, std::string_view text) {
  if (++count_ > complaints_max) return;
  if (!text_.empty()) text_ += '\n';
  text_ += file_ + ":" + std::to_string(line) + ": " + std::string(text);
}

std::string complaints::text() const {
  if (count_ <= complaints_max) return text_;
  return text_ + "\n" + file_ + ": and " + std::to_string(count_ - complaints_max) + " more";
}

void read_table(std::string_view text, complaints& wrong, const std::function<bool(const table_row&)>& row) {
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    if (rest.empty()) continue;
    if (rest.size() > line_bytes_max) {
      wrong.add(line, "longer than 512 bytes");
      continue;
    }
    table_row out{.line = line};
    while (out.count < columns_max) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      out.fields[out.count++] = rest.substr(0, comma);
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
      if (out.count == columns_max) {
        wrong.add(line, "more than 8 fields");
        out.count = 0;
        break;
      }
    }
    if (out.count > 0 && !row(out)) return;
  }
}

}  // namespace tomoshibi::home
