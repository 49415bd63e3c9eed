// A home network in virtual time: one driver, any number of twins, a line that may lose or delay datagrams.
#pragma once

#include "drivers/echonet/echonet_driver.hpp"
#include "drivers/echonet/twin/twin_node.hpp"
#include "protocol/base/prng.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

namespace tomoshibi::drivers::echonet::test {

inline constexpr char gateway_address[] = "192.0.2.1";

class virtual_lan {
public:
  struct options {
    std::uint64_t seed = 1;
    std::uint32_t loss_per_mille = 0;    // of every datagram, for each receiver
    millis delay{1};                     // of every datagram
    std::uint32_t line_bits_per_s = 0;   // > 0: one shared half-duplex line; delay comes on top
    millis line_overhead{0};             // link headers and turnaround of one datagram
    bool driver_hears_itself = true;     // multicast comes back to the sender, as on most hosts
  };
  explicit virtual_lan(const options& o);

  twin::twin_node& add(const std::string& address, std::uint64_t identity_number, millis answer_delay = millis{0});
  void start_twin(const std::string& address);
  void move(const std::string& from, const std::string& to);  // the node has another address now
  void unplug(const std::string& address);                    // it is no longer heard
  void start(const read_plan& plan);
  void replan(const read_plan& plan);

  void run_for(millis time);
  void at(millis after_start, std::function<void()> what);  // scripted events
  void say(twin::twin_node& node, std::vector<datagram>& said);  // what a twin's event produced
  void inject(const std::string& from, bytes payload, std::uint16_t port = udp_port);

  mono_time now() const { return now_; }
  echonet_driver& driver() { return *driver_; }
  const std::vector<std::pair<mono_time, observation>>& seen() const { return seen_; }
  void forget_seen() { seen_.clear(); }
  std::uint64_t datagrams_to(const std::string& address) const;

  // Helpers over seen().
  std::size_t readings(std::uint32_t eoj) const;
  std::size_t readings_of(const device_key& key) const;
  std::size_t missed(std::uint32_t eoj) const;
  std::size_t presence(presence_change change) const;
  std::optional<reading> last_reading(std::uint32_t eoj) const;

  struct sent {
    mono_time at;
    std::string from;
    std::optional<endpoint> to;
    bytes payload;
  };
  std::vector<sent> log;  // every datagram, when keep_log
  bool keep_log = false;

private:
  struct host {
    std::string address;
    std::unique_ptr<twin::twin_node> node;
    std::uint64_t received = 0;
    bool plugged = true;
  };
  struct event {
    mono_time at;
    std::uint64_t order;
    std::size_t to;  // 0 = driver, i + 1 = hosts_[i]; script: index into scripts_ behind all hosts
    std::string from;
    std::uint16_t port = udp_port;
    bytes payload;
    std::function<void()> script;
  };
  struct later {
    bool operator()(const event& a, const event& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };
  void transmit(const std::string& from, std::vector<datagram>& said);
  void deliver(std::size_t to, const std::string& from, const bytes& payload, mono_time at, std::uint16_t port);
  mono_time arrival(std::size_t size);
  void drain_driver();
  void dispatch(const event& e);
  mono_time next_wake() const;
  void wake();

  options options_;
  prng random_;
  std::unique_ptr<echonet_driver> driver_;
  driver_output out_;
  std::vector<host> hosts_;
  std::priority_queue<event, std::vector<event>, later> queue_;
  std::uint64_t order_ = 0;
  mono_time now_ = mono_from_ms(1'000);
  mono_time line_free_at_{};
  std::vector<std::pair<mono_time, observation>> seen_;
};

// Everything of every device, each minute.
read_plan watch_all(std::initializer_list<std::uint32_t> classes, millis interval = millis{60'000});

}  // namespace tomoshibi::drivers::echonet::test
