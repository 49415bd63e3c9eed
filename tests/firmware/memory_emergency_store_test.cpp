#include "firmware/ports/memory_emergency_store.hpp"
#include "tests/firmware/emergency_store_contract.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::firmware {
namespace {

class memory_medium final : public emergency_medium {
public:
  std::unique_ptr<emergency_store> open() override { return std::make_unique<memory_emergency_store>(data_); }

private:
  memory_emergency data_;
};

}  // namespace

// Goal: the store that tests and the simulator rely on keeps the port's promises.
TEST_CASE("memory emergency store keeps the contract") {
  check_emergency_store_contract([] { return std::make_unique<memory_medium>(); });
}

// Goal: the faults that other tests inject do what they say, at the call they name and at no other.
TEST_CASE("memory emergency store fails where told") {
  memory_emergency medium;
  memory_emergency_store store{medium};
  press what;
  what.id = press_id{1};
  medium.fail_from = 1;
  medium.fail_count = 1;
  CHECK_FALSE(store.put(what));
  CHECK(medium.durable.open.empty());
  CHECK(store.put(what));
  medium.loads_fail = true;
  CHECK_FALSE(store.load());
}

}  // namespace tomoshibi::firmware
