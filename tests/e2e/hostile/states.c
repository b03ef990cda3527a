/*
 * states PID SECONDS
 *
 * Watches a process and prints for how long at most it was in state D without a
 * break, in microseconds. Looks about each millisecond.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_US = 1000 };

static long now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  char path[64], stat[512];
  snprintf(path, sizeof path, "/proc/%s/stat", argv[1]);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return fputs("the process is gone\n", stderr), 71;
  long until_us = now_us() + atol(argv[2]) * 1000000L, since_us = -1, worst_us = 0;
  for (long at_us; (at_us = now_us()) < until_us; usleep(PAUSE_US)) {
    ssize_t size = pread(fd, stat, sizeof stat - 1, 0);
    if (size <= 0) return fputs("the process is gone\n", stderr), 71;
    stat[size] = '\0';
    char *end = strrchr(stat, ')');
    if (end == NULL || end[2] != 'D') {
      since_us = -1;
      continue;
    }
    if (since_us < 0) since_us = at_us;
    if (at_us - since_us > worst_us) worst_us = at_us - since_us;
  }
  printf("%ld\n", worst_us);
  return 0;
}
