/**
 * What stands before a service: who may connect is decided there, before any
 * process is made. A service without one takes everybody, and pays nothing.
 *
 * @module
 */

import type { Client } from "../posix/client.ts";

/** Decides on clients. Calls come from the event loop's thread alone. */
export interface Gate {
  /** Whether clients of unix sockets are to be known by their users. */
  readonly asksForUsers: boolean;
  /**
   * How long a proxy may take to say who its client is; `undefined` where
   * clients speak for themselves.
   */
  readonly proxyTimeoutMs: number | undefined;
  /**
   * Asked before clients are taken from the queue.
   *
   * @returns How many may be. Where none may, the engine was told already to
   * leave the queue alone.
   */
  room(): number;
  /**
   * Decides on one who is to say who its client is.
   *
   * @param proxy The one.
   * @returns Whether to listen to it.
   */
  admitProxy(proxy: Client): boolean;
  /**
   * A proxy was closed, since it did not say who its client is.
   *
   * @param proxy The proxy.
   * @param why What is wrong with what it has said.
   */
  refusedHeader(proxy: Client, why: string): void;
  /**
   * Decides on a client, and counts it if it is admitted: its end is told with
   * the end of its command, or of its start. It has come when {@linkcode room}
   * was asked for.
   *
   * @param client The client.
   * @returns Variables for its command; `undefined` if it is refused.
   */
  admit(client: Client): readonly string[] | undefined;
}
