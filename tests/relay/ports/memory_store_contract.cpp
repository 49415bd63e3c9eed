#include "relay/ports/memory_store.hpp"
#include "tests/relay/store_contract.hpp"

namespace tomoshibi::relay::test {
namespace {

class memory_under_test final : public store_under_test {
public:
  store& port() override { return store_; }
  void set_directory(const directory& d) override { store_.edit_directory() = d; }
  void reopen() override {}

private:
  memory_store store_;
};

}  // namespace

std::unique_ptr<store_under_test> make_store_under_test() { return std::make_unique<memory_under_test>(); }

}  // namespace tomoshibi::relay::test
