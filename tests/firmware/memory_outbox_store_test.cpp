#include "firmware/ports/memory_outbox_store.hpp"
#include "tests/firmware/outbox_store_contract.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::firmware {
namespace {

class memory_medium final : public outbox_medium {
public:
  std::unique_ptr<outbox_store> open() override { return std::make_unique<memory_outbox_store>(data_); }

private:
  memory_outbox data_{1};
};

}  // namespace

// Goal: the store that tests and the simulator rely on keeps the port's promises.
TEST_CASE("memory outbox store keeps the contract") {
  check_outbox_store_contract([] { return std::make_unique<memory_medium>(); });
}

// Goal: the faults that other tests inject do what they say, at the commit they name and at no other.
TEST_CASE("memory outbox store fails and loses power where told") {
  memory_outbox medium{1};
  memory_outbox_store store{medium};
  outbox_batch batch;
  batch.append = {{1, {1}}};

  SECTION("a failed commit changes nothing and the next one works") {
    medium.fail_from = 1;
    medium.fail_count = 1;
    CHECK_FALSE(store.commit(batch));
    CHECK(medium.records.empty());
    CHECK(store.commit(batch));
  }
  SECTION("cut before: the commit is lost") {
    medium.cut_at = 1;
    CHECK_FALSE(store.commit(batch));
    CHECK(medium.records.empty());
    CHECK_FALSE(store.load());
    CHECK_FALSE(store.commit(batch));
    CHECK_FALSE(store.read(1, 1));
    medium.power_on();
    CHECK(store.load()->next == 1);
  }
  SECTION("cut after: the commit is durable") {
    medium.cut_at = 1;
    medium.cut_when = memory_outbox::cut::after;
    CHECK_FALSE(store.commit(batch));
    medium.power_on();
    CHECK(store.load()->next == 2);
  }
  SECTION("recreate is told once, with another epoch") {
    REQUIRE(store.commit(batch));
    medium.recreate(9);
    CHECK(store.load()->recreated);
    CHECK_FALSE(store.load()->recreated);
    CHECK(store.load()->epoch == outbox_epoch{9});
  }
}

}  // namespace tomoshibi::firmware
