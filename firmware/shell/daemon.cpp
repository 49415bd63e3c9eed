#include "firmware/shell/daemon.hpp"

#include "drivers/registry.hpp"
#include "firmware/shell/version.hpp"
#include "protocol/adapters/pki.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::firmware {
namespace {

constexpr millis clock_every = 60s;
constexpr millis statistics_every = 1h;
constexpr millis stop_limit = 3s;
constexpr std::uint64_t emergency_seed = 0x9e3779b97f4a7c15;  // other numbers than the slots' part draws

std::uint64_t first_word(byte_view data) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8 && i < data.size(); ++i) word = word << 8 | data[i];
  return word;
}

std::uint64_t random_word() {
  const auto random = random_bytes(8);
  TOMO_REQUIRE(random.has_value());  // a machine without randomness cannot do TLS either
  return first_word(*random);
}

outbox_epoch random_epoch() {
  return outbox_epoch{std::max<std::uint64_t>(1, random_word() >> 1)};  // not 0, and positive as SQLite's integer
}

std::array<std::uint8_t, 13> node_identity(const gateway_id& id) {
  const auto digest = sha256(as_bytes("tomoshibi echonet node " + id.text()));
  std::array<std::uint8_t, 13> out{};
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

}  // namespace

result<gateway_identity> load_identity(const gateway_config& config) {
  if (config.relays.empty()) return gateway_identity{*gateway_id::parse("offline"), std::nullopt};
  auto files = load_tls_identity({.certificate = config.certificate, .key = config.key, .ca = config.ca, .table = "relay"});
  if (!files) return std::unexpected(files.error());
  auto facts = read_certificate(files->certificate_pem);
  if (!facts) return std::unexpected(facts.error());
  auto id = gateway_id::parse(facts->common_name);
  if (!id)
    return fail(errc::config_invalid, "relay.certificate: " + config.certificate +
                                          ": its CN must be a gateway's name: 1 to 32 of a-z, 0-9 and -");
  if (auto usable = make_tls_client(*files, {}); !usable) return std::unexpected(usable.error());
  return gateway_identity{std::move(*id), std::move(*files)};
}

daemon::daemon(daemon_setup s)
    : setup_(std::move(s)), loop_(&setup_.loop), sink_(&setup_.log), log_(setup_.log, "gateway"),
      store_({.path = setup_.config.state_folder + "/outbox.db", .new_epoch = random_epoch}), clock_timer_(setup_.loop),
      statistics_timer_(setup_.loop), stop_timer_(setup_.loop) {
  const gateway_config& config = setup_.config;
  const gateway_identity& identity = setup_.identity;
  // The same replay must give the same slots, so its seed is the gateway's name.
  const auto digest = sha256(as_bytes(identity.id.text()));
  const std::uint64_t seed = loop_->replayed() ? first_word(digest) : random_word();
  for (const auto& family : drivers::registry()) {
    if (family.name == "echonet" && !config.echonet.enabled) continue;
    drivers_.push_back(family.make({.seed = seed, .identity = node_identity(identity.id), .log = sink_}));
    driver_list_.push_back(drivers_.back().get());
  }
  gateway_setup setup;
  setup.id = identity.id;
  setup.boot = random_word();
  if (config.emergency.enabled) {
    emergency_ = std::make_unique<emergency_part>(emergency_part_setup{
        .loop = *loop_, .log = *sink_, .config = config, .id = identity.id, .boot = setup.boot,
        .firmware_version = std::string{version()},
        .seed = seed ^ emergency_seed, .wall = [this](mono_time now) { return core_->wall(now); },
        .relay_told = [this](const relay_time& time) {
          core_->on_relay_time(loop_->now(), time, out_);
          act();
        }});
    setup.buttons = emergency_.get();
  }
  setup.firmware_version = version();
  setup.seed = seed;
  // A replayed record is older than the program; the conductor's time is believed.
  setup.built = loop_->replayed() ? wall_at{} : build_date();
  setup.file_config = config.watch;
  setup.dials = !config.relays.empty();
  if (!loop_->replayed()) {   // a replay has one gateway and no tickets: nothing to spread or to renew
    setup.line.upload_spread = upload_spread_product;
    setup.line.renew_after = renew_after_product;
  }
  core_ = std::make_unique<gateway>(setup, store_, driver_list_, *sink_);
}

