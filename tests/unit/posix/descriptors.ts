/**
 * Open files as descriptors, which the runtime does not give.
 *
 * @module
 */

import { checked } from "../../../lib/posix/errno.ts";
import { cString } from "../../../lib/posix/libc.ts";
import { output } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import type { Scratch } from "../scratch.ts";

// fcntl.h
const F_GETFD = 1;
const O_RDWR = 2;
const O_APPEND = 0o2000;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** A file that is there already, opened. Goes with the scope: `using`. */
export class OpenFile implements Disposable {
  readonly fd: number;

  constructor(path: string) {
    const flags = O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC;
    const fd = libc.c.open(cString(path), flags, 0);
    this.fd = checked(libc, `open ${path}`, fd);
  }

  [Symbol.dispose](): void {
    libc.c.close(this.fd);
  }
}

/**
 * A pipe with a name, held open at both ends by one descriptor: whatever is
 * written to it is there to be read.
 */
export class Pipe extends OpenFile {
  static async create(scratch: Scratch): Promise<Pipe> {
    const path = scratch.path(crypto.randomUUID());
    await output("mkfifo", path);
    return new Pipe(path);
  }

  /** Makes it readable. */
  fill(): void {
    libc.c.write(this.fd, new Uint8Array([1]), 1n);
  }

  /** Takes all that is in it. */
  empty(): void {
    libc.c.read(this.fd, new Uint8Array(4096), 4096n);
  }
}

/** Whether a descriptor of this process is open. */
export function isOpen(fd: number): boolean {
  return libc.c.fcntl(fd, F_GETFD, 0n) >= 0;
}
