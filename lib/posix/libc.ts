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
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
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
  fchownat: {
    parameters: ["i32", "buffer", "u32", "u32", "i32"],
    result: "i32",
  },
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  getegid: { parameters: [], result: "u32" },
  geteuid: { parameters: [], result: "u32" },
  getgid: { parameters: [], result: "u32" },
  getgrnam_r: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  getpwnam_r: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  getuid: { parameters: [], result: "u32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  malloc: { parameters: ["usize"], result: "u64" },
  memcpy: { parameters: ["buffer", "u64", "usize"], result: "void" },
  memcpy_out: {
    name: "memcpy",
    parameters: ["u64", "buffer", "usize"],
    result: "void",
  },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  posix_spawn: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  posix_spawn_file_actions_addchdir_np: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  posix_spawn_file_actions_adddup2: {
    parameters: ["buffer", "i32", "i32"],
    result: "i32",
  },
  posix_spawn_file_actions_destroy: {
    parameters: ["buffer"],
    result: "i32",
  },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setsigdefault: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  posix_spawnattr_setsigmask: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  pthread_sigmask: {
    parameters: ["i32", "buffer", "buffer"],
    result: "i32",
  },
  read: { parameters: ["i32", "buffer", "usize"], result: "i64" },
  recvmsg: { parameters: ["i32", "u64", "i32"], result: "i64" },
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
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  strdup: { parameters: ["buffer"], result: "u64" },
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
  umask: { parameters: ["u32"], result: "u32" },
  unlink: { parameters: ["buffer"], result: "i32" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i64" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound C library together with the facts of this architecture. */
export interface Libc {
  /** The bound functions, named as in the C library. */
  readonly c: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
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
      const { symbols } = Deno.dlopen(path, SYMBOLS);
      return {
        c: symbols,
        abi: abiOf(Deno.build.arch),
        errnoAddress: symbols.__errno_location(),
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
 * Tells whether {@linkcode openLibc} found the library.
 *
 * @param result What it returned.
 * @returns `true` for a bound library.
 */
export function isLibc(result: Libc | { unavailable: string }): result is Libc {
  return "c" in result;
}

/**
 * Makes a C string: the text in UTF-8 and a zero byte.
 *
 * @param text Text without a zero byte; bytes that are no UTF-8 are escaped in
 * it as `byte_text.ts` has them.
 * @returns The bytes.
 * @throws {RangeError} If the text holds a zero byte, which C would cut it at.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new RangeError(`a zero byte in ${JSON.stringify(text)}`);
  }
  return bytesOf(`${text}\0`);
}

/**
 * Lays strings out in C memory, as execve(2) takes its argument and
 * environment vectors: pointers to C strings, closed by a null pointer. The
 * memory is never given back: vectors are made once a service, at start.
 *
 * @param libc The C library.
 * @param words The strings.
 * @returns The vector's bytes, to be passed as a buffer.
 */
export function cVector(
  libc: Libc,
  words: readonly string[],
): Uint8Array<ArrayBuffer> {
  const vector = new BigUint64Array(words.length + 1);
  words.forEach((word, index) => {
    const address = libc.c.strdup(cString(word));
    if (address === 0n) {
      throw new RangeError("no memory for an argument vector");
    }
    vector[index] = address;
  });
  return new Uint8Array(vector.buffer);
}
