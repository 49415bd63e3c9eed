// Goal: a batch is committed once, off the caller's thread, its outcome told once; ending waits for what is out.
#include "relay/shell/commit_worker.hpp"

#include <catch2/catch_test_macros.hpp>

#include <future>
#include <memory>
#include <semaphore>
#include <thread>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

class recording_store final : public store {
public:
  result<directory> load_directory() override { return directory{}; }
  result<std::vector<gateway_state>> load_gateways() override { return {}; }
  result<std::vector<device_state>> load_devices() override { return {}; }
  result<std::vector<recount_mark>> load_recounts() override { return {}; }
  result<std::vector<episode>> load_open_episodes() override { return {}; }
  result<std::vector<mail>> load_queued_mails() override { return {}; }
  result<std::optional<episode>> find_episode(const episode_key&) override { return std::nullopt; }
  result<std::vector<contact_id>> told(const episode_key&) override { return {}; }
  result<std::optional<wall_at>> load_alive() override { return std::nullopt; }
  result<day_cells> read_day(home_id, appliance_id, utc_day) override { return day_cells{}; }
  result<std::optional<utc_day>> newest_day(home_id, appliance_id) override { return std::nullopt; }
  status commit(const write_batch& batch) override {
    gate.acquire();
    sizes.push_back(batch.size());
    threads.push_back(std::this_thread::get_id());
    return answer;
  }
  std::counting_semaphore<> gate{0};
  status answer;
  std::vector<std::size_t> sizes;
  std::vector<std::thread::id> threads;
};

std::shared_ptr<const write_batch> batch_of(std::size_t n) {
  return std::make_shared<const write_batch>(n, alive_write{});
}

}  // namespace

TEST_CASE("batches are committed one after the other on another thread") {
  recording_store memory;
  commit_worker worker(memory);
  for (std::size_t n = 1; n <= 3; ++n) {
    std::promise<commit_report> promise;
    auto told = promise.get_future();
    worker.start(batch_of(n), [&promise](commit_report r) { promise.set_value(std::move(r)); });
    memory.gate.release();
    CHECK(told.get().outcome.has_value());
  }
  CHECK(memory.sizes == std::vector<std::size_t>{1, 2, 3});
  CHECK(memory.threads[0] != std::this_thread::get_id());
}

TEST_CASE("a failed commit is told as it is") {
  recording_store memory;
  memory.answer = fail(errc::storage_full, "disk");
  commit_worker worker(memory);
  std::promise<commit_report> promise;
  worker.start(batch_of(1), [&promise](commit_report r) { promise.set_value(std::move(r)); });
  memory.gate.release();
  CHECK(promise.get_future().get().outcome.error().code == errc::storage_full);
}

TEST_CASE("ending waits for the batch that is out") {
  recording_store memory;
  bool told = false;
  {
    commit_worker worker(memory);
    worker.start(batch_of(4), [&told](commit_report) { told = true; });
    memory.gate.release();
  }
  CHECK(told);
  CHECK(memory.sizes == std::vector<std::size_t>{4});
}

TEST_CASE("the next batch may be started from the report of the one before") {
  recording_store memory;
  commit_worker worker(memory);
  std::promise<void> second;
  worker.start(batch_of(1), [&](commit_report) {
    worker.start(batch_of(2), [&](commit_report) { second.set_value(); });
    memory.gate.release();
  });
  memory.gate.release();
  second.get_future().wait();
  CHECK(memory.sizes == std::vector<std::size_t>{1, 2});
}
