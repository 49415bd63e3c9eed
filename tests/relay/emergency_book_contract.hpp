// What every relay::emergency_book promises, as test cases. A test program links emergency_book_contract.cpp and says how one is
// made.
#pragma once

#include "relay/ports/emergency_book.hpp"

#include <memory>

namespace tomoshibi::relay::test {

class book_under_test {
public:
  virtual ~book_under_test() = default;
  virtual emergency_book& port() = 0;
  // Ends the program that held the book and starts the next one.
  virtual void reopen() = 0;
};

std::unique_ptr<book_under_test> make_book_under_test();  // by the test program; empty

}  // namespace tomoshibi::relay::test
