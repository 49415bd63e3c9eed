// Runs a fuzz target once over every file of the folders and files named on the command line, in the order of their names:
// the main function of fuzz targets wherever libFuzzer does not supply one. A folder that does not exist is empty.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_below(const std::filesystem::path& root) {
  std::error_code failed;
  if (std::filesystem::is_regular_file(root, failed)) return {root};
  std::vector<std::filesystem::path> found;
  for (auto entry = std::filesystem::recursive_directory_iterator(root, failed);
       !failed && entry != std::filesystem::recursive_directory_iterator(); entry.increment(failed)) {
    if (entry->is_regular_file(failed)) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  // A copy of the exact size, so that the address sanitizer sees a read past the end.
  const std::vector<std::uint8_t> input(content.begin(), content.end());
  std::printf("%s (%zu bytes)\n", file.c_str(), input.size());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t replayed = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& file : files_below(arguments[i])) {
      replay(file);
      ++replayed;
    }
  }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::printf("%zu inputs replayed\n", replayed + 1);
}
