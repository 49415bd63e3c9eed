#include "protocol/dc09/reply.hpp"

namespace tomoshibi::dc09 {
namespace {

reply not_believed(disbelief why, fault broken = {}) { return {verdict::not_believed, why, broken, millis{0}}; }

reply judge_nak(const frame& f, const sent_frame& out, wall_at wall) {
  // Most carry 0000 and no account; one that names either must name ours.
  if (f.sequence != 0 && f.sequence != out.sequence) return not_believed(disbelief::foreign_sequence);
  if (!f.account.empty() && f.account != out.account) return not_believed(disbelief::foreign_account);
  reply r{.is = verdict::refused};
  if (!f.stamp) return r;
  const millis offset = *f.stamp - wall;
  if (offset > offset_max || offset < -offset_max) return r;
  r.is = verdict::clock_wrong;
  r.offset = offset;
  return r;
}

std::optional<disbelief> foreign(const frame& f, const sent_frame& out) {
  if (f.sequence != out.sequence) return disbelief::foreign_sequence;
  if (f.account != out.account) return disbelief::foreign_account;
  if (f.receiver != out.receiver || f.line != out.line) return disbelief::foreign_prefix;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(verdict v) {
  switch (v) {
    case verdict::delivered: return "delivered";
    case verdict::clock_wrong: return "clock_wrong";
    case verdict::refused: return "refused";
    case verdict::cannot_process: return "cannot_process";
    case verdict::not_believed: return "not_believed";
  }
  return "?";
}

std::string_view name_of(disbelief d) {
  switch (d) {
    case disbelief::none: return "none";
    case disbelief::malformed: return "malformed";
    case disbelief::no_reply: return "no_reply";
    case disbelief::foreign_sequence: return "foreign_sequence";
    case disbelief::foreign_account: return "foreign_account";
    case disbelief::foreign_prefix: return "foreign_prefix";
    case disbelief::not_encrypted: return "not_encrypted";
    case disbelief::stale: return "stale";
  }
  return "?";
}

reply judge_reply(std::string_view whole, const sent_frame& out, const cipher* key, wall_at wall, millis correction) {
  const auto read = read_frame(whole, key);
  if (!read) return not_believed(disbelief::malformed, read.error());
  const frame& f = *read;
  if (f.id == token::nak) return judge_nak(f, out, wall);
  if (f.id != token::ack && f.id != token::duh) return not_believed(disbelief::no_reply);
  if (const auto why = foreign(f, out)) return not_believed(*why);
  if (f.id == token::duh) return {.is = verdict::cannot_process};
  if (out.encrypted && !f.encrypted) return not_believed(disbelief::not_encrypted);
  if (!f.data.empty()) return not_believed(disbelief::malformed, fault::form);
  const wall_at now = wall + correction;
  if (f.stamp && (*f.stamp < now - late_max || *f.stamp > now + ahead_max)) return not_believed(disbelief::stale);
  return {.is = verdict::delivered};
}

}  // namespace tomoshibi::dc09
