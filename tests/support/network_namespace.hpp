// Puts the calling process into a network namespace of its own with only a loopback interface, which is up. The namespace
// has no name and goes with the process. Without the right to do that the test must be skipped.
#pragma once

namespace tomoshibi::testing {

bool enter_network_namespace();  // false: not allowed on this machine; the process is where it was

}  // namespace tomoshibi::testing
