#include "relay/shell/relay_daemon.hpp"

#include "protocol/adapters/pki.hpp"
#include "protocol/base/check.hpp"
#include "relay/shell/control_line.hpp"
#include "relay/shell/mail_content_of.hpp"
#include "relay/shell/sqlite_emergency_book.hpp"

#include <algorithm>
#include <utility>

namespace tomoshibi::relay {
namespace {

constexpr millis ticket_look = 1h;   // how often it is asked whether the ticket keys are to turn

constexpr std::string_view text_plain = "text/plain; charset=utf-8";

}  // namespace

relay_daemon::relay_daemon(relay_daemon_setup s)
    : setup_(std::move(s)),
      log_(setup_.log, "relay"),
      core_({.store = setup_.memory, .log = setup_.log, .seed = setup_.seed, .limits = {},
             .mail_from = setup_.config.mail.from}),
      channel_(setup_.loop, *this, setup_.log, {.connections_max = setup_.config.device.connections_max}),
      ticket_keys_(setup_.folder.ticket_keys(), setup_.log),
      ticket_turn_(setup_.loop),
      patience_(setup_.loop),
      commits_(setup_.memory) {}

relay_daemon::~relay_daemon() {
  if (running_) setup_.loop.remove(*this);
}

// ---- start and end

status relay_daemon::start() {
  started_ = wall();
  auto control = control_socket::open(setup_.loop, setup_.folder.control_socket(),
                                      [this](std::string_view line, const control_socket::reply& answer) {
                                        control_answer(line, answer);
                                      });
  if (!control) return std::unexpected{control.error()};
  control_ = std::move(*control);
  auto mail = read_mail(setup_.config.mail);
  if (!mail) return std::unexpected{mail.error()};
  open_mail(std::move(*mail));
  output out;
  if (auto ok = core_.on_start(now(), wall(), out); !ok) return ok;
  carry_out(out);
  ticket_keys_.load();
  keep_ticket_keys();
  if (auto ok = open_device_port(); !ok) return ok;
  if (auto ok = open_emergency(); !ok) return ok;
  if (auto ok = open_pages(); !ok) return ok;
  setup_.loop.add(*this);
  running_ = true;
  log_.info("started", {{"version", setup_.version}});
  setup_.manager.ready(status_line());
  watchdog_.emplace(setup_.loop, setup_.manager, [this] { return life(); });
  return {};
}

// Whether the certificates can be used is the TLS context's to judge; their dates are for an operator to act on.
result<relay_daemon::device_keys> relay_daemon::read_device_keys(const device_config& c) const {
  auto identity = load_tls_identity({.certificate = c.certificate, .key = c.key, .ca = c.ca, .table = "device"});
  if (!identity) return std::unexpected{identity.error()};
  // Under a replay the calendar is the record's, not the certificates'.
  const auto date = [&loop = setup_.loop]() -> std::optional<wall_at> {
    if (loop.replayed()) return std::nullopt;
    return loop.wall().at;
  };
  auto context = make_tls_server(*identity, date, ticket_keys_.keys());
  if (!context) return std::unexpected{context.error()};
  device_keys out{std::move(*context), std::nullopt, std::nullopt};
  if (setup_.loop.replayed()) return out;
  const auto own = read_certificate(identity->certificate_pem);
  const auto ca = read_certificate(identity->ca_pem);
  if (own && ca) {
    out.from = std::max(own->valid.from, ca->valid.from);
    out.until = std::min(own->valid.until, ca->valid.until);
  }
  return out;
}

// A replay has no tickets: they are judged by a date, and there is none.
void relay_daemon::keep_ticket_keys() {
  if (setup_.loop.replayed()) return;
  ticket_keys_.keep_fresh(wall());
  if (emergency_) emergency_->use_tickets(*ticket_keys_.keys());
  ticket_turn_.set_after(ticket_look, [this] { keep_ticket_keys(); });
}

status relay_daemon::open_device_port() {
  const auto& c = setup_.config.device;
  auto keys = read_device_keys(c);
  if (!keys) return std::unexpected{keys.error()};
  if (auto ok = channel_.listen(std::move(keys->context), {c.listen, c.port}); !ok) return cannot_listen("device", ok.error());
  certificate_from_ = keys->from;
  certificate_until_ = keys->until;
  log_.info("device_port", {{"address", c.listen}, {"port", channel_.local().port}});
  return {};
}

status relay_daemon::open_pages() {
  const auto& c = setup_.config.pages;
  if (!c.enabled) return {};
  auto token = read_token(c);
  if (!token) return std::unexpected{token.error()};
  api_token_ = std::move(*token);
  auto opened = http_server::open(setup_.loop, {c.listen, c.port}, [this](std::string_view path) { return page(path); },
                                  [this](const http_request& request, const http_server::reply& reply) { api(request, reply); });
  if (!opened) return cannot_listen("pages", opened.error());
  pages_ = std::move(*opened);
  log_.info("pages_port", {{"address", c.listen}, {"port", pages_->local().port}});
  return {};
}

result<std::optional<smtp_options>> relay_daemon::read_mail(const mail_config& c) {
  if (c.server.empty()) return std::nullopt;
  auto options = smtp_options_of(c);
  if (!options) return std::unexpected{options.error()};
  return std::optional{std::move(*options)};
}

void relay_daemon::open_mail(std::optional<smtp_options> options) {
  if (!options) {
    log_.warning("no_mail_server", {{"detail", "notices wait in the queue"}});
    mail_.reset();
  } else if (mail_) {
    mail_->change(std::move(*options));
  } else {
    mail_ = std::make_unique<smtp_worker>(std::move(*options));
  }
}

// ---- reading again

void relay_daemon::reload() {
  if (stopping_) return;
  setup_.manager.reloading(now());
  const auto told = [this](std::string_view what, const status& done) {
    if (!done) log_.error("reload_failed", {{"part", what}, {"err", name_of(done.error().code)}, {"detail", done.error().detail}});
    return done.has_value();
  };
  const bool directory = told("directory", reload_directory());
  const bool configuration = told("configuration", reload_configuration());
  if (directory && configuration) log_.info("reloaded");
  setup_.manager.ready(configuration ? status_line() : "the new configuration was refused, the former stays in force; see the log");
}

// All that can be bad is read before anything is changed.
status relay_daemon::reload_configuration() {
  auto fresh = setup_.read_config();
  if (!fresh) return std::unexpected{fresh.error()};
  auto keys = read_device_keys(fresh->device);
  if (!keys) return std::unexpected{keys.error()};
  auto mail = read_mail(fresh->mail);
  if (!mail) return std::unexpected{mail.error()};
  auto token = read_token(fresh->pages);
  if (!token) return std::unexpected{token.error()};
  auto lane_keys = emergency_keys_of(*fresh);
  if (!lane_keys) return std::unexpected{lane_keys.error()};
  auto guard = guard_of(*fresh);
  if (!guard) return std::unexpected{guard.error()};
  if (emergency_)
    if (auto ok = emergency_->use_keys(std::move(*lane_keys)); !ok) return ok;

  const bool same_centre = fresh->guard == setup_.config.guard && fresh->emergency.line_account == setup_.config.emergency.line_account;
  log_differences(differences(setup_.config, *fresh), log_);
  keep_at_start(setup_.config, *fresh);
  setup_.config = std::move(*fresh);
  certificate_from_ = keys->from;
  certificate_until_ = keys->until;
  channel_.use(std::move(keys->context));
  channel_.limit_connections(setup_.config.device.connections_max);
  core_.change_mail_from(setup_.config.mail.from);
  if (emergency_) {
    emergency_->limit_lanes(setup_.config.emergency.connections_max);
    emergency_->use_mail(mail_of(setup_.config, *mail));
    if (same_centre) emergency_->use_guard(std::move(*guard));   // its certificates may be new; another centre waits for a start
  }
  open_mail(std::move(*mail));
  api_token_ = std::move(*token);
  setup_.set_log_level(setup_.config.log);
  return {};
}

status relay_daemon::reload_directory() {
  output out;
  auto done = core_.on_directory_changed(now(), wall(), out);
  carry_out(out);
  if (!done) return done;
  return reload_emergency_world();
}

void relay_daemon::stop() {
  if (stopping_) return;
  stopping_ = true;
  log_.info("stopping", {{"sessions", channel_.connections()}});
  setup_.manager.stopping();
  channel_.stop_listening();
  if (emergency_) emergency_->stop();
  patience_.set_after(stop_patience, [this] {
    log_.warning("stop_patience_over", {{"commit", commit_began_ ? "out" : "done"}});
    gave_up_ = true;
    setup_.loop.stop();
  });
  output out;
  core_.on_stop(now(), wall(), out);
  carry_out(out);
}

void relay_daemon::on_turn_end(mono_time) {
  if (!stopping_ || !core_.idle() || channel_.sessions() != 0 || (emergency_ && !emergency_->stopped())) return;
  log_.info("stopped");
  setup_.loop.stop();
}

// ---- the core's time and sessions

mono_time relay_daemon::next_wake() const { return core_.next_wake(); }

void relay_daemon::on_wake(mono_time at) {
  output out;
  core_.on_wake(at, wall(), out);
  carry_out(out);
}

void relay_daemon::on_session_open(session_id id, const peer& who) {
  output out;
  core_.on_session_open(now(), wall(), id, who, out);
  carry_out(out);
}

void relay_daemon::on_session_bytes(session_id id, byte_view data) {
  output out;
  core_.on_session_bytes(now(), wall(), id, data, out);
  carry_out(out);
}

void relay_daemon::on_session_closed(session_id id) {
  output out;
  core_.on_session_closed(now(), wall(), id, out);
  carry_out(out);
}

// ---- actions

void relay_daemon::carry_out(output& actions) {
  for (auto& a : actions) std::visit([this](auto& what) { carry_out(what); }, a);
}

void relay_daemon::carry_out(send& a) { channel_.send(a.session, a.data); }

void relay_daemon::carry_out(close& a) { channel_.close(a.session); }

void relay_daemon::carry_out(commit& a) {
  setup_.loop.begin_work();
  commit_began_ = now();
  committing_ = a.batch;
  commits_.start(std::move(a.batch), [this, ticket = a.ticket](commit_report report) {
    setup_.loop.finish_work([this, ticket, report = std::move(report)] { on_commit_done(ticket, report); });
  });
}

void relay_daemon::on_commit_done(commit_ticket ticket, const commit_report& report) {
  commit_began_.reset();
  commit_times_.add(report.took);
  const auto committed = std::exchange(committing_, nullptr);
  if (report.outcome && emergency_) tell_alerts(*committed);
  output out;
  core_.on_commit_done(now(), wall(), ticket, report.outcome, out);
  carry_out(out);
}

void relay_daemon::carry_out(submit_mail& a) {
  if (!mail_) return mail_done_soon(a.what.key, {mail_outcome::temporary, "no mail server is configured"});
  auto text = build_mail(content_of(a, setup_.config.mail.from_name));
  if (!text) return mail_done_soon(a.what.key, {mail_outcome::permanent, text.error().detail});
  setup_.loop.begin_work();
  mail_->submit({.from = a.from_address, .to = a.to_address, .text = std::move(*text)},
                [this, key = a.what.key](mail_result done) {
                  setup_.loop.finish_work([this, key, done = std::move(done)] { on_mail_done(key, done); });
                });
}

void relay_daemon::mail_done_soon(const mail_key& key, mail_result done) {
  setup_.loop.post([this, key, done = std::move(done)] { on_mail_done(key, done); });
}

void relay_daemon::on_mail_done(const mail_key& key, const mail_result& done) {
  output out;
  core_.on_mail_done(now(), wall(), key, done, out);
  carry_out(out);
}

// ---- what is shown

relay_view relay_daemon::view() const {
  auto emergency = emergency_ ? std::optional{emergency_->view()} : std::nullopt;
  return {.core = core_.health(),
          .emergency = emergency ? std::optional{std::move(emergency->desk)} : std::nullopt,
          .receipts = emergency ? std::move(emergency->receipts) : receipt_times{},
          .device = channel_.counts(),
          .commits = commit_times_,
          .checks_failed = checks_failed(),
          .mail_server_set = mail_ != nullptr,
          .stopping = stopping_,
          .certificate_from = certificate_from_,
          .certificate_until = certificate_until_,
          .started = started_,
          .now = wall(),
          .version = setup_.version};
}

std::string relay_daemon::status_line() const {
  const auto reasons = degraded_reasons(view());
  return std::to_string(channel_.connections()) + " connections; " + (reasons.empty() ? "ok" : "degraded: " + reasons.front());
}

signs_of_life relay_daemon::life() {
  auto since = commit_began_;
  if (const auto silent = emergency_ ? emergency_->silent_since() : std::nullopt; silent && (!since || *silent < *since)) since = silent;
  return {since, status_line()};
}

http_answer relay_daemon::page(std::string_view path) const {
  if (path == "/") return {200, "text/html; charset=utf-8", health_page(view())};
  if (path == "/healthz") return {200, "application/json", health_json(view())};
  if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(view())};
  return {404, std::string{text_plain}, "not here; try / or /healthz or /metrics\n"};
}

