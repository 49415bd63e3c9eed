// Goal: a host with its port is read in all its forms, and nothing else is.
#include "protocol/base/host_port.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;

TEST_CASE("names, IPv4 and bracketed IPv6 addresses with a port are read") {
  CHECK(parse_host_port("relay.example.net:8443") == host_port{"relay.example.net", 8443});
  CHECK(parse_host_port("127.0.0.1:1") == host_port{"127.0.0.1", 1});
  CHECK(parse_host_port("[2001:db8::7]:65535") == host_port{"2001:db8::7", 65535});
  CHECK(parse_host_port(std::string(host_bytes_max, 'a') + ":1") == host_port{std::string(host_bytes_max, 'a'), 1});
}

TEST_CASE("what is no host with a port is not") {
  for (const char* bad : {"", ":", ":1", "relay", "relay:", "relay:0", "relay:65536", "relay:1x", "relay: 1", "relay:-1", "2001:db8::7:1",
                          "[]:1", "[2001:db8::7]", "[2001:db8::7", "a b:1", "a@b:1", "a/b:1", "[a]b]:1"}) {
    INFO(bad);
    CHECK_FALSE(parse_host_port(bad));
  }
  CHECK_FALSE(parse_host_port(std::string(host_bytes_max + 1, 'a') + ":1"));
}
