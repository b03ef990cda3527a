/**
 * The relay engine, for where the C library cannot be called: the runtime
 * accepts, the runtime starts the command, and the bytes are carried both
 * ways through pipes.
 *
 * What differs from the direct engine: the command's descriptors are pipes, so
 * that it cannot ask them for its peer; its supplementary groups are empty;
 * and the daemon keeps root's effective ids, since the runtime becomes the
 * command's user in the child.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { type Client, formatClient } from "../posix/client.ts";
import type { Identity } from "../posix/credentials.ts";
import { formatIpAddress, parseIpAddress } from "../posix/ip_address.ts";
import { mappedInet4 } from "../posix/mapped_inet4.ts";
import { SIGKILL, SIGTERM } from "../posix/signals.ts";
import { formatAddress } from "../posix/sockets.ts";
import { reasonOf } from "../result.ts";
import { ClientCounts } from "./client_counts.ts";
import {
  ACCEPT_RETRY_MS,
  type Engine,
  type RunningCommand,
  type ServedService,
  type ServeOptions,
  type WaitingConnection,
} from "./engine.ts";
import { COMMAND_PATH } from "./environment.ts";
import type { Gate } from "./gate.ts";
import { readProxyHeader } from "./relay_header.ts";
import type { WaitStatus } from "./wait_status.ts";

/** How a shell counts a death by signal N, 128 + N; so does the runtime. */
const SIGNAL_CODE_OFFSET = 128;

const SIGNAL_NAMES: Readonly<Record<number, Deno.Signal>> = {
  [SIGKILL]: "SIGKILL",
  [SIGTERM]: "SIGTERM",
};

interface RelayCommand extends RunningCommand {
  readonly child: Deno.ChildProcess;
  readonly connection: Deno.Conn;
  /** Settled when the carrying of bytes is to end whatever the peers do. */
  readonly cut: PromiseWithResolvers<void>;
  ended: boolean;
}

/** A connection, and what there is to know of it beside. */
interface Taken {
  readonly connection: Deno.Conn;
  /** Who was admitted, where there is a gate. */
  readonly client?: Client | undefined;
  /** Variables that it came by. */
  readonly variables?: readonly string[];
  /** What the client has sent by now. */
  readonly first?: Uint8Array<ArrayBuffer>;
}

/** How many proxies may have said nothing yet. */
const PROXIES_MAX = 256;

/** The engine that needs nothing but the runtime. */
export class RelayEngine implements Engine {
  readonly name = "relay";
  readonly #stopped = Promise.withResolvers<void>();

  serve(options: ServeOptions): ServedService {
    return new RelayService(options);
  }

  run(): Promise<void> {
    return this.#stopped.promise;
  }

  stop(): void {
    this.#stopped.resolve();
  }
}

