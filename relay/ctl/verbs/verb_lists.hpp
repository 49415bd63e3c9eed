// Where each file of this folder puts its verbs.
#pragma once

#include "relay/ctl/verb.hpp"

namespace tomoshibi::ctl {

using verb_list = std::vector<verb>;

verb_list init_verbs();
verb_list home_verbs();
verb_list gateway_verbs();
verb_list appliance_verbs();
verb_list contact_verbs();
verb_list watch_verbs();
verb_list usage_verbs();
verb_list status_verbs();
verb_list alert_verbs();
verb_list mail_verbs();
verb_list backup_verbs();
verb_list export_verbs();
verb_list erase_verbs();
verb_list check_verbs();
verb_list certificate_verbs();
verb_list device_verbs();
verb_list guard_verbs();
verb_list emergency_verbs();
verb_list drill_verbs();
verb_list dispatch_verbs();

}  // namespace tomoshibi::ctl
