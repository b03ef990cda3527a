/*
 * clients PORT COUNT SECONDS PAUSE_US
 *
 * COUNT clients of a service on the loopback whose command is served.c. Each
 * connects again and again, PAUSE_US after the last time, until SECONDS have
 * passed. Prints how many conversations were whole, how many were not, and the
 * median and the worst duration of all of them in microseconds, counting from
 * connect(2). Who is not answered within ten seconds was not.
 */

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DURATIONS_MAX = 1 << 20, PATIENCE_SECONDS = 10, REFUSED_PAUSE_US = 10000 };

static const char ANSWER[] = "served\n";

struct results {
  atomic_int answered, lost, count;
  unsigned durations[DURATIONS_MAX];
};

static long now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

static int is_answered(int port) {
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
  struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
  char bytes[64];
  size_t size = 0;
  ssize_t got = -1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
    while ((got = read(fd, bytes + size, sizeof bytes - size)) > 0) size += got;
  } else {
    usleep(REFUSED_PAUSE_US);
  }
  close(fd);
  return got == 0 && size == sizeof ANSWER - 1 && memcmp(bytes, ANSWER, size) == 0;
}

static void talk(struct results *results, int port, long until_us, int pause_us) {
  for (long began_us; (began_us = now_us()) < until_us;) {
    atomic_fetch_add(is_answered(port) ? &results->answered : &results->lost, 1);
    int at = atomic_fetch_add(&results->count, 1);
    if (at < DURATIONS_MAX) results->durations[at] = now_us() - began_us;
    if (pause_us > 0) usleep(pause_us);
  }
}

static int ascending(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 5) return 64;
  int port = atoi(argv[1]), count = atoi(argv[2]), pause_us = atoi(argv[4]);
  long until_us = now_us() + atol(argv[3]) * 1000000L;
  struct results *results = mmap(NULL, sizeof *results, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (results == MAP_FAILED) return 71;
  for (int i = 0; i < count; i++) {
    switch (fork()) {
      case -1: return 71;
      case 0: talk(results, port, until_us, pause_us); _exit(0);
    }
  }
  while (wait(NULL) > 0) {}
  int kept = results->count < DURATIONS_MAX ? results->count : DURATIONS_MAX;
  if (kept == 0) return 1;
  qsort(results->durations, kept, sizeof(unsigned), ascending);
  printf("%d %d %u %u\n", results->answered, results->lost,
         results->durations[kept / 2], results->durations[kept - 1]);
  return 0;
}
