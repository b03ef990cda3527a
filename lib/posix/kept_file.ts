/**
 * Files that are opened once and read again and again, each time from their
 * beginning: the kernel's own, which it makes anew then. It goes on when no
 * file may be opened any more.
 *
 * @module
 */

import { checked } from "./errno.ts";
import { O_CLOEXEC } from "./headers.ts";
import { cString, type Libc } from "./libc.ts";

/** More than such a file has. */
const FILE_BYTES_MAX = 1024;

/** A file. */
export class KeptFile {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #bytes = new Uint8Array(FILE_BYTES_MAX);

  /**
   * @param libc The C library.
   * @param path The file.
   * @throws {SystemError} If it cannot be opened.
   */
  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    const fd = libc.c.open(cString(path), O_CLOEXEC, 0);
    this.#fd = checked(libc, `open ${path}`, fd);
  }

  /**
   * Reads it.
   *
   * @returns What it says, which is short.
   * @throws {SystemError} If the kernel does not tell.
   */
  read(): string {
    const bytes = this.#bytes;
    const { c } = this.#libc;
    const count = c.pread(this.#fd, bytes, BigInt(bytes.length), 0n);
    checked(this.#libc, "pread", count);
    return new TextDecoder().decode(bytes.subarray(0, count));
  }

  /** Closes it. */
  close(): void {
    this.#libc.c.close(this.#fd);
  }
}
