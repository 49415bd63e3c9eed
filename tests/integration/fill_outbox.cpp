// fill_outbox FILE RECORDS APPLIANCES: an outbox as a gateway leaves it that made so many quarter hours of so many appliances, up
// to the present, and reached no relay. By the gateway's own store and codec. Prints {"slots":N,"bytes":N}.
#include "firmware/shell/sqlite_outbox_store.hpp"
#include "protocol/adapters/clock_source.hpp"
#include "protocol/adapters/pki.hpp"
#include "protocol/wire/messages.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace {

using namespace tomoshibi;

constexpr unsigned records_max = 6'000, records_in_commit = 96;

struct order {
  const char* path = nullptr;
  unsigned records = 0, appliances = 0;
};

bool number(const char* text, unsigned max, unsigned& into) {
  const auto [end, failed] = std::from_chars(text, text + std::strlen(text), into);
  return failed == std::errc{} && *end == '\0' && into >= 1 && into <= max;
}

// Used now and then, each by its own pattern: what is always the same would be packed more tightly than life is.
wire::record made_of(slot_index slot, unsigned appliances) {
  wire::slot_closed closed{.slot = slot, .time_uncertain = false, .appliances = {}};
  for (unsigned n = 1; n <= appliances; ++n) {
    const std::uint32_t mixed = (static_cast<std::uint32_t>(slot.value) * 2654435761u + n * 40503u) >> 16;
    const bool on = mixed % 5 == 0;
    closed.appliances.push_back({.appliance = static_cast<appliance_id>(n), .state = on ? slot_state::on : slot_state::off,
                                 .on_seconds = static_cast<std::uint16_t>(on ? 1 + mixed % 900 : 0), .energy_wh = {},
                                 .energy_after_gap = false, .readings_expected = 15, .readings_got = 15});
  }
  return {.body = std::move(closed), .made = end_of(slot)};
}

outbox_epoch random_epoch() {
  const auto drawn = random_bytes(8);
  std::uint64_t value = 0;
  if (drawn) std::memcpy(&value, drawn->data(), sizeof value);
  return outbox_epoch{value | 1};
}

status fill(const order& o, std::size_t& size) {
  firmware::sqlite_outbox_store store({.path = o.path, .new_epoch = random_epoch});
  const auto state = store.load();
  if (!state) return std::unexpected(state.error());
  const slot_index now = slot_of(system_clock_source{}.wall().at);
  firmware::outbox_batch batch;
  for (unsigned i = 0; i < o.records; ++i) {
    const slot_index slot = now - static_cast<std::int32_t>(o.records - i);
    batch.append.push_back({state->next + i, wire::encode_record(made_of(slot, o.appliances))});
    size += batch.append.back().data.size();
    if (batch.append.size() < records_in_commit && i + 1 < o.records) continue;
    if (auto done = store.commit(batch); !done) return done;
    batch.append.clear();
  }
  return store.checkpoint_file();
}

}  // namespace

int main(int argc, char** argv) {
  order o;
  if (argc != 4 || !number(argv[2], records_max, o.records) || !number(argv[3], wire::appliances_max, o.appliances)) {
    std::fprintf(stderr, "fill_outbox FILE RECORDS APPLIANCES: 1..%u records of 1..%zu appliances\n", records_max, wire::appliances_max);
    return 2;
  }
  o.path = argv[1];
  std::size_t size = 0;
  if (const auto done = fill(o, size); !done) {
    std::fprintf(stderr, "fill_outbox: %s\n", done.error().detail.c_str());
    return 1;
  }
  std::printf("{\"slots\":%u,\"bytes\":%zu}\n", o.records * o.appliances, size);
  return 0;
}
