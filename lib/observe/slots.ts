/**
 * Answers questions of a few clients at a time from within the daemon's own
 * loop: what one costs is bounded in memory and in time, whatever it sends and
 * however slowly it reads, and nobody else waits for it.
 *
 * The door of lib/observe, which imports from log and posix. A
 * {@linkcode Slots} holds who asks; what is told is in a service's counters and
 * in the records of status.
 *
 * @module
 */

import { isShortage, SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { acceptNonBlocking, receiveSome, sendSome } from "../posix/sockets.ts";
import type { Timer } from "../timer.ts";

/** How long until a connection is accepted after one could not be. */
const ACCEPT_RETRY_MS = 1000;

/** How long to leave a client alone that has no room. */
const FULL_RETRY_MS = 20;

/** How long an answer is worked at before others have their turn. */
const TURN_MS = 1;

/** How much of one is made at a time. */
const PIECE_BYTES = 16 * 1024;

/** What calls back when a descriptor can be read: the loop. */
export interface Watcher {
  watch(fd: number, readable: () => void): void;
  unwatch(fd: number): void;
  closeWatched(fd: number): void;
}

/** Makes an answer piece by piece, when there is room for the next one. */
export type Answer = Iterator<string>;

/** How to answer. */
export interface SlotsOptions {
  readonly libc: Libc;
  readonly watcher: Watcher;
  /** The listening socket, which does not block. */
  readonly fd: number;
  /** How many clients there may be at a time; the others wait. */
  readonly clientsMax: number;
  readonly requestBytesMax: number;
  /** How long a client may take, from its connection to its end. */
  readonly timeoutMs: number;
  /** Tells of a connection whether it is closed at once. */
  readonly refuses?: (connection: number) => boolean;
  /**
   * Answers what has come so far; `undefined` where the rest of the question is
   * still to come. What is `isWhole` has no rest.
   */
  readonly answer: (
    request: string,
    isWhole: boolean,
    connection: number,
  ) => Answer | undefined;
}

/** A listening socket with a few clients. */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #clients = new Set<Client>();
  #retry: Timer | undefined;
  #isListening = false;
  #isClosed = false;

  /**
   * Begins to answer.
   *
   * @param options How.
   */
  constructor(options: SlotsOptions) {
    this.#options = options;
    this.#listen();
  }

  /** Ends it; the listening socket stays open. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#leaveWaiting();
    for (const client of this.#clients) client.close();
  }

  #listen(): void {
    if (this.#isListening || this.#isClosed) return;
    const { watcher, fd } = this.#options;
    try {
      watcher.watch(fd, () => this.#accept());
      this.#isListening = true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#listenLater();
    }
  }

  #listenLater(): void {
    this.#retry = setTimeout(() => this.#listen(), ACCEPT_RETRY_MS);
  }

  #leaveWaiting(): void {
    if (this.#isListening) this.#options.watcher.unwatch(this.#options.fd);
    this.#isListening = false;
  }

  #accept(): void {
    const { libc, fd, clientsMax, refuses = () => false } = this.#options;
    const connection = acceptNonBlocking(libc, fd);
    if (connection < 0) {
      if (!isShortage(-connection)) return;
      this.#leaveWaiting();
      this.#listenLater();
      return;
    }
    if (refuses(connection)) {
      libc.c.close(connection);
      return;
    }
    try {
      const client = new Client(this.#options, connection, () => {
        this.#clients.delete(client);
        this.#listen();
      });
      this.#clients.add(client);
    } catch (error) {
      libc.c.close(connection);
      if (!(error instanceof SystemError)) throw error;
    }
    if (this.#clients.size >= clientsMax) this.#leaveWaiting();
  }
}

/** A client, from its connection to its end. */
class Client {
  readonly #options: SlotsOptions;
  readonly #connection: number;
  readonly #left: () => void;
  readonly #timeout: Timer;
  readonly #encoder = new TextEncoder();
  readonly #request: Uint8Array<ArrayBuffer>;
  #requestBytes = 0;
  #answer: Answer | undefined;
  #piece = new Uint8Array(0);
  #next: Timer | undefined;
  #isWatched = true;
  #isClosed = false;

  /**
   * @param options How to answer.
   * @param connection Its connection.
   * @param left Called when it has gone.
   */
  constructor(options: SlotsOptions, connection: number, left: () => void) {
    this.#options = options;
    this.#connection = connection;
    this.#left = left;
    this.#request = new Uint8Array(options.requestBytesMax);
    options.watcher.watch(connection, () => this.#read());
    this.#timeout = setTimeout(() => this.close(), options.timeoutMs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timeout);
    clearTimeout(this.#next);
    if (this.#isWatched) {
      this.#options.watcher.closeWatched(this.#connection);
    } else this.#options.libc.c.close(this.#connection);
    this.#left();
  }

  #read(): void {
    const { libc, answer } = this.#options;
    const room = this.#request.subarray(this.#requestBytes);
    const count = receiveSome(libc, this.#connection, room);
    if (count === undefined) return;
    this.#requestBytes += count;
    const isWhole = count === 0 || this.#requestBytes === this.#request.length;
    const request = new TextDecoder().decode(
      this.#request.subarray(0, this.#requestBytes),
    );
    this.#answer = answer(request, isWhole, this.#connection);
    if (this.#answer === undefined) {
      if (isWhole) this.close();
      return;
    }
    // Whatever else it sends is not read.
    this.#options.watcher.unwatch(this.#connection);
    this.#isWatched = false;
    this.#write();
  }

  #write(): void {
    this.#next = undefined;
    const endMs = performance.now() + TURN_MS;
    let sent: number | undefined;
    do {
      if (this.#piece.length === 0) this.#piece = this.#nextPiece();
      if (this.#piece.length === 0) return this.close();
      const { libc } = this.#options;
      sent = sendSome(libc, this.#connection, this.#piece);
      if (sent === undefined) return this.close();
      this.#piece = this.#piece.subarray(sent);
    } while (this.#piece.length === 0 && performance.now() < endMs);
    const delayMs = sent === 0 ? FULL_RETRY_MS : 0;
    this.#next = setTimeout(() => this.#write(), delayMs);
  }

  #nextPiece(): Uint8Array<ArrayBuffer> {
    let text = "";
    while (text.length < PIECE_BYTES) {
      const next = this.#answer?.next();
      if (next === undefined || next.done) break;
      text += next.value;
    }
    return this.#encoder.encode(text);
  }
}
