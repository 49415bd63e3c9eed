// Goal: the cause that a notice of blindness names follows from the facts, each fact by itself and against the others.
#include "relay/core/blind_rule.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

constexpr slot_index since{1'000};

blind_facts line_is_up() {
  return {.since = since, .has_gateway = true, .line_up = true, .gateway_off = {}, .devices_unseen = {},
          .relay_off_until = since - 1};
}

}  // namespace

TEST_CASE("without a gateway, or with its line down, nothing else matters") {
  blind_facts f = line_is_up();
  f.gateway_off = f.devices_unseen = since + 5;
  f.line_up = false;
  CHECK(cause_of(f) == blind_cause::line_down);
  f.has_gateway = false;
  CHECK(cause_of(f) == blind_cause::no_data);
}

TEST_CASE("a gap of the gateway and unseen devices count from the first slot that is not known") {
  blind_facts f = line_is_up();
  CHECK(cause_of(f) == blind_cause::no_data);
  f.gateway_off = f.devices_unseen = since - 1;  // of before
  CHECK(cause_of(f) == blind_cause::no_data);
  f.gateway_off = since;
  CHECK(cause_of(f) == blind_cause::gateway_off);
  f.gateway_off.reset();
  f.devices_unseen = since;
  CHECK(cause_of(f) == blind_cause::device_silent);
}

TEST_CASE("of a gap and unseen devices the newer one is the cause; of one slot, the gap") {
  blind_facts f = line_is_up();
  f.gateway_off = since + 3;
  for (const auto& [unseen, cause] : {std::pair{since + 2, blind_cause::gateway_off},
                                      std::pair{since + 3, blind_cause::gateway_off},
                                      std::pair{since + 4, blind_cause::device_silent}}) {
    f.devices_unseen = unseen;
    CHECK(cause_of(f) == cause);
  }
}

TEST_CASE("a relay that started after the last known slot was away itself") {
  blind_facts f = line_is_up();
  f.relay_off_until = since;
  CHECK(cause_of(f) == blind_cause::no_data);
  f.relay_off_until = since + 1;
  CHECK(cause_of(f) == blind_cause::relay_off);
  f.gateway_off = since;
  CHECK(cause_of(f) == blind_cause::gateway_off);
}
