// Carries out the core's link actions on TLS connections to the relay, and tells the core what became of them. One of it for the
// device channel, one for the emergency lane.
#pragma once

#include "firmware/core/link.hpp"
#include "firmware/shell/config_file.hpp"
#include "protocol/adapters/tls_stream.hpp"

#include <memory>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr std::string_view device_link_name = "link";  // in the log
inline constexpr std::string_view lane_link_name = "lane_link";

class relay_link {
public:
  class listener {
  public:
    virtual ~listener() = default;
    virtual void on_link_open(link_number link) = 0;
    virtual void on_link_bytes(link_number link, byte_view data) = 0;
    virtual void on_link_closed(link_number link, const error& why) = 0;
  };

  // Without a context (no relay configured) every link_open fails.
  relay_link(event_loop& loop, tls_context_ptr context, std::vector<host_port> relays, log_sink& log,
             listener& events, std::string_view name = device_link_name);
  ~relay_link();

  // For dials from now on; a connection that stands goes on.
  void use(tls_context_ptr context, std::vector<host_port> relays);
  void act(const link_action& action);
  bool idle() const { return connections_.empty(); }

private:
  class connection;
  friend class connection;
  void carry_out(const link_open& a);
  void carry_out(const link_send& a);
  void carry_out(const link_close& a);
  connection* find(link_number link);
  bool worth_a_line() const;
  void forget(const connection& c);

  event_loop* loop_;
  tls_context_ptr context_;
  std::vector<host_port> relays_;
  logger log_;
  bool sparse_;                    // not every dial in vain is told
  listener* events_;
  std::size_t next_relay_ = 0;
  std::uint32_t failures_ = 0;     // dials in a row that led to nothing
  std::vector<std::unique_ptr<connection>> connections_;  // the current one, and one that still sends its bye
};

}  // namespace tomoshibi::firmware
