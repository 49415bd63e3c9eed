#include "relay/shell/sqlite_emergency_book.hpp"
#include "tests/relay/emergency_book_contract.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::relay::test {
namespace {

class under_test final : public book_under_test {
public:
  under_test() { reopen(); }
  emergency_book& port() override { return *book_; }
  void reopen() override {
    book_.reset();
    auto opened = sqlite_emergency_book::open(folder_.file("emergency.db"));
    REQUIRE(opened);
    book_ = std::move(*opened);
  }

private:
  testing::temporary_folder folder_;
  std::unique_ptr<sqlite_emergency_book> book_;
};

}  // namespace

std::unique_ptr<book_under_test> make_book_under_test() { return std::make_unique<under_test>(); }

}  // namespace tomoshibi::relay::test