daemon::~daemon() { loop_->remove(*this); }

result<std::unique_ptr<daemon>> daemon::make(daemon_setup setup) {
  std::unique_ptr<daemon> made{new daemon(std::move(setup))};
  if (auto opened = made->open_ports(); !opened) return std::unexpected(opened.error());
  if (auto opened = made->open_link(); !opened) return std::unexpected(opened.error());
  return made;
}

status daemon::open_ports() {
  const gateway_config& config = setup_.config;
  for (const auto& family : drivers::registry()) {
    if (family.name == "echonet" && !config.echonet.enabled) continue;
    const udp_multicast_options options{.bind_address = config.echonet.bind_address,
                                        .port = family.udp_port,
                                        .group = std::string(family.multicast_group_v4),
                                        .interface = config.echonet.interface};
    auto port = udp_port::open(*loop_, options, *sink_, [this, i = ports_.size()](const endpoint& from, byte_view payload) {
      on_datagram(i, from, payload);
    });
    if (!port) return std::unexpected(port.error());
    ports_.push_back(std::move(*port));
  }
  return {};
}

// Without an identity there is nothing to dial with, and no context.
result<tls_context_ptr> daemon::make_context(const gateway_identity& identity) const {
  if (!identity.tls) return tls_context_ptr{};
  return make_tls_client(*identity.tls, date_source());
}

// Dates are judged only by a clock that somebody steers (docs/adr/0004); a conductor's time is not the certificates'.
tls_date_source daemon::date_source() const {
  event_loop* loop = loop_;
  return [loop]() -> std::optional<wall_at> {
    const wall_time now = loop->wall();
    if (loop->replayed() || !now.synced) return std::nullopt;
    return now.at;
  };
}

status daemon::open_link() {
  auto context = make_context(setup_.identity);
  if (!context) return std::unexpected(context.error());
  link_ = std::make_unique<relay_link>(*loop_, std::move(*context), setup_.config.relays, *sink_, *this);
  if (!emergency_) return {};
  // A context of its own: a session of one port is not offered to the other.
  auto lane = make_context(setup_.identity);
  if (!lane) return std::unexpected(lane.error());
  return emergency_->open(std::move(*lane), date_source());
}

// ---- reading again

void daemon::reload() {
  if (stopping_) return;
  setup_.manager.reloading(loop_->now());
  const status done = take_new_configuration();
  if (done) {
    log_.info("reloaded");
  } else {
    log_.error("reload_failed", {{"err", name_of(done.error().code)}, {"detail", done.error().detail}});
  }
  setup_.manager.ready(done ? status_line() : "the new configuration was refused, the former stays in force; see the log");
}

// All that can be bad is read before anything is changed.
status daemon::take_new_configuration() {
  auto fresh = setup_.read_config();
  if (!fresh) return std::unexpected(fresh.error());
  auto identity = load_identity(*fresh);
  if (!identity) return std::unexpected(identity.error());
  if (identity->id != setup_.identity.id)
    return fail(errc::config_invalid, fresh->certificate + ": is of gateway " + identity->id.text() + ", this one runs as " +
                                          setup_.identity.id.text() + "; another name, or the first relay, needs a restart");
  auto context = make_context(*identity);
  if (!context) return std::unexpected(context.error());
  auto lane = make_context(*identity);
  if (!lane) return std::unexpected(lane.error());

  const bool addresses = fresh->relays != setup_.config.relays;
  const bool files = identity->tls != setup_.identity.tls;
  log_differences(differences(setup_.config, *fresh), log_);
  keep_at_start(setup_.config, *fresh);
  setup_.config = std::move(*fresh);
  setup_.identity = std::move(*identity);
  setup_.set_log_level(setup_.config.log);
  link_->use(std::move(*context), setup_.config.relays);
  if (emergency_) emergency_->use(setup_.config, std::move(*lane), files);
  if (addresses || files) core_->on_relay_changed(loop_->now(), addresses, out_);
  act();
  return {};
}

