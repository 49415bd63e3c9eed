#include "tools/guard.d/shell/journal.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>

namespace tomoshibi::guard {
namespace {

using nlohmann::json;

std::string_view name_of(dc09::edge how) {
  return how == dc09::edge::begun ? "begun" : how == dc09::edge::restored ? "restored" : "still";
}

std::string text(const json& j) { return j.dump(-1, ' ', true, json::error_handler_t::replace); }

json head(wall_at at, std::string_view kind) { return {{"at", iso_text(at)}, {"at_ms", to_ms(at)}, {"kind", kind}}; }

json to_json(const entry& e, std::string_view kind, wall_at at) {
  json j = head(at, kind);
  j["entry"] = e.number;
  j["account"] = e.account;
  j["event"] = dc09::words_of(e.what);
  j["event_number"] = static_cast<int>(e.what);
  j["edge"] = name_of(e.how);
  j["code"] = e.code;
  j["partition"] = e.partition;
  j["zone"] = e.zone;
  j["sequence"] = e.sequence;
  if (e.occurred) j["occurred"] = iso_text(*e.occurred);
  if (e.occurred) j["occurred_ms"] = to_ms(*e.occurred);
  j["reference"] = e.reference;
  j["encrypted"] = e.encrypted;
  j["test"] = e.test;
  j["repeats"] = e.repeats;
  j["data"] = e.data;
  return j;
}

// Nothing: a line of another kind, or one that is not whole.
std::optional<entry> read_entry(const std::string& line) {
  const json j = json::parse(line, nullptr, false);
  if (!j.is_object() || j.value("kind", "") != "booked") return std::nullopt;
  const int what = j.value("event_number", 0);
  if (what < 1 || what > static_cast<int>(dc09::last_event)) return std::nullopt;
  entry e;
  e.number = j.value("entry", std::uint64_t{0});
  e.account = j.value("account", "");
  e.what = static_cast<dc09::event>(what);
  const std::string how = j.value("edge", "");
  e.how = how == "begun" ? dc09::edge::begun : how == "restored" ? dc09::edge::restored : dc09::edge::still;
  e.code = j.value("code", "");
  e.partition = j.value("partition", std::uint16_t{0});
  e.zone = j.value("zone", std::uint16_t{0});
  e.sequence = j.value("sequence", std::uint16_t{0});
  if (j.contains("occurred_ms")) e.occurred = wall_from_ms(j.value("occurred_ms", std::int64_t{0}));
  e.reference = j.value("reference", "");
  e.encrypted = j.value("encrypted", false);
  e.test = j.value("test", false);
  e.data = j.value("data", "");
  e.first = e.last = wall_from_ms(j.value("at_ms", std::int64_t{0}));
  return e;
}

}  // namespace

std::string iso_text(wall_at at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  char out[64];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return out;
}

result<journal> journal::open(const std::string& path, std::vector<entry>& restored) {
  bool torn = false;
  std::error_code none;
  if (std::filesystem::is_regular_file(path, none)) {    // not a terminal or a pipe
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      if (auto e = read_entry(line)) restored.push_back(std::move(*e));
      torn = in.eof() && !line.empty();                 // no line end: killed while it wrote
    }
  }
  journal out;
  out.fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (out.fd_ < 0) return fail(errc::storage_io, path + ": " + std::strerror(errno));
  if (torn)
    if (auto ended = out.write("", false); !ended) return std::unexpected(ended.error());
  return out;
}

journal::journal(journal&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
journal& journal::operator=(journal&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
journal::~journal() {
  if (fd_ >= 0) ::close(fd_);
}

status journal::write(const std::string& line, bool durable) {
  if (fd_ < 0) return {};
  const std::string whole = line + '\n';
  for (std::size_t done = 0; done < whole.size();) {
    const ssize_t n = ::write(fd_, whole.data() + done, whole.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(errc::storage_io, std::string("journal: ") + std::strerror(errno));
    done += static_cast<std::size_t>(n);
  }
  if (durable && ::fdatasync(fd_) != 0 && errno != EINVAL)  // a pipe or a terminal has nothing to sync
    return fail(errc::storage_io, std::string("journal: ") + std::strerror(errno));
  return {};
}

status journal::booked(const entry& e) { return write(text(to_json(e, "booked", e.first)), true); }
status journal::repeated(const entry& e) { return write(text(to_json(e, "repeated", e.last)), false); }
status journal::told(wall_at at, std::string_view kind, std::string_view account) {
  json j = head(at, kind);
  j["account"] = account;
  return write(text(j), false);
}
status journal::refused(wall_at at, std::string_view account, std::string_view why) {
  json j = head(at, "refused");
  j["account"] = account;
  j["why"] = why;
  return write(text(j), false);
}
status journal::listening(wall_at at, std::string_view transport, std::uint16_t port) {
  json j = head(at, "listening");
  j["transport"] = transport;
  j["port"] = port;
  return write(text(j), false);
}

}  // namespace tomoshibi::guard
