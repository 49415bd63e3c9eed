// The emergency store in memory, for tests and the simulator: a medium that outlives the program, and the store over it.
#pragma once

#include "firmware/ports/emergency_store.hpp"

#include <cstdint>

namespace tomoshibi::firmware {

struct memory_emergency {
  emergency_state durable;
  std::uint64_t writes = 0;         // calls that write, failed ones too
  std::uint64_t fail_from = 0;      // writes fail_from .. fail_from + fail_count - 1 fail with storage_io
  std::uint64_t fail_count = 0;
  bool loads_fail = false;
};

class memory_emergency_store final : public emergency_store {
public:
  explicit memory_emergency_store(memory_emergency& medium) : medium_(medium) {}
  result<emergency_state> load() override;
  status put(const press& what) override;
  status forget(press_id id) override;
  status put_button(const known_button& what) override;

private:
  status may_write();
  memory_emergency& medium_;
};

}  // namespace tomoshibi::firmware
