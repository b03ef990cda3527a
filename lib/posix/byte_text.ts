/**
 * Bytes as text and back, whatever they are.
 *
 * Words of a command line and values of the environment are bytes, which are
 * mostly UTF-8. A byte that is not stands in the text as a lone surrogate,
 * U+DC80 to U+DCFF, which no UTF-8 can bring along: so nothing is lost on the
 * way to the kernel. Python calls this "surrogateescape" (PEP 383).
 *
 * @module
 */

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** The surrogate of the byte 0. */
const ESCAPE = 0xdc00;

/** A byte that is not UTF-8; a surrogate that has its other half is none. */
const ESCAPED = /[\udc80-\udcff]/gu;

/**
 * Makes text of bytes.
 *
 * @param bytes The bytes.
 * @returns The text, from which {@linkcode bytesOf} makes the same bytes.
 */
export function textOf(bytes: Uint8Array): string {
  const whole = decode(bytes);
  if (whole !== undefined) return whole;
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const end = at + lengthOf(first);
    const character = decode(bytes.subarray(at, end));
    text += character ?? String.fromCharCode(ESCAPE + first);
    at = character === undefined ? at + 1 : end;
  }
  return text;
}

/**
 * Makes bytes of text.
 *
 * @param text The text.
 * @returns Its UTF-8, escaped bytes as they were.
 */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (isUtf8(text)) return ENCODER.encode(text);
  const bytes: number[] = [];
  let at = 0;
  for (const { 0: escaped, index } of text.matchAll(ESCAPED)) {
    bytes.push(...ENCODER.encode(text.slice(at, index)));
    bytes.push(escaped.charCodeAt(0) - ESCAPE);
    at = index + escaped.length;
  }
  bytes.push(...ENCODER.encode(text.slice(at)));
  return Uint8Array.from(bytes);
}

/**
 * Tells whether a text stands for UTF-8, so that it can go where only text can.
 *
 * @param text The text.
 * @returns Whether no byte in it is escaped.
 */
export function isUtf8(text: string): boolean {
  return text.isWellFormed();
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Of the sequence that a byte begins, if it begins any. */
function lengthOf(first: number): number {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
