/*
 * subreaper PROGRAM ARG...
 *
 * Runs a program to which orphans below it fall, as to a service manager.
 */

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return 64;
  execvp(argv[1], argv + 1);
  perror(argv[1]);
  return 71;
}
