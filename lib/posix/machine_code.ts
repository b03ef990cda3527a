/**
 * The one piece of machine code there is: it runs a call list, in a child that
 * has nothing of the runtime's to rely on. What the bytes say stands in
 * call_list_x86_64.S and call_list_aarch64.S beside this file; a test
 * assembles both and compares.
 *
 * @module
 */

import type { Architecture } from "./abi.ts";
import { checked, lastError } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { openMemoryFile } from "./memory_file.ts";

/** The instructions, by architecture, as hexadecimal digits. */
const CODE: Readonly<Record<Architecture, string>> = {
  x86_64: "4989fc488d5f10488b03488b7b08488b7310488b53184c8b53204c8b43284c8b" +
    "4b300f054885c078064883c338ebd849890424" +
    "49895c2408b87f000000c3",
  aarch64: "f30300aa14400091880240f9808640a9828e41a9849642a9010000d46000f8b7" +
    "94e20091f9ffff17605200a9e00f8052c0035fd6",
};

// sys/mman.h
const PROT_READ = 1;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
/** What mmap(2) returns when it fails. */
const MAP_FAILED = 2n ** 64n - 1n;

const addresses = new WeakMap<Libc, bigint>();

/**
 * Gives an architecture's instructions.
 *
 * @param architecture The architecture.
 * @returns The bytes.
 */
export function machineCode(
  architecture: Architecture,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(CODE[architecture]);
}

/**
 * Maps the instructions, once a process. They are written to a file in memory
 * and mapped from there, so that no memory is ever both writable and
 * executable: this holds under prctl(2)'s PR_SET_MDWE too.
 *
 * @param libc The C library.
 * @returns Where they are.
 * @throws {SystemError} If the system does not allow it.
 */
export function mapMachineCode(libc: Libc): bigint {
  const known = addresses.get(libc);
  if (known !== undefined) return known;
  const code = machineCode(Deno.build.arch);
  const fd = openMemoryFile(libc, "spawnd-call-list");
  try {
    const written = libc.c.write(fd, code, BigInt(code.length));
    checked(libc, "write", Number(written));
    const address = libc.c.mmap(
      0n,
      BigInt(code.length),
      PROT_READ | PROT_EXEC,
      MAP_PRIVATE,
      fd,
      0n,
    );
    if (address === MAP_FAILED) throw lastError(libc, "mmap");
    addresses.set(libc, address);
    return address;
  } finally {
    libc.c.close(fd);
  }
}
