#include "tools/home/fault_script.hpp"

#include "tools/home/text_table.hpp"
#include "tools/replay/iso_time.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tomoshibi::home {
namespace {

using drivers::echonet::twin::fault_kind;

enum class parameter : std::uint8_t { none, amount, share };

struct fault_name {
  std::string_view name;
  fault_kind kind;
  parameter param;
  std::uint32_t low;
  std::uint32_t high;
  std::string_view about;
};

constexpr std::array names{
    fault_name{"silent", fault_kind::silent, parameter::none, 0, 0, "hears and says nothing"},
    fault_name{"power-cut", fault_kind::power_cut, parameter::none, 0, 0, "the same; then starts anew, settings forgotten"},
    fault_name{"late", fault_kind::slow, parameter::amount, 1, 600'000, "answers come so many ms late"},
    fault_name{"lost", fault_kind::lost, parameter::share, 1, 1000, "so many per mille of what it says get lost"},
    fault_name{"deaf", fault_kind::deaf, parameter::share, 1, 1000, "so many per mille of what it is asked get lost"},
    fault_name{"garbage", fault_kind::garbage, parameter::share, 1, 1000, "so many per mille of its answers are noise"},
    fault_name{"cut-short", fault_kind::cut_short, parameter::share, 1, 1000, "so many per mille end in the middle"},
    fault_name{"duplicate", fault_kind::duplicate, parameter::share, 1, 1000, "so many per mille come twice"},
    fault_name{"wrong-tid", fault_kind::wrong_tid, parameter::share, 1, 1000, "so many per mille carry another TID"},
    fault_name{"short-answer", fault_kind::short_answer, parameter::amount, 1, 100, "answers only the first so many properties"},
    fault_name{"silent-on-many", fault_kind::silent_on_many, parameter::amount, 1, 100, "no answer to more properties than this"},
    fault_name{"refuses-power", fault_kind::refuses_power, parameter::none, 0, 0, "lists power and energy and refuses them"},
    fault_name{"no-value", fault_kind::no_value, parameter::none, 0, 0, "power and energy are marked as no value"},
    fault_name{"no-identity", fault_kind::no_identity, parameter::none, 0, 0, "property 0x83 is refused"},
    fault_name{"zero-identity", fault_kind::zero_identity, parameter::none, 0, 0, "property 0x83 is all zero"},
    fault_name{"no-notice", fault_kind::no_notice, parameter::none, 0, 0, "announces nothing"},
    fault_name{"meter-reset", fault_kind::meter_reset, parameter::none, 0, 0, "the energy counter falls to zero"},
    fault_name{"meter-wrap", fault_kind::meter_wrap, parameter::amount, 1, 999'999'999, "the counter jumps to so many Wh before its end"},
};

std::string all_names() {
  std::string out;
  for (const fault_name& n : names) out += (out.empty() ? "" : " ") + std::string(n.name);
  return out;
}

class fault_parser {
public:
  fault_parser(std::string_view file, std::chrono::minutes zone, const std::vector<std::string>& nodes)
      : wrong_(file), zone_(zone), nodes_(nodes) {}

  result<std::vector<scripted_fault>> parse(std::string_view text) {
    read_table(text, wrong_, [this](const table_row& row) { return on_row(row); });
    if (!header_) wrong_.add(1, "the first line has to be at,until,node,fault,param");
    if (!wrong_.empty()) return fail(errc::config_invalid, wrong_.text());
    return std::move(out_);
  }

private:
  bool on_row(const table_row& row) {
    if (!header_) {
      const auto& f = row.fields;
      header_ = row.count == 5 && f[0] == "at" && f[1] == "until" && f[2] == "node" && f[3] == "fault" && f[4] == "param";
      return header_;
    }
    if (row.count != 5) wrong_.add(row.line, "5 fields are needed: at,until,node,fault,param");
    else take(row);
    if (out_.size() <= faults_max) return true;
    wrong_.add(row.line, "more than 1000 faults");
    return false;
  }

  void take(const table_row& row) {
    const auto& f = row.fields;
    scripted_fault out;
    const auto at = replay::parse_iso_time(f[0], zone_);
    if (!at) return wrong_.add(row.line, "at: YYYY-MM-DDTHH:MM:SS");
    out.at = *at;
    if (!f[1].empty()) {
      out.until = replay::parse_iso_time(f[1], zone_);
      if (!out.until || *out.until <= out.at) return wrong_.add(row.line, "until: a time later than 'at', or empty");
    }
    out.node = f[2];
    if (out.node != "*" && std::ranges::find(nodes_, out.node) == nodes_.end())
      return wrong_.add(row.line, "node: a name of a node in the mapping, or *");
    const auto kind = std::ranges::find(names, f[3], &fault_name::name);
    if (kind == names.end()) return wrong_.add(row.line, "fault: one of " + all_names());
    out.kind = kind->kind;
    if (take_param(*kind, f[4], row.line, out)) out_.push_back(std::move(out));
  }

  bool take_param(const fault_name& kind, std::string_view text, std::size_t line, scripted_fault& out) {
    if (kind.param == parameter::none || (kind.param == parameter::share && text.empty())) {
      if (text.empty()) return true;
      wrong_.add(line, "param: " + std::string(kind.name) + " takes none");
      return false;
    }
    std::uint32_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size() || value < kind.low || value > kind.high) {
      wrong_.add(line, "param: " + std::string(kind.name) + " takes a whole number from " + std::to_string(kind.low) +
                           " to " + std::to_string(kind.high));
      return false;
    }
    (kind.param == parameter::share ? out.per_mille : out.amount) = value;
    return true;
  }

  complaints wrong_;
  std::chrono::minutes zone_;
  const std::vector<std::string>& nodes_;
  bool header_ = false;
  std::vector<scripted_fault> out_;
};

}  // namespace

result<std::vector<scripted_fault>> parse_fault_script(std::string_view text, std::string_view file,
                                                       std::chrono::minutes zone,
                                                       const std::vector<std::string>& nodes) {
  return fault_parser(file, zone, nodes).parse(text);
}

std::string fault_names() {
  std::string out;
  for (const fault_name& n : names) {
    std::string line = "  " + std::string(n.name);
    line.resize(std::max<std::size_t>(line.size(), 18), ' ');
    out += line + std::string(n.about) + "\n";
  }
  return out;
}

}  // namespace tomoshibi::home
