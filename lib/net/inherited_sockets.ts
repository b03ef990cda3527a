/**
 * Listening sockets that stay open while this process executes its program
 * anew, and that a trial of the program is started with: no connection is
 * refused, and those that wait in a queue go on waiting in the same queue.
 *
 * @module
 */

import type { Credentials } from "../posix/credentials.ts";
import { type FileId, isSameFile, lookAt } from "../posix/files.ts";
import type { Libc } from "../posix/libc.ts";
import { isDatagramSocket, isListening } from "../posix/sockets.ts";
import type { ListeningSocket, SocketsAtHand, SocketUse } from "./listening.ts";
import { closeSocket } from "./unix_socket.ts";

/** A socket as it is handed on: it keeps its descriptor's number. */
export interface HandedSocket {
  readonly fd: number;
  /** See {@linkcode ListeningSocket}. */
  readonly address: string;
  readonly asked?: string | undefined;
  readonly file?: FileId | undefined;
  readonly name?: string | undefined;
  readonly isDatagram?: boolean | undefined;
  readonly isGiven?: boolean | undefined;
}

/**
 * Says what there is to hand on.
 *
 * @param sockets The sockets.
 * @returns Those that have descriptors.
 */
export function handOn(sockets: readonly ListeningSocket[]): HandedSocket[] {
  return sockets.flatMap(({ source, address, asked, file, ...use }) =>
    "fd" in source
      ? [{
        ...{ fd: source.fd, address, asked, file },
        ...use.isDatagram && { isDatagram: true },
        ...use.isGiven && { isGiven: true },
        ...use.name !== undefined && { name: use.name },
      }]
      : []
  );
}

/** What was handed on to this process. */
export class InheritedSockets implements SocketsAtHand {
  readonly #libc: Libc;
  readonly #credentials: () => Credentials;
  readonly #handed = new Set<HandedSocket>();
  readonly #taken = new Set<ListeningSocket>();

  /**
   * @param libc The C library.
   * @param handed The sockets.
   * @param credentials The daemon's credentials when it removes a socket.
   * @throws {Error} If a descriptor does not listen: then nobody has handed it
   * on.
   */
  constructor(
    libc: Libc,
    handed: readonly HandedSocket[],
    credentials: () => Credentials,
  ) {
    this.#libc = libc;
    this.#credentials = credentials;
    for (const socket of handed) {
      const isSocket = socket.isDatagram ? isDatagramSocket : isListening;
      if (!isSocket(libc, socket.fd)) {
        throw new Error(`no listening socket: descriptor ${socket.fd}`);
      }
      this.#handed.add(socket);
    }
  }

  /**
   * Takes a socket over by its address. One that commands were given is theirs
   * as well, so no service takes it that accepts from it itself.
   *
   * @param address Its address.
   * @param use What it is wanted for.
   * @returns The socket, or `undefined` if it was not handed on, or if its
   * name in the file system is not its own any more.
   */
  take(address: string, use: SocketUse = {}): ListeningSocket | undefined {
    return this.#take(
      (socket) =>
        this.#isMeant(socket, address, use) && (use.isGiven || !socket.isGiven),
      use.isGiven,
    );
  }

  /**
   * Takes all sockets over that a service manager has given a name.
   *
   * @param name The name.
   * @param isGiven Whether commands are to be given them.
   * @returns The sockets, in their order.
   */
  takeNamed(name: string, isGiven: boolean): ListeningSocket[] {
    const sockets: ListeningSocket[] = [];
    for (;;) {
      const socket = this.#take(
        (socket) => socket.name === name,
        isGiven,
      );
      if (socket === undefined) return sockets;
      sockets.push(socket);
    }
  }

  /** What nobody has taken over yet. */
  get rest(): readonly HandedSocket[] {
    return [...this.#handed];
  }

  /**
   * Tells whether there is a socket that cannot be taken, as commands were
   * given it.
   *
   * @param address Its address.
   * @param use What it is wanted for.
   * @returns Whether there is.
   */
  wasGiven(address: string, use: SocketUse): boolean {
    return !use.isGiven &&
      [...this.#handed].some((socket) =>
        socket.isGiven && this.#isMeant(socket, address, use)
      );
  }

  /**
   * Takes a socket over by its descriptor.
   *
   * @param fd The descriptor.
   * @param isGiven Whether commands are to be given it.
   * @returns The socket, or `undefined` if it was not handed on.
   */
  takeDescriptor(fd: number, isGiven = false): ListeningSocket | undefined {
    return this.#take((socket) => socket.fd === fd, isGiven);
  }

  /**
   * Tells whether a socket was taken over: a trial leaves it as it is.
   *
   * @param socket The socket.
   * @returns `true` if it was.
   */
  took(socket: ListeningSocket): boolean {
    return this.#taken.has(socket);
  }

  /** Closes what no service has taken over: its service was removed. */
  closeRest(): void {
    for (const handed of this.#handed) this.#socketOf(handed).close();
    this.#handed.clear();
  }

  #isMeant(
    socket: HandedSocket,
    address: string,
    { isDatagram = false }: SocketUse,
  ): boolean {
    return (socket.address === address || socket.asked === address) &&
      (socket.isDatagram ?? false) === isDatagram &&
      (socket.file === undefined ||
        isSameFile(lookAt(this.#libc, socket.address), socket.file));
  }

  #take(
    isMeant: (socket: HandedSocket) => boolean | undefined,
    isGiven = false,
  ): ListeningSocket | undefined {
    for (const handed of this.#handed) {
      if (!isMeant(handed)) continue;
      this.#handed.delete(handed);
      const socket = this.#socketOf({ ...handed, isGiven });
      this.#taken.add(socket);
      return socket;
    }
    return undefined;
  }

  #socketOf({ fd, ...handed }: HandedSocket): ListeningSocket {
    const { address, file } = handed;
    const close = (): void => {
      const socket = { path: address, file, fd };
      if (file === undefined) this.#libc.c.close(fd);
      else closeSocket(this.#libc, socket, this.#credentials);
    };
    return { ...handed, source: { fd }, close };
  }
}
