/*
 * intruder PID SECONDS
 *
 * Tries to trace a process and each of its threads, to read and write its
 * memory, to take its descriptors, and to change how it is scheduled and
 * limited, over and over. Prints a line for each way: its name, the tries, and
 * how many of them were not refused.
 *
 * A failure that comes after the check of permission, like a bad address or
 * descriptor, counts as not refused.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS_TRIED = 16, KCMP_VM = 1, IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };

static const char *const FILES[] = {
  "mem", "maps", "smaps", "pagemap", "environ", "auxv", "syscall", "stack",
  "io", "exe", "cwd", "root", "fd", "fdinfo", "map_files", "ns/mnt",
};

enum { FILE_COUNT = sizeof FILES / sizeof *FILES };

enum way {
  SEIZE = FILE_COUNT, ATTACH, READV, WRITEV, GETFD, KCMP, ROBUST_LIST,
  AFFINITY, SCHEDULER, PRIORITY, IOPRIO, LIMITS, WAY_COUNT,
};

static const char *const CALLS[] = {
  "ptrace-seize", "ptrace-attach", "process_vm_readv", "process_vm_writev",
  "pidfd_getfd", "kcmp", "get_robust_list", "sched_setaffinity",
  "sched_setscheduler", "setpriority", "ioprio_set", "prlimit",
};

static long tries[WAY_COUNT], successes[WAY_COUNT];

static int is_refused(long result) {
  if (result >= 0) return 0;
  switch (errno) {
    case EPERM: case EACCES: case ESRCH: case ENOENT: case ENOSYS: return 1;
    default: return 0;
  }
}

static int count(int way, long result) {
  tries[way]++;
  if (is_refused(result)) return 0;
  successes[way]++;
  return 1;
}

/* Opens a file of a thread and takes a byte, or an entry, or where it leads. */
static long look_into(int pid, int tid, const char *name) {
  char path[96], bytes[256];
  snprintf(path, sizeof path, "/proc/%d/task/%d/%s", pid, tid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  long got = read(fd, bytes, 1);
  if (got < 0 && errno == EISDIR) {
    got = syscall(SYS_getdents64, fd, bytes, sizeof bytes);
  }
  int reason = errno;
  close(fd);
  errno = reason;
  /* In /proc/PID/mem there is nothing at the address 0; that it opens is enough. */
  return got < 0 && reason == EIO ? 0 : got;
}

static void trace(int way, long request, int tid) {
  int taken = count(way, ptrace(request, tid, 0, 0));
  if (!taken) return;
  if (request == PTRACE_SEIZE) ptrace(PTRACE_INTERRUPT, tid, 0, 0);
  waitpid(tid, NULL, __WALL);
  ptrace(PTRACE_DETACH, tid, 0, 0);
}

static void try_thread(int pid, int tid, int pid_fd) {
  for (int i = 0; i < FILE_COUNT; i++) count(i, look_into(pid, tid, FILES[i]));
  trace(SEIZE, PTRACE_SEIZE, tid);
  trace(ATTACH, PTRACE_ATTACH, tid);
  static char here[8];
  struct iovec local = { here, sizeof here }, remote = { here, sizeof here };
  count(READV, process_vm_readv(tid, &local, 1, &remote, 1, 0));
  count(WRITEV, process_vm_writev(tid, &local, 1, &remote, 1, 0));
  for (int fd = 0; fd < DESCRIPTORS_TRIED; fd++) {
    long got = syscall(SYS_pidfd_getfd, pid_fd, fd, 0);
    if (count(GETFD, got) && got >= 0) close(got);
  }
  count(KCMP, syscall(SYS_kcmp, getpid(), tid, KCMP_VM, 0, 0));
  void *head;
  size_t size;
  count(ROBUST_LIST, syscall(SYS_get_robust_list, tid, &head, &size));
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  count(AFFINITY, sched_setaffinity(tid, sizeof first, &first));
  struct sched_param ordinary = { 0 };
  count(SCHEDULER, sched_setscheduler(tid, SCHED_BATCH, &ordinary));
  count(PRIORITY, setpriority(PRIO_PROCESS, tid, 10));
  count(IOPRIO, syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, IOPRIO_IDLE));
  struct rlimit limit;
  count(LIMITS, prlimit(tid, RLIMIT_NOFILE, NULL, &limit));
}

int main(int argc, char **argv) {
  if (argc != 3 || getuid() == 0) return 64;
  int pid = atoi(argv[1]);
  time_t until = time(NULL) + atoi(argv[2]);
  int pid_fd = syscall(SYS_pidfd_open, pid, 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  while (time(NULL) <= until) {
    DIR *tasks = opendir(path);
    if (tasks == NULL) break;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
      int tid = atoi(entry->d_name);
      if (tid > 0) try_thread(pid, tid, pid_fd);
    }
    closedir(tasks);
  }
  for (int way = 0; way < WAY_COUNT; way++) {
    printf("%s %ld %ld\n", way < FILE_COUNT ? FILES[way] : CALLS[way - FILE_COUNT],
           tries[way], successes[way]);
  }
  return 0;
}
