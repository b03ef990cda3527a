/**
 * Memory of the C library's, for what the kernel is to find by its address:
 * the runtime tells no address of its own buffers. It is never given back:
 * all of it is laid out once a service, at start.
 *
 * @module
 */

import { cString, type Libc } from "./libc.ts";

/**
 * Copies bytes into C memory.
 *
 * @param libc The C library.
 * @param bytes The bytes.
 * @returns Their address, aligned for any type.
 * @throws {RangeError} If there is no memory.
 */
export function inCMemory(
  libc: Libc,
  bytes: Uint8Array<ArrayBuffer>,
): bigint {
  const length = BigInt(bytes.length);
  const address = libc.c.malloc(length);
  if (address === 0n) throw new RangeError("no memory for a command");
  libc.c.memcpy_out(address, bytes, length);
  return address;
}

/**
 * Copies a text into C memory, as a C string.
 *
 * @param libc The C library.
 * @param text The text, without a zero byte.
 * @returns Its address.
 * @throws {RangeError} If it holds a zero byte, or if there is no memory.
 */
export function stringInCMemory(libc: Libc, text: string): bigint {
  return inCMemory(libc, cString(text));
}

/**
 * Lays strings out as execve(2) takes its argument and environment vectors:
 * pointers to C strings, closed by a null pointer.
 *
 * @param libc The C library.
 * @param words The strings.
 * @returns The vector's address.
 * @throws {RangeError} If one holds a zero byte, or if there is no memory.
 */
export function vectorInCMemory(
  libc: Libc,
  words: readonly string[],
): bigint {
  const addresses = words.map((word) => stringInCMemory(libc, word));
  const vector = new BigUint64Array([...addresses, 0n]);
  return inCMemory(libc, new Uint8Array(vector.buffer));
}
