/**
 * What differs between the processor architectures: system call numbers and
 * the one structure that is laid out differently. Everything else that this
 * folder knows about the kernel is the same on every 64-bit Linux.
 *
 * @module
 */

/** The architectures that the direct engine knows. */
export type Architecture = "x86_64" | "aarch64";

/** The facts of one architecture. */
export interface Abi {
  /** System call numbers: asm/unistd_64.h on x86_64, asm-generic/unistd.h on aarch64. */
  readonly systemCalls: {
    readonly capget: bigint;
    readonly capset: bigint;
    readonly close_range: bigint;
    readonly pidfd_open: bigint;
    readonly setgroups: bigint;
    readonly setresgid: bigint;
    readonly setresuid: bigint;
  };
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
      close_range: 436n,
      pidfd_open: 434n,
      setgroups: 116n,
      setresgid: 119n,
      setresuid: 117n,
    },
    epollEvent: { sizeBytes: 12, dataOffset: 4 },
  },
  aarch64: {
    systemCalls: {
      capget: 90n,
      capset: 91n,
      close_range: 436n,
      pidfd_open: 434n,
      setgroups: 159n,
      setresgid: 149n,
      setresuid: 147n,
    },
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
