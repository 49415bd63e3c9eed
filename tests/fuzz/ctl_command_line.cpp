// The words of tomoshibi-ctl: any of them ask for one verb with the values it declares, or for help, or are refused with
// words of our own. Nothing is carried out. The input is cut into words at its line ends.
#include "protocol/base/check.hpp"
#include "relay/ctl/command_line.hpp"
#include "tests/fuzz/input.hpp"

#include <cstdlib>
#include <vector>

using namespace tomoshibi;
using namespace tomoshibi::ctl;

namespace {

constexpr std::size_t words_max = 24;

void check_asked(const asked& a) {
  if (a.what == nullptr) {
    TOMO_REQUIRE(a.exit_code == 0 || a.exit_code == 2);
    TOMO_REQUIRE(a.exit_code == 0 ? !a.c.out.empty() : !a.c.note.empty() || !a.c.out.empty());
    return;
  }
  TOMO_REQUIRE(a.what->run != nullptr && to_ms(a.c.now) >= 0);
  for (const argument& x : a.what->arguments) {
    const bool needed = x.kind == argument_kind::positional || x.kind == argument_kind::required_option;
    TOMO_REQUIRE(!needed || a.c.has(x.name));
    const std::size_t count = a.c.list(x.name).size();
    TOMO_REQUIRE(x.kind == argument_kind::repeatable_option || count <= 1);
    TOMO_REQUIRE(x.kind != argument_kind::flag || count == 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int prepared = ::unsetenv("TOMOSHIBI_DIR");
  (void)prepared;
  std::vector<std::string> words{"tomoshibi-ctl"};
  std::string_view text = as_text({data, size});
  while (!text.empty() && words.size() < words_max) {
    const auto end = text.find('\n');
    words.emplace_back(text.substr(0, end));
    std::erase(words.back(), '\0');  // a command line cannot hold one
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  std::vector<const char*> arguments;
  for (const auto& w : words) arguments.push_back(w.c_str());
  check_asked(read_command_line(static_cast<int>(arguments.size()), arguments.data()));
  return 0;
}
