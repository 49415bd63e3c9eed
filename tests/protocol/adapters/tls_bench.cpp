// What a device channel connection costs: processor time of a full and of a resumed handshake, client and server apart, and
// heap of an open, idle connection. Prints figures for docs/BUDGETS.md; fails only if a handshake does, or is not what was
// asked for.
//   tls_bench [handshakes] [connections]
#include "protocol/adapters/tls_engine.hpp"
#include "tests/support/test_pki.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <malloc.h>
#include <optional>
#include <vector>

namespace {

using namespace tomoshibi;

double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

struct cost {
  double server_us = 0;
  double client_us = 0;
  int count = 0;
};

struct pair_of_engines {
  tls_engine server;
  tls_engine client;
};

template <class F>
bool timed(double& spent, F work) {
  const double before = cpu_us();
  const bool good = work();
  spent += cpu_us() - before;
  return good;
}

bool told(const status& done) {
  if (!done) std::fprintf(stderr, "tls_bench: %s\n", done.error().detail.c_str());
  return done.has_value();
}

class bench {
public:
  bool set_up() {
    const testing::test_pki pki;
    const auto date = testing::at_date(testing::certificates_used);
    auto keys = std::make_shared<ticket_keys>();
    keys->turn(testing::certificates_used, {1, 2, 3});
    auto server = make_tls_server(pki.server(), date, keys);
    auto client = make_tls_client(pki.gateway(), date);
    if (!server || !client) return false;
    server_ = *server;
    client_ = *client;
    return true;
  }

  // A connection over which a first message has passed each way, as after hello and welcome.
  std::optional<pair_of_engines> connect(tls_resumption resumption, cost& spent) {
    std::optional<tls_engine> client;
    std::optional<tls_engine> server;
    timed(spent.client_us, [&] { return client.emplace(*tls_engine::start(client_, "relay.test", resumption)), true; });
    timed(spent.server_us, [&] { return server.emplace(*tls_engine::start(server_)), true; });
    for (int i = 0; i < 10 && !(client->open() && server->open()); ++i) {
      const bytes up = client->take_output();
      if (!timed(spent.server_us, [&] { return told(server->feed(up)); })) return std::nullopt;
      const bytes down = server->take_output();
      if (!timed(spent.client_us, [&] { return told(client->feed(down)); })) return std::nullopt;
    }
    ++spent.count;
    const bool want = resumption == tls_resumption::on;
    if (!server->open() || !client->open() || server->peer().resumed != want) {
      std::fprintf(stderr, "tls_bench: not the handshake that was asked for\n");
      return std::nullopt;
    }
    if (!told(client->write(as_bytes("hello"))) || !told(server->feed(client->take_output()))) return std::nullopt;
    if (!told(server->write(as_bytes("welcome"))) || !told(client->feed(server->take_output()))) return std::nullopt;
    if (server->take_plain().size() != 5 || client->take_plain().size() != 7) return std::nullopt;
    return pair_of_engines{std::move(*server), std::move(*client)};
  }

private:
  tls_context_ptr server_;
  tls_context_ptr client_;
};

void print(const char* what, const cost& c) {
  std::printf("%s handshake: server %.0f us, client %.0f us of processor time (mean of %d)\n", what, c.server_us / c.count,
              c.client_us / c.count, c.count);
}

int run(int handshakes, int connections) {
  bench b;
  if (!b.set_up()) return 1;
  cost full, resumed, unused;
  for (int i = 0; i < handshakes; ++i) {
    if (!b.connect(tls_resumption::off, full)) return 1;
    if (!b.connect(tls_resumption::on, resumed)) return 1;
  }
  print("full", full);
  print("resumed", resumed);

  for (const auto how : {tls_resumption::off, tls_resumption::on}) {
    std::vector<tls_engine> held;
    held.reserve(static_cast<std::size_t>(connections));
    const auto before = mallinfo2().uordblks;
    for (int i = 0; i < connections; ++i) {
      auto pair = b.connect(how, unused);
      if (!pair) return 1;
      held.push_back(std::move(pair->server));
    }
    const auto each = (mallinfo2().uordblks - before) / static_cast<std::size_t>(connections);
    std::printf("open connection, %s: %zu bytes of heap (mean of %d)\n", how == tls_resumption::on ? "resumed" : "full", each,
                connections);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const int handshakes = count > 1 ? std::atoi(arguments[1]) : 200;
  const int connections = count > 2 ? std::atoi(arguments[2]) : 100;
  return run(handshakes > 0 ? handshakes : 1, connections > 0 ? connections : 1);
}
