#include "tools/sim.d/plan.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

outage_habit draw_habit(prng& random, millis between_low, millis between_high, millis longest) {
  return {.between_mean = millis{random.between(between_low.count(), between_high.count())},
          .shortest = 1s,
          .longest = millis{random.between(60'000, longest.count())}};
}

}  // namespace

std::vector<outage> draw_outages(prng random, const outage_habit& how, mono_time until) {
  std::vector<outage> all;
  mono_time t{};
  for (;;) {
    t += millis{random.between(how.between_mean.count() / 4, how.between_mean.count() * 7 / 4)};
    // Doubled a random number of times, so that seconds are as likely as days.
    millis length = how.shortest;
    while (length < how.longest && random.chance(850)) length *= 2;
    length = std::min(length, how.longest) + millis{random.between(0, how.shortest.count())};
    if (t + length >= until) return all;
    all.push_back({t, t + length});
    t += length;
  }
}

fault_weights draw_weights(prng random) {
  fault_weights w;
  w.line = draw_habit(random, 24h, 24h * 10, 24h * 4);
  w.gateway = draw_habit(random, 24h * 2, 24h * 15, 24h * 2);
  w.relay = draw_habit(random, 24h, 24h * 8, 6h);
  w.commit_fails_per_mille = random.chance(500) ? static_cast<std::uint32_t>(random.below(50)) : 0;
  w.mail_refused_per_mille = random.chance(500) ? static_cast<std::uint32_t>(random.below(400)) : 0;
  w.datagram_lost_per_mille = random.chance(300) ? static_cast<std::uint32_t>(random.below(100)) : 0;
  w.line_delay_max = millis{random.between(1, 2'000)};
  w.commit_delay_max = millis{random.between(1, 1'000)};
  return w;
}

}  // namespace tomoshibi::sim
