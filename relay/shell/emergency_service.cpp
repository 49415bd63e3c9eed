#include "relay/shell/emergency_service.hpp"

#include "protocol/adapters/dc09_cipher.hpp"
#include "relay/shell/config_file.hpp"
#include "relay/shell/mail_content_of.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace tomoshibi::relay {
namespace {

constexpr millis view_every = 1s;
constexpr millis calm_after = 20ms;   // since the last commit: the centre and the box answer sooner

}  // namespace

struct emergency_service::impl final : loop_part, device_channel_receiver, guard_link::listener {
  using stopwatch = std::chrono::steady_clock;

  explicit impl(emergency_service_setup s)
      : setup(std::move(s)), log(setup.log, "emergency"),
        desk({.book = setup.book, .log = setup.log, .seed = setup.seed, .centre_set = setup.guard.has_value(),
              .mail_from = setup.mail.from}) {}
  ~impl() override { close(); }

  // ---- on main, before the thread is
  status start();
  result<tls_context_ptr> context_of(const emergency_keys& keys);
  void close();

  // ---- on the emergency thread
  mono_time now() const { return loop->now(); }
  wall_at wall() const { return loop->wall().at; }
  mono_time next_wake() const override;
  void on_wake(mono_time at) override;
  void on_turn_end(mono_time at) override;
  void on_session_open(session_id id, const peer& who) override;
  void on_session_bytes(session_id id, byte_view data) override;
  void on_session_closed(session_id id) override;
  void on_delivered(std::uint64_t id, std::size_t receiver, mono_time at) override;
  void on_not_delivered(std::uint64_t id, dc09::not_delivered why) override;
  void on_guard_link(dc09::link_state now, std::size_t receiver) override;
  void on_guard_doubted(std::size_t receiver) override;

  void carry_out(desk_output& actions);
  void carry_out(send& a) {
    channel->send(a.session, a.data);
    receipts.on_sent(stopwatch::now());
  }
  void carry_out(relay::close& a) { channel->close(a.session); }
  void carry_out(guard_submit& a);
  void carry_out(guard_cancel& a);
  void carry_out(submit_emergency_mail& a);
  void open_link();
  void renew_link();
  void open_mail();
  std::string null_key() const;
  const dc09::cipher* cipher_of(const std::string& key_hex);
  void show();
  void finish();

  // One turn of the desk: what it asks for is done at once.
  template <class F>
  auto with_desk(F f) {
    desk_output out;
    if constexpr (std::is_void_v<decltype(f(out))>) {
      f(out);
      carry_out(out);
    } else {
      auto answer = f(out);
      carry_out(out);
      return answer;
    }
  }
  // From main: later, on the thread.
  void post(loop_handler handler) { loop->post(std::move(handler)); }
  result<std::uint64_t> begin(const emergency_request& what, desk_output& out);

  emergency_service_setup setup;
  logger log;
  std::unique_ptr<event_loop> own_loop;      // nothing in a replay
  event_loop* loop = nullptr;
  emergency_desk desk;
  std::shared_ptr<ticket_keys> tickets = std::make_shared<ticket_keys>();
  std::unique_ptr<device_channel> channel;
  std::map<std::string, std::unique_ptr<dc09::cipher>> ciphers;  // by key; they outlive the events at the link
  std::shared_ptr<const known_world> world;
  std::unique_ptr<guard_link> link;
  std::string null_key_used;
  std::unique_ptr<smtp_worker> mail;
  bool joined = false;                       // a part of the loop
  bool stopping = false;
  receipt_watch receipts;
  std::uint64_t commits_before = 0;
  mono_time rest_at = never;                 // of the book
  mono_time shown_at = mono_time::min();
  bool show_again = true;

  std::atomic<bool> is_stopped = false;
  std::atomic<mono_time> asked_alive = never;     // a sign of life is owed since then
  mutable std::mutex shown_mutex;
  emergency_view shown;
  endpoint local;
  std::thread thread;
};

// ---- start and end

result<tls_context_ptr> emergency_service::impl::context_of(const emergency_keys& keys) {
  const auto date = [this]() -> std::optional<wall_at> {
    if (loop->replayed()) return std::nullopt;
    return loop->wall().at;
  };
  return make_tls_server(keys.identity, date, tickets);
}

