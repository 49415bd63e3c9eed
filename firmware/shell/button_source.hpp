// Where the button on the box is read: a Linux input device (evdev) or a line of a GPIO character device. Both are opened
// without waiting, and their events are read from one descriptor.
// Sources: linux/input.h, linux/gpio.h (version 2 of its calls), Documentation/input/event-codes and userspace-api/gpio.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

enum class box_button_kind : std::uint8_t { none, input, gpio };

struct box_button_config {
  box_button_kind kind = box_button_kind::none;
  std::string device;              // "/dev/input/by-path/...", "/dev/gpiochip0"
  std::uint32_t code = 0;          // input: key code; gpio: line
  bool active_low = false;         // gpio: pressed means low
  unsigned debounce_ms = 20;       // gpio
  bool operator==(const box_button_config&) const = default;
};

// An open device. Reads never wait.
class button_source {
public:
  virtual ~button_source() = default;
  virtual int descriptor() const = 0;
  // As it is now; nothing: the device cannot say.
  virtual std::optional<bool> state() = 0;
  // Changes since the last call, the oldest first. net_closed: the device is gone.
  virtual result<std::vector<bool>> read() = 0;
};

// not_found: no such device, or it cannot be used; the detail says why.
result<std::unique_ptr<button_source>> open_button(const box_button_config& config);
// The same on a descriptor that is open, which it takes over: for tests, which have a pipe.
std::unique_ptr<button_source> input_button_on(int descriptor, std::uint32_t code);
std::unique_ptr<button_source> gpio_button_on(int descriptor);

}  // namespace tomoshibi::firmware
