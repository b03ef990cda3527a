/**
 * Asking a running `spawnd serve`, over the socket that it has below its
 * queue_directory: its configuration says where that is.
 *
 * @module
 */

import {
  STATUS_SOCKET,
  type StatusQuestion,
  type StatusRecord,
} from "../../observe/status_record.ts";
import {
  EACCES,
  ECONNREFUSED,
  ENOENT,
  SystemError,
} from "../../posix/errno.ts";
import { isLibc, type Libc, openLibc } from "../../posix/libc.ts";
import {
  connectUnix,
  peerProcess,
  receiveSome,
  sendSome,
} from "../../posix/sockets.ts";
import { EX, failure, reasonOf, type Result, success } from "../../result.ts";
import { Shape } from "../../service/reload/shape.ts";
import { readConfiguration } from "./read_configuration.ts";
import { statusRecordOf } from "./status_records.ts";

/** How long a daemon may be silent: a reload takes some tenth of a second. */
const TIMEOUT_SECONDS = 10;

const CHUNK_BYTES = 65_536;

/** More than any daemon has to say. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** How often to ask anew where the daemon has executed its program meanwhile. */
const TRIES = 3;

/** A daemon that can be asked. */
export interface AskedDaemon {
  readonly libc: Libc;
  readonly path: string;
}

/**
 * Finds a daemon by its configuration.
 *
 * @param directory Where main.cf is.
 * @returns Where to ask it.
 */
export function findDaemon(directory: string): Result<AskedDaemon> {
  const libc = openLibc();
  if (!isLibc(libc)) {
    return failure({
      text: `cannot ask the daemon: ${libc.unavailable}`,
      exitCode: EX.OSERR,
    });
  }
  let wrong: string | undefined;
  const { scope, problems } = readConfiguration(directory);
  // By its defaults another daemon would be found, and drained.
  const unread = problems.find(({ level, file, line }) =>
    level === "error" && file === `${directory}/main.cf` && line === 0
  );
  if (unread !== undefined) {
    const { text, mend } = unread;
    return failure({ text, mend, exitCode: EX.CONFIG });
  }
  const queue = scope.string("queue_directory", ({ text }) => wrong = text);
  if (queue === undefined) {
    return failure({
      text: `${directory}/main.cf: ${wrong ?? "no queue_directory"}`,
      mend: "spawnd check tells more",
      exitCode: EX.CONFIG,
    });
  }
  return success({ libc, path: `${queue}/${STATUS_SOCKET}` });
}

/**
 * Asks a daemon.
 *
 * @param daemon The daemon.
 * @param question The question.
 * @returns The answer, whole; or why there is none.
 */
export function askDaemon(
  daemon: AskedDaemon,
  question: StatusQuestion,
): Result<StatusRecord[]> {
  const { path } = daemon;
  try {
    for (let count = 1;; count++) {
      const records = recordsOf(exchange(daemon, question));
      const refused = records.find(({ kind }) => kind === "refused");
      if (refused?.kind === "refused") {
        return failure({ text: refused.text, exitCode: EX.USAGE });
      }
      if (records.at(-1)?.kind === "end") return success(records.slice(0, -1));
      // To ask for a status a second time changes nothing.
      if (question.ask !== "status" || count === TRIES) {
        return failure({
          text: `the daemon at ${path} has broken off its answer`,
          mend: "its log tells why",
          exitCode: EX.OSERR,
        });
      }
    }
  } catch (error) {
    if (error instanceof SystemError) return notAsked(error, path);
    if (error instanceof Stranger) {
      return failure({
        text: `what answers at ${path} is a process of user id ${error.uid}`,
        mend: "ask as that user, if the daemon is theirs",
        exitCode: EX.NOPERM,
      });
    }
    return failure({
      text: `what answers at ${path} is no spawnd: ${reasonOf(error)}`,
      exitCode: EX.OSERR,
    });
  }
}

/** Whoever answers is neither root nor who asks, and is not believed. */
class Stranger extends Error {
  /** @param uid Who it is, if the kernel tells. */
  constructor(readonly uid: number | undefined) {
    super(`user id ${uid}`);
  }
}

function notAsked(
  { code, message }: SystemError,
  path: string,
): Result<never> {
  const text = `no daemon answers: ${message}`;
  switch (code) {
    case ENOENT:
    case ECONNREFUSED:
      return failure({
        text,
        mend: `see whether spawnd serve runs, and with which -c: ${path} ` +
          "is below its queue_directory",
        exitCode: EX.OSERR,
      });
    case EACCES:
      return failure({
        text,
        mend: "ask as root, or as who has started it",
        exitCode: EX.NOPERM,
      });
    default:
      return failure({ text, exitCode: EX.OSERR });
  }
}

/** The bytes of an answer, as far as they came. */
function exchange(
  { libc, path }: AskedDaemon,
  question: StatusQuestion,
): string {
  const fd = connectUnix(libc, path, TIMEOUT_SECONDS);
  try {
    const uid = peerProcess(libc, fd)?.uid;
    if (uid !== 0 && uid !== libc.c.geteuid()) {
      throw new Stranger(uid);
    }
    const bytes = new TextEncoder().encode(`${JSON.stringify(question)}\n`);
    sendSome(libc, fd, bytes);
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(CHUNK_BYTES);
    let text = "";
    for (;;) {
      const count = receiveSome(libc, fd, chunk);
      if (count === undefined || count === 0) return text + decoder.decode();
      text += decoder.decode(chunk.subarray(0, count), { stream: true });
      if (text.length > ANSWER_BYTES_MAX) throw new Error("it tells no end");
    }
  } finally {
    libc.c.close(fd);
  }
}

/** Its lines; one that is not whole is none. */
function recordsOf(text: string): StatusRecord[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, index) =>
    statusRecordOf(new Shape(JSON.parse(line), `line ${index + 1}`))
  );
}
