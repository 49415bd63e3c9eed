#include "protocol/dc09/sender.hpp"

#include "protocol/base/check.hpp"
#include "protocol/dc09/stamp.hpp"

#include <algorithm>
#include <array>

namespace tomoshibi::dc09 {
namespace {

constexpr millis retry_pause = 500ms;         // after a refusal or a reset, so that neither becomes a storm
constexpr unsigned corrections_max = 2;       // by NAKs in a row: a second one may say what a slow line made of the first
constexpr std::uint64_t null_id = 0;           // for what is unanswered; an event 0 of the owner's costs a connection at most
constexpr std::size_t random_bytes_max = 256;

unsigned bit(std::size_t receiver) { return 1u << receiver; }

}  // namespace

std::string_view name_of(not_delivered why) {
  switch (why) {
    case not_delivered::given_up: return "given_up";
    case not_delivered::refused: return "refused";
    case not_delivered::cannot_write: return "cannot_write";
  }
  return "?";
}

sender::sender(sender_settings settings) : settings_(std::move(settings)), pause_(settings_.pause_min) {
  TOMO_REQUIRE(settings_.patience_max >= 1);
  TOMO_REQUIRE(!settings_.receivers.empty() && settings_.receivers.size() <= receivers_max);
  for (const receiver_settings& r : settings_.receivers)
    TOMO_REQUIRE(r.padding_min >= 1 && r.padding_min + block_bytes <= random_bytes_max);
  offset_.resize(settings_.receivers.size());
}

// ---- what comes in

status sender::submit(mono_time now, wall_at wall, outgoing event, sender_output& out) {
  if (events_.size() >= events_waiting_max) return fail(errc::refused, "too many events wait for the guard centre");
  if (event.urgent) make_way(now);
  expires_ = std::min(expires_, event.give_up_at);
  events_.push_back({std::move(event), 0});
  go_on(now, wall, out);
  return {};
}

// What cannot wait ends a pause, and shortens the patience with a frame of less importance.
void sender::make_way(mono_time now) {
  if (!flight_) {
    not_before_ = now;
    pause_ = settings_.pause_min;
    return;
  }
  const waiting_event* e = flight_->null ? nullptr : find(flight_->id);
  if (e == nullptr || !e->what.urgent) deadline_ = std::min(deadline_, now + settings_.overtaken_after);
}

bool sender::urgent_waits() const {
  return std::ranges::any_of(events_, [](const waiting_event& e) { return e.what.urgent; });
}

bool sender::cancel(std::uint64_t id) {
  if (find(id) == nullptr) return false;
  erase(id);
  return true;
}

void sender::on_connected(mono_time now, wall_at wall, std::uint64_t connection, sender_output& out) {
  if (connection != connection_ || line_ != line::connecting) return;
  line_ = line::open;
  deadline_ = never;
  heard_at_ = now;
  unanswered_.reset();
  splitter_ = {};
  go_on(now, wall, out);
}

void sender::on_bytes(mono_time now, wall_at wall, std::uint64_t connection, byte_view data, sender_output& out) {
  while (connection == connection_ && line_ == line::open) {
    const auto found = splitter_.next(data);
    if (!found) break;
    on_frame(now, wall, *found, out);
    if (doubts_ > doubts_max) break;
  }
  const bool noise = splitter_.junk() > junk_bytes_max || doubts_ > doubts_max;
  if (connection == connection_ && line_ == line::open && noise) {
    doubts_ = 0;
    drop_line(out);
    failed_try(now, retry_pause, out);
  }
  go_on(now, wall, out);
}

void sender::on_closed(mono_time now, wall_at wall, std::uint64_t connection, sender_output& out) {
  if (connection != connection_ || line_ == line::none) return;
  const bool never_opened = line_ == line::connecting;
  line_ = line::none;
  deadline_ = never;
  if (never_opened) give_up_receiver(now, out);
  // An answer that was under way when the line went is the first failure, tried again at once: lines do go when idle.
  else if (flight_) failed_try(now, tries_ == 0 ? 0ms : retry_pause, out);
  else if (settings_.null_interval > 0ms) null_at_ = std::min(null_at_, now + settings_.pause_min);
  go_on(now, wall, out);
}

void sender::on_wake(mono_time now, wall_at wall, sender_output& out) { go_on(now, wall, out); }

mono_time sender::next_wake() const {
  mono_time next = expires_;
  if (flight_ || line_ == line::connecting) return std::min(next, deadline_);
  const mono_time wanted = !events_.empty() ? mono_time::min() : settings_.null_interval > 0ms ? null_at_ : never;
  return std::min(next, std::max(wanted, not_before_));
}

// ---- what goes out

void sender::go_on(mono_time now, wall_at wall, sender_output& out) {
  expire(now, out);
  check_deadline(now, out);
  // Only an event that cannot be written leaves nothing in flight: each turn sends, connects, or loses one.
  while (!flight_ && line_ != line::connecting && now >= not_before_ && choose_receiver(now, out)) {
    const waiting_event* e = best_for(current_);
    if (line_ == line::open && ambiguous(e)) drop_line(out);
    if (line_ == line::none) return connect(now, out);
    if (e != nullptr) send_event(now, wall, outgoing{e->what}, out);
    else send_null(now, wall, out);
  }
}

void sender::expire(mono_time now, sender_output& out) {
  if (now < expires_) return;
  expires_ = never;
  std::vector<std::uint64_t> over;
  for (const waiting_event& e : events_) {
    if (e.what.give_up_at <= now) over.push_back(e.what.id);
    else expires_ = std::min(expires_, e.what.give_up_at);
  }
  for (const std::uint64_t id : over) {
    out.actions.emplace_back(sender_output::failed{id, not_delivered::given_up});
    erase(id);
  }
}

void sender::check_deadline(mono_time now, sender_output& out) {
  if (now < deadline_) return;
  if (line_ == line::connecting) give_up_receiver(now, out);
  else if (flight_) {
    if (written_at_ - heard_at_ >= settings_.line_trusted) drop_line(out);
    failed_try(now, 0ms, out);
  }
}

bool sender::ambiguous(const waiting_event* next) const {
  return unanswered_ && *unanswered_ != (next != nullptr ? next->what.id : null_id);
}

bool sender::null_due(mono_time now) const { return settings_.null_interval > 0ms && now >= null_at_; }

sender::waiting_event* sender::best_for(std::size_t receiver) {
  waiting_event* best = nullptr;
  for (waiting_event& e : events_) {
    if ((e.refused_by & bit(receiver)) != 0) continue;
    if (e.what.urgent) return &e;
    if (best == nullptr) best = &e;
  }
  return best;
}

sender::waiting_event* sender::find(std::uint64_t id) {
  const auto at = std::ranges::find_if(events_, [id](const waiting_event& e) { return e.what.id == id; });
  return at == events_.end() ? nullptr : &*at;
}

// Stays where it is as long as there is something for it; leaves it for what it has refused only when nothing else waits.
bool sender::choose_receiver(mono_time now, sender_output& out) {
  if (events_.empty() && !null_due(now)) return false;
  if (current_ != 0 && now >= first_again_at_ && !urgent_waits()) use(0, out);   // what cannot wait takes the line that stands
  if (best_for(current_) != nullptr || events_.empty()) return true;
  for (std::size_t k = 0; k < settings_.receivers.size(); ++k)
    if (best_for(k) != nullptr) {
      use(k, out);
      return true;
    }
  return false;
}

void sender::use(std::size_t receiver, sender_output& out) {
  if (receiver == current_) return;
  drop_line(out);
  current_ = receiver;
  tries_ = 0;
  corrections_ = 0;
  if (receiver == 0) first_again_at_ = never;
}

void sender::connect(mono_time now, sender_output& out) {
  line_ = line::connecting;
  ++connection_;
  deadline_ = now + patience_ * settings_.connect_timeout;
  out.actions.emplace_back(sender_output::connect_to{current_, connection_});
}

void sender::send_event(mono_time now, wall_at wall, const outgoing& e, sender_output& out) {
  const receiver_settings& to = settings_.receivers[current_];
  frame f{.id = to.format, .encrypted = e.key != nullptr, .sequence = e.sequence, .receiver = to.receiver, .line = to.line,
          .account = e.account};
  auto data = write_content(f.id, e.account, e.what);
  if (!data && data.error() == fault::no_code) {
    f.id = token::adm_cid;
    data = write_content(f.id, e.account, e.what);
  }
  if (data) f.data = std::move(*data);          // empty: put_out() refuses the frame
  if (e.occurred && to.extensions) f.extensions.push_back({'H', write_stamp(*e.occurred)});
  if (!e.reference.empty() && to.extensions) f.extensions.push_back({'I', e.reference});
  f.stamp = std::chrono::floor<std::chrono::seconds>(wall + offset_[current_]);
  put_out(now, f, {.null = false, .id = e.id, .sent = {}, .key = e.key}, out);
}

void sender::send_null(mono_time now, wall_at wall, sender_output& out) {
  const receiver_settings& to = settings_.receivers[current_];
  const frame f{.id = token::null, .encrypted = settings_.null_key != nullptr, .sequence = 0, .receiver = to.receiver,
                .line = to.line, .account = settings_.null_account, .data = {}, .extensions = {},
                .stamp = std::chrono::floor<std::chrono::seconds>(wall + offset_[current_])};
  put_out(now, f, {.null = true, .id = 0, .sent = {}, .key = settings_.null_key}, out);
}

void sender::put_out(mono_time now, const frame& f, in_flight what, sender_output& out) {
  std::array<std::uint8_t, random_bytes_max> random{};
  if (what.key != nullptr) {
    TOMO_REQUIRE(settings_.random);
    settings_.random(random);
  }
  auto whole = write_frame(f, {what.key, random, settings_.receivers[current_].padding_min});
  if (!whole) {
    TOMO_REQUIRE(!what.null);                   // the settings' own fault: an account that is none
    out.actions.emplace_back(sender_output::failed{what.id, not_delivered::cannot_write});
    return erase(what.id);
  }
  what.sent = {f.encrypted, f.sequence, f.receiver, f.line, f.account};
  unanswered_ = what.null ? null_id : what.id;
  flight_ = std::move(what);
  doubts_ = 0;
  written_at_ = now;
  deadline_ = now + patience_ * settings_.answer_timeout;
  out.actions.emplace_back(sender_output::write{connection_, std::move(*whole)});
}

// ---- answers

void sender::on_frame(mono_time now, wall_at wall, const read_result<std::string_view>& found, sender_output& out) {
  if (!flight_) return;                         // late, or twice
  const reply r = found ? judge_reply(*found, flight_->sent, flight_->key, wall, offset_[current_])
                        : reply{verdict::not_believed, disbelief::malformed, found.error(), 0ms};
  if (r.is != verdict::delivered) {
    out.actions.emplace_back(sender_output::doubted{current_, r});
    ++doubts_;
  }
  on_reply(now, r, out);
}

void sender::on_reply(mono_time now, const reply& r, sender_output& out) {
  switch (r.is) {
    case verdict::not_believed: return;         // the time for the answer goes on
    case verdict::clock_wrong:
    case verdict::refused: return on_nak(now, r, out);
    case verdict::cannot_process:
      on_duh(out);
      return answered(now, out);
    case verdict::delivered:
      if (!flight_->null && find(flight_->id) != nullptr) {
        out.actions.emplace_back(sender_output::delivered{flight_->id, current_, now});
        erase(flight_->id);
      }
      return answered(now, out);
  }
}

void sender::on_nak(mono_time now, const reply& r, sender_output& out) {
  if (r.is == verdict::clock_wrong) {
    offset_[current_] = r.offset;
    if (++corrections_ <= corrections_max) {
      flight_.reset();                          // the same frame goes out again, with a better time
      deadline_ = never;
      return;
    }
  }
  // Receivers that do not know NULL answer it so: the line lives.
  if (flight_->null) return answered(now, out);
  failed_try(now, retry_pause, out);
}

void sender::on_duh(sender_output& out) {
  waiting_event* e = flight_->null ? nullptr : find(flight_->id);
  if (e == nullptr) return;
  e->refused_by |= bit(current_);
  if (e->refused_by != bit(settings_.receivers.size()) - 1) return;
  const std::uint64_t id = e->what.id;
  out.actions.emplace_back(sender_output::failed{id, not_delivered::refused});
  erase(id);
}

void sender::answered(mono_time now, sender_output& out) {
  flight_.reset();
  deadline_ = never;
  tries_ = 0;
  corrections_ = 0;
  visited_ = 0;
  pause_ = settings_.pause_min;
  unanswered_.reset();
  heard_at_ = now;
  if (now - written_at_ <= settings_.answer_timeout) patience_ = 1;
  if (settings_.null_interval > 0ms) null_at_ = now + settings_.null_interval;
  set_link(link_state::up, out);
}

// ---- failures

void sender::failed_try(mono_time now, millis pause, sender_output& out) {
  flight_.reset();
  deadline_ = never;
  not_before_ = now + pause;
  if (++tries_ >= settings_.tries_max) give_up_receiver(now, out);
}

void sender::give_up_receiver(mono_time now, sender_output& out) {
  drop_line(out);
  tries_ = 0;
  corrections_ = 0;
  current_ = (current_ + 1) % settings_.receivers.size();
  first_again_at_ = current_ == 0 ? never : now + settings_.prefer_first_after;
  not_before_ = now;
  if (++visited_ < settings_.receivers.size()) return;
  visited_ = 0;
  not_before_ = now + (urgent_waits() ? std::min(pause_, settings_.pause_urgent_max) : pause_);
  pause_ = std::min(2 * pause_, settings_.pause_max);
  patience_ = std::min(2 * patience_, settings_.patience_max);
  set_link(link_state::down, out);
}

void sender::drop_line(sender_output& out) {
  if (line_ != line::none) out.actions.emplace_back(sender_output::close{connection_});
  line_ = line::none;
  flight_.reset();
  deadline_ = never;
}

void sender::set_link(link_state now, sender_output& out) {
  if (link_ == now && (now != link_state::up || link_receiver_ == current_)) return;
  link_ = now;
  link_receiver_ = current_;
  out.actions.emplace_back(sender_output::link{now, current_});
}

void sender::erase(std::uint64_t id) {
  if (flight_ && !flight_->null && flight_->id == id) {
    flight_.reset();
    deadline_ = never;
  }
  std::erase_if(events_, [id](const waiting_event& e) { return e.what.id == id; });
}

}  // namespace tomoshibi::dc09
