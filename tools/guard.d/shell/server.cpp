#include "tools/guard.d/shell/server.hpp"

#include "protocol/adapters/pki.hpp"

#include <cstdlib>

namespace tomoshibi::guard {
namespace {

constexpr std::string_view help_text =
    "misbehave after=N answer=KIND count=N delay=MS   do wrong; see --help\n"
    "clear                                            behave again\n"
    "list                                             the operator's list\n"
    "quit                                             end\n";

std::string clock_text(wall_at at) { return iso_text(at).substr(11, 12); }

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

struct server::connection final : tls_stream_events {
  connection(server& s, std::uint64_t n) : owner(s), number(n), idle(s.loop_) { wait(); }
  void on_open(const tls_peer&) override {}
  void on_bytes(byte_view data) override {
    wait();
    owner.on_bytes(number, data);
  }
  void on_closed(const error&) override { owner.on_closed(number); }
  void wait() {
    if (owner.settings_.idle_max > 0ms) idle.set_after(owner.settings_.idle_max, [this] { owner.on_closed(number); });
  }
  server& owner;
  std::uint64_t number;
  loop_timer idle;
  std::unique_ptr<plain_stream> plain;
  std::unique_ptr<tls_stream> secure;
};

server::server(event_loop& loop, server_settings settings)
    : loop_(loop), settings_(std::move(settings)), centre_(settings_.centre) {}

server::~server() { loop_.remove(*this); }

result<std::unique_ptr<server>> server::open(event_loop& loop, server_settings settings) {
  std::unique_ptr<server> out{new server(loop, std::move(settings))};
  if (auto started = out->start(); !started) return std::unexpected(started.error());
  loop.add(*out);
  return out;
}

status server::start() {
  const wall_at wall = loop_.wall().at;
  for (const order& o : settings_.orders)
    if (auto added = centre_.misbehaviour().add(o); !added) return added;
  if (!settings_.journal_path.empty()) {
    std::vector<entry> restored;
    auto opened = journal::open(settings_.journal_path, restored);
    if (!opened) return std::unexpected(opened.error());
    journal_ = std::move(*opened);
    for (entry& e : restored) centre_.restore(std::move(e), loop_.now());
  }
  if (settings_.tcp) {
    auto opened = plain_listener::open(loop_, *settings_.tcp, [this](std::unique_ptr<plain_stream> s) { on_plain(std::move(s)); });
    if (!opened) return std::unexpected(opened.error());
    tcp_ = std::move(*opened);
    show("listening: TCP " + tcp_at().address + " port " + std::to_string(tcp_at().port));
    must(journal_.listening(wall, "tcp", tcp_at().port));
  }
  if (settings_.tls) {
    if (!settings_.identity) return fail(errc::config_invalid, "TLS wants --certificate, --key and --ca");
    auto context = make_tls_server(*settings_.identity, [this] { return std::optional{loop_.wall().at}; });
    if (!context) return std::unexpected(context.error());
    auto opened = tls_listener::open(loop_, *context, *settings_.tls, [this](std::unique_ptr<tls_stream> s) { on_tls(std::move(s)); });
    if (!opened) return std::unexpected(opened.error());
    tls_ = std::move(*opened);
    show("listening: TLS " + tls_at().address + " port " + std::to_string(tls_at().port));
    must(journal_.listening(wall, "tls", tls_at().port));
  }
  return {};
}

// ---- connections

std::uint64_t server::add() {
  const std::uint64_t n = ++last_connection_;
  connections_.emplace(n, std::make_unique<connection>(*this, n));
  centre_.on_open(n);
  return n;
}

void server::on_plain(std::unique_ptr<plain_stream> stream) {
  if (connections_.size() >= connections_max) return;   // dropped: the caller tries again
  connection& c = *connections_.at(add());
  c.plain = std::move(stream);
  c.plain->start(c);
}

void server::on_tls(std::unique_ptr<tls_stream> stream) {
  if (connections_.size() >= connections_max) return;
  connection& c = *connections_.at(add());
  c.secure = std::move(stream);
  c.secure->start(c);
}

void server::on_bytes(std::uint64_t n, byte_view data) {
  centre_output out;
  centre_.on_bytes(loop_.now(), loop_.wall().at, n, data, out);
  perform(out);
}

void server::on_closed(std::uint64_t n) {
  centre_.on_closed(n);
  connections_.erase(n);
}

void server::on_wake(mono_time now) {
  centre_output out;
  centre_.on_wake(now, out);
  perform(out);
}

void server::send(std::uint64_t n, std::string_view data) {
  const auto c = connections_.find(n);
  if (c == connections_.end()) return;
  const status sent = c->second->plain ? c->second->plain->send(as_bytes(data)) : c->second->secure->send(as_bytes(data));
  (void)sent;   // a line that is gone says so by itself; the sender repeats
}

// ---- what the centre decided, in its order: a booking is on disk before its answer leaves

void server::perform(centre_output& out) {
  const wall_at wall = loop_.wall().at;
  for (const auto& a : out.actions) {
    if (const auto* s = std::get_if<centre_output::send>(&a)) send(s->connection, s->data);
    if (const auto* r = std::get_if<centre_output::reset>(&a)) {
      if (const auto c = connections_.find(r->connection); c != connections_.end() && c->second->plain) c->second->plain->reset();
      connections_.erase(r->connection);
    }
    if (const auto* b = std::get_if<centre_output::booked>(&a)) {
      const entry& e = *centre_.find(b->entry);
      must(journal_.booked(e));
      show(line_of(e));
    }
    if (const auto* r = std::get_if<centre_output::repeated>(&a)) {
      const entry& e = *centre_.find(r->entry);
      must(journal_.repeated(e));
      show(clock_text(e.last) + "  again    " + line_of(e));
    }
    if (const auto* l = std::get_if<centre_output::linked>(&a)) must(journal_.told(wall, "linked", l->account));
    if (const auto* l = std::get_if<centre_output::lost>(&a)) {
      must(journal_.told(wall, "lost", l->account));
      show(clock_text(wall) + "  LOST     account " + l->account + " has not been heard of");
    }
    if (const auto* b = std::get_if<centre_output::back>(&a)) {
      must(journal_.told(wall, "back", b->account));
      show(clock_text(wall) + "  back     account " + b->account);
    }
    if (std::holds_alternative<centre_output::end>(a)) std::_Exit(137);
    if (const auto* r = std::get_if<centre_output::refused>(&a)) {
      must(journal_.refused(wall, r->account, r->why));
      show(clock_text(wall) + "  refused  account " + (r->account.empty() ? "?" : r->account) + ": " + std::string(r->why));
    }
  }
}

void server::must(status done) {
  if (done) return;
  std::fprintf(stderr, "tomoshibi-guard: %s: nothing more is acknowledged\n", done.error().detail.c_str());
  std::exit(1);
}

// ---- the operator

void server::show(const std::string& text) {
  if (settings_.terminal == nullptr) return;
  std::fprintf(settings_.terminal, "%s\n", text.c_str());
  std::fflush(settings_.terminal);
}

std::string server::line_of(const entry& e) const {
  std::string name;
  for (const account& a : settings_.centre.accounts)
    if (a.number == e.account) name = a.name;
  std::string out = clock_text(e.first) + (e.test ? "  TEST  " : "  REAL  ") + padded('#' + std::to_string(e.number), 6) +
                    padded(e.account, 17) + padded(name, 20) + ' ' + words_of(e) + " (partition " + std::to_string(e.partition) +
                    ", zone " + std::to_string(e.zone) + ')';
  if (e.occurred)
    // Whole seconds are all that a frame tells.
    out += ", occurred " + iso_text(*e.occurred).substr(0, 19) + "Z (" +
           std::to_string(std::chrono::floor<std::chrono::seconds>(e.first - *e.occurred).count()) + " s before)";
  if (!e.reference.empty()) out += ", " + e.reference;
  if (e.repeats > 0) out += ", heard " + std::to_string(e.repeats + 1) + " times";
  return out;
}

std::string server::on_command(std::string_view line) {
  if (line == "list") {
    std::string out;
    for (const entry& e : centre_.entries()) out += line_of(e) + '\n';
    return out.empty() ? "nothing has been booked\n" : out;
  }
  if (line == "clear") {
    centre_.misbehaviour().clear();
    return "behaving\n";
  }
  if (line == "quit") {
    loop_.stop();
    return "";
  }
  if (!line.starts_with("misbehave ")) return std::string(help_text);
  const auto read = parse_order(line.substr(10));
  const status added = read ? centre_.misbehaviour().add(*read) : status{std::unexpected(read.error())};
  return added ? "so ordered\n" : added.error().detail + '\n';
}

}  // namespace tomoshibi::guard