status emergency_service::impl::start() {
  if (!setup.main.replayed()) {
    auto made = event_loop::open({.replay_socket = {}, .name = "emergency", .log = &setup.log, .signals = false});
    if (!made) return std::unexpected(made.error());
    own_loop = std::move(*made);
  }
  loop = own_loop ? own_loop.get() : &setup.main;
  *tickets = setup.keys.tickets;
  auto context = context_of(setup.keys);
  if (!context) return std::unexpected(context.error());
  channel = std::make_unique<device_channel>(*loop, *this, setup.log, device_channel_limits{.connections_max = setup.lanes_max});
  world = setup.world;
  desk_output out;
  if (auto ok = desk.on_start(now(), wall(), world, out); !ok) return ok;
  if (auto ok = channel->listen(std::move(*context), setup.listen); !ok) return cannot_listen("emergency", ok.error());
  local = channel->local();
  open_link();
  open_mail();
  carry_out(out);
  loop->add(*this);
  joined = true;
  show();
  if (own_loop)
    thread = std::thread([this] {
      if (auto ran = own_loop->run(); !ran) log.error("loop_failed", {{"detail", ran.error().detail}});
      is_stopped = true;
    });
  return {};
}

// The end of the thread is waited for; then everything here is main's again.
void emergency_service::impl::close() {
  if (thread.joinable()) {
    own_loop->stop();
    thread.join();
  }
  mail.reset();                              // its last answers are posted to a loop that does not run any more
  link.reset();
  channel.reset();
  if (joined) loop->remove(*this);
  joined = false;
}

void emergency_service::impl::finish() {
  is_stopped = true;
  if (own_loop) own_loop->stop();
  setup.main.post([] {});                    // so that main looks
}

// ---- the desk's time and lanes

mono_time emergency_service::impl::next_wake() const {
  if (is_stopped) return never;
  const auto next = std::min(desk.next_wake(loop->now(), loop->wall().at), rest_at);
  return show_again ? std::min(next, shown_at + view_every) : next;
}

void emergency_service::impl::on_wake(mono_time at) {
  with_desk([&](desk_output& out) { desk.on_wake(at, wall(), out); });
  if (at >= rest_at) {
    rest_at = never;
    setup.book.rest(true);
  }
  if (show_again && at - shown_at >= view_every) show();
}

void emergency_service::impl::on_turn_end(mono_time at) {
  if (is_stopped) return;
  receipts.on_commit_due();
  with_desk([&](desk_output& out) { desk.on_turn_end(at, wall(), out); });
  const bool bytes_came = receipts.on_turn_end(stopwatch::now(), desk.presses_begun(), desk.commits());
  const bool committed = desk.commits() != std::exchange(commits_before, desk.commits());
  if (bytes_came || committed) show_again = true;
  if (committed) {
    setup.book.rest(false);
    if (own_loop) rest_at = at + calm_after;   // a replay has no calm: its time stands still meanwhile
  }
  if (show_again && at - shown_at >= view_every) show();
  if (stopping && channel->sessions() == 0) finish();
}

void emergency_service::impl::show() {
  show_again = false;
  shown_at = now();
  emergency_view fresh{desk.health(), channel->counts(), receipts.times()};
  std::lock_guard lock(shown_mutex);
  shown = std::move(fresh);
}

void emergency_service::impl::on_session_open(session_id id, const peer& who) {
  show_again = true;
  with_desk([&](desk_output& out) { desk.on_lane_open(now(), wall(), id, who, out); });
}

void emergency_service::impl::on_session_bytes(session_id id, byte_view data) {
  receipts.on_bytes(stopwatch::now());
  with_desk([&](desk_output& out) { desk.on_lane_bytes(now(), wall(), id, data, out); });
}

void emergency_service::impl::on_session_closed(session_id id) {
  show_again = true;
  with_desk([&](desk_output& out) { desk.on_lane_closed(now(), wall(), id, out); });
}

// ---- the guard centre

// The key of the account under which the line is supervised, if that is a home's: a strict centre refuses a plain NULL there.
std::string emergency_service::impl::null_key() const {
  if (!setup.guard || setup.guard->sender.null_account.empty()) return {};
  for (const auto& [home, account] : world->all.guards)
    if (account.account == setup.guard->sender.null_account) return account.key_hex;
  return {};
}

