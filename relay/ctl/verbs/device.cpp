#include "protocol/adapters/stderr_log.hpp"
#include "relay/ctl/appliance_class.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/store_reads.hpp"
#include "relay/shell/store_values.hpp"

#include <charconv>

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

struct device {
  std::string node;                // what --node of an appliance takes
  std::string kind;                // "tv", "0x013001"
  std::uint32_t maker = 0;
  bool silent = false;
  wall_at since{};                 // of that state
  bool faulty = false;
  std::uint32_t fault = 0;         // as the device describes it
  std::optional<appliance_id> serves;
};

// "<node>/<object in hex>", as gateways name devices.
void take_name(const std::string& name, device& d) {
  const auto slash = name.rfind('/');
  d.node = name.substr(0, slash);
  std::uint32_t eoj = 0;
  const std::string object = slash == std::string::npos ? "" : name.substr(slash + 1);
  const auto [end, wrong] = std::from_chars(object.data(), object.data() + object.size(), eoj, 16);
  const bool whole = wrong == std::errc{} && object.size() == 6 && end == object.data() + object.size();
  d.kind = whole ? class_name(eoj) : object;
}

result<std::vector<device>> read_devices(registry& r, home_id home) {
  auto s = r.db().prepare(
      "SELECT device, maker, silent, since_ms, faulty, description, appliance FROM device WHERE home = ?1 ORDER BY device");
  if (!s) return std::unexpected(s.error());
  s->bind(1, relay::number(home));
  std::vector<device> out;
  const auto read = relay::for_each_row(*s, "device", [&out](const statement& row) {
    relay::row_reader in(row);
    device d;
    take_name(in.text(0), d);
    d.maker = in.whole<std::uint32_t>(1);
    d.silent = in.flag(2);
    d.since = in.time(3);
    d.faulty = in.flag(4);
    d.fault = in.whole<std::uint32_t>(5);
    if (!row.is_null(6)) d.serves = in.name<appliance_id>(6);
    out.push_back(std::move(d));
    return in.ok();
  });
  if (!read) return std::unexpected(read.error());
  return out;
}

std::string as_json(home_id home, const device& d, const std::string& label) {
  const auto serves = d.serves ? std::optional(static_cast<std::uint16_t>(*d.serves)) : std::nullopt;
  return json_object().add("home", static_cast<std::uint32_t>(home)).add("node", d.node).add("class", d.kind)
      .add("maker", d.maker).add("silent", d.silent).add("since", format_utc(d.since)).add("faulty", d.faulty)
      .add("fault", d.faulty ? std::optional(d.fault) : std::nullopt).add("appliance", serves).add("label", label).text();
}

status list(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const auto devices = read_devices(*r, h->id);
  if (!devices) return std::unexpected(devices.error());
  text_table t({"NODE", "CLASS", "STATE", "FAULT", "SERVES"});
  for (const auto& d : *devices) {
    const auto found = d.serves ? r->directory().appliances.find({h->id, *d.serves}) : r->directory().appliances.end();
    const std::string label = found == r->directory().appliances.end() ? "" : found->second.spec.label;
    if (c.has("--json")) c.say(as_json(h->id, d, label));
    t.row({d.node, d.kind, (d.silent ? "SILENT since " : "answers since ") + format_local(d.since, h->zone_min),
           d.faulty ? "FAULT " + std::to_string(d.fault) : "none",
           d.serves ? shown(*d.serves) + " " + label : "nothing"});
  }
  if (!c.has("--json")) c.out += t.empty() ? "no device was heard of in this home yet\n" : t.text();
  return {};
}

// A node with all of its objects, or, as "<node>/<object>", one of them.
status forget(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const std::string typed = c.text("DEVICE");
  std::int64_t forgotten = 0;
  const auto done = change(c, *r, [&]() -> status {
    auto s = r->db().prepare(
        "DELETE FROM device WHERE home = ?1 AND (device = ?2 OR substr(device, 1, length(?2) + 1) = ?2 || '/') RETURNING 1");
    if (!s) return std::unexpected(s.error());
    s->bind(1, relay::number(h->id));
    s->bind(2, typed);
    const auto read = relay::for_each_row(*s, "device", [&forgotten](const statement&) {
      ++forgotten;
      return true;
    });
    if (!read) return std::unexpected(read.error());
    if (forgotten != 0) return {};
    return fail(errc::not_found, "home " + shown(h->id) + " has no device '" + typed + "'; NODE of: tomoshibi-ctl device list " +
                                     shown(h->id));
  });
  if (!done) return done;
  c.say(std::to_string(forgotten) + (forgotten == 1 ? " device" : " devices") +
        " forgotten; one that is still there appears again when the gateway next reports it");
  return {};
}

}  // namespace

verb_list device_verbs() {
  return {{"device", "forget", "Forget a device that is gone; a fault that it had reported is closed",
           {{"HOME", positional, "Number or name"},
            {"DEVICE", positional, "NODE as device list shows it: all its objects; or NODE/OBJECT in hex"}},
           "  device forget 1 ip:192.0.2.7", forget},
          {"device", "list", "What the gateway met in a home: node, class, whether it answers, faults, which appliance it serves",
           {{"HOME", positional, "Number or name"}, {"--json", flag, "One JSON object a line"}}, "  device list 1", list}};
}

}  // namespace tomoshibi::ctl
