#include "firmware/shell/button_source.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/input.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {

constexpr int reads_max = 16;      // of one turn: a device that never stops speaking keeps nobody else waiting

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

private:
  int fd_;
};

error gone(const char* doing) { return {errc::net_closed, std::string(doing) + ": " + std::strerror(errno)}; }

// Whole events of a kind: both drivers give no part of one.
template <class Event, class Take>
status read_events(int fd, Take take) {
  std::array<Event, 32> events{};
  for (int i = 0; i < reads_max; ++i) {
    const ssize_t n = ::read(fd, events.data(), sizeof events);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (n < 0) return std::unexpected(gone("read"));
    if (n == 0) return fail(errc::net_closed, "read: the device has ended");
    for (std::size_t k = 0; k < static_cast<std::size_t>(n) / sizeof(Event); ++k) take(events[k]);
  }
  return {};
}

class input_button final : public button_source {
public:
  input_button(int fd, std::uint32_t code) : file_(fd), code_(code) {}
  int descriptor() const override { return file_.get(); }

  std::optional<bool> state() override {
    std::array<std::uint8_t, KEY_CNT / 8> keys{};
    if (::ioctl(file_.get(), EVIOCGKEY(keys.size()), keys.data()) < 0) return std::nullopt;
    return (keys[code_ / 8] >> (code_ % 8) & 1) != 0;
  }

  result<std::vector<bool>> read() override {
    std::vector<bool> out;
    const status done = read_events<input_event>(file_.get(), [this, &out](const input_event& e) { take(e, out); });
    if (!done) return std::unexpected(done.error());
    return out;
  }

private:
  void take(const input_event& e, std::vector<bool>& out) {
    // The kernel's queue ran over: what is between SYN_DROPPED and the next SYN_REPORT is to be thrown away, and the state asked for.
    if (e.type == EV_SYN && e.code == SYN_DROPPED) dropped_ = true;
    if (e.type == EV_SYN && e.code == SYN_REPORT && dropped_) {
      dropped_ = false;
      if (const auto now = state()) out.push_back(*now);
    }
    const bool ours = e.type == EV_KEY && e.code == code_ && (e.value == 0 || e.value == 1);   // 2: it repeats by itself
    if (ours && !dropped_) out.push_back(e.value == 1);
  }
  firmware::descriptor file_;
  std::uint32_t code_;
  bool dropped_ = false;
};

class gpio_button final : public button_source {
public:
  explicit gpio_button(int fd) : file_(fd) {}
  int descriptor() const override { return file_.get(); }

  std::optional<bool> state() override {
    gpio_v2_line_values values{};
    values.mask = 1;
    if (::ioctl(file_.get(), GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0) return std::nullopt;
    return (values.bits & 1) != 0;
  }

  result<std::vector<bool>> read() override {
    std::vector<bool> out;
    const status done = read_events<gpio_v2_line_event>(file_.get(), [&out](const gpio_v2_line_event& e) {
      if (e.id == GPIO_V2_LINE_EVENT_RISING_EDGE) out.push_back(true);     // logical: active_low is the kernel's business
      if (e.id == GPIO_V2_LINE_EVENT_FALLING_EDGE) out.push_back(false);
    });
    if (!done) return std::unexpected(done.error());
    return out;
  }

private:
  firmware::descriptor file_;
};

std::unexpected<error> unusable(const std::string& device, const char* doing) {
  return fail(errc::not_found, device + ": " + doing + ": " + std::strerror(errno));
}

result<std::unique_ptr<button_source>> open_input(const box_button_config& c) {
  const int fd = ::open(c.device.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return unusable(c.device, "open");
  auto out = input_button_on(fd, c.code);
  std::array<std::uint8_t, KEY_CNT / 8> keys{};
  if (::ioctl(fd, EVIOCGBIT(EV_KEY, keys.size()), keys.data()) < 0) return unusable(c.device, "not an input device");
  if ((keys[c.code / 8] >> (c.code % 8) & 1) == 0)
    return fail(errc::not_found, c.device + ": has no key " + std::to_string(c.code));
  return out;
}

result<std::unique_ptr<button_source>> open_gpio(const box_button_config& c) {
  const descriptor chip{::open(c.device.c_str(), O_RDONLY | O_CLOEXEC)};
  if (chip.get() < 0) return unusable(c.device, "open");
  gpio_v2_line_request wanted{};
  wanted.offsets[0] = c.code;
  wanted.num_lines = 1;
  std::memcpy(wanted.consumer, "tomoshibi", 9);
  wanted.config.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
  if (c.active_low) wanted.config.flags |= GPIO_V2_LINE_FLAG_ACTIVE_LOW;
  if (c.debounce_ms > 0) {
    wanted.config.num_attrs = 1;
    wanted.config.attrs[0].mask = 1;
    wanted.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
    wanted.config.attrs[0].attr.debounce_period_us = c.debounce_ms * 1000;
  }
  if (::ioctl(chip.get(), GPIO_V2_GET_LINE_IOCTL, &wanted) < 0) return unusable(c.device, "line");
  (void)::fcntl(wanted.fd, F_SETFL, O_NONBLOCK);
  return gpio_button_on(wanted.fd);
}

}  // namespace

std::unique_ptr<button_source> input_button_on(int fd, std::uint32_t code) { return std::make_unique<input_button>(fd, code); }
std::unique_ptr<button_source> gpio_button_on(int fd) { return std::make_unique<gpio_button>(fd); }

result<std::unique_ptr<button_source>> open_button(const box_button_config& c) {
  switch (c.kind) {
    case box_button_kind::none: break;
    case box_button_kind::input: return open_input(c);
    case box_button_kind::gpio: return open_gpio(c);
  }
  return fail(errc::not_found, "the box has no button");
}

}  // namespace tomoshibi::firmware
