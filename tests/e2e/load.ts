/**
 * For the tests that put a daemon under load: what a process has and
 * takes, and clients that do what the runtime's own sockets cannot.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import {
  Daemon,
  type LogEntry,
  readAll,
  type StartOptions,
  writeAll,
} from "./daemon.ts";
import {
  childrenOf,
  descriptorsOf,
  type ENGINES,
  IS_ROOT,
  NEVER_MS,
  output,
  proc,
  statusFields,
  until,
} from "./machine.ts";

/** The engines' names. */
export type Engine = typeof ENGINES[number];

/** A mebibyte. */
export const MIB = 1024 * 1024;

/** For how long a number must not change to count as settled. */
const SETTLED_MS = 500;

/** Calls for random bytes are limited to this many. */
const RANDOM_BYTES_MAX = 65536;

/**
 * A test with real programs on the other side. Where one is not installed it is
 * shown as ignored, but not where all tests have to run.
 */
export function peerTest(
  name: string,
  programs: string | readonly string[],
  fn: () => Promise<void>,
): void {
  const wanted = [programs].flat().every(isInstalled) ||
    Deno.env.get("CI") !== undefined;
  Deno.test({ name, ignore: !IS_ROOT || !wanted, fn });
}

/** A test that has strace(1) look at the daemon, or hinder it. */
export function traceTest(name: string, fn: () => Promise<void>): void {
  peerTest(name, "/usr/bin/strace", fn);
}

function isInstalled(program: string): boolean {
  try {
    return Deno.statSync(program).isFile;
  } catch {
    return false;
  }
}

/** Starts a daemon on a free port of the loopback, with each connection told. */
export async function startOnLoopback(
  engine: Engine,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Daemon> {
  const words = ["inet", "127.0.0.1:0", "-v", "--engine", engine, ...args];
  return await Daemon.start(words, options);
}

/** Bytes that no fault could leave looking right. */
export function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += RANDOM_BYTES_MAX) {
    crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES_MAX));
  }
  return bytes;
}

/** As sha256sum prints it. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Connections to one daemon. Go with the scope: `using`. */
export class Clients implements Disposable {
  private constructor(readonly all: readonly Deno.Conn[]) {}

  /** Connects one after the other, so that they arrive in order. */
  static async connect(daemon: Daemon, count: number): Promise<Clients> {
    const all: Deno.Conn[] = [];
    while (all.length < count) all.push(await daemon.connect());
    return new Clients(all);
  }

  /** Where they connect from, in order. */
  get addresses(): string[] {
    return this.all.map(({ localAddr }) => {
      const { hostname, port } = localAddr as Deno.NetAddr; // on the loopback
      return `${hostname}:${port}`;
    });
  }

  [Symbol.dispose](): void {
    for (const connection of this.all) connection.close();
  }
}

/** Sends a last line, closes that direction, and reads all that comes back. */
export async function finish(
  connection: Deno.Conn,
  line = "",
): Promise<string> {
  const answer = readAll(connection);
  await writeAll(connection, new TextEncoder().encode(line));
  await connection.closeWrite();
  return new TextDecoder().decode(await answer);
}

/** The records of an event so far. */
export function recordsOf(daemon: Daemon, name: string): LogEntry[] {
  return daemon.entries.filter(({ event }) => event === name);
}

/** Reads until `size` bytes have come, or the other side ends. */
export async function readBytes(
  connection: Deno.Conn,
  size: number,
): Promise<string> {
  const buffer = new Uint8Array(size);
  let count = 0;
  while (count < size) {
    const read = await connection.read(buffer.subarray(count));
    if (read === null) break;
    count += read;
  }
  return new TextDecoder().decode(buffer.subarray(0, count));
}

/** Reads a connection's first line. */
export async function readLine(connection: Deno.Conn): Promise<string> {
  let text = "";
  while (!text.endsWith("\n")) text += await readBytes(connection, 1);
  return text;
}

/** The memory that is a process's own, in KiB. */
export async function rssAnonKiB(pid: number): Promise<number> {
  const fields = statusFields(await proc(`${pid}/status`));
  return parseInt(fields.get("RssAnon") ?? "", 10);
}

/** What a process holds that it could leak. */
export interface Holdings {
  readonly descriptors: number;
  readonly threads: number;
  /** Running children and zombies. */
  readonly children: number;
}

/** Counts what a process holds. */
export async function holdingsOf(pid: number): Promise<Holdings> {
  return {
    descriptors: (await descriptorsOf(pid)).length,
    threads: Number(statusFields(await proc(`${pid}/status`)).get("Threads")),
    children: (await childrenOf(pid)).length,
  };
}

/** The processes whose real user is `uid`, but no zombies, which are init's. */
export async function processesOf(uid: number): Promise<number[]> {
  const text = await output(
    "sh",
    "-c",
    'ps -o stat=,pid= -U "$0" || [ $? -eq 1 ]', // 1: there are none
    String(uid),
  );
  return [...text.matchAll(/^[^Z\s]\S* +(\d+)$/gm)].map(([, pid]) =>
    Number(pid)
  );
}

/** Waits until a number has not changed for half a second, and returns it. */
export async function settled(
  what: string,
  read: () => number | Promise<number>,
): Promise<number> {
  let value = await read();
  let sinceMs = performance.now();
  await until(`${what} does not change`, async () => {
    const now = await read();
    if (now !== value) sinceMs = performance.now();
    value = now;
    return performance.now() - sinceMs >= SETTLED_MS;
  });
  return value;
}

/** Waits until what is read is as expected; shows the difference if never. */
export async function becomes<T>(
  expected: T,
  read: () => T | Promise<T>,
): Promise<void> {
  const deadline = performance.now() + NEVER_MS;
  for (;;) {
    const actual = await read();
    try {
      return assertEquals(actual, expected);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(5);
  }
}

/**
 * A client in a process of its own, which talks and then waits to be killed.
 * Goes with the scope: `await using`.
 */
export class ClientProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /**
   * Connects, sends a line and reads the beginning of the answer.
   *
   * @param port Where the daemon listens on the loopback.
   * @param end `reset` to have the end of the process reset the connection,
   * whatever was left unread; `close` to have it closed as by any other end.
   */
  static async start(
    port: number,
    end: "reset" | "close",
  ): Promise<ClientProcess> {
    const child = new Deno.Command("/usr/bin/perl", {
      args: ["-MSocket", "-e", CLIENT, String(port), end],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const client = new ClientProcess(child);
    const reader = child.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    if (done) throw new Error("the client came to no answer");
    return client;
  }

  /** The end of the process by SIGKILL: nothing of its own is tidied up. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.kill();
    } catch (error) {
      // It was killed already, as the test wanted.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

const CLIENT = `
  my ($port, $end) = @ARGV;
  socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!;
  setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $end eq "reset";
  connect($s, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die $!;
  syswrite($s, "hello\\n") or die $!;
  sysread($s, my $answer, 6) or die $!;
  syswrite(STDOUT, "answered\\n");
  sleep;
`;
