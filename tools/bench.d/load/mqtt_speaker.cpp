// MQTT 3.1.1 (OASIS, 2014), as little of it as a gateway needs: CONNECT, SUBSCRIBE, PUBLISH, PINGREQ.
#include "tools/bench.d/load/speaker.hpp"

namespace tomoshibi::load {
namespace {

enum packet : std::uint8_t { connect = 0x10, connack = 0x20, publish = 0x30, puback = 0x40, subscribe = 0x82,
                            suback = 0x90, pingreq = 0xc0 };
constexpr std::uint8_t qos_1 = 0x02;
constexpr std::size_t number_bytes = 8;

void put_text(bytes& out, std::string_view text) {
  put_u16(out, static_cast<std::uint16_t>(text.size()));
  put_bytes(out, as_bytes(text));
}

bytes packet_of(std::uint8_t head, const bytes& body) {
  bytes out{head};
  std::size_t left = body.size();
  do {
    const auto seven = static_cast<std::uint8_t>(left % 128);
    left /= 128;
    out.push_back(left != 0 ? static_cast<std::uint8_t>(seven | 0x80) : seven);
  } while (left != 0);
  put_bytes(out, body);
  return out;
}

class mqtt_speaker final : public speaker {
public:
  mqtt_speaker(const std::string& name, const mqtt_speaker_options& options) : name_(name), options_(options) {}

  bytes greeting() override {
    ready_ = false;
    in_.clear();
    bytes hello;
    put_text(hello, "MQTT");
    put_u8(hello, 4);      // 3.1.1
    put_u8(hello, 0x02);   // clean session
    put_u16(hello, 120);   // keep-alive, seconds
    put_text(hello, name_);
    bytes wish;
    put_u16(wish, 1);
    put_text(wish, "ack/" + name_);
    put_u8(wish, 0);
    bytes out = packet_of(connect, hello);
    put_bytes(out, packet_of(subscribe, wish));
    return out;
  }

  result<bytes> take(byte_view plain) override {
    put_bytes(in_, plain);
    std::size_t at = 0;
    while (const std::size_t taken = take_packet(byte_view{in_}.subspan(at))) at += taken;
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
    if (refused_) return fail(errc::refused, "the broker refused the connection");
    return bytes{};
  }

  bytes message(std::uint64_t number) override {
    bytes body;
    put_text(body, "slots/" + name_);
    put_u16(body, static_cast<std::uint16_t>(number % 65'535 + 1));
    for (std::size_t i = number_bytes; i-- > 0;) put_u8(body, static_cast<std::uint8_t>(number >> (8 * i)));
    for (std::size_t i = number_bytes; i < options_.payload_bytes; ++i) put_u8(body, static_cast<std::uint8_t>(number * 31 + i * 7));
    return packet_of(publish | qos_1, body);
  }

  bytes sign_of_life() override { return packet_of(pingreq, {}); }
  bool ready() const override { return ready_; }
  std::uint64_t acknowledged() const override { return acked_; }

private:
  // The size of the packet that was whole and taken, or 0.
  std::size_t take_packet(byte_view data) {
    std::size_t length = 0, at = 1;
    for (unsigned shift = 0;; shift += 7) {
      if (at >= data.size() || at > 4) return 0;
      length |= static_cast<std::size_t>(data[at] & 0x7f) << shift;
      if ((data[at++] & 0x80) == 0) break;
    }
    if (data.size() < at + length) return 0;
    hear(data[0], data.subspan(at, length));
    return at + length;
  }

  void hear(std::uint8_t head, byte_view body) {
    if (head == connack && body.size() == 2 && body[1] != 0) refused_ = true;
    if (head == suback) ready_ = true;
    if ((head & 0xf0) != publish) return;
    byte_reader r{body};
    r.take(r.u16());  // the topic; quality 0, so no packet number
    const std::uint64_t high = r.u32();
    const std::uint64_t number = high << 32 | r.u32();
    if (r.ok()) acked_ = std::max(acked_, number);
  }

  std::string name_;
  mqtt_speaker_options options_;
  bytes in_;
  bool ready_ = false;
  bool refused_ = false;
  std::uint64_t acked_ = 0;
};

}  // namespace

std::unique_ptr<speaker> make_mqtt_speaker(const std::string& name, const mqtt_speaker_options& options) {
  return std::make_unique<mqtt_speaker>(name, options);
}

}  // namespace tomoshibi::load
