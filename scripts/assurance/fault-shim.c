/*
 * Loaded before libc (LD_PRELOAD) into the server under test: fails the n-th write, sync or truncation of its database
 * files, as a failing or full disk would. What to fail stands in a small file that both processes have mapped
 * (fault-shim.ts has the same layout); the paths that count contain "keybrake.db".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

struct control {
  volatile int armed;     /* 0: everything goes through and nothing is counted */
  volatile int at;        /* the operation that fails, from 1; 0: none does */
  volatile int error;     /* errno that it fails with */
  volatile int forever;   /* 1: and so does every one after it */
  volatile int seen;      /* operations since it was armed */
  volatile int failed;    /* how many of them failed */
  volatile int main_only; /* 1: only the database file itself counts, not its WAL and shared memory */
  volatile int torn;      /* 1: a write that fails has written its first half */
};

static struct control *control;

__attribute__((constructor)) static void load(void) {
  const char *path = getenv("ASSURANCE_FAULTS");
  if (!path) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) control = mapped;
}

static int concerns(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  const char *name = strstr(path, "keybrake.db");
  if (!name) return 0;
  return !control->main_only || strcmp(name, "keybrake.db") == 0;
}

/* 1 where this operation is to fail; errno is set then. */
static int fails(int fd) {
  if (!control || !control->armed) return 0;
  int before = errno;
  int counts = concerns(fd);
  errno = before;
  if (!counts) return 0;
  int now = __sync_add_and_fetch(&control->seen, 1);
  int at = control->at;
  if (at == 0 || now < at || (now > at && !control->forever)) return 0;
  __sync_add_and_fetch(&control->failed, 1);
  errno = control->error;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t length) {
  if (!fails(fd)) return REAL(write)(fd, bytes, length);
  int error = errno;
  if (control->torn && length > 1) REAL(write)(fd, bytes, length / 2);
  errno = error;
  return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  if (!fails(fd)) return REAL(pwrite64)(fd, bytes, length, offset);
  int error = errno;
  if (control->torn && length > 1) REAL(pwrite64)(fd, bytes, length / 2, offset);
  errno = error;
  return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  return pwrite64(fd, bytes, length, offset);
}

int fsync(int fd) { return fails(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails(fd) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t length) { return fails(fd) ? -1 : REAL(ftruncate)(fd, length); }
int ftruncate64(int fd, off64_t length) { return fails(fd) ? -1 : REAL(ftruncate64)(fd, length); }
int fallocate(int fd, int mode, off_t offset, off_t length) {
  return fails(fd) ? -1 : REAL(fallocate)(fd, mode, offset, length);
}
