#include "tools/bench.d/load/enrol.hpp"

#include "protocol/adapters/clock_source.hpp"
#include "protocol/adapters/pki.hpp"
#include "relay/shell/data_folder.hpp"
#include "relay/shell/sqlite_store.hpp"
#include "relay/shell/store_directory.hpp"
#include "relay/shell/store_schema.hpp"
#include "tools/bench.d/load/fleet.hpp"

#include <cstdio>

namespace tomoshibi::load {
namespace {

using namespace relay;

constexpr std::uint32_t object_codes[appliances_per_home] = {0x060201, 0x03b701, 0x03b801, 0x013001, 0x027b01};
constexpr const char* labels[appliances_per_home] = {"television", "fridge", "microwave", "air conditioner", "heating"};
constexpr int year_days = 365;

std::string name_of_member(std::size_t i) {
  char name[32];
  std::snprintf(name, sizeof name, "load-%05zu", i + 1);
  return name;
}

status add_one(sqlite_db& db, const key_and_certificate& ca, std::size_t i, wall_at now, std::vector<member>& members) {
  const std::string name = name_of_member(i);
  const auto id = gateway_id::parse(name);
  const auto home = add_home(db, {.name = "home " + name, .watch_mode = true, .watch_since = now}, {}, now);
  if (!home) return std::unexpected(home.error());
  auto identity = issue_gateway(ca, *id, {now - 12h, now + 30 * 24h});
  if (!identity) return std::unexpected(identity.error());
  if (auto ok = add_gateway(db, {*id, *home, false, identity->sha256}, now); !ok) return ok;
  for (int n = 0; n < appliances_per_home; ++n) {
    appliance a{.home = *home, .spec = {}, .quiet_days = {}, .added = now};
    a.spec.label = labels[n];
    a.spec.eoj = object_codes[n];
    if (n == 0) a.quiet_days = 3;
    if (auto added = add_appliance(db, a); !added) return std::unexpected(added.error());
  }
  if (auto ok = bump_config(db, *home); !ok) return ok;
  contact family;
  family.home = *home;
  family.name = "family";
  family.address = "family@example.org";
  if (auto added = add_contact(db, family); !added) return std::unexpected(added.error());
  members.push_back({name, std::move(identity->certificate_pem), std::move(identity->key_pem)});
  return {};
}

status fill_year(const std::string& database, wall_at now) {
  auto memory = sqlite_store::open(database);
  if (!memory) return std::unexpected(memory.error());
  const slot_index end = slot_of(now) - 14 * slots_per_day;  // what the load itself sends comes after it
  write_batch batch;
  for (slot_index slot = end - year_days * slots_per_day; slot < end; ++slot) {
    wire::slot_closed closed{.slot = slot, .time_uncertain = false, .appliances = {}};
    for (int n = 1; n <= appliances_per_home; ++n) {
      const bool on = (slot.value / n) % 7 == 0;
      closed.appliances.push_back({.appliance = static_cast<appliance_id>(n), .state = on ? slot_state::on : slot_state::off,
                                   .on_seconds = static_cast<std::uint16_t>(on ? 600 : 0), .energy_wh = on ? 40u : 1u,
                                   .energy_after_gap = false, .readings_expected = 15, .readings_got = 15});
    }
    batch.emplace_back(slots_write{home_id{1}, std::move(closed)});
    if (batch.size() < slots_per_day) continue;
    if (auto ok = (*memory)->commit(batch); !ok) return ok;
    batch.clear();
  }
  return (*memory)->commit(batch);
}

}  // namespace

status enrol(const enrol_options& options) {
  const data_folder folder{options.folder};
  const auto ca = load_ca(folder.ca_certificate(), folder.ca_key());
  if (!ca) return std::unexpected(ca.error());
  const wall_at now = system_clock_source{}.wall().at;
  std::vector<member> members;
  {
    auto db = open_store_db(folder.database(), {});
    if (!db) return std::unexpected(db.error());
    auto tx = transaction::begin(*db);
    if (!tx) return std::unexpected(tx.error());
    for (std::size_t i = 0; i < options.count; ++i) {
      if (auto ok = add_one(*db, *ca, i, now, members); !ok) return ok;
      if ((i + 1) % 1000 == 0) std::fprintf(stderr, "tomoshibi-load: %zu of %zu enrolled\n", i + 1, options.count);
    }
    if (auto ok = tx->commit(); !ok) return ok;
  }
  if (options.year)
    if (auto ok = fill_year(folder.database(), now); !ok) return ok;
  return write_fleet(options.fleet, members);
}

}  // namespace tomoshibi::load
