/**
 * The C library: which symbols are bound, with which types, and how failures
 * come back. Nothing outside of this folder calls these bindings.
 *
 * Two rules shape the bindings. FFI is granted for the library's known paths
 * only, and under such a grant the runtime refuses `Deno.UnsafePointer` and
 * its views; so every argument is a number or a buffer, and an address is a
 * plain `u64`. And once the daemon serves, FFI itself is revoked: bound
 * symbols go on working, but nothing new can be bound.
 *
 * The door of lib/posix, which imports from no other room, prints nothing and
 * ends nothing. Every function here takes the {@linkcode Libc} first; what it
 * throws is a `SystemError` of errno.ts, unless it says otherwise. A file is
 * named after what it deals with in the kernel or the C library; a command is
 * started by starter.ts, in the rows of command_calls.ts.
 *
 * @module
 */

import { type Abi, abiOf } from "./abi.ts";
import { bytesOf } from "./byte_text.ts";

/** Where the C library is found; the build grants FFI for these paths alone. */
export const LIBC_PATHS: readonly string[] = [
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
  "/usr/lib/libc.so.6",
];

const SYMBOLS = {
  __errno_location: { parameters: [], result: "u64" },
  __xpg_strerror_r: {
    parameters: ["i32", "buffer", "usize"],
    result: "i32",
  },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  alarm: { parameters: ["u32"], result: "u32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  // int clone(int (*fn)(void *), void *stack, int flags, void *arg,
  //   pid_t *pidfd, void *tls, pid_t *alive), both addresses plain numbers.
  clone: {
    parameters: ["u64", "u64", "i32", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
  },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  epoll_wait_elsewhere: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  fchdir: { parameters: ["i32"], result: "i32" },
  fchownat: {
    parameters: ["i32", "buffer", "u32", "u32", "i32"],
    result: "i32",
  },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  fcntl_buffer: {
    name: "fcntl",
    parameters: ["i32", "i32", "buffer"],
    result: "i32",
  },
  freeaddrinfo: { parameters: ["u64"], result: "void" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  getaddrinfo: {
    parameters: ["buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  getauxval: { parameters: ["u64"], result: "u64" },
  getegid: { parameters: [], result: "u32" },
  geteuid: { parameters: [], result: "u32" },
  getgid: { parameters: [], result: "u32" },
  getgrnam_r: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  getgrouplist: {
    parameters: ["buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  getgroups: { parameters: ["i32", "buffer"], result: "i32" },
  // Text for an address and a port, put where a command's environment is.
  getnameinfo: {
    parameters: ["buffer", "u32", "u64", "u32", "u64", "u32", "i32"],
    result: "i32",
  },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpwnam_r: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  getrusage: { parameters: ["i32", "buffer"], result: "i32" },
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  getuid: { parameters: [], result: "u32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  malloc: { parameters: ["usize"], result: "u64" },
  malloc_trim: { parameters: ["usize"], result: "i32" },
  memcpy: { parameters: ["buffer", "u64", "usize"], result: "void" },
  memcpy_out: {
    name: "memcpy",
    parameters: ["u64", "buffer", "usize"],
    result: "void",
  },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  mmap: {
    parameters: ["u64", "usize", "i32", "i32", "i32", "i64"],
    result: "u64",
  },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  pthread_sigmask: {
    parameters: ["i32", "buffer", "buffer"],
    result: "i32",
  },
  // An ssize_t, of fewer bytes than 32 bits count, as that of recv.
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i64" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i64" },
  readlinkat: {
    parameters: ["i32", "buffer", "buffer", "usize"],
    result: "i64",
  },
  // An ssize_t, of fewer bytes than 32 bits count.
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recvmsg: { parameters: ["i32", "u64", "i32"], result: "i64" },
  renameat: {
    parameters: ["i32", "buffer", "i32", "buffer"],
    result: "i32",
  },
  sendmsg: { parameters: ["i32", "u64", "i32"], result: "i64" },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "i64",
  },
  setegid: { parameters: ["u32"], result: "i32" },
  seteuid: { parameters: ["u32"], result: "i32" },
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  signalfd: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  strncpy: { parameters: ["buffer", "u64", "usize"], result: "u64" },
  // Ids, flags and what these calls return have 32 bits: plain numbers, where
  // 64 bits would take a BigInt each.
  syscall: { parameters: ["i64", "u32", "u32", "u32"], result: "i32" },
  syscall_buffer: {
    name: "syscall",
    parameters: ["i64", "u32", "buffer"],
    result: "i32",
  },
  syscall_buffers: {
    name: "syscall",
    parameters: ["i64", "buffer", "buffer"],
    result: "i32",
  },
  syscall_futex: {
    name: "syscall",
    parameters: ["i64", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  syscall_long: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "u64", "u64"],
    result: "i32",
  },
  syscall_rule: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  syscall_ruleset: {
    name: "syscall",
    parameters: ["i64", "buffer", "usize", "u32"],
    result: "i32",
  },
  syscall_signals: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "buffer", "u64"],
    result: "i32",
  },
  umask: { parameters: ["u32"], result: "u32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  waitid: { parameters: ["i32", "u32", "buffer", "i32"], result: "i32" },
  wait4: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i64" },
} as const satisfies Deno.ForeignLibraryInterface;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The bound C library together with the facts of this architecture. */
export interface Libc {
  /** The bound functions, named as in the C library. */
  readonly c: Symbols;
  /** System call numbers and structure layouts of this machine. */
  readonly abi: Abi;
  /** Where errno is of the thread that bound the library, the main one. */
  readonly errnoAddress: bigint;
}

/**
 * Binds the C library, if this machine has a known one and FFI is granted.
 *
 * @returns The library, or why there is none, as one phrase.
 */
export function openLibc(): Libc | { unavailable: string } {
  if (Deno.build.os !== "linux") {
    return {
      unavailable: `the direct engine needs Linux, not ${Deno.build.os}`,
    };
  }
  const refusals = new Set<string>();
  for (const path of LIBC_PATHS) {
    try {
      const c = bindAll(path);
      return {
        c,
        abi: abiOf(Deno.build.arch),
        errnoAddress: c.__errno_location(),
      };
    } catch (error) {
      refusals.add(
        error instanceof Deno.errors.NotCapable
          ? "no permission for FFI on the C library's path"
          : "no C library with the needed functions at a known path",
      );
    }
  }
  return { unavailable: [...refusals].join(", ") };
}

/**
 * One argument more than each function has. The runtime compiles a trampoline
 * for every function that it binds, which takes a seventh of a millisecond and
 * a page, is of no use to an engine that compiles no code, and fails where
 * memory may not be made executable; but it compiles none for a function that
 * takes a structure. To a C function an argument after its last is a register
 * or a word of the caller's stack that it does not look at, both in the System
 * V ABI of x86_64 and in the procedure call standard of aarch64.
 */
const UNREAD = { struct: ["u8"] } as const satisfies Deno.NativeType;

const unread = new Uint8Array(1);

type BoundFunction = (...values: unknown[]) => unknown;

function bindAll(path: string): Symbols {
  const table: [string, Deno.ForeignFunction][] = Object.entries(SYMBOLS);
  const { symbols } = Deno.dlopen(
    path,
    Object.fromEntries(
      table.map(([name, symbol]) => [name, takingUnread(symbol)]),
    ),
  );
  return Object.fromEntries(
    table.map(([name, symbol]) => {
      const call = symbols[name] as BoundFunction; // the table has no others
      return [name, givingUnread(call, symbol)];
    }),
  ) as Symbols; // the table's own names and types
}

/** What runs on another thread has no trampoline, and stays as it is. */
function takingUnread(symbol: Deno.ForeignFunction): Deno.ForeignFunction {
  if (symbol.nonblocking === true) return symbol;
  return { ...symbol, parameters: [...symbol.parameters, UNREAD] };
}

/**
 * Completes a function's arguments. Those with few are called for every
 * connection, and a rest parameter would cost as much as the call itself.
 */
function givingUnread(
  call: BoundFunction,
  { parameters, nonblocking }: Deno.ForeignFunction,
): BoundFunction {
  if (nonblocking === true) return call;
  switch (parameters.length) {
    case 0:
      return () => call(unread);
    case 1:
      return (a) => call(a, unread);
    case 2:
      return (a, b) => call(a, b, unread);
    case 3:
      return (a, b, c) => call(a, b, c, unread);
    case 4:
      return (a, b, c, d) => call(a, b, c, d, unread);
    case 5:
      return (a, b, c, d, e) => call(a, b, c, d, e, unread);
    case 7:
      return (a, b, c, d, e, f, g) => call(a, b, c, d, e, f, g, unread);
    default:
      return (...values) => call(...values, unread);
  }
}

/**
 * Tells whether {@linkcode openLibc} found the library.
 *
 * @param result What it returned.
 * @returns `true` for a bound library.
 */
export function isLibc(result: Libc | { unavailable: string }): result is Libc {
  return "c" in result;
}

/**
 * Makes a C string: the text in UTF-8, or bytes as they are, and a zero byte.
 *
 * @param text Text without a zero byte; bytes that are no UTF-8 are escaped in
 * it as `byte_text.ts` has them.
 * @returns The bytes.
 * @throws {RangeError} If the text holds a zero byte, which C would cut it at.
 */
export function cString(text: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  if (bytes.includes(0)) {
    throw new RangeError(`a zero byte in ${JSON.stringify(text)}`);
  }
  const string = new Uint8Array(bytes.length + 1);
  string.set(bytes);
  return string;
}