void emergency_service::impl::open_link() {
  link.reset();
  null_key_used = null_key();
  if (!setup.guard) return;
  auto settings = *setup.guard;
  settings.sender.null_key = cipher_of(null_key_used);
  link = std::make_unique<guard_link>(*loop, std::move(settings), setup.log, *this);
}

void emergency_service::impl::renew_link() {
  open_link();
  with_desk([&](desk_output& out) { desk.on_new_link(now(), wall(), setup.guard.has_value(), out); });
}

// Nothing: there is no key, or it is none.
const dc09::cipher* emergency_service::impl::cipher_of(const std::string& key_hex) {
  if (key_hex.empty()) return nullptr;
  auto& made = ciphers[key_hex];
  if (made) return made.get();
  const auto key = from_hex(key_hex);
  if (!key) return nullptr;
  if (auto cipher = make_dc09_cipher(*key)) made = std::move(*cipher);
  return made.get();
}

void emergency_service::impl::carry_out(guard_submit& a) {
  const auto account = world->all.guards.find(a.what.home);
  // An event of an account that is no longer the home's is never handed over.
  const std::string key_hex = account != world->all.guards.end() ? account->second.key_hex : std::string{};
  const auto* key = cipher_of(key_hex);
  const bool keyless = key == nullptr && !key_hex.empty();
  if (keyless) log.error("account_key_unusable", {{"home", static_cast<std::uint32_t>(a.what.home)}});
  status taken = fail(errc::refused);
  if (link && !keyless) taken = link->submit(outgoing_of(a.what, key));
  if (taken) return;
  post([this, event = a.what.id] {
    with_desk([&](desk_output& out) { desk.on_guard_not_taken(now(), wall(), event, out); });
  });
}

void emergency_service::impl::carry_out(guard_cancel& a) {
  if (link) link->cancel(static_cast<std::uint64_t>(a.id));
}

void emergency_service::impl::on_delivered(std::uint64_t id, std::size_t receiver, mono_time at) {
  with_desk([&](desk_output& out) { desk.on_guard_delivered(at, wall(), guard_event_id{id}, receiver, out); });
}

void emergency_service::impl::on_not_delivered(std::uint64_t id, dc09::not_delivered why) {
  with_desk([&](desk_output& out) { desk.on_guard_failed(now(), wall(), guard_event_id{id}, why, out); });
}

void emergency_service::impl::on_guard_link(dc09::link_state state, std::size_t receiver) {
  show_again = true;
  desk.on_guard_link(state, receiver);
}

void emergency_service::impl::on_guard_doubted(std::size_t) {
  show_again = true;
  desk.on_guard_doubted();
}

// ---- mails

void emergency_service::impl::open_mail() {
  if (!setup.mail.server) return mail.reset();
  if (mail) mail->change(*setup.mail.server);
  else mail = std::make_unique<smtp_worker>(*setup.mail.server);
}

void emergency_service::impl::carry_out(submit_emergency_mail& a) {
  const auto done_soon = [this](const emergency_mail_key& key, mail_result done) {
    post([this, key, done = std::move(done)] {
      with_desk([&](desk_output& out) { desk.on_mail_done(now(), wall(), key, done, out); });
    });
  };
  if (!mail) return done_soon(a.what.key, {mail_outcome::temporary, "no mail server is configured"});
  auto text = build_mail(content_of(a, setup.mail.from_name));
  if (!text) return done_soon(a.what.key, {mail_outcome::permanent, text.error().detail});
  loop->begin_work();
  mail->submit({.from = a.from_address, .to = a.to_address, .text = std::move(*text)},
               [this, key = a.what.key](mail_result done) {
                 loop->finish_work([this, key, done = std::move(done)] {
                   with_desk([&](desk_output& out) { desk.on_mail_done(now(), wall(), key, done, out); });
                 });
               });
}

void emergency_service::impl::carry_out(desk_output& actions) {
  for (auto& a : actions) std::visit([this](auto& what) { carry_out(what); }, a);
}

// ---- what main asks for

