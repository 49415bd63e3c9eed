#include "relay/ctl/emergency_data.hpp"
#include "relay/ctl/home_data.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"
#include "relay/shell/store_values.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

status delete_rows(sqlite_db& db, home_id home) {
  for (const home_table& t : home_tables()) {
    auto s = db.prepare("DELETE FROM " + std::string(t.name) + " WHERE " + std::string(t.of_home));
    if (!s) return std::unexpected(s.error());
    if (auto ok = s->bind(1, relay::number(home)).run(); !ok) return ok;
  }
  return {};
}

// Deleted rows are zeroed as they go (secure_delete); what pages kept of rows that moved within them goes when the file is
// written anew; what the WAL holds goes with its truncation.
status scrub(sqlite_db& db) {
  if (auto ok = db.exec("VACUUM"); !ok) return ok;
  return db.checkpoint();
}

status erase(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  const auto h = r->find_home(c.text("HOME"));
  if (!h) return std::unexpected(h.error());
  const std::string id = shown(h->id);
  if (!c.has("--yes"))
    return fail(errc::refused, "this deletes everything about home " + id +
                                   ", for ever: people, appliances, slots, alerts, mails. Keep a copy with 'export " + id +
                                   " FOLDER'. If you mean it, add --yes");
  if (auto ok = erase_from_emergency_book(c, h->id); !ok) return ok;
  if (auto ok = change(c, *r, [&]() -> status { return delete_rows(r->db(), h->id); }); !ok) return ok;
  if (auto ok = scrub(r->db()); !ok)
    return fail(ok.error().code, "home " + id + " is deleted, but the file could not be written anew (" + ok.error().detail +
                                     "); run: tomoshibi-ctl check --scrub");
  c.say("home " + id + " erased; backups and exported copies made before still hold it");
  return {};
}

status check(context& c) {
  auto r = registry::open(c);
  if (!r) return std::unexpected(r.error());
  if (c.has("--scrub"))
    if (auto ok = scrub(r->db()); !ok) return ok;
  if (auto ok = r->db().integrity_check(); !ok) return ok;
  const auto broken = r->db().query_int("SELECT count(*) FROM day_broken");
  if (!broken) return std::unexpected(broken.error());
  if (*broken > 0)
    return fail(errc::storage_corrupt, std::to_string(*broken) + " days could not be read and were begun anew (table day_broken)");
  auto book = open_emergency_file(c);
  if (!book) return std::unexpected(book.error());
  if (*book)
    if (auto ok = (*book)->integrity_check(); !ok) return fail(ok.error().code, "emergency.db: " + ok.error().detail);
  c.say("the database is whole: " + std::to_string(r->directory().homes.size()) + " homes, " +
        std::to_string(r->directory().gateways.size()) + " gateways");
  return {};
}

}  // namespace

verb_list erase_verbs() {
  return {{"", "erase", "Delete everything about a home, without a trace in the database file",
           {{"HOME", positional, "Number or name"}, {"--yes", flag, "Really"}}, "  export 1 ./home-1 && erase 1 --yes", erase}};
}

verb_list check_verbs() {
  return {{"", "check", "Check the database: pages, indexes, references, broken days",
           {{"--scrub", flag, "Also write the file anew, without what was deleted"}}, "", check}};
}

}  // namespace tomoshibi::ctl
