/*
 * signaller PID SECONDS SIGNAL
 *
 * Sends a signal to a process, and to each of its threads, over and over, by
 * every call that does. Prints the tries and the successes.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 1024, ROUNDS_A_LIST = 256 };

static int tids[THREADS_MAX], tid_count;
static long tries, successes;

static void list_threads(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (tasks == NULL) return;
  tid_count = 0;
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    int tid = atoi(entry->d_name);
    if (tid > 0 && tid_count < THREADS_MAX) tids[tid_count++] = tid;
  }
  closedir(tasks);
}

static void count(long result) {
  tries++;
  if (result == 0) successes++;
}

int main(int argc, char **argv) {
  if (argc != 4 || getuid() == 0) return 64;
  int pid = atoi(argv[1]), signal_number = atoi(argv[3]);
  time_t until = time(NULL) + atoi(argv[2]);
  long pid_fd = syscall(SYS_pidfd_open, pid, 0);
  siginfo_t info = { .si_signo = signal_number, .si_code = SI_QUEUE };
  while (time(NULL) <= until) {
    list_threads(pid);
    for (int round = 0; round < ROUNDS_A_LIST; round++) {
      count(kill(pid, signal_number));
      count(syscall(SYS_pidfd_send_signal, pid_fd, signal_number, NULL, 0));
      count(syscall(SYS_rt_sigqueueinfo, pid, signal_number, &info));
      for (int i = 0; i < tid_count; i++) {
        count(syscall(SYS_tgkill, pid, tids[i], signal_number));
        count(syscall(SYS_tkill, tids[i], signal_number));
      }
    }
  }
  printf("%ld %ld\n", tries, successes);
  return 0;
}
