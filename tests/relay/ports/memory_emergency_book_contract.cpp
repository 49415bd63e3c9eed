#include "relay/ports/memory_emergency_book.hpp"
#include "tests/relay/emergency_book_contract.hpp"

namespace tomoshibi::relay::test {
namespace {

class under_test final : public book_under_test {
public:
  emergency_book& port() override { return book_; }
  void reopen() override {}

private:
  memory_emergency_book book_;
};

}  // namespace

std::unique_ptr<book_under_test> make_book_under_test() { return std::make_unique<under_test>(); }

}  // namespace tomoshibi::relay::test
