// What one gateway says and hears above TLS. No socket, no clock beyond the first slot: a message is a pure function of its
// number, so what was not acknowledged is said again after a new connection.
//
// A message is what is sent, made durable and acknowledged as one: number 1, 2, 3 ... over the life of the fleet.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/slot.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace tomoshibi::load {

class speaker {
public:
  virtual ~speaker() = default;
  virtual bytes greeting() = 0;                         // first bytes of each connection
  virtual result<bytes> take(byte_view plain) = 0;      // what came; answers what must be sent now
  virtual bytes message(std::uint64_t number) = 0;
  virtual bytes sign_of_life() = 0;
  virtual bool ready() const = 0;                       // greeted: messages may be sent
  virtual std::uint64_t acknowledged() const = 0;       // the highest message known durable
};

struct device_speaker_options {
  slot_index first_slot;         // of record 1
  std::uint32_t records = 6;     // slots a message; 6 of 5 appliances are about 394 bytes
};
std::unique_ptr<speaker> make_device_speaker(const std::string& name, const device_speaker_options& options);

// An emergency lane: it stands and sends no messages.
std::unique_ptr<speaker> make_lane_speaker(const std::string& name);

struct mqtt_speaker_options {
  std::size_t payload_bytes = 394;
};
std::unique_ptr<speaker> make_mqtt_speaker(const std::string& name, const mqtt_speaker_options& options);

}  // namespace tomoshibi::load
