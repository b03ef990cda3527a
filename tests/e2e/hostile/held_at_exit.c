/*
 * A command whose own helper, in another session, holds it at its exit: once
 * killed, it neither runs nor ends. Says "held" when that is arranged.
 */

#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(void) {
  int ready[2];
  char byte;
  pid_t leader = getpid();
  /* Where only ancestors may trace otherwise (Yama). */
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  if (pipe(ready) != 0) return 71;
  switch (fork()) {
    case -1: return 71;
    case 0:
      setsid();
      for (int fd = 0; fd <= 2; fd++) close(fd);
      if (ptrace(PTRACE_SEIZE, leader, 0, PTRACE_O_TRACEEXIT) != 0) return 1;
      if (write(ready[1], "", 1) != 1) return 1;
      for (;;) pause();
  }
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) return 1;
  if (write(1, "held\n", 5) != 5) return 1;
  for (;;) pause();
}
