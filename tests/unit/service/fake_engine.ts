/**
 * An engine without connections and commands: a test makes them up, and sees
 * what the service asks for.
 *
 * @module
 */

import type { Client } from "../../../lib/posix/client.ts";
import type {
  Engine,
  RunningCommand,
  ServedService,
  ServeOptions,
  WaitingConnection,
} from "../../../lib/engine/engine.ts";
import type { WaitStatus } from "../../../lib/engine/wait_status.ts";

/** What is known of a connection. */
interface FakeConnection {
  readonly peer?: string;
  readonly client?: Client;
}

/** Serves one service. */
export class FakeEngine implements Engine {
  readonly name = "direct";
  /** What the service has asked for, in its order. */
  readonly asked: string[] = [];
  /** Connections of which a proxy has said nothing yet. */
  waiting: WaitingConnection[] = [];
  #options: ServeOptions | undefined;
  #nextPid = 101;

  serve(options: ServeOptions): ServedService {
    this.#options = options;
    const ask = (words: string): void => {
      this.asked.push(words);
    };
    const waiting = (): readonly WaitingConnection[] => this.waiting;
    return {
      get waiting(): readonly WaitingConnection[] {
        return waiting();
      },
      adoptWaiting: ({ fd }) => ask(`adopt waiting ${fd}`),
      dropWaiting: () => {
        this.waiting = [];
      },
      setAccepting: (accepting) => ask(accepting ? "accept" : "leave waiting"),
      adopt: (command) => {
        ask(`adopt ${command.pid}`);
        return command;
      },
      stopListening: () => ask("stop listening"),
      take: (connection) => ask(`take ${connection}`),
      signal: ({ pid }, signal) => ask(`signal ${pid} ${signal}`),
      endGroups: () => ask("end groups"),
    };
  }

  run(): Promise<void> {
    throw new Error("it never runs");
  }

  stop(): void {}

  /** What it was given to serve. */
  get options(): ServeOptions {
    if (this.#options === undefined) throw new Error("it serves nothing");
    return this.#options;
  }

  /** What was asked for since the last call. */
  takeAsked(): string[] {
    return this.asked.splice(0);
  }

  /** A connection has come, and its command runs. */
  start({ peer = "", client }: FakeConnection = {}): RunningCommand {
    const pid = this.#nextPid++;
    const { command: configured } = this.options;
    const startedMs = performance.now();
    const command = { pid, peer, startedMs, command: configured, client };
    this.options.events.starting(command);
    this.options.events.started(command);
    return command;
  }

  /** A command has ended. */
  end(
    command: RunningCommand,
    status: WaitStatus = { kind: "exited", code: 0 },
  ): void {
    this.options.events.ended(command, status);
  }
}
