/**
 * Constants of the system's header files that several files here have use for,
 * named as there. Those that depend on the architecture are in abi.ts, error
 * numbers in errno.ts, signals in signals.ts; one that a single file uses
 * stands in that.
 *
 * @module
 */

// fcntl.h
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_DUPFD_CLOEXEC = 1030;
export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;

// linux/limits.h
export const PATH_MAX = 4096;

// sys/prctl.h
export const PR_SET_DUMPABLE = 4;

// sys/resource.h
export const RLIMIT_NOFILE = 7;

// sys/socket.h
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const MSG_DONTWAIT = 0x40;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const MSG_NOSIGNAL = 0x4000;

// sys/stat.h
export const S_ISVTX = 0o1000;
export const S_IWGRP = 0o020;
export const S_IWOTH = 0o002;

// signal.h
export const SIG_SETMASK = 2;
