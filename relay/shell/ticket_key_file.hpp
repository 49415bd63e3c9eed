// The ring of ticket keys in the relay's folder: read at the start, turned by the day, so that gateways resume their
// sessions across a restart (docs/adr/0010). Losing the file loses nothing but that: gateways show their certificates again.
#pragma once

#include "protocol/adapters/ticket_keys.hpp"
#include "protocol/base/log.hpp"

#include <memory>
#include <string>

namespace tomoshibi::relay {

class ticket_key_file {
public:
  ticket_key_file(std::string path, log_sink& log) : path_(std::move(path)), log_(log, "tickets") {}

  // Reads the file, if there is one that only its owner may read. Keys that others could have read are thrown away.
  void load();
  // Turns the ring if that is due, and writes it. Keys that cannot be written serve until the relay ends.
  void keep_fresh(wall_at now);
  std::shared_ptr<const ticket_keys> keys() const { return keys_; }

private:
  result<ticket_keys> read() const;

  std::string path_;
  logger log_;
  std::shared_ptr<ticket_keys> keys_ = std::make_shared<ticket_keys>();
};

}  // namespace tomoshibi::relay
