#include "relay/ctl/verb.hpp"

#include "relay/ctl/verbs/verb_lists.hpp"

namespace tomoshibi::ctl {

const std::vector<verb_group>& groups() {
  static const std::vector<verb_group> all = {
      {"home", "Homes that are watched over"},
      {"gateway", "Gateways (the boxes in the homes) and their certificates"},
      {"appliance", "Appliances and sensors of a home, and their watch rules"},
      {"device", "Devices that the gateways met"},
      {"contact", "Who gets mail: families and the provider's own people"},
      {"watch", "Watch mode of a home"},
      {"guard", "Accounts at the guard centre, and the line to it"},
      {"emergency", "Presses of emergency buttons, and drills"},
      {"mail", "The mail queue"},
      {"certificate", "The relay's own certificate"},
  };
  return all;
}

const std::vector<verb>& verbs() {
  static const std::vector<verb> all = [] {
    std::vector<verb> out;
    for (auto list : {init_verbs, home_verbs, gateway_verbs, appliance_verbs, contact_verbs, watch_verbs, usage_verbs,
                      status_verbs, alert_verbs, mail_verbs, backup_verbs, export_verbs, erase_verbs, check_verbs,
                      certificate_verbs, device_verbs, guard_verbs, emergency_verbs, drill_verbs,
                      dispatch_verbs})
      for (verb& v : list()) out.push_back(std::move(v));
    return out;
  }();
  return all;
}

int exit_code_of(errc code) {
  switch (code) {
    case errc::config_invalid:
    case errc::not_found:
    case errc::already_exists:
    case errc::refused:
    case errc::malformed:
    case errc::too_long:
    case errc::unsupported: return 2;
    default: return 1;
  }
}

}  // namespace tomoshibi::ctl
