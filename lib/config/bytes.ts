/**
 * Files as "binary strings", one UTF-16 unit for each byte, and back.
 *
 * Postfix reads its files byte by byte and knows no character set. A string of
 * bytes gives the same answers to every question about blanks, braces and
 * order; only what is shown or handed on becomes text.
 *
 * @module
 */

/** Longer argument lists than this overflow the stack. */
const CHUNK_BYTES = 8192;

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
  return isAscii(binary) ? binary : new TextDecoder().decode(toBytes(binary));
}

/**
 * Makes a binary string of text, to be compared with a file's.
 *
 * @param text The text.
 * @returns One UTF-16 unit for each byte of its UTF-8.
 */
export function fromText(text: string): string {
  return toBinary(new TextEncoder().encode(text));
}

/**
 * Tells whether a binary string is UTF-8, so that its text stands for the same
 * bytes.
 *
 * @param binary The binary string.
 * @returns Whether it is.
 */
export function isUtf8(binary: string): boolean {
  if (isAscii(binary)) return true;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(toBytes(binary));
    return true;
  } catch {
    return false;
  }
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
