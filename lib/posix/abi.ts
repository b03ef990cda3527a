/**
 * What differs between the processor architectures: system call numbers, some
 * flags of open(2) and the one structure that is laid out differently.
 * Everything else that this folder knows about the kernel is the same on every
 * 64-bit Linux.
 *
 * @module
 */

/** The architectures that the direct engine knows. */
export type Architecture = "x86_64" | "aarch64";

/** The system calls that are made by number, or stand in call lists. */
export type SystemCall =
  | "capget"
  | "capset"
  | "chdir"
  | "chroot"
  | "close_range"
  | "dup3"
  | "execve"
  | "exit"
  | "fchdir"
  | "fcntl"
  | "futex"
  | "ioprio_set"
  | "landlock_add_rule"
  | "landlock_create_ruleset"
  | "landlock_restrict_self"
  | "pidfd_open"
  | "pidfd_send_signal"
  | "prctl"
  | "prlimit64"
  | "rt_sigaction"
  | "rt_sigprocmask"
  | "sched_setaffinity"
  | "setgroups"
  | "setns"
  | "setpriority"
  | "setresgid"
  | "setresuid"
  | "setsid"
  | "umask"
  | "unshare";

/** The flags of open(2) that are used here and differ. */
export type OpenFlag = "O_DIRECTORY" | "O_NOFOLLOW";

/** The facts of one architecture. */
export interface Abi {
  /** System call numbers: asm/unistd_64.h on x86_64, asm-generic/unistd.h on aarch64. */
  readonly systemCalls: Readonly<Record<SystemCall, bigint>>;
  /** Flags of open(2): asm-generic/fcntl.h on x86_64, asm/fcntl.h on aarch64. */
  readonly openFlags: Readonly<Record<OpenFlag, number>>;
  /**
   * `struct epoll_event` (sys/epoll.h): packed on x86_64 alone, so that the
   * 64-bit data follows the 32-bit event mask at once; aligned elsewhere.
   */
  readonly epollEvent: {
    readonly sizeBytes: number;
    readonly dataOffset: number;
  };
}

const ABIS: Readonly<Record<Architecture, Abi>> = {
  x86_64: {
    systemCalls: {
      capget: 125n,
      capset: 126n,
      chdir: 80n,
      chroot: 161n,
      close_range: 436n,
      dup3: 292n,
      execve: 59n,
      exit: 60n,
      fchdir: 81n,
      fcntl: 72n,
      futex: 202n,
      ioprio_set: 251n,
      landlock_add_rule: 445n,
      landlock_create_ruleset: 444n,
      landlock_restrict_self: 446n,
      pidfd_open: 434n,
      pidfd_send_signal: 424n,
      prctl: 157n,
      prlimit64: 302n,
      rt_sigaction: 13n,
      rt_sigprocmask: 14n,
      sched_setaffinity: 203n,
      setgroups: 116n,
      setns: 308n,
      setpriority: 141n,
      setresgid: 119n,
      setresuid: 117n,
      setsid: 112n,
      umask: 95n,
      unshare: 272n,
    },
    openFlags: { O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 },
    epollEvent: { sizeBytes: 12, dataOffset: 4 },
  },
  aarch64: {
    systemCalls: {
      capget: 90n,
      capset: 91n,
      chdir: 49n,
      chroot: 51n,
      close_range: 436n,
      dup3: 24n,
      execve: 221n,
      exit: 93n,
      fchdir: 50n,
      fcntl: 25n,
      futex: 98n,
      ioprio_set: 30n,
      landlock_add_rule: 445n,
      landlock_create_ruleset: 444n,
      landlock_restrict_self: 446n,
      pidfd_open: 434n,
      pidfd_send_signal: 424n,
      prctl: 167n,
      prlimit64: 261n,
      rt_sigaction: 134n,
      rt_sigprocmask: 135n,
      sched_setaffinity: 122n,
      setgroups: 159n,
      setns: 268n,
      setpriority: 140n,
      setresgid: 149n,
      setresuid: 147n,
      setsid: 157n,
      umask: 166n,
      unshare: 97n,
    },
    openFlags: { O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000 },
    epollEvent: { sizeBytes: 16, dataOffset: 8 },
  },
};

/**
 * Gives the facts of an architecture.
 *
 * @param architecture As `Deno.build.arch` names it.
 * @returns The facts.
 */
export function abiOf(architecture: Architecture): Abi {
  return ABIS[architecture];
}
