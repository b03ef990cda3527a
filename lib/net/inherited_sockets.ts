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

import type { ListeningSocket } from "../engine/engine.ts";
import type { Credentials } from "../posix/credentials.ts";
import type { Libc } from "../posix/libc.ts";
import { formatAddress, isListening, socketAddress } from "../posix/sockets.ts";
import { removeSocket } from "./unix_socket.ts";

/** Names the sockets that a daemon inherits from its predecessor. */
export const INHERITED_VARIABLE = "SPAWND_INHERITED_SOCKETS";

/** A socket as the variable has it. */
interface Handed {
  readonly fd: number;
  readonly address: string;
  readonly file?: { readonly device: string; readonly inode: string };
}

/**
 * Writes the variable's value for a successor.
 *
 * @param sockets The sockets, which have descriptors.
 * @returns The value, and the descriptors to hand on.
 */
export function handOn(
  sockets: readonly ListeningSocket[],
): { value: string; fds: number[] } {
  const handed = sockets.flatMap(({ address, file, source }): Handed[] => {
    if (!("fd" in source)) return [];
    const { fd } = source;
    if (file === undefined) return [{ fd, address }];
    const device = String(file.device);
    const inode = String(file.inode);
    return [{ fd, address, file: { device, inode } }];
  });
  return { value: JSON.stringify(handed), fds: handed.map(({ fd }) => fd) };
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
   * @throws {Error} If a descriptor does not listen on its address: then the
   * variable was not set by a predecessor.
   */
  constructor(
    libc: Libc,
    value: string | undefined,
    credentials: () => Credentials,
  ) {
    this.#libc = libc;
    this.#credentials = credentials;
    if (value === undefined) return;
    // Written by handOn() in the predecessor; checked against the kernel here.
    for (const handed of JSON.parse(value) as Handed[]) {
      const { fd, address } = handed;
      const isIt = isListening(libc, fd) &&
        formatAddress(socketAddress(libc, fd)) === address;
      if (!isIt) {
        throw new Error(
          `${INHERITED_VARIABLE}: descriptor ${fd} does not listen on ${address}`,
        );
      }
      this.#byAddress.set(address, handed);
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
    const socket = this.#socketOf(handed);
    this.#taken.add(socket);
    return socket;
  }

  /** Tells whether a socket was taken over, and is not this process's alone. */
  took(socket: ListeningSocket): boolean {
    return this.#taken.has(socket);
  }

  /** Closes what no service has taken over: its service was removed. */
  closeRest(): void {
    for (const handed of this.#byAddress.values()) {
      this.#socketOf(handed).close();
    }
    this.#byAddress.clear();
  }

  #socketOf({ fd, address, file: named }: Handed): ListeningSocket {
    const file = named === undefined ? undefined : {
      device: BigInt(named.device),
      inode: BigInt(named.inode),
    };
    const close = (heir = false): void => {
      if (!heir) removeSocket(this.#libc, address, file, this.#credentials);
      this.#libc.c.close(fd);
    };
    return { address, file, source: { fd }, close };
  }
}
