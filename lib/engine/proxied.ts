/**
 * Connections that a proxy has to say of who its client is, before a command
 * is started for them. What is said is looked at where it is, in the kernel's
 * buffer, and taken from there when the command starts: exactly that, and
 * never a byte of the client's. Until then nothing is lost if the connection
 * is handed on to a new image of this process.
 *
 * They hold a bounded number of places, which are nobody else's. Where there
 * are more, the one goes that has waited the longest; a proxy says what it has
 * to say as it connects.
 *
 * @module
 */

import {
  parseProxyHeader,
  PROXY_HEADER_BYTES_MAX,
} from "../net/proxy_protocol.ts";
import type { Client } from "../posix/client.ts";
import { EAGAIN, SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { peek, takeBytes } from "../posix/sockets.ts";
import type { WaitingConnection } from "./engine.ts";

/** How many may wait to be said who they are. */
const PLACES = 256;

const NO_HEADER = { kind: "wrong", reason: "no PROXY header" } as const;

/** What a service's connections are waited for with. */
export interface ProxiedOptions {
  readonly libc: Libc;
  readonly timeoutMs: number;
  /** Calls back each time that something more has come; throws as epoll does. */
  readonly watch: (fd: number, readable: () => void) => void;
  readonly unwatch: (fd: number) => void;
  /** A connection is closed, since that is what was said of it. */
  readonly refused: (proxy: Client, why: string) => void;
  /** Something has changed: one is ready to be started, or has gone. */
  readonly changed: () => void;
}

/** One whose client is known. */
export interface ReadyConnection {
  readonly waiting: WaitingConnection;
  readonly client: Client;
  /** What is yet to be taken from it. */
  readonly headerBytes: number;
}

/** The connections of one service. */
export class ProxiedConnections {
  readonly #options: ProxiedOptions;
  readonly #bytes = new Uint8Array(PROXY_HEADER_BYTES_MAX);
  /** By their descriptors, in the order in which they came. */
  readonly #listened = new Map<number, WaitingConnection>();
  readonly #ready: ReadyConnection[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param options What they are waited for with. */
  constructor(options: ProxiedOptions) {
    this.#options = options;
  }

  /** Whether one is ready to be started. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#listened.size === 0 && !this.hasReady;
  }

  /** All of them, to be handed on. */
  get all(): readonly WaitingConnection[] {
    const ready = this.#ready.map(({ waiting }) => waiting);
    return [...ready, ...this.#listened.values()];
  }

  /**
   * Takes a connection in.
   *
   * @param waiting The connection, which is closed or handed out from here.
   */
  add(waiting: WaitingConnection): void {
    const { fd } = waiting;
    try {
      this.#options.watch(fd, () => this.#look(waiting));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return this.#refuse(waiting, error.message);
    }
    this.#listened.set(fd, waiting);
    // As a rule it is all there by now.
    this.#look(waiting);
    if (this.#listened.size <= PLACES) return this.#arm();
    const [longest] = this.#listened.values();
    if (longest === undefined) return;
    this.#drop(longest, "no PROXY header, while many others wait");
  }

  /**
   * Hands the one out that was ready first, with the client's first byte as the
   * next to be read.
   *
   * @returns The connection; `undefined` where there is none.
   */
  take(): ReadyConnection | undefined {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready === undefined) return undefined;
      const { waiting, headerBytes } = ready;
      const header = this.#bytes.subarray(0, headerBytes);
      if (takeBytes(this.#options.libc, waiting.fd, header)) return ready;
      // Its client has gone meanwhile, and has taken it back.
      this.#refuse(waiting, "the connection was lost");
    }
  }

  /** Closes all. */
  closeAll(): void {
    for (const { fd } of this.all) {
      if (this.#listened.delete(fd)) this.#options.unwatch(fd);
      this.#options.libc.c.close(fd);
    }
    this.#ready.length = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#options.changed();
  }

  #look(waiting: WaitingConnection): void {
    const count = peek(this.#options.libc, waiting.fd, this.#bytes);
    if (count === -EAGAIN) return;
    const header = count > 0
      ? parseProxyHeader(this.#bytes.subarray(0, count))
      : NO_HEADER;
    // One that ends in the middle of it is known by its time alone.
    if (header.kind === "incomplete") return;
    if (header.kind === "wrong") return this.#drop(waiting, header.reason);
    this.#forget(waiting);
    const { lengthBytes: headerBytes, connection } = header;
    const client: Client = connection === undefined
      ? waiting.proxy
      : { kind: "inet", ...connection.source };
    this.#ready.push({ waiting, client, headerBytes });
    this.#options.changed();
  }

  #forget({ fd }: WaitingConnection): void {
    this.#listened.delete(fd);
    this.#options.unwatch(fd);
  }

  #drop(waiting: WaitingConnection, why: string): void {
    this.#forget(waiting);
    this.#refuse(waiting, why);
  }

  #refuse({ fd, proxy }: WaitingConnection, why: string): void {
    const { libc, refused, changed } = this.#options;
    libc.c.close(fd);
    refused(proxy, why);
    changed();
  }

  /** One timer, for the one that has waited the longest. */
  #arm(): void {
    const [longest] = this.#listened.values();
    if (this.#timer !== undefined || longest === undefined) return;
    const endMs = longest.sinceMs + this.#options.timeoutMs;
    const delayMs = Math.max(0, Math.ceil(endMs - performance.now()));
    this.#timer = setTimeout(() => this.#expire(), delayMs);
  }

  #expire(): void {
    this.#timer = undefined;
    const { timeoutMs } = this.#options;
    const nowMs = performance.now();
    for (const waiting of this.#listened.values()) {
      if (nowMs - waiting.sinceMs < timeoutMs) break;
      this.#drop(waiting, `no PROXY header within ${timeoutMs / 1000} s`);
    }
    this.#arm();
  }
}
