// A store file of its own for a test, gone when the test ends.
#pragma once

#include "relay/core/directory.hpp"
#include "relay/shell/sqlite_store.hpp"

#include <filesystem>
#include <string>

namespace tomoshibi::relay::test {

class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

// Registers the directory with the ids it has. Aborts on a failure: a test's premise.
void register_directory(const std::string& path, const directory& d);

}  // namespace tomoshibi::relay::test
