#include "firmware/shell/direct_path.hpp"

#include "firmware/core/direct_event.hpp"
#include "protocol/adapters/dc09_cipher.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>

namespace tomoshibi::firmware {

namespace {

struct direct_files {
  guard_link_settings settings;
  std::unique_ptr<dc09::cipher> key;   // of the account; may be none
};

result<direct_files> read_files(const direct_config& config, tls_date_source date) {
  auto settings = read_guard_settings(config.guard, std::move(date));
  if (!settings) return std::unexpected(settings.error());
  direct_files out{std::move(*settings), nullptr};
  if (config.account_key.empty()) return out;
  const auto secret = read_guard_key("guard.account_key", config.account_key);
  if (!secret) return std::unexpected(secret.error());
  auto made = make_dc09_cipher(*secret);
  if (!made) return std::unexpected(made.error());
  out.key = std::move(*made);
  return out;
}

}  // namespace

status check_direct_files(const direct_config& config) {
  if (!config.used()) return {};
  if (auto files = read_files(config, {}); !files) return std::unexpected(files.error());
  return {};
}

result<std::unique_ptr<direct_path>> direct_path::make(event_loop& loop, const direct_config& config, tls_date_source date,
                                                       log_sink& log, listener& events) {
  TOMO_REQUIRE(config.used());
  auto files = read_files(config, std::move(date));
  if (!files) return std::unexpected(files.error());
  files->settings.sender.null_account = config.account;
  files->settings.sender.null_key = files->key.get();
  return std::unique_ptr<direct_path>(
      new direct_path(loop, config, std::move(files->settings), std::move(files->key), log, events));
}

direct_path::direct_path(event_loop& loop, const direct_config& config, guard_link_settings settings,
                         std::unique_ptr<dc09::cipher> key, log_sink& log, listener& events)
    : account_(config.account), key_(std::move(key)), log_(log, "direct"), events_(&events), again_(loop),
      link_(loop, std::move(settings), log, *this) {}

void direct_path::start(const press& what) {
  if (std::ranges::find(open_, what.id, &press::id) != open_.end()) return;
  open_.push_back(what);
  submit(what);
}

void direct_path::stop(press_id id) {
  (void)link_.cancel(static_cast<std::uint64_t>(id));
  std::erase(refused_, id);
  std::erase_if(open_, [id](const press& p) { return p.id == id; });
}

void direct_path::submit(const press& what) {
  log_.info("send");
  // The sender takes far more events than there are presses.
  const status taken = link_.submit(direct_event(what, account_, key_.get()));
  TOMO_CHECK(taken.has_value());
}

void direct_path::on_delivered(std::uint64_t id, std::size_t receiver, mono_time) {
  log_.info("accepted", {{"receiver", receiver}});
  std::erase_if(open_, [id](const press& p) { return static_cast<std::uint64_t>(p.id) == id; });
  events_->on_direct_accepted(press_id{id});
}

void direct_path::on_not_delivered(std::uint64_t id, dc09::not_delivered why) {
  log_.error("refused", {{"why", name_of(why)}});
  refused_.push_back(press_id{id});
  if (!again_.armed()) again_.set_after(refused_retry, [this] { offer_again(); });
}

void direct_path::offer_again() {
  for (const press_id id : std::exchange(refused_, {}))
    if (const auto at = std::ranges::find(open_, id, &press::id); at != open_.end()) submit(*at);
}

void direct_path::on_guard_link(dc09::link_state now, std::size_t) {
  const bool down = now == dc09::link_state::down;
  if (down == std::exchange(down_, down)) return;
  events_->on_direct_link(down);
}

}  // namespace tomoshibi::firmware