class RelayService implements ServedService {
  readonly #options: ServeOptions;
  readonly #environment: Record<string, string>;
  readonly #clients = new ClientCounts();
  /** Those of proxies that have said nothing yet, in their order. */
  readonly #unsaid = new Set<Deno.Conn>();
  /** Replaced by a new one whenever accepting stops; settled when it goes on. */
  #gate = Promise.withResolvers<void>();
  #accepting = false;
  #closed = false;
  #isEnding = false;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#environment = Object.fromEntries(
      options.command.environment.map(nameAndValue),
    );
    for (const { source } of options.sockets) {
      if (!("listener" in source)) {
        throw new TypeError("the relay engine accepts from listeners");
      }
      this.#acceptFrom(source.listener);
    }
  }

  setAccepting(accepting: boolean): void {
    if (this.#accepting === accepting) return;
    this.#accepting = accepting;
    if (accepting) this.#gate.resolve();
    else this.#gate = Promise.withResolvers();
  }

  stopListening(): void {
    this.#closed = true;
    this.#gate.resolve();
    for (const socket of this.#options.sockets) socket.close();
  }

  signal(command: RunningCommand, signal: number): void {
    const relayed = command as RelayCommand; // handed out by #start
    if (!relayed.ended) signalGroup(relayed.pid, signal);
    else if (signal === SIGKILL) killOrphans(relayed.pid, this.#identity);
    // Whoever outlives the group with the pipes in hand talks to nobody now.
    if (signal === SIGKILL) relayed.cut.resolve();
  }

  get #identity(): Identity {
    return this.#options.command.identity;
  }

  take(): never {
    throw new TypeError("the relay engine knows no descriptors");
  }

  readonly waiting: readonly WaitingConnection[] = [];

  adoptWaiting(): never {
    throw new TypeError("the relay engine knows no descriptors");
  }

  /** The service ends its commands. */
  dropWaiting(): void {
    this.#isEnding = true;
  }

  adopt(): never {
    throw new TypeError("the relay engine knows no processes but its own");
  }

  /** The runtime collects a command before it tells, so there is no moment for it. */
  endGroups(): void {}

  async #acceptFrom(listener: Deno.Listener): Promise<void> {
    await this.#open();
    while (!this.#closed) {
      try {
        const connection = await listener.accept();
        // An accept that was under way when the limit was reached waits here.
        await this.#open();
        if (this.#isTaken) this.#take(connection);
        else connection.close();
      } catch (error) {
        if (this.#closed) return;
        // A client that has gone before its turn is no failure.
        if (error instanceof Deno.errors.ConnectionAborted) continue;
        this.#options.events.notAccepted(systemReasonOf(error));
        await delay(ACCEPT_RETRY_MS);
      }
      await this.#open();
    }
  }

  /** Whoever was accepted before a stop is served, if there is room. */
  get #isTaken(): boolean {
    return !this.#closed ||
      !this.#isEnding && this.#options.events.room > 0;
  }

  /** Waits while the service takes nobody. */
  async #open(): Promise<void> {
    const { gate } = this.#options;
    while (!this.#closed) {
      if (!this.#accepting) await this.#gate.promise;
      // One that has no room has the service take nobody.
      else if (gate === undefined || gate.room() > 0) return;
    }
  }

  #take(connection: Deno.Conn): void {
    const { gate } = this.#options;
    if (gate === undefined) return this.#start({ connection });
    const client = clientOf(connection);
    const { proxyTimeoutMs: timeoutMs } = gate;
    if (timeoutMs === undefined) {
      return this.#admit(gate, { connection, client });
    }
    if (!gate.admitProxy(client)) return connection.close();
    this.#unsaid.add(connection);
    const [longest] = this.#unsaid;
    if (longest !== undefined && this.#unsaid.size > PROXIES_MAX) {
      this.#unsaid.delete(longest);
      close(longest);
    }
    void this.#takeProxied(gate, { connection, client, timeoutMs });
  }

  async #takeProxied(
    gate: Gate,
    { connection, client: proxy, timeoutMs }: {
      readonly connection: Deno.Conn;
      readonly client: Client;
      readonly timeoutMs: number;
    },
  ): Promise<void> {
    const header = await readProxyHeader(connection, timeoutMs);
    this.#unsaid.delete(connection);
    if ("wrong" in header) {
      close(connection);
      return gate.refusedHeader(proxy, header.wrong);
    }
    await this.#open();
    if (this.#closed) return close(connection);
    const { connection: proxied, rest: first } = header;
    const client: Client = proxied === undefined
      ? proxy
      : { kind: "inet", ...proxied.source };
    this.#admit(gate, { connection, client, first });
  }

  #admit(gate: Gate, taken: Taken & { readonly client: Client }): void {
    const variables = gate.admit(taken.client);
    if (variables === undefined) taken.connection.close();
    else this.#start({ ...taken, variables });
  }

  #start({ connection, client, variables = [], first }: Taken): void {
    const { events, peers } = this.#options;
    let child: Deno.ChildProcess;
    const clientKey = keyOf(connection, client);
    const count = this.#clients.came(clientKey);
    try {
      child = this.#spawn(variables, this.#told(connection, client, count));
    } catch (error) {
      this.#clients.left(clientKey);
      connection.close();
      return events.notStarted({
        reason: systemReasonOf(error),
        isShortage: isShortage(error),
        client,
      });
    }
    const command: RelayCommand = {
      pid: child.pid,
      peer: peers ? peerOf(connection, client) : "",
      client,
      startedMs: performance.now(),
      command: this.#options.command,
      ...{ clientKey, child },
      connection,
      cut: Promise.withResolvers<void>(),
      ended: false,
    };
    events.starting(command);
    events.started(command);
    this.#carry(command, first);
  }

  /** What a command's environment says of its connection. */
  #told(
    connection: Deno.Conn,
    client: Client | undefined,
    count: number,
  ): Record<string, string> {
    const { connectionEnvironment: style = "none" } = this.#options.command;
    const { localAddr: local } = connection;
    const remote = remoteOf(connection, client);
    if (style === "none" || local.transport !== "tcp" || remote === undefined) {
      return {};
    }
    switch (style) {
      case "ucspi":
        return {
          PROTO: "TCP",
          TCPLOCALIP: plainHost(local.hostname),
          TCPLOCALPORT: `${local.port}`,
          TCPREMOTEIP: remote.host,
          TCPREMOTEPORT: `${remote.port}`,
          TCPCONNNUM: `${count}`,
        };
      case "systemd":
        return {
          REMOTE_ADDR: remote.host,
          REMOTE_PORT: `${remote.port}`,
        };
      case "inetd":
        return { REMOTE_HOST: remote.host };
    }
  }

  /** Tries the candidates as execvp(3) does. */
  #spawn(
    variables: readonly string[],
    told: Record<string, string>,
  ): Deno.ChildProcess {
    const { argv: [name, ...args], surroundings = {} } = this.#options.command;
    const { directory, standardError = "connection" } = surroundings;
    const paths = name.includes("/")
      ? [name]
      : COMMAND_PATH.map((folder) => `${folder}/${name}`);
    const env = variables.length === 0 ? this.#environment : {
      ...this.#environment,
      ...Object.fromEntries(variables.map(nameAndValue)),
    };
    let failure: unknown;
    for (const path of paths) {
      try {
        return new Deno.Command(path, {
          args,
          ...this.#identity,
          detached: true,
          clearEnv: true,
          env: { ...env, ...told },
          ...directory === undefined ? {} : { cwd: directory },
          stdin: "piped",
          stdout: "piped",
          stderr: standardError === "connection" ? "piped" : standardError,
        }).spawn();
      } catch (error) {
        // A file that may not be executed says more than one that is not there.
        if (!(error instanceof Deno.errors.NotFound && failure)) {
          failure = error;
        }
      }
    }
    throw failure;
  }

  async #carry(
    command: RelayCommand,
    first?: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { child, connection, cut } = command;
    const { standardError = "connection" } = command.command.surroundings ?? {};
    carryIn(connection, child.stdin, first);
    const outputs = standardError === "connection"
      ? [child.stdout, child.stderr]
      : [child.stdout];
    const carriedOut = Promise.all(
      outputs.map((output) => carryOut(output, connection, cut.promise)),
    ).then(() => connection.closeWrite().catch(() => {}));
    const status = await child.status;
    command.ended = true;
    await carriedOut;
    connection.close();
    this.#clients.left(command.clientKey);
    this.#options.events.ended(command, waitStatusOf(status));
  }
}

