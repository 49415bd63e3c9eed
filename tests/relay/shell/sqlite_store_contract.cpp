#include "protocol/base/check.hpp"
#include "tests/relay/shell/sqlite_store_support.hpp"
#include "tests/relay/store_contract.hpp"

namespace tomoshibi::relay::test {
namespace {

class sqlite_under_test final : public store_under_test {
public:
  sqlite_under_test() { open(); }
  store& port() override { return *store_; }
  void set_directory(const directory& d) override { register_directory(path(), d); }
  void reopen() override {
    store_.reset();
    open();
  }

private:
  std::string path() const { return folder_.file("relay.db"); }
  void open() {
    auto opened = sqlite_store::open(path());
    TOMO_REQUIRE(opened.has_value());
    store_ = std::move(*opened);
  }
  testing::temporary_folder folder_;
  std::unique_ptr<sqlite_store> store_;
};

}  // namespace

std::unique_ptr<store_under_test> make_store_under_test() { return std::make_unique<sqlite_under_test>(); }

}  // namespace tomoshibi::relay::test
