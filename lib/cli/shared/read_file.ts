/**
 * Reading the files of a configuration.
 *
 * @module
 */

import { RefusedFile } from "../../config/refused_file.ts";

/** More than any administrator writes; some 50,000 services. */
const FILE_BYTES_MAX = 4 * 2 ** 20;

/**
 * Reads a file. It is looked at before it is opened: to open a fifo is to wait
 * for somebody, and a device may have no end.
 *
 * @param path The file.
 * @returns What it says.
 * @throws {RefusedFile} If it is none that a configuration can be in.
 */
export function readFile(path: string): Uint8Array {
  const { isFile, isDirectory, size } = Deno.statSync(path);
  if (!isFile) {
    throw new RefusedFile(
      isDirectory ? "Is a directory" : "Not a regular file",
      "put a file in its place",
    );
  }
  using file = Deno.openSync(path);
  let bytes = new Uint8Array(Math.min(size, FILE_BYTES_MAX) + 1);
  let length = 0;
  for (;;) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) return bytes.subarray(0, length);
    length += count;
    if (length > FILE_BYTES_MAX) {
      throw new RefusedFile(
        "File too large",
        `it may have up to ${FILE_BYTES_MAX} bytes`,
      );
    }
    // The size that it says it has need not be true, below /proc for one.
    if (length === bytes.length) bytes = enlarged(bytes);
  }
}

function enlarged(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(
    Math.min(2 * bytes.length, FILE_BYTES_MAX + 1),
  );
  larger.set(bytes);
  return larger;
}
