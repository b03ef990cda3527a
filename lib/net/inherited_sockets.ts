/**
 * Listening sockets that pass from a daemon to its successor, so that a
 * reload or an upgrade closes none of them: no connection is refused, and
 * those that wait in a queue go on waiting in the same queue.
 *
 * The successor inherits the descriptors under their numbers, and an
 * environment variable says which is which.
 *
 * @module
 */

import type { FileId, ListeningSocket } from "../engine/engine.ts";
import type { Credentials } from "../posix/credentials.ts";
import type { Libc } from "../posix/libc.ts";
import { formatAddress, isListening, socketAddress } from "../posix/sockets.ts";
import { removeSocket } from "./unix_socket.ts";

/** Names the sockets that a daemon inherits from its predecessor. */
export const INHERITED_VARIABLE = "SPAWND_INHERITED_SOCKETS";

/** A socket that was handed over. */
interface Handed {
  readonly fd: number;
  readonly file: FileId | undefined;
}

/**
 * Writes the variable's value for a successor: descriptors, and behind those
 * of unix sockets what tells their names in the file system from others. It is
 * short, since the kernel takes no more than 128 KiB for a variable; addresses
 * are asked of the kernel.
 *
 * @param sockets The sockets, which have descriptors.
 * @returns The value, and the descriptors to hand on.
 */
export function handOn(
  sockets: readonly ListeningSocket[],
): { value: string; fds: number[] } {
  const words: string[] = [];
  const fds: number[] = [];
  for (const { file, source } of sockets) {
    if (!("fd" in source)) continue;
    fds.push(source.fd);
    words.push(
      file === undefined
        ? `${source.fd}`
        : `${source.fd}:${file.device}:${file.inode}`,
    );
  }
  return { value: words.join(","), fds };
}

/** What a predecessor handed over. */
export class InheritedSockets {
  readonly #libc: Libc;
  readonly #credentials: () => Credentials;
  readonly #byAddress = new Map<string, Handed>();
  readonly #taken = new Set<ListeningSocket>();

  /**
   * @param libc The C library.
   * @param value The variable's value, if it is set.
   * @param credentials The daemon's credentials when it removes a socket.
   * @throws {Error} If a descriptor does not listen: then the variable was not
   * set by a predecessor.
   */
  constructor(
    libc: Libc,
    value: string | undefined,
    credentials: () => Credentials,
  ) {
    this.#libc = libc;
    this.#credentials = credentials;
    if (value === undefined) return;
    for (const word of value.split(",")) {
      const match = /^(\d+)(?::(\d+):(\d+))?$/.exec(word);
      const fd = Number(match?.[1] ?? -1);
      if (!isListening(libc, fd)) {
        throw new Error(`${INHERITED_VARIABLE}: no listening socket: ${word}`);
      }
      const [device, inode] = [match?.[2], match?.[3]];
      const file = device === undefined || inode === undefined
        ? undefined
        : { device: BigInt(device), inode: BigInt(inode) };
      const address = formatAddress(socketAddress(libc, fd));
      this.#byAddress.set(address, { fd, file });
    }
  }

  /**
   * Takes a socket over.
   *
   * @param address Its address.
   * @returns The socket, or `undefined` if it was not handed over.
   */
  take(address: string): ListeningSocket | undefined {
    const handed = this.#byAddress.get(address);
    if (handed === undefined) return undefined;
    this.#byAddress.delete(address);
    const socket = this.#socketOf(address, handed);
    this.#taken.add(socket);
    return socket;
  }

  /**
   * Tells whether a socket was taken over: until the predecessor is told that
   * it may stop, it is not this process's to close for good.
   *
   * @param socket The socket.
   * @returns `true` if it was.
   */
  took(socket: ListeningSocket): boolean {
    return this.#taken.has(socket);
  }

  /** Closes what no service has taken over: its service was removed. */
  closeRest(): void {
    for (const [address, handed] of this.#byAddress) {
      this.#socketOf(address, handed).close();
    }
    this.#byAddress.clear();
  }

  #socketOf(address: string, { fd, file }: Handed): ListeningSocket {
    const close = (heir = false): void => {
      if (!heir) removeSocket(this.#libc, address, file, this.#credentials);
      this.#libc.c.close(fd);
    };
    return { address, file, source: { fd }, close };
  }
}
