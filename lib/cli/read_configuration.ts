/**
 * A configuration as every subcommand reads it: by files that are files, and
 * with what is known of this machine.
 *
 * @module
 */

import {
  type Configuration,
  loadConfiguration,
  type LoadOptions,
  RefusedFile,
} from "../config/load.ts";
import { thisMachine } from "./this_machine.ts";

/** More than any administrator writes; some 50,000 services. */
const FILE_BYTES_MAX = 4 * 2 ** 20;

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads a configuration.
 *
 * @param directory Where main.cf and master.cf are.
 * @param options What it is read by, this machine aside.
 * @returns All of it, however much is wrong with it.
 */
export function readConfiguration(
  directory: string,
  options: Omit<LoadOptions, "machine"> = {},
): Configuration {
  return loadConfiguration(directory, readFile, {
    ...options,
    machine: thisMachine,
  });
}

/**
 * Looked at before it is opened: to open a fifo is to wait for somebody, and a
 * device may have no end.
 */
function readFile(path: string): Uint8Array {
  const { isFile, isDirectory } = Deno.statSync(path);
  if (!isFile) {
    throw new RefusedFile(
      isDirectory ? "Is a directory" : "Not a regular file",
      "put a file in its place",
    );
  }
  using file = Deno.openSync(path);
  // The size that a file says it has need not be true, below /proc for one.
  const chunks: Uint8Array[] = [];
  for (let left = FILE_BYTES_MAX; left >= 0;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = file.readSync(chunk);
    if (count === null) return concat(chunks);
    chunks.push(chunk.subarray(0, count));
    left -= count;
  }
  throw new RefusedFile(
    "File too large",
    `it may have up to ${FILE_BYTES_MAX} bytes`,
  );
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
