/**
 * Files as "binary strings", one UTF-16 unit for each byte, and back.
 *
 * Postfix reads its files byte by byte and knows no character set. A string of
 * bytes gives the same answers to every question about blanks, braces and
 * order; only what is shown or handed on becomes text.
 *
 * @module
 */

import { bytesOf, textOf } from "../posix/byte_text.ts";

/** Longer argument lists than this overflow the stack. */
const CHUNK_BYTES = 8192;

/** A byte order mark is a character like any other. */
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Makes a binary string of a file's bytes.
 *
 * @param bytes The bytes.
 * @returns One UTF-16 unit for each.
 */
export function toBinary(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return binary;
}

/**
 * Makes text of a binary string, for use and display.
 *
 * @param binary The binary string.
 * @returns The text, with U+FFFD for what is not UTF-8.
 */
export function toText(binary: string): string {
  return isAscii(binary) ? binary : DECODER.decode(toBytes(binary));
}

/**
 * Makes text of a binary string that loses nothing: what is not UTF-8 is
 * escaped in it, and reaches a command as the bytes that it is.
 *
 * @param binary The binary string.
 * @returns The text, as `textOf` makes it.
 */
export function toWord(binary: string): string {
  return isAscii(binary) ? binary : textOf(toBytes(binary));
}

/**
 * Makes a binary string of text, to be compared with a file's.
 *
 * @param text The text; escaped bytes are taken as what they stand for.
 * @returns One UTF-16 unit for each byte of its UTF-8.
 */
export function fromText(text: string): string {
  return isAscii(text) ? text : toBinary(bytesOf(text));
}

/**
 * Makes bytes of a binary string again.
 *
 * @param binary The binary string.
 * @returns Its bytes.
 */
export function toBytes(binary: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(binary, (unit) => unit.charCodeAt(0));
}

function isAscii(binary: string): boolean {
  // deno-lint-ignore no-control-regex -- the range is the point
  return /^[\x00-\x7f]*$/.test(binary);
}
