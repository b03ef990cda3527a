/*
 * lease FILE
 *
 * Takes a write lease on a file of its user's, as soon as nobody has it open,
 * prints a line, and holds on to it, whoever wants to open it, until its
 * standard input ends. The kernel has it wait for fs.lease-break-time.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 2 || getuid() == 0) return 64;
  signal(SIGIO, SIG_IGN); /* somebody waits */
  int fd = open(argv[1], O_RDONLY);
  while (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
    if (errno != EAGAIN && errno != EBUSY) return perror("F_SETLEASE"), 71;
    usleep(1000);
  }
  puts("leased");
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) != 0) {}
  return 0;
}
