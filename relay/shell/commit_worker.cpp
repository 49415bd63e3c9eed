#include "relay/shell/commit_worker.hpp"

#include "protocol/base/check.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <thread>
#include <utility>

namespace tomoshibi::relay {

struct commit_worker::impl {
  struct entry {
    std::shared_ptr<const write_batch> batch;
    done_handler done;
  };

  explicit impl(store& s) : into(s), thread([this] { run(); }) {
    pthread_setname_np(thread.native_handle(), "commit");  // for whoever looks at a relay that hangs
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return stopping || waiting; });
      if (!waiting) return;
      auto work = std::move(*waiting);
      waiting.reset();
      lock.unlock();
      const auto began = std::chrono::steady_clock::now();
      commit_report report{into.commit(*work.batch), {}};
      report.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
      work.batch.reset();
      {
        std::lock_guard again(mutex);
        out = false;
      }
      work.done(std::move(report));
      lock.lock();
    }
  }

  store& into;
  std::mutex mutex;
  std::condition_variable wake;
  std::optional<entry> waiting;    // guarded by mutex, like out and stopping
  bool out = false;
  bool stopping = false;
  std::thread thread;              // last: it uses the others
};

commit_worker::commit_worker(store& into) : impl_(std::make_unique<impl>(into)) {}

commit_worker::~commit_worker() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->wake.notify_one();
  }
  impl_->thread.join();
}

void commit_worker::start(std::shared_ptr<const write_batch> batch, done_handler done) {
  std::lock_guard lock(impl_->mutex);
  TOMO_REQUIRE(!impl_->out);
  impl_->out = true;
  impl_->waiting.emplace(std::move(batch), std::move(done));
  impl_->wake.notify_one();
}

}  // namespace tomoshibi::relay
