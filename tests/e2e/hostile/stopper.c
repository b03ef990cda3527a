/*
 * stopper PID
 *
 * Stops every child of a daemon that has not begun its command, as soon as it
 * may, until it is killed. Such a child still has the daemon's name. Prints a
 * line for each that stands still: its process id.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  HELD_MAX = 4096,
  NAME_MAX_BYTES = 64,
  PAUSE_US = 1, /* with the kernel's slack some 50: shorter than a start */
};

static int held[HELD_MAX], held_count;

static int is_held(int pid) {
  for (int i = 0; i < held_count; i++) {
    if (held[i] == pid) return 1;
  }
  return 0;
}

/* Reads the beginning of a file of a process; an empty text if it is gone. */
static void read_of(int pid, const char *name, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_RDONLY);
  ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);
  text[got > 0 ? got : 0] = '\0';
  if (fd >= 0) close(fd);
}

/* Waits until a process that was stopped stands still, or is gone. */
static void await_stop(int pid) {
  char stat[256];
  do {
    read_of(pid, "stat", stat, sizeof stat);
    char *end = strrchr(stat, ')');
    if (end == NULL || strchr("tTZX", end[2]) != NULL) return;
  } while (1);
}

static void stop(int pid, const char *daemon) {
  char name[NAME_MAX_BYTES];
  read_of(pid, "comm", name, sizeof name);
  if (strcmp(name, daemon) != 0 || kill(pid, SIGSTOP) != 0) return;
  await_stop(pid);
  read_of(pid, "comm", name, sizeof name);
  if (strcmp(name, daemon) != 0 || held_count == HELD_MAX) {
    kill(pid, SIGCONT); /* its command had begun */
    return;
  }
  held[held_count++] = pid;
  printf("%d\n", pid);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 2 || getuid() == 0) return 64;
  int pid = atoi(argv[1]);
  char daemon[NAME_MAX_BYTES], path[64], list[65536];
  read_of(pid, "comm", daemon, sizeof daemon);
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  int children = open(path, O_RDONLY);
  if (children < 0) return 71;
  for (;; usleep(PAUSE_US)) {
    ssize_t size = pread(children, list, sizeof list - 1, 0);
    if (size < 0) return 0; /* the daemon is gone */
    list[size] = '\0';
    for (char *at = list, *end; ; at = end) {
      int child = strtol(at, &end, 10);
      if (end == at) break;
      if (!is_held(child)) stop(child, daemon);
    }
  }
}
