#include "tests/relay/shell/store_series.hpp"

#include "protocol/base/prng.hpp"

#include <algorithm>

namespace tomoshibi::relay::test {
namespace {

constexpr slot_index base{1'900'032};
constexpr std::uint32_t homes = 2, appliances = 2, slots = 220;

gateway_id box(std::uint32_t home) { return *gateway_id::parse("box-" + std::to_string(home)); }
wall_at at(std::uint64_t s) { return wall_from_ms(1'710'000'000'000 + static_cast<std::int64_t>(s) * 1000); }

episode_key some_key(prng& r, home_id h) {
  return {h, static_cast<episode_kind>(1 + r.below(5)), appliance_id{static_cast<std::uint16_t>(r.below(appliances + 1))},
          base + static_cast<std::int32_t>(r.below(3))};
}

write slots_of(prng& r, home_id h) {
  slots_write w{h, {}};
  w.slot.slot = base + static_cast<std::int32_t>(r.below(slots));
  w.slot.time_uncertain = r.chance(300);
  for (std::uint16_t a = 1; a <= appliances; ++a) {
    if (r.chance(200)) continue;
    wire::appliance_slot one{.appliance = appliance_id{a}, .state = static_cast<slot_state>(1 + r.below(3)),
                             .on_seconds = static_cast<std::uint16_t>(r.below(901)), .energy_wh = {},
                             .energy_after_gap = r.chance(100), .readings_expected = 15,
                             .readings_got = static_cast<std::uint16_t>(r.below(16))};
    if (r.chance(500)) one.energy_wh = static_cast<std::uint32_t>(r.below(3000));
    w.slot.appliances.push_back(one);
  }
  return w;
}

mail some_mail(prng& r, home_id h) {
  mail m;
  m.key = {some_key(r, h), static_cast<mail_edge>(1 + r.below(2)), contact_id{static_cast<std::uint32_t>(1 + r.below(2))}};
  m.queued = m.not_before = at(r.below(1000));
  m.subject = "s" + std::to_string(r.below(1000));
  m.body = std::string(r.below(1500), 'b');
  m.message_id = std::to_string(r.below(1000)) + "@example.org";
  return m;
}

write any_write(prng& r) {
  const auto number = static_cast<std::uint32_t>(1 + r.below(homes));
  const home_id h{number};
  switch (r.below(16)) {
    case 0: return gap_write{h, {base + static_cast<std::int32_t>(r.below(slots)), static_cast<std::uint32_t>(1 + r.below(150)),
                                 wire::gap_reason::no_clock, r.chance(300), {appliance_id{1}, appliance_id{2}}}};
    case 1: return progress_write{box(number), outbox_epoch{1 + r.below(2)}, r.below(500)};
    case 2: return line_write{box(number), r.chance(500) ? line::up : line::down, at(r.below(50)), at(r.below(50))};
    case 3: return seen_write{box(number), at(r.below(1000)), "1." + std::to_string(r.below(9)), 3};
    case 4: return device_write{h, {"n" + std::to_string(r.below(4)), static_cast<wire::device_change>(1 + r.below(2)), 5, {}, {}},
                                at(r.below(1000))};
    case 5: return fault_write{h, {"n" + std::to_string(r.below(4)), r.chance(500), 1, {}}, at(r.below(1000))};
    case 6: return event_write{box(number), outbox_epoch{1}, r.below(99), {wire::event_kind::started, 1}, at(1)};
    case 7:
    case 8: {
      episode e;
      e.key = some_key(r, h);
      e.off_slots = static_cast<std::int32_t>(r.below(300));
      e.opened = at(r.below(1000));
      return episode_open_write{e};
    }
    case 9: return episode_close_write{some_key(r, h), at(r.below(1000)), base + 9, r.chance(300)};
    case 10: return mail_queue_write{some_mail(r, h)};
    case 11: return mail_result_write{some_mail(r, h).key, static_cast<mail_state>(1 + r.below(3)), 2, at(5), "451"};
    default: return slots_of(r, h);
  }
}

std::string text_of(const episode_key& k) {
  return std::to_string(static_cast<std::uint32_t>(k.home)) + "/" + std::to_string(static_cast<int>(k.kind)) + "/" +
         std::to_string(static_cast<int>(k.appliance)) + "/" + std::to_string(k.since - base);
}
std::string text_of(wall_at t) { return std::to_string(to_ms(t)); }
std::string text_of(const std::optional<wall_at>& t) { return t ? text_of(*t) : "-"; }

std::string text_of(const episode& e) {
  return text_of(e.key) + " " + std::to_string(e.off_slots) + " " + text_of(e.opened) + " " + text_of(e.closed) +
         (e.closed_by ? " by" + std::to_string(*e.closed_by - base) : "") + (e.cancelled ? " x" : "");
}

void tell_cells(std::vector<std::string>& out, home_id h, appliance_id a, utc_day day, const day_cells& cells) {
  std::string line = "day " + std::to_string(static_cast<std::uint32_t>(h)) + "/" + std::to_string(static_cast<int>(a)) + "/" +
                     std::to_string(static_cast<std::int32_t>(day)) + ":";
  for (const slot_cell& c : cells)
    line += !c.present ? " ." : " " + std::to_string(static_cast<int>(c.state)) + (c.time_uncertain ? "?" : "") +
                                    std::to_string(c.on_seconds) + "," + (c.energy_wh ? std::to_string(*c.energy_wh) : "-") +
                                    (c.energy_after_gap ? "g" : "") + "," + std::to_string(c.readings_got);
  out.push_back(std::move(line));
}

status tell_days(store& s, std::vector<std::string>& out) {
  for (std::uint32_t h = 1; h <= homes; ++h)
    for (std::uint16_t a = 1; a <= appliances; ++a)
      for (std::int32_t d = 0; d < 5; ++d) {
        const utc_day day{static_cast<std::int32_t>(day_of(base)) + d};
        const auto cells = s.read_day(home_id{h}, appliance_id{a}, day);
        if (!cells) return std::unexpected(cells.error());
        tell_cells(out, home_id{h}, appliance_id{a}, day, *cells);
      }
  return {};
}

status tell_episodes(store& s, std::vector<std::string>& out) {
  const auto open = s.load_open_episodes();
  if (!open) return std::unexpected(open.error());
  for (const episode& e : *open) out.push_back("open " + text_of(e));
  for (std::uint32_t h = 1; h <= homes; ++h)
    for (int kind = 1; kind <= 5; ++kind)
      for (std::uint16_t a = 0; a <= appliances; ++a)
        for (std::int32_t since = 0; since < 3; ++since) {
          const episode_key key{home_id{h}, static_cast<episode_kind>(kind), appliance_id{a}, base + since};
          const auto found = s.find_episode(key);
          if (!found) return std::unexpected(found.error());
          if (*found) out.push_back("episode " + text_of(**found));
          const auto told = s.told(key);
          if (!told) return std::unexpected(told.error());
          for (const contact_id c : *told)
            out.push_back("told " + text_of(key) + " " + std::to_string(static_cast<std::uint32_t>(c)));
        }
  return {};
}

status tell_states(store& s, std::vector<std::string>& out) {
  const auto gateways = s.load_gateways();
  if (!gateways) return std::unexpected(gateways.error());
  for (const auto& g : *gateways) {
    if (g.acked == 0 && !g.heard && to_ms(g.line_since) == 0) continue;  // may be left out
    out.push_back("gateway " + std::string(g.id.text()) + " " + std::to_string(static_cast<std::uint64_t>(g.epoch)) + ":" +
                  std::to_string(g.acked) + " " + text_of(g.heard) + " " + std::to_string(static_cast<int>(g.last_line)) + " " +
                  text_of(g.line_since));
  }
  const auto devices = s.load_devices();
  if (!devices) return std::unexpected(devices.error());
  for (const auto& d : *devices)
    out.push_back("device " + std::to_string(static_cast<std::uint32_t>(d.home)) + " " + d.device + (d.silent ? " silent" : "") +
                  (d.faulty ? " faulty" : "") + " " + text_of(d.since));
  const auto mails = s.load_queued_mails();
  if (!mails) return std::unexpected(mails.error());
  for (const mail& m : *mails)
    out.push_back("mail " + text_of(m.key.episode) + " " + std::to_string(static_cast<int>(m.key.edge)) + " " +
                  std::to_string(static_cast<std::uint32_t>(m.key.to)) + " " + std::to_string(m.attempts) + " " +
                  text_of(m.not_before) + m.subject + m.body + m.message_id + m.last_error);
  const auto alive = s.load_alive();
  if (!alive) return std::unexpected(alive.error());
  out.push_back("alive " + text_of(*alive));
  return {};
}

}  // namespace

directory series_directory() {
  directory d;
  for (std::uint32_t n = 1; n <= homes; ++n) {
    const home_id id{n};
    d.homes[id] = {.id = id, .name = "home " + std::to_string(n), .zone_min = 540, .watch_mode = true, .watch_since = at(0)};
    d.gateways[box(n)] = {box(n), id, false, std::string(64, 'a')};
    for (std::uint16_t a = 1; a <= appliances; ++a) {
      appliance one{.home = id, .spec = {}, .quiet_days = 3, .added = at(0)};
      one.spec.appliance = appliance_id{a};
      one.spec.label = "tv";
      d.appliances[{id, appliance_id{a}}] = one;
    }
    d.contacts[contact_id{n}] = {contact_id{n}, id, contact_role::family, "x", "x@example.org", language::en, {}};
  }
  return d;
}

write_batch random_batch(std::uint64_t seed, std::uint32_t number) {
  prng r{seed * 1000 + number};
  write_batch batch;
  for (auto n = 1 + r.below(14); n > 0; --n) batch.push_back(any_write(r));
  batch.push_back(alive_write{at(number)});
  return batch;
}

result<std::string> picture_of(store& s) {
  std::vector<std::string> lines;
  for (const auto tell : {tell_states, tell_episodes, tell_days})
    if (auto done = tell(s, lines); !done) return std::unexpected(done.error());
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

}  // namespace tomoshibi::relay::test
