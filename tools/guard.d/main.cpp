// tomoshibi-guard: a guard centre's alarm receiver to test against and to show.
#include "protocol/adapters/pki.hpp"
#include "tools/guard.d/shell/accounts.hpp"
#include "tools/guard.d/shell/server.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <unistd.h>

namespace {

using namespace tomoshibi;
using namespace tomoshibi::guard;

constexpr const char* description =
    "Plays a guard centre's alarm receiver: ANSI/SIA DC-09 over TCP and TLS, strict in what it takes, wrong in what it\n"
    "answers only on command. Each event is one line of the operator's list, however often it comes.\n\n"
    "  tomoshibi-guard --accounts accounts.txt --listen 127.0.0.1:12000 --json guard.jsonl\n\n"
    "accounts.txt has a line for each account: number, key (hexadecimal, or '-' for none), name.\n\n"
    "An order to misbehave: 'after=3 answer=silence count=2 delay=500'; answers are\n"
    "  ack nak duh silence delay duplicate wrong-sequence wrong-account bad-crc stale reset slow unframed deaf die\n"
    "deaf: not booked, nothing said; nak, duh: not booked; all others are booked. die: ends as if killed, before it answers.\n"
    "count=0: for ever.\n"
    "On standard input: 'misbehave ORDER', 'clear', 'list', 'quit', 'help'.";

struct arguments {
  std::string listen, tls_listen, accounts, json;
  tls_identity_files files;
  std::vector<std::string> plain_accounts, orders;
  bool judge_plain_time = false, quiet = false;
  unsigned supervise_s = 0, idle_s = 0;
};

result<endpoint> endpoint_of(const std::string& text, const char* option) {
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  const std::string number = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool digits = !number.empty() && number.size() <= 5 && number.find_first_not_of("0123456789") == std::string::npos;
  if (digits) port = static_cast<unsigned>(std::stoul(number));
  if (!digits || colon == 0 || port > 65535)
    return fail(errc::config_invalid, std::string(option) + " '" + text + "': allowed is ADDRESS:PORT, port 0 lets the kernel choose");
  std::string address = text.substr(0, colon);
  if (address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
  return endpoint{address, static_cast<std::uint16_t>(port)};
}

result<server_settings> settings_from(const arguments& a) {
  server_settings out;
  if (a.listen.empty() && a.tls_listen.empty()) return fail(errc::config_invalid, "--listen or --tls-listen is needed");
  if (!a.listen.empty()) {
    auto at = endpoint_of(a.listen, "--listen");
    if (!at) return std::unexpected(at.error());
    out.tcp = *at;
  }
  if (!a.tls_listen.empty()) {
    auto at = endpoint_of(a.tls_listen, "--tls-listen");
    if (!at) return std::unexpected(at.error());
    out.tls = *at;
    auto identity = load_tls_identity(a.files);
    if (!identity) return std::unexpected(identity.error());
    out.identity = std::move(*identity);
  }
  std::string lines;
  for (const std::string& number : a.plain_accounts) lines += number + " -\n";
  auto accounts = parse_accounts(lines, "--account");
  if (accounts && !a.accounts.empty()) {
    auto more = load_accounts(a.accounts);
    if (!more) return std::unexpected(more.error());
    std::ranges::move(*more, std::back_inserter(*accounts));
  }
  if (!accounts) return std::unexpected(accounts.error());
  if (accounts->empty()) return fail(errc::config_invalid, "no account: nobody could call; --account or --accounts name some");
  out.centre.accounts = std::move(*accounts);
  out.centre.judge_plain_time = a.judge_plain_time;
  out.centre.supervise = std::chrono::seconds{a.supervise_s};
  out.centre.random = [](std::span<std::uint8_t> into) {
    if (const auto drawn = random_bytes(into.size())) std::ranges::copy(*drawn, into.begin());
  };
  for (const std::string& text : a.orders) {
    auto order = parse_order(text);
    if (!order) return fail(errc::config_invalid, "--misbehave " + order.error().detail);
    out.orders.push_back(*order);
  }
  out.idle_max = std::chrono::seconds{a.idle_s};
  out.journal_path = a.json;
  if (a.quiet) out.terminal = nullptr;
  return out;
}

// Lines of standard input, as they come. At its end the centre goes on: it may run without a terminal.
class console {
public:
  console(event_loop& loop, server& s) : server_(s), watch_(std::make_unique<fd_watch>(loop, STDIN_FILENO, [this] { read(); })) {}

private:
  void read() {
    char part[512];
    const ssize_t n = ::read(STDIN_FILENO, part, sizeof part);
    if (n <= 0) return watch_.reset();
    text_.append(part, static_cast<std::size_t>(n));
    for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      const std::string said = server_.on_command(text_.substr(0, end));
      text_.erase(0, end + 1);
      std::fputs(said.c_str(), stdout);
      std::fflush(stdout);
    }
    if (text_.size() > 4096) text_.clear();
  }
  server& server_;
  std::string text_;
  std::unique_ptr<fd_watch> watch_;
};

int failed(const error& why, int code) {
  std::fprintf(stderr, "tomoshibi-guard: %s\n", why.detail.c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{description};
  app.name("tomoshibi-guard");
  arguments a;
  app.add_option("--listen", a.listen, "TCP: ADDRESS:PORT, port 0 lets the kernel choose; which one is printed");
  app.add_option("--tls-listen", a.tls_listen, "The same for TLS, which wants --certificate, --key and --ca");
  app.add_option("--certificate", a.files.certificate, "PEM file shown to callers");
  app.add_option("--key", a.files.key, "PEM file of its private key");
  app.add_option("--ca", a.files.ca, "PEM file: whose certificates callers must show");
  app.add_option("--accounts", a.accounts, "File of accounts");
  app.add_option("--account", a.plain_accounts, "An account without a key; may be given several times")->expected(1)->take_all();
  app.add_flag("--judge-plain-time", a.judge_plain_time, "Refuse plain frames out of time too, if they carry one");
  app.add_option("--supervise", a.supervise_s, "Seconds that an account which has called may be silent; 0: for ever")
      ->check(CLI::Range(0u, 1'000'000u));
  app.add_option("--idle", a.idle_s, "Seconds after which a connection that says nothing is closed; 0: never")
      ->check(CLI::Range(0u, 1'000'000u));
  app.add_option("--misbehave", a.orders, "An order, from the start; may be given several times")->expected(1)->take_all();
  app.add_option("--json", a.json, "Journal, a JSON object a line; read back at the next start, so that nothing is booked twice");
  app.add_flag("--quiet", a.quiet, "No list on the terminal");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  auto settings = settings_from(a);
  if (!settings) return failed(settings.error(), 2);
  auto loop = event_loop::open({});
  if (!loop) return failed(loop.error(), 1);
  auto running = server::open(**loop, std::move(*settings));
  if (!running) return failed(running.error(), 1);
  std::optional<console> operators;
  if (::isatty(STDIN_FILENO) == 1 || ::lseek(STDIN_FILENO, 0, SEEK_CUR) < 0) operators.emplace(**loop, **running);  // not a file
  const status ran = (*loop)->run();
  return ran ? 0 : failed(ran.error(), 1);
}
