// What a device channel connection costs the relay: processor time of a handshake (server side) and memory of an open,
// idle connection. Prints figures for docs/BUDGETS.md; fails only if a handshake does.
//   tls_bench [handshakes] [connections]
#include "protocol/adapters/tls_engine.hpp"
#include "tests/support/test_pki.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <malloc.h>
#include <vector>

namespace {

using namespace tomoshibi;

double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

struct pair_of_engines {
  tls_engine server;
  tls_engine client;
};

bool shake_hands(pair_of_engines& pair, double& server_ms) {
  for (int i = 0; i < 10; ++i) {
    const bytes to_server = pair.client.take_output();
    const double before = cpu_ms();
    if (!pair.server.feed(to_server)) return false;
    const bytes to_client = pair.server.take_output();
    server_ms += cpu_ms() - before;
    if (!pair.client.feed(to_client)) return false;
    if (pair.client.open() && pair.server.open()) return true;
  }
  return false;
}

int run(int handshakes, int connections) {
  const testing::test_pki pki;
  const auto date = testing::at_date(testing::certificates_used);
  const auto server = make_tls_server(pki.server(), date);
  const auto client = make_tls_client(pki.gateway(), date);
  if (!server || !client) return 1;
  double server_ms = 0;
  for (int i = 0; i < handshakes; ++i) {
    pair_of_engines pair{*tls_engine::start(*server), *tls_engine::start(*client, "relay.test")};
    if (!shake_hands(pair, server_ms)) return 1;
  }
  std::printf("handshake, server side: %.2f ms of processor time (mean of %d)\n", server_ms / handshakes, handshakes);

  std::vector<tls_engine> held;
  held.reserve(static_cast<std::size_t>(connections));
  const auto before = mallinfo2().uordblks;
  for (int i = 0; i < connections; ++i) {
    pair_of_engines pair{*tls_engine::start(*server), *tls_engine::start(*client, "relay.test")};
    if (!shake_hands(pair, server_ms)) return 1;
    held.push_back(std::move(pair.server));
  }
  const auto each = (mallinfo2().uordblks - before) / static_cast<std::size_t>(connections);
  std::printf("open connection: %zu bytes of heap (mean of %d)\n", each, connections);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const int handshakes = count > 1 ? std::atoi(arguments[1]) : 200;
  const int connections = count > 2 ? std::atoi(arguments[2]) : 100;
  return run(handshakes > 0 ? handshakes : 1, connections > 0 ? connections : 1);
}
