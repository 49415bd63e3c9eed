// Columns for a terminal: Japanese characters take two places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::ctl {

std::size_t shown_width(std::string_view utf8);
std::string padded(std::string_view utf8, std::size_t width);  // with blanks behind; longer text stays whole

class text_table {
public:
  explicit text_table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;  // lines with LF; two blanks between columns

private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tomoshibi::ctl
