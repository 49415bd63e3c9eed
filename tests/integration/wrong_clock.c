/* A machine whose clock is wrong: loaded before a program (LD_PRELOAD), shifts its wall clock by WRONG_CLOCK_S seconds. With
   WRONG_CLOCK_TRUSTED set, the kernel says besides that a time service keeps this clock right. The monotonic clock is left alone. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
  const char* told = getenv("WRONG_CLOCK_S");
  return told ? atol(told) : 0;
}

int clock_gettime(clockid_t id, struct timespec* t) {
  const int rc = (int)syscall(SYS_clock_gettime, id, t);
  if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += shift();
  return rc;
}

int gettimeofday(struct timeval* restrict t, void* restrict zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  t->tv_sec = now.tv_sec;
  t->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int adjtimex(struct timex* t) {
  const int rc = (int)syscall(SYS_adjtimex, t);
  if (rc < 0 || !getenv("WRONG_CLOCK_TRUSTED")) return rc;
  t->status &= ~STA_UNSYNC;
  return TIME_OK;
}
