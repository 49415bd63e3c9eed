#include "tests/support/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tomoshibi::testing {

temporary_folder::temporary_folder() : path_((std::filesystem::temp_directory_path() / "tms-test-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace tomoshibi::testing