result<std::uint64_t> emergency_service::impl::begin(const emergency_request& what, desk_output& out) {
  const auto id_of = [](const auto& done, auto id) -> result<std::uint64_t> {
    if (!done) return std::unexpected(done.error());
    return static_cast<std::uint64_t>(id(*done));
  };
  if (const auto* drill = std::get_if<ask_drill>(&what))
    return id_of(desk.begin_drill(now(), wall(), drill->home, out), [](const drill_row& d) { return d.request; });
  if (const auto* test = std::get_if<ask_guard_test>(&what))
    return id_of(desk.begin_test(now(), wall(), test->home, out), [](const guard_event_row& e) { return e.id; });
  const auto& dispatch = std::get<ask_dispatch>(what);
  return id_of(desk.begin_dispatch(now(), wall(), {.home = dispatch.home, .who = dispatch.who, .reason = dispatch.reason,
                                                    .confirmed = true}, out),
               [](const dispatch_row& d) { return d.id; });
}

emergency_service::emergency_service(emergency_service_setup setup) : impl_(std::make_shared<impl>(std::move(setup))) {}
emergency_service::~emergency_service() { impl_->close(); }

status emergency_service::start() { return impl_->start(); }
endpoint emergency_service::local() const { return impl_->local; }
bool emergency_service::stopped() const { return impl_->is_stopped; }

void emergency_service::stop() {
  impl_->post([p = impl_.get()] {
    if (p->stopping) return;
    p->stopping = true;
    p->channel->stop_listening();
    p->with_desk([p](desk_output& out) { p->desk.on_stop(p->now(), p->wall(), out); });
  });
}

void emergency_service::use_world(std::shared_ptr<const known_world> world) {
  impl_->post([p = impl_.get(), world = std::move(world)]() mutable {
    p->world = world;
    p->with_desk([&](desk_output& out) { p->desk.on_directory(p->now(), p->wall(), std::move(world), out); });
    if (p->null_key() != p->null_key_used) p->renew_link();
  });
}

status emergency_service::use_keys(emergency_keys keys) {
  auto context = impl_->context_of(keys);
  if (!context) return std::unexpected(context.error());
  impl_->post([p = impl_.get(), context = std::move(*context), keys = std::move(keys)]() mutable {
    *p->tickets = keys.tickets;
    p->channel->use(std::move(context));
  });
  return {};
}

void emergency_service::use_tickets(ticket_keys tickets) {
  impl_->post([p = impl_.get(), tickets = std::move(tickets)] { *p->tickets = tickets; });
}

void emergency_service::use_guard(std::optional<guard_link_settings> settings) {
  impl_->post([p = impl_.get(), settings = std::move(settings)]() mutable {
    p->setup.guard = std::move(settings);
    p->renew_link();
  });
}

void emergency_service::use_mail(emergency_mail mail) {
  impl_->post([p = impl_.get(), mail = std::move(mail)]() mutable {
    p->setup.mail = std::move(mail);
    p->desk.change_mail_from(p->setup.mail.from);
    p->open_mail();
  });
}

void emergency_service::limit_lanes(std::size_t most) {
  impl_->post([p = impl_.get(), most] { p->channel->limit_connections(most); });
}

void emergency_service::tell_alert(const alert_key& key, bool open) {
  impl_->post([p = impl_.get(), key, open] {
    p->with_desk([&](desk_output& out) { p->desk.on_alert(p->now(), p->wall(), key, open, out); });
  });
}

void emergency_service::tell_alerts(std::set<alert_key> open) {
  impl_->post([p = impl_.get(), open = std::move(open)] {
    p->with_desk([&](desk_output& out) { p->desk.on_alerts(p->now(), p->wall(), open, out); });
  });
}

// Who asks has asked back: the port has no other way to say that it is meant.
void emergency_service::ask(emergency_request what, emergency_answer answer) {
  impl_->post([p = impl_.get(), what = std::move(what), answer = std::move(answer)] {
    auto done = p->with_desk([&](desk_output& out) { return p->begin(what, out); });
    p->setup.main.post([answer, done = std::move(done)] { answer(done); });
  });
}

emergency_view emergency_service::view() const {
  if (!impl_->own_loop) impl_->show();
  std::lock_guard lock(impl_->shown_mutex);
  return impl_->shown;
}

std::optional<mono_time> emergency_service::silent_since() {
  if (!impl_->own_loop || impl_->is_stopped) return std::nullopt;
  if (const mono_time asked = impl_->asked_alive; asked != never) return asked;
  impl_->asked_alive = impl_->setup.main.now();
  impl_->post([p = impl_.get()] { p->asked_alive = never; });
  return std::nullopt;
}

}  // namespace tomoshibi::relay