std::string daemon::status_line() const {
  const gateway_statistics& s = core_->statistics();
  return "relay: " + std::string(name_of(s.uplink)) + "; " + std::to_string(s.records_held) + " records to send" +
         (s.storage_ok ? "" : "; the outbox cannot be written") + (emergency_ ? "; " + emergency_->status_line() : "");
}

system_clock_reading daemon::clock() const {
  const wall_time now = loop_->wall();
  return {now.at, now.synced};
}

void daemon::start() {
  if (emergency_) emergency_->start();
  core_->on_start(loop_->now(), clock(), out_);
  act();
  log_.info("running");
  loop_->add(*this);
  setup_.manager.ready(status_line());
  // One thread does everything, commits too: that the loop turns is proof enough.
  watchdog_.emplace(*loop_, setup_.manager, [this] { return signs_of_life{std::nullopt, status_line()}; });
  clock_timer_.set_after(clock_every, [this] { read_clock(); });
  statistics_timer_.set_after(statistics_every, [this] { tell_statistics(); });
  if (!loop_->replayed()) clock_watch_ = std::make_unique<clock_watch>(*loop_, [this] { read_clock(); });
}

void daemon::read_clock() {
  core_->on_system_clock(loop_->now(), clock(), out_);
  act();
  clock_timer_.set_after(clock_every, [this] { read_clock(); });
}

mono_time daemon::next_wake() const { return stopping_ ? never : core_->next_wake(); }

void daemon::on_wake(mono_time now) {
  core_->on_wake(now, out_);
  act();
}

void daemon::on_turn_end(mono_time) {
  if (stopping_ && idle()) loop_->stop();
}

void daemon::on_datagram(std::size_t driver, const endpoint& from, byte_view payload) {
  if (stopping_) return;
  core_->on_datagram(loop_->now(), driver, from, payload, out_);
  act();
}

void daemon::on_link_open(link_number link) {
  if (stopping_) return;
  core_->on_link_open(loop_->now(), link, out_);
  act();
}

void daemon::on_link_bytes(link_number link, byte_view data) {
  if (stopping_) return;
  core_->on_link_bytes(loop_->now(), link, data, out_);
  act();
}

void daemon::on_link_closed(link_number link, const error& why) {
  if (stopping_) return;
  core_->on_link_closed(loop_->now(), link, why, out_);
  act();
}

void daemon::act() {
  for (const auto& d : out_.datagrams) ports_[d.driver]->send(d.datagram);
  for (const auto& action : out_.link) link_->act(action);
  out_.clear();
  if (const auto mended = store_.mended(); mended != std::exchange(mended_told_, mended))
    log_.error("outbox_mended", {{"values", mended}});
  if (!store_.found_damage() || failed_) return;
  // The next start puts the file aside; going on would only repeat the failure.
  log_.error("outbox_damaged", {{"reaction", "the program ends, to start anew"}});
  failed_ = true;
  loop_->stop();
}

void daemon::tell_statistics() {
  const gateway_statistics& s = core_->statistics();
  log_.info("statistics", {{"readings", s.readings}, {"missed", s.readings_missed}, {"slots", s.slots_closed},
                           {"held", s.records_held}, {"dropped", s.records_dropped}, {"acked", s.acked_seq},
                           {"sessions", s.sessions}, {"uplink", name_of(s.uplink)}, {"commit_failures", s.commit_failures}});
  for (const auto& driver : drivers_) driver->log_statistics();
  if (emergency_) emergency_->tell_statistics();
  statistics_timer_.set_after(statistics_every, [this] { tell_statistics(); });
}

void daemon::stop() {
  if (stopping_) return;
  log_.info("stopping");
  setup_.manager.stopping();
  if (emergency_) emergency_->stop();
  core_->on_stop(loop_->now(), out_);
  act();
  tell_statistics();
  stopping_ = true;
  clock_timer_.cancel();
  statistics_timer_.cancel();
  clock_watch_.reset();
  if (auto moved = store_.checkpoint_file(); !moved) log_.warning("outbox_checkpoint", {{"err", moved.error().detail}});
  // What is left is the bye on its way out; in a replay time may not move again, so there it is not waited for.
  if (idle() || loop_->replayed()) return loop_->stop();
  stop_timer_.set_after(stop_limit, [this] { loop_->stop(); });
}

}  // namespace tomoshibi::firmware
