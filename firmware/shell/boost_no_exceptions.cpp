// The gateway is built without exceptions, so Boost calls this where it would throw. Every Asio call that can fail on a
// running machine has an error_code form, which is the only form we use; what is left is memory or file descriptors
// running out while an object is made. Then the gateway ends and its supervisor starts it again.
// Built into third_party::boost_embedded.
#include <boost/assert/source_location.hpp>
#include <boost/throw_exception.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace boost {

BOOST_NORETURN void throw_exception(const std::exception& error, const source_location& where) {
  std::fprintf(stderr, "lvl=error mod=boost evt=would_throw what=\"%s\" at=%s:%u\n", error.what(), where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

BOOST_NORETURN void throw_exception(const std::exception& error) { throw_exception(error, source_location{}); }

}  // namespace boost
