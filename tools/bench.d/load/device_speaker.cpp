#include "protocol/wire/message_reader.hpp"
#include "tools/bench.d/load/enrol.hpp"
#include "tools/bench.d/load/speaker.hpp"

namespace tomoshibi::load {
namespace {

constexpr outbox_epoch the_epoch{1};

class device_speaker final : public speaker {
public:
  device_speaker(const std::string& name, const device_speaker_options& options) : name_(name), options_(options) {}

  bytes greeting() override {
    ready_ = false;
    reader_ = {};
    wire::hello h;
    h.gateway = name_;
    h.boot = 1;
    h.firmware_version = "load";
    h.epoch = the_epoch;
    h.oldest_seq = acked_ + 1;
    h.next_seq = acked_ + 1;
    return *wire::encode_frame(h);
  }

  result<bytes> take(byte_view plain) override {
    bytes answer;
    while (!plain.empty()) {
      const auto message = reader_.next(plain);
      if (!message) return std::unexpected(message.error());
      if (!*message) break;
      if (auto ok = hear(**message, answer); !ok) return std::unexpected(ok.error());
    }
    return answer;
  }

  bytes message(std::uint64_t number) override {
    wire::records_builder builder{(number - 1) * options_.records + 1};
    for (std::uint32_t i = 0; i < options_.records; ++i) builder.add(wire::encode_record(record((number - 1) * options_.records + i)));
    return builder.frame();
  }

  bytes sign_of_life() override { return *wire::encode_frame(wire::ping{7}); }
  bool ready() const override { return ready_; }
  std::uint64_t acknowledged() const override { return acked_ / options_.records; }

private:
  status hear(const wire::message& m, bytes& answer) {
    if (const auto* w = std::get_if<wire::welcome>(&m)) {
      ready_ = true;
      acked_ = w->acked_seq;
    } else if (const auto* a = std::get_if<wire::ack>(&m)) {
      acked_ = a->acked_seq;
    } else if (const auto* c = std::get_if<wire::config>(&m)) {
      put_bytes(answer, *wire::encode_frame(wire::config_applied{c->version, true, ""}));
    } else if (const auto* b = std::get_if<wire::bye>(&m)) {
      return fail(errc::net_closed, "bye: " + std::string{wire::name_of(b->reason)});
    }
    return {};
  }

  // Every appliance is used several times a day, at moments that differ from home to home.
  wire::record record(std::uint64_t past) const {
    const slot_index slot = options_.first_slot + static_cast<std::int32_t>(past);
    wire::slot_closed closed{.slot = slot, .time_uncertain = false, .appliances = {}};
    for (int n = 1; n <= appliances_per_home; ++n) {
      const std::uint32_t mixed =
          (static_cast<std::uint32_t>(slot.value) * 2654435761u + static_cast<std::uint32_t>(n) * 40503u + salt_) >> 16;
      const bool on = mixed % 5 == 0;
      wire::appliance_slot a{.appliance = static_cast<appliance_id>(n), .state = on ? slot_state::on : slot_state::off,
                             .on_seconds = static_cast<std::uint16_t>(on ? 1 + mixed % 900 : 0), .energy_wh = {},
                             .energy_after_gap = false, .readings_expected = 15, .readings_got = 15};
      if (n % 2 == 0) a.energy_wh = mixed % 200;
      closed.appliances.push_back(a);
    }
    return {.body = std::move(closed), .made = end_of(slot)};
  }

  std::string name_;
  device_speaker_options options_;
  std::uint32_t salt_ = static_cast<std::uint32_t>(std::hash<std::string>{}(name_));
  wire::message_reader reader_;
  bool ready_ = false;
  record_seq acked_ = 0;
};

}  // namespace

std::unique_ptr<speaker> make_device_speaker(const std::string& name, const device_speaker_options& options) {
  return std::make_unique<device_speaker>(name, options);
}

}  // namespace tomoshibi::load
