#include "tools/guard.d/core/centre.hpp"

#include "protocol/base/check.hpp"
#include "protocol/dc09/stamp.hpp"

#include <algorithm>
#include <array>

namespace tomoshibi::guard {
namespace {

using dc09::fault;
using dc09::frame;
using dc09::token;

std::string write_plain(const frame& f) {
  auto whole = dc09::write_frame(f);
  TOMO_REQUIRE(whole.has_value());   // made of parts that were read
  return std::move(*whole);
}

std::string nak_at(wall_at wall) {
  frame f{.id = token::nak, .sequence = 0, .receiver = "0", .line = "0"};
  f.stamp = std::chrono::floor<std::chrono::seconds>(wall);
  return write_plain(f);
}

frame reply_head(const frame& to, token id) {
  return {.id = id, .encrypted = false, .sequence = to.sequence, .receiver = to.receiver, .line = to.line, .account = to.account};
}

// Damage that a sender mends by repeating; a receiver says nothing to it.
bool is_damage(fault f) {
  return f == fault::no_start || f == fault::no_end || f == fault::too_long || f == fault::crc || f == fault::length;
}

}  // namespace

centre::centre(centre_settings settings) : settings_(std::move(settings)) {}

void centre::restore(entry e, mono_time now) {
  e.first_mono = e.last_mono = now;
  last_entry_ = std::max(last_entry_, e.number);
  if (entries_.size() >= entries_max) entries_.pop_front();
  entries_.push_back(std::move(e));
}

void centre::on_open(std::uint64_t connection) {
  if (connections_.size() < connections_max) connections_.emplace(connection, dc09::splitter{});
}

void centre::on_closed(std::uint64_t connection) {
  connections_.erase(connection);
  std::erase_if(later_, [connection](const auto& l) { return l.second.connection == connection; });
}

void centre::on_bytes(mono_time now, wall_at wall, std::uint64_t connection, byte_view data, centre_output& out) {
  for (;;) {
    const auto open = connections_.find(connection);
    if (open == connections_.end()) return;
    const auto found = open->second.next(data);
    if (!found) break;
    if (!*found) out.actions.emplace_back(centre_output::refused{connection, "", name_of(found->error())});
    else on_frame(now, wall, connection, std::string(**found), out);
  }
  if (connections_.find(connection)->second.junk() <= dc09::junk_bytes_max) return;
  out.actions.emplace_back(centre_output::refused{connection, "", "too much that is no frame"});
  out.actions.emplace_back(centre_output::reset{connection});
  on_closed(connection);
}

void centre::on_wake(mono_time now, centre_output& out) {
  while (!later_.empty() && later_.begin()->first <= now) {
    out.actions.emplace_back(centre_output::send{later_.begin()->second.connection, std::move(later_.begin()->second.data)});
    later_.erase(later_.begin());
  }
  look_for_lost(now, out);
}

mono_time centre::next_wake() const { return later_.empty() ? look_at_ : std::min(look_at_, later_.begin()->first); }

// ---- supervision

void centre::heard(mono_time now, const std::string& number, centre_output& out) {
  if (settings_.supervise == 0ms) return;
  caller& c = callers_[number];
  if (c.lost) out.actions.emplace_back(centre_output::back{number});
  c = {now, false};
  look_at_ = std::min(look_at_, now + settings_.supervise);
}

void centre::look_for_lost(mono_time now, centre_output& out) {
  if (now < look_at_) return;
  look_at_ = never;
  for (auto& [number, c] : callers_) {
    if (c.lost) continue;
    if (now - c.last >= settings_.supervise) {
      c.lost = true;
      out.actions.emplace_back(centre_output::lost{number});
    } else {
      look_at_ = std::min(look_at_, c.last + settings_.supervise);
    }
  }
}

const entry* centre::find(std::uint64_t number) const {
  const auto at = std::ranges::find(entries_, number, &entry::number);
  return at == entries_.end() ? nullptr : &*at;
}

const account* centre::account_of(const std::string& number) const {
  const auto at = std::ranges::find(settings_.accounts, number, &account::number);
  return at == settings_.accounts.end() ? nullptr : &*at;
}

// ---- one frame

void centre::refuse(wall_at wall, std::uint64_t connection, const frame& head, std::string_view why, token with,
                    centre_output& out) {
  out.actions.emplace_back(centre_output::refused{connection, head.account, why});
  if (with == token::rsp) return;                         // silence
  std::string data = with == token::nak ? nak_at(wall) : write_plain(reply_head(head, with));
  out.actions.emplace_back(centre_output::send{connection, std::move(data)});
}

void centre::on_frame(mono_time now, wall_at wall, std::uint64_t connection, std::string_view whole, centre_output& out) {
  const auto envelope = dc09::read_envelope(whole);
  if (!envelope) return refuse(wall, connection, {}, name_of(envelope.error()), is_damage(envelope.error()) ? token::rsp : token::nak, out);
  const frame& head = envelope->head;
  if (head.id != token::null && head.id != token::adm_cid && head.id != token::sia_dcs)
    return refuse(wall, connection, head, "id of an answer", token::duh, out);
  const account* who = account_of(head.account);
  if (who == nullptr) return refuse(wall, connection, head, "unknown account", token::duh, out);
  if (who->key != nullptr && !head.encrypted) return refuse(wall, connection, head, name_of(fault::not_encrypted), token::nak, out);
  const auto body = dc09::read_body(*envelope, who->key.get());
  if (!body) return refuse(wall, connection, head, name_of(body.error()), token::nak, out);
  if (!in_time(*body, wall)) return refuse(wall, connection, head, "out of time", token::nak, out);
  on_readable(now, wall, connection, *body, *who, out);
}

bool centre::in_time(const frame& f, wall_at wall) const {
  if (!f.stamp || (!f.encrypted && !settings_.judge_plain_time)) return true;
  return *f.stamp >= wall - settings_.late_max && *f.stamp <= wall + settings_.ahead_max;
}

void centre::on_readable(mono_time now, wall_at wall, std::uint64_t connection, const frame& f, const account& who,
                         centre_output& out) {
  std::optional<dc09::content> said;
  if (f.id != token::null) {
    const auto read = dc09::read_content(f);
    if (!read)
      return refuse(wall, connection, f, name_of(read.error()), read.error() == fault::foreign_account ? token::nak : token::duh, out);
    if (!read->what) return refuse(wall, connection, f, "unknown event", token::duh, out);
    said = *read;
  }
  const order how = script_.next();
  if (how.with == answer::deaf || how.with == answer::nak || how.with == answer::duh) {
    const token with = how.with == answer::nak ? token::nak : how.with == answer::duh ? token::duh : token::rsp;
    return refuse(wall, connection, f, "on command", with, out);
  }
  heard(now, f.account, out);
  if (said) book(now, wall, f, *said, out);
  else out.actions.emplace_back(centre_output::linked{f.account});
  answer(now, wall, connection, f, who, how, out);
}

// ---- the list

// The same press by another path has another number and perhaps another format, but the same reference.
entry* centre::known(mono_time now, const frame& f, const dc09::content& said, const std::string& reference) {
  const auto same = [&](const entry& e) {
    if (e.account != f.account || e.what != *said.what || e.how != said.how || e.reference != reference) return false;
    return !reference.empty() || (e.sequence == f.sequence && e.data == f.data && now - e.last_mono <= settings_.window);
  };
  const auto at = std::find_if(entries_.rbegin(), entries_.rend(), same);
  return at == entries_.rend() ? nullptr : &*at;
}

void centre::book(mono_time now, wall_at wall, const frame& f, const dc09::content& said, centre_output& out) {
  const dc09::extension* text = f.find('I');
  const dc09::extension* time = f.find('H');
  const std::string reference = text == nullptr ? "" : text->text;
  if (entry* e = known(now, f, said, reference)) {
    ++e->repeats;
    e->last = wall;
    e->last_mono = now;
    out.actions.emplace_back(centre_output::repeated{e->number});
    return;
  }
  if (entries_.size() >= entries_max) entries_.pop_front();
  entry e;
  e.number = ++last_entry_;
  e.account = f.account;
  e.code = said.code;
  e.what = *said.what;
  e.how = said.how;
  e.partition = said.partition;
  e.zone = said.zone;
  e.sequence = f.sequence;
  if (time != nullptr) e.occurred = dc09::read_stamp(time->text);
  e.reference = reference;
  e.encrypted = f.encrypted;
  e.test = dc09::is_test(e.what);
  e.first = e.last = wall;
  e.first_mono = e.last_mono = now;
  e.data = f.data;
  out.actions.emplace_back(centre_output::booked{e.number});
  entries_.push_back(std::move(e));
}

// ---- answers

std::string centre::answer_to(const frame& f, const account& who, token id, wall_at wall) const {
  frame r = reply_head(f, id);
  if (!f.encrypted) return write_plain(r);
  r.encrypted = true;
  r.stamp = std::chrono::floor<std::chrono::seconds>(wall);
  std::array<std::uint8_t, dc09::padding_bytes + dc09::block_bytes> random{};
  settings_.random(random);
  auto whole = dc09::write_frame(r, {who.key.get(), random});
  TOMO_REQUIRE(whole.has_value());
  return std::move(*whole);
}

void centre::answer(mono_time now, wall_at wall, std::uint64_t connection, const frame& f, const account& who,
                    const order& how, centre_output& out) {
  const auto say = [&out, connection](std::string data) { out.actions.emplace_back(centre_output::send{connection, std::move(data)}); };
  frame other = f;
  switch (how.with) {
    case answer::proper: return say(answer_to(f, who, token::ack, wall));
    case answer::silence: return;
    case answer::die: out.actions.emplace_back(centre_output::end{}); return;
    case answer::delay: later_.emplace(now + how.delay, later{connection, answer_to(f, who, token::ack, wall + how.delay)}); return;
    case answer::duplicate:
      say(answer_to(f, who, token::ack, wall));
      return say(answer_to(f, who, token::ack, wall));
    case answer::wrong_sequence:
      other.sequence = dc09::next_sequence(f.sequence);
      return say(answer_to(other, who, token::ack, wall));
    case answer::wrong_account:
      other.account = f.account == "FFF" ? "FFE" : "FFF";
      return say(answer_to(other, who, token::ack, wall));
    case answer::bad_crc: {
      std::string data = answer_to(f, who, token::ack, wall);
      data[1] = data[1] == '0' ? '1' : '0';
      return say(std::move(data));
    }
    case answer::stale: {
      if (f.encrypted) return say(answer_to(f, who, token::ack, wall - 1h));
      frame r = reply_head(f, token::ack);
      r.stamp = std::chrono::floor<std::chrono::seconds>(wall - 1h);
      return say(write_plain(r));
    }
    case answer::reset: {
      const std::string data = answer_to(f, who, token::ack, wall);
      say(data.substr(0, data.size() / 2));
      out.actions.emplace_back(centre_output::reset{connection});
      return on_closed(connection);
    }
    case answer::slow: {
      mono_time at = now;
      for (const char c : answer_to(f, who, token::ack, wall)) later_.emplace(at += how.delay, later{connection, {c}});
      return;
    }
    case answer::unframed: return say("\"NAK\"\r\n");
    case answer::nak: case answer::duh: case answer::deaf: return;   // refused before
  }
}

std::string words_of(const entry& e) {
  std::string out{dc09::words_of(e.what)};
  if (e.how == dc09::edge::restored) out += ": restored";
  if (e.how == dc09::edge::still) out += ": still so";
  return out;
}

}  // namespace tomoshibi::guard
