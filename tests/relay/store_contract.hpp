// What every relay::store promises, as test cases. A test program links store_contract.cpp and says how one is made.
#pragma once

#include "relay/ports/store.hpp"

#include <memory>

namespace tomoshibi::relay::test {

class store_under_test {
public:
  virtual ~store_under_test() = default;
  virtual store& port() = 0;
  // Registers what is in `d`: ids as given, on a store that has no directory yet.
  virtual void set_directory(const directory& d) = 0;
  // Ends the program that held the store and starts the next one. A store without memory over restarts does nothing.
  virtual void reopen() = 0;
};

std::unique_ptr<store_under_test> make_store_under_test();  // by the test program; empty, nothing registered

}  // namespace tomoshibi::relay::test
