#include "tools/home/record.hpp"

#include "tools/home/by_time.hpp"
#include "tools/home/text_table.hpp"
#include "tools/replay/iso_time.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <unordered_map>

namespace tomoshibi::home {
namespace {

constexpr std::size_t no_column = columns_max;
constexpr std::size_t homes_listed_max = 8;

struct columns {
  std::size_t time = no_column;
  std::size_t channel = no_column;
  std::size_t value = no_column;
  std::size_t home = no_column;
  std::size_t count = 0;
};

std::optional<columns> read_header(const table_row& row) {
  columns out{.count = row.count};
  for (std::size_t i = 0; i < row.count; ++i) {
    std::size_t* slot = nullptr;
    if (row.fields[i] == "time") slot = &out.time;
    else if (row.fields[i] == "channel") slot = &out.channel;
    else if (row.fields[i] == "value") slot = &out.value;
    else if (row.fields[i] == "home") slot = &out.home;
    if (slot == nullptr || *slot != no_column) return {};
    *slot = i;
  }
  if (out.time == no_column || out.channel == no_column || out.value == no_column) return {};
  return out;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == 0x7f; });
}

class record_parser {
public:
  record_parser(std::string_view file, const record_choice& choice) : wrong_(file), file_(file), choice_(choice) {}

  result<record> parse(std::string_view text) {
    read_table(text, wrong_, [this](const table_row& row) { return on_row(row); });
    if (!header_) wrong_.add(1, "the first line has to name the columns: time,channel,value and optionally home");
    if (!wrong_.empty()) return fail(errc::config_invalid, wrong_.text());
    if (choice_.home.empty() && homes_.size() > 1) return fail(errc::config_invalid, several_homes());
    if (out_.events.empty()) return fail(errc::config_invalid, no_events());
    sort_by_time(out_.events);
    return std::move(out_);
  }

private:
  bool on_row(const table_row& row) {
    if (!header_) {
      header_ = read_header(row);
      return header_.has_value();
    }
    if (row.count != header_->count) {
      wrong_.add(row.line, std::to_string(header_->count) + " fields are needed, as in the first line");
      return true;
    }
    if (header_->home != no_column && !take_home(row)) return true;
    take_event(row);
    return out_.events.size() < events_max || too_many(row.line);
  }

  bool too_many(std::size_t line) {
    wrong_.add(line, "more than 4000000 events");
    return false;
  }

  bool take_home(const table_row& row) {  // false: not the chosen one
    const std::string_view name = row.fields[header_->home];
    if (!is_name(name)) {
      wrong_.add(row.line, "home: 1 to 64 bytes without quotes and control characters");
      return false;
    }
    if (homes_.size() <= homes_listed_max) homes_.emplace(name);
    return choice_.home.empty() || name == choice_.home;
  }

  void take_event(const table_row& row) {
    const auto at = replay::parse_iso_time(row.fields[header_->time], choice_.zone);
    if (!at) return wrong_.add(row.line, "time: YYYY-MM-DDTHH:MM:SS, optionally .mmm and Z, years 1970 to 2199");
    const std::string_view number = row.fields[header_->value];
    std::uint32_t value = 0;
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (ec != std::errc{} || end != number.data() + number.size() || value > value_max)
      return wrong_.add(row.line, "value: a whole number from 0 to 65533");
    const auto channel = channel_index(row.fields[header_->channel]);
    if (!channel) return wrong_.add(row.line, "channel: 1 to 64 bytes without quotes, at most 1000 different ones");
    out_.events.push_back({.at = *at, .channel = *channel, .value = static_cast<std::uint16_t>(value)});
  }

  std::optional<std::uint16_t> channel_index(std::string_view name) {
    const auto known = channels_.find(name);
    if (known != channels_.end()) return known->second;
    if (!is_name(name) || out_.channels.size() >= channels_max) return {};
    const auto index = static_cast<std::uint16_t>(out_.channels.size());
    out_.channels.emplace_back(name);
    channels_.emplace(name, index);  // the view lives as long as the text
    return index;
  }

  std::string several_homes() const {
    std::string names;
    std::size_t shown = 0;
    for (const std::string& name : homes_) {
      if (shown++ == homes_listed_max) break;
      names += (names.empty() ? "" : ", ") + name;
    }
    return file_ + ": holds several homes, choose one with --home: " + names +
           (homes_.size() > homes_listed_max ? ", ..." : "");
  }
  std::string no_events() const {
    return file_ + (choice_.home.empty() ? ": has no events" : ": has no events of home '" + choice_.home + "'");
  }

  complaints wrong_;
  std::string file_;
  const record_choice& choice_;
  std::optional<columns> header_;
  std::set<std::string> homes_;
  std::unordered_map<std::string_view, std::uint16_t> channels_;
  record out_;
};

}  // namespace

result<record> parse_record(std::string_view text, std::string_view file, const record_choice& choice) {
  return record_parser(file, choice).parse(text);
}

result<record> read_record(const std::string& path, const record_choice& choice) {
  auto text = read_text_file(path, record_bytes_max);
  if (!text) return std::unexpected(text.error());
  return parse_record(*text, path, choice);
}

result<std::string> read_text_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(errc::not_found, path + ": " + std::strerror(errno));
  std::string text;
  std::string part(1u << 16, '\0');
  while (in.read(part.data(), static_cast<std::streamsize>(part.size())) || in.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > bytes_max) return fail(errc::too_long, path + ": larger than " + std::to_string(bytes_max) + " bytes");
  }
  if (in.bad()) return fail(errc::storage_io, path + ": cannot be read");
  return text;
}

}  // namespace tomoshibi::home
