// While it lives the process can open no file or socket more.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace tomoshibi::testing {

class no_descriptors {
public:
  no_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &former_);
    const int lowest_free = ::dup(STDERR_FILENO);
    ::close(lowest_free);
    rlimit now = former_;
    now.rlim_cur = static_cast<rlim_t>(lowest_free);
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &former_); }

private:
  rlimit former_{};
};

}  // namespace tomoshibi::testing
