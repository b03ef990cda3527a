/**
 * What a trial tells the daemon, in messages over a pair of sockets: each
 * listening socket that it has opened, at once, so that nobody else can take
 * the address meanwhile; and at the end its verdict.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import { type HandedSocket, handOn } from "../../net/inherited_sockets.ts";
import type { ListeningSocket } from "../../net/listening.ts";
import { SystemError } from "../../posix/errno.ts";
import type { Libc } from "../../posix/libc.ts";
import {
  type FdReceiver,
  FdSender,
  MESSAGE_BYTES_MAX,
} from "../../posix/passed_fd.ts";
import { EX, type ExitCode, type Mistake } from "../../result.ts";
import { handedSocketOf } from "./handed.ts";
import { Shape } from "./shape.ts";

/** What a message begins with. */
const KIND = { socket: 0x53, verdict: 0x56, end: 0x45 } as const;

/** More than any verdict has. */
const VERDICT_BYTES_MAX = 64 * 1024 * 1024;

/** Whether it would serve: what, or why not. */
export type Verdict =
  | { readonly plan: string }
  | { readonly mistakes: readonly Mistake[] };

/** The trial's side. */
export class VerdictSender {
  readonly #fd: number;
  readonly #sender: FdSender;

  /**
   * @param libc The C library.
   * @param fd The trial's end of the pair.
   */
  constructor(libc: Libc, fd: number) {
    this.#fd = fd;
    this.#sender = new FdSender(libc);
  }

  /**
   * Passes a socket on.
   *
   * @param socket The socket.
   * @throws {SystemError} If the daemon has gone.
   */
  pass(socket: ListeningSocket): void {
    for (const handed of handOn([socket])) {
      const bytes = encode(handed);
      this.#send(KIND.socket, bytes, handed.fd);
    }
  }

  /**
   * Gives the verdict.
   *
   * @param verdict The verdict.
   * @throws {SystemError} If the daemon has gone.
   */
  give(verdict: Verdict): void {
    const bytes = encode(verdict);
    const step = MESSAGE_BYTES_MAX - 1;
    for (let at = 0; at < bytes.length; at += step) {
      this.#send(KIND.verdict, bytes.subarray(at, at + step));
    }
    this.#send(KIND.end, new Uint8Array(0));
  }

  #send(kind: number, bytes: Uint8Array, passed?: number): void {
    const message = new Uint8Array(bytes.length + 1);
    message[0] = kind;
    message.set(bytes, 1);
    this.#sender.send(this.#fd, message, passed);
  }
}

function encode(value: unknown): Uint8Array {
  const text = JSON.stringify(
    value,
    (_key, value) => typeof value === "bigint" ? String(value) : value,
  );
  return new TextEncoder().encode(text);
}

/** The daemon's side. */
export class VerdictReceiver {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #receiver: FdReceiver;
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  /** The sockets that were passed on, in their order. */
  readonly passed: HandedSocket[] = [];
  /** The verdict, when all of it has come. */
  verdict: Verdict | undefined;
  /** What could not be received. */
  fault: string | undefined;

  /**
   * @param libc The C library.
   * @param fd The daemon's end of the pair.
   * @param receiver What receives.
   */
  constructor(libc: Libc, fd: number, receiver: FdReceiver) {
    this.#libc = libc;
    this.#fd = fd;
    this.#receiver = receiver;
  }

  /**
   * Takes what has come; it never waits.
   *
   * @returns Whether there is nothing more to come.
   */
  read(): boolean {
    for (;;) {
      try {
        const received = this.#receiver.receive(this.#fd);
        if (received === undefined) return false;
        if (received.data.length === 0) return true;
        this.#take(received.data, received.fds);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.fault ??= error.message;
        if (error instanceof SystemError) return true;
      }
    }
  }

  #take(data: Uint8Array<ArrayBuffer>, fds: readonly number[]): void {
    const body = data.subarray(1);
    const [fd, ...others] = fds;
    for (const other of others) this.#libc.c.close(other);
    switch (data[0]) {
      case KIND.socket: {
        if (fd === undefined) {
          throw new Error("no descriptor is left for a new socket");
        }
        const shape = new Shape(JSON.parse(decode(body)), "socket");
        this.passed.push({ ...handedSocketOf(shape), fd });
        break;
      }
      case KIND.verdict:
        this.#bytes += body.length;
        if (this.#bytes > VERDICT_BYTES_MAX) throw new Error("it tells no end");
        this.#chunks.push(body);
        break;
      case KIND.end:
        this.verdict = verdictOf(decode(concat(this.#chunks)));
        break;
    }
  }
}

function decode(bytes: Uint8Array<ArrayBuffer>): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function verdictOf(text: string): Verdict {
  const all = new Shape(JSON.parse(text), "verdict");
  const plan = all.field("plan").optional((plan) => plan.text());
  if (plan !== undefined) return { plan };
  return { mistakes: all.field("mistakes").list().map(mistakeOf) };
}

function mistakeOf(shape: Shape): Mistake {
  const code = shape.field("exitCode").count();
  return {
    text: shape.field("text").text(),
    place: shape.field("place").optional((place) => place.text()),
    mend: shape.field("mend").optional((mend) => mend.text()),
    exitCode:
      Object.values(EX).find((known): known is ExitCode => known === code) ??
        EX.CONFIG,
  };
}
