// mail test: one mail to one contact by way of the queue, the worker and the mail server that real notices take.
#pragma once

#include "relay/ctl/verb.hpp"

namespace tomoshibi::ctl {

status send_test_mail(context& c);

}  // namespace tomoshibi::ctl