/** What one direction of one connection holds in memory at the most. */
const BUFFER_BYTES = 32 * 1024;

/** How many buffers without a connection are kept for the next ones. */
const SPARE_BUFFERS = 64;

/** Buffers are used again: what is thrown away piles up until it is collected. */
class BufferPool {
  readonly #spare: ArrayBuffer[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(BUFFER_BYTES));
  }

  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    const isWhole = buffer.byteLength === BUFFER_BYTES;
    if (isWhole && this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
  }
}

const pool = new BufferPool();

/**
 * Carries what the client sends, and its end, to the command; before that, what
 * was read already.
 */
async function carryIn(
  connection: Deno.Conn,
  stdin: WritableStream<Uint8Array<ArrayBuffer>>,
  first: Uint8Array<ArrayBuffer> | undefined,
): Promise<void> {
  const writer = stdin.getWriter();
  const buffer = pool.take();
  try {
    if (first !== undefined && first.length > 0) await writer.write(first);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) break;
      await writer.write(buffer.subarray(0, count));
    }
    await writer.close();
  } catch {
    // Either side has gone, which the other will see: by the end of its input
    // here, or by its failing output in the other direction.
    await writer.abort().catch(() => {});
  }
  pool.giveBack(buffer);
}

/** Carries what the command writes to the client, until it ends or is cut. */
async function carryOut(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  connection: Deno.Conn,
  cut: Promise<void>,
): Promise<void> {
  const reader = output.getReader({ mode: "byob" });
  const carried = async () => {
    let buffer = pool.take();
    for (;;) {
      // A read takes the buffer away and gives it back in its result.
      const { done, value } = await reader.read(buffer);
      if (value !== undefined) buffer = new Uint8Array(value.buffer);
      if (done) break;
      for (let sent = 0; sent < value.length;) {
        sent += await connection.write(value.subarray(sent));
      }
    }
    pool.giveBack(buffer);
  };
  // A client that has gone: the command learns it from its closed pipe.
  await Promise.race([carried().catch(() => {}), cut]);
  await reader.cancel().catch(() => {});
}

