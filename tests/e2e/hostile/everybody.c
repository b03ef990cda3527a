/*
 * everybody SIGNAL
 *
 * A command that signals every process it may, as kill(1) does with "-1".
 */

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  /* Root's "everybody" would be the whole machine. */
  if (argc != 2 || getuid() == 0 || geteuid() == 0) return 64;
  kill(-1, atoi(argv[1]));
  return write(1, "served\n", 7) != 7;
}
