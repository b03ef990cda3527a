/* A command that takes next to no time: says "served" and ends. */

#include <unistd.h>

int main(void) {
  return write(1, "served\n", 7) != 7;
}
