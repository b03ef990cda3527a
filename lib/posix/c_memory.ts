/**
 * Memory of the C library's, for what the kernel is to find by its address:
 * the runtime tells no address of its own buffers. It is never given back:
 * all of it is laid out once a service, at start.
 *
 * @module
 */

import { lastError } from "./errno.ts";
import { cString, type Libc } from "./libc.ts";

/**
 * Copies bytes into C memory.
 *
 * @param libc The C library.
 * @param bytes The bytes.
 * @returns Their address, aligned for any type.
 * @throws {SystemError} If there is no memory.
 */
export function inCMemory(
  libc: Libc,
  bytes: Uint8Array<ArrayBuffer>,
): bigint {
  const length = BigInt(bytes.length);
  const address = libc.c.malloc(length);
  if (address === 0n) throw lastError(libc, "memory for a command");
  libc.c.memcpy_out(address, bytes, length);
  return address;
}

/**
 * Copies a text into C memory, as a C string.
 *
 * @param libc The C library.
 * @param text The text, or its bytes, without a zero byte.
 * @returns Its address.
 * @throws {RangeError} If it holds a zero byte.
 * @throws {SystemError} If there is no memory.
 */
export function stringInCMemory(
  libc: Libc,
  text: string | Uint8Array,
): bigint {
  return inCMemory(libc, cString(text));
}

/**
 * Lays strings out as execve(2) takes its argument and environment vectors:
 * pointers to C strings, closed by a null pointer.
 *
 * @param libc The C library.
 * @param words The strings.
 * @returns The vector's bytes, to be passed as a buffer.
 * @throws {RangeError} If one holds a zero byte.
 * @throws {SystemError} If there is no memory.
 */
export function vectorOf(
  libc: Libc,
  words: readonly (string | Uint8Array)[],
): Uint8Array<ArrayBuffer> {
  const addresses = words.map((word) => stringInCMemory(libc, word));
  return new Uint8Array(new BigUint64Array([...addresses, 0n]).buffer);
}

/**
 * The same where the vector itself is to be found by its address.
 *
 * @param libc The C library.
 * @param words The strings.
 * @returns The vector's address.
 * @throws {RangeError} If one holds a zero byte.
 * @throws {SystemError} If there is no memory.
 */
export function vectorInCMemory(
  libc: Libc,
  words: readonly (string | Uint8Array)[],
): bigint {
  return inCMemory(libc, vectorOf(libc, words));
}
