/**
 * Answers `spawnd status` and the like over a unix socket: to root, and to who
 * has started the daemon. The socket's mode says so already; who connects is
 * looked at nevertheless, as its directory may be another's.
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { peerProcess } from "../posix/sockets.ts";
import { type Answer, Slots, type Watcher } from "./slots.ts";
import {
  parseQuestion,
  QUESTION_BYTES_MAX,
  type StatusQuestion,
  type StatusRecord,
} from "./status_record.ts";

const CLIENTS_MAX = 8;
const TIMEOUT_MS = 30_000;

/** Who answers. */
export interface StatusServerOptions {
  readonly libc: Libc;
  readonly watcher: Watcher;
  /** The listening socket. */
  readonly fd: number;
  /**
   * Answers a question.
   *
   * @param question The question.
   * @param uid Who asks.
   */
  readonly answer: (
    question: StatusQuestion,
    uid: number,
  ) => Iterable<StatusRecord>;
}

/**
 * Begins to answer.
 *
 * @param options Who answers.
 * @returns What ends it.
 */
export function serveStatus(options: StatusServerOptions): Slots {
  const { libc, watcher, fd, answer } = options;
  const allowed = [0, libc.c.getuid()];
  return new Slots({
    ...{ libc, watcher, fd },
    clientsMax: CLIENTS_MAX,
    requestBytesMax: QUESTION_BYTES_MAX,
    timeoutMs: TIMEOUT_MS,
    refuses: (connection) => {
      const peer = peerProcess(libc, connection);
      return peer === undefined || !allowed.includes(peer.uid);
    },
    answer: (request, isWhole, connection) => {
      const end = request.indexOf("\n");
      if (end < 0 && !isWhole) return undefined;
      const question = parseQuestion(request.slice(0, end < 0 ? 0 : end));
      const uid = peerProcess(libc, connection)?.uid ?? 0;
      return lines(
        question === undefined
          ? [{ kind: "refused", text: "not understood" }]
          : answer(question, uid),
      );
    },
  });
}

function* lines(records: Iterable<StatusRecord>): Answer {
  for (const record of records) yield `${JSON.stringify(record)}\n`;
  yield `${JSON.stringify({ kind: "end" } satisfies StatusRecord)}\n`;
}