result<std::string> relay_daemon::read_token(const pages_config& c) const {
  if (c.api_token_file.empty()) return std::string{};
  return read_api_token(c.api_token_file);
}

void relay_daemon::api(const http_request& request, const http_server::reply& reply) {
  const auto find = [this](dispatch_id id) -> result<std::optional<dispatch_row>> {
    auto book = sqlite_emergency_book::open(setup_.folder.emergency_database(), {.read_only = true});
    if (!book) return std::unexpected{book.error()};
    return (*book)->find_dispatch(id);
  };
  answer_api({.token = api_token_, .who_is_there = [this] { return setup_.memory.load_directory(); }, .find = find,
              .requests = emergency_.get()}, request,
             [this, reply, method = request.method](http_answer what) {
               log_.info("api", {{"method", method == "POST" ? "POST" : "other"}, {"status", what.status}});
               reply(std::move(what));
             });
}

void relay_daemon::control_answer(std::string_view line, const control_socket::reply& answer) {
  auto asked = read_control_line(line);
  if (!asked) return answer("error unknown command");
  if (std::holds_alternative<ask_status>(*asked)) return answer(status_json(view()));
  if (std::holds_alternative<ask_reload>(*asked)) return answer(reload_answer());
  if (!emergency_)
    return answer(write_control_answer(fail(errc::refused, "the relay runs without its emergency part ([emergency] enabled = false)")));
  emergency_->ask(std::get<emergency_request>(std::move(*asked)),
                        [answer](const result<std::uint64_t>& id) { answer(write_control_answer(id)); });
}

std::string relay_daemon::reload_answer() {
  if (stopping_) return "error the relay is stopping";
  const auto done = reload_directory();
  if (done) {
    log_.info("directory_read");
    return "ok";
  }
  log_.error("reload_failed", {{"part", "directory"}, {"err", name_of(done.error().code)}, {"detail", done.error().detail}});
  return "error " + std::string{name_of(done.error().code)};
}

}  // namespace tomoshibi::relay