function signalGroup(pid: number, signal: number): void {
  const name = SIGNAL_NAMES[signal];
  if (name === undefined) throw new RangeError(`no signal ${signal} here`);
  try {
    Deno.kill(-pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Kills what is left of a command's group, of which something holds the pipes
 * still. The runtime has collected the command itself, so its process id may
 * name another group by now: with the user's own rights, never a stranger's.
 */
function killOrphans(pid: number, identity: Identity): void {
  new Deno.Command("/bin/sh", {
    args: ["-c", `kill -s KILL -- -${pid}`],
    ...identity,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
}

function waitStatusOf(status: Deno.CommandStatus): WaitStatus {
  return status.signal === null
    ? { kind: "exited", code: status.code }
    : { kind: "signaled", signal: status.code - SIGNAL_CODE_OFFSET };
}

/** The runtime does not tell who is at the other end of a unix socket. */
function clientOf({ remoteAddr }: Deno.Conn): Client {
  if (!("hostname" in remoteAddr)) return { kind: "unknown" };
  const { hostname, port } = remoteAddr;
  const address = parseIpAddress(hostname.replace(/%.*$/, ""));
  return address === undefined
    ? { kind: "unknown" }
    : { kind: "inet", address, port };
}

function peerOf(
  { remoteAddr }: Deno.Conn,
  client: Client | undefined,
): string {
  if (client !== undefined) return formatClient(client);
  if (!("hostname" in remoteAddr)) return "unix";
  const { hostname, port } = remoteAddr;
  return formatAddress({ kind: "inet", host: plainHost(hostname), port });
}

/** Where a client is, by its proxy's word where it has one. */
function remoteOf(
  { remoteAddr }: Deno.Conn,
  client: Client | undefined,
): { readonly host: string; readonly port: number } | undefined {
  if (client?.kind === "inet") {
    return { host: formatIpAddress(client.address), port: client.port };
  }
  if (remoteAddr.transport !== "tcp") return undefined;
  const { hostname, port } = remoteAddr;
  return { host: plainHost(hostname), port };
}

/** What tells a client from others; of a unix socket's nothing does. */
function keyOf(
  connection: Deno.Conn,
  client: Client | undefined,
): string | undefined {
  return remoteOf(connection, client)?.host;
}

/** An IPv4 address that came over an IPv6 socket as what it is. */
function plainHost(hostname: string): string {
  return mappedInet4(hostname) ?? hostname;
}

/** It may have been closed by its time. */
function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function nameAndValue(word: string): readonly [string, string] {
  const at = word.indexOf("=");
  return [word.slice(0, at), word.slice(at + 1)];
}

/** What the system may give later; the runtime names it as the system does. */
const SHORTAGES = ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"];

function isShortage(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    SHORTAGES.some((code) => code === error.code);
}

/** The system's words alone, out of the runtime's. */
function systemReasonOf(error: unknown): string {
  return reasonOf(error).replace(/^Failed to spawn '.*': /s, "")
    .replace(/ \(os error \d+\)$/, "");
}
