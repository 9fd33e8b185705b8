/*
 * Loaded before libc (LD_PRELOAD) into a replica: its clock is as many seconds ahead of the machine's as
 * ASSURANCE_CLOCK_AHEAD_S says, or behind it where that is negative. What only ever grows (CLOCK_MONOTONIC) stays.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t ahead;

__attribute__((constructor)) static void load(void) {
  const char *seconds = getenv("ASSURANCE_CLOCK_AHEAD_S");
  if (seconds) ahead = atol(seconds);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = REAL(clock_gettime)(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead;
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = REAL(gettimeofday)(now, zone);
  if (result == 0) now->tv_sec += ahead;
  return result;
}

time_t time(time_t *out) {
  time_t now = REAL(time)(NULL) + ahead;
  if (out) *out = now;
  return now;
}
