/**
 * Starting commands: what does not differ from one connection to the next is
 * laid out in C memory once; then each start takes a slot, puts the connection
 * into its list, and makes a child that runs the list. Whether it has become
 * the command is known later, when the kernel has cleared the slot's word.
 *
 * @module
 */

import { inCMemory, stringInCMemory, vectorInCMemory } from "./c_memory.ts";
import type { CallFailure } from "./call_list.ts";
import { Cloner, Slot } from "./clone.ts";
import { type CommandCalls, commandCalls } from "./command_calls.ts";
import {
  type Caller,
  type ConnectionEnvironment,
  EnvironmentAreas,
} from "./connection_environment.ts";
import type { Identity } from "./credentials.ts";
import {
  checked,
  EACCES,
  ENODEV,
  ENOENT,
  ENOEXEC,
  ENOTDIR,
  errorText,
  ESTALE,
  ETIMEDOUT,
} from "./errno.ts";
import { O_CLOEXEC, O_RDWR } from "./headers.ts";
import { Landings } from "./landings.ts";
import { cString, type Libc } from "./libc.ts";
import { SpareDescriptor } from "./spare_descriptor.ts";
import type { DescriptorLimit } from "./process.ts";
import { KERNEL_SIGACTION_BYTES, signalsSetAside } from "./signals.ts";
import {
  type OpenedSurroundings,
  openSurroundings,
  surroundingCalls,
} from "./surroundings/calls.ts";
import type {
  LimitValue,
  ResourceLimit,
  Surroundings,
} from "./surroundings/surroundings.ts";

const SHELL = "/bin/sh";

/** A command ready to be started any number of times. */
export interface PrepareOptions {
  /** The command and its arguments, as configured; never empty. */
  readonly argv: readonly string[];
  /** The whole environment, as `NAME=VALUE` words. */
  readonly environment: readonly string[];
  /** Where a command without a slash is looked for, in order. */
  readonly searchPath: readonly string[];
  /** Whose process it becomes; `undefined` where it stays the daemon's user. */
  readonly identity: Identity | undefined;
  /** Its root directory, in which it starts, where it is to have another. */
  readonly rootDirectory?: string | undefined;
  /** Its limit of descriptors, where it is to have another than the daemon. */
  readonly descriptorLimit?: DescriptorLimit | undefined;
  /** What else is asked for. */
  readonly surroundings?: Surroundings | undefined;
  /** Whose variables tell it of its connection; nobody's, if none are said. */
  readonly connectionEnvironment?: ConnectionEnvironment | undefined;
}

/** How one command is started. */
export interface StartOptions {
  /**
   * Whether the connection is kept until it is known that the command runs, so
   * that another file can be tried with it. The client sees no end of its
   * conversation before that.
   */
  readonly keepsConnection: boolean;
  /** Whether to share the table of descriptors, where a landing is free. */
  readonly sharesDescriptors: boolean;
  /** What there is to tell of the connection, if the command is told. */
  readonly caller?: Caller | undefined;
}

/** The variables of a command that is given none of its own. */
export const NO_VARIABLES: readonly string[] = [];

/** A file to execute, and with what words. */
interface Attempt {
  readonly path: bigint;
  readonly argv: bigint;
  /** What to try where the kernel knows no format of the file. */
  readonly byShell: Attempt | undefined;
}

/** Starts commands; one for the whole process. */
export class Starter {
  readonly #libc: Libc;
  readonly #cloner: Cloner;
  readonly #landings: Landings;
  readonly #spare: SpareDescriptor;
  readonly #nothing: number;

  /**
   * @param libc The C library.
   * @throws {SystemError} If the system does not allow the machine code, or has
   * no descriptors.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#cloner = new Cloner(libc);
    const path = "/dev/null";
    const nothing = libc.c.open(cString(path), O_RDWR | O_CLOEXEC, 0);
    this.#nothing = checked(libc, `open ${path}`, nothing);
    this.#landings = new Landings(libc, nothing);
    this.#spare = new SpareDescriptor(libc, nothing);
  }

  /**
   * Lays a command out. With root's effective ids, where it is to become
   * another user.
   *
   * @param options What to run, how and as whom.
   * @returns The command, ready to be started.
   * @throws {SystemError} If the kernel does not have what is asked for.
   */
  prepare(options: PrepareOptions): PreparedCommand {
    return new PreparedCommand(this.#libc, {
      cloner: this.#cloner,
      landings: this.#landings,
      spare: this.#spare,
      nothing: this.#nothing,
      opened: openSurroundings(this.#libc, options.surroundings ?? {}),
      command: options,
    });
  }

  /** See {@linkcode Cloner.withoutSignals}: around one or several starts. */
  withoutSignals(action: () => void): void {
    this.#cloner.withoutSignals(action);
  }

  /**
   * Tells whether whoever is accepted now can be served, too: the descriptor in
   * reserve is gone while a start keeps its connection that needed it.
   */
  get hasReserve(): boolean {
    return this.#spare.refill();
  }

  /** See {@linkcode Cloner.await}. */
  await(start: Start, limitMs: number): void {
    this.#cloner.await(start.slot, limitMs);
  }
}

/** A start whose outcome is not known yet. */
export interface Start {
  readonly slot: Slot;
  pid: number;
  /** Becomes readable when the child ends. */
  pidFd: number;
  /** The file that is tried. */
  attempt: Attempt;
  /** The place of the candidate in the path. */
  candidate: number;
  /** Whether a file was found that may not be executed. */
  isDenied: boolean;
  /** The connection, where it is kept; else -1. */
  connection: number;
  /** The low descriptor that the connection is on, if it is on one; else -1. */
  landing: number;
}

/** Why a command was not started. */
export interface StartFailure {
  /** In the system's words. */
  readonly reason: string;
  readonly code: number;
}

interface Means {
  readonly cloner: Cloner;
  readonly landings: Landings;
  readonly spare: SpareDescriptor;
  /** /dev/null. */
  readonly nothing: number;
  readonly opened: OpenedSurroundings;
  readonly command: PrepareOptions;
}

/** A command laid out in C memory. */
export class PreparedCommand {
  readonly #libc: Libc;
  readonly #means: Means;
  readonly #candidates: readonly Attempt[];
  /** Vectors by the variables beside those of every start. */
  readonly #environments = new Map<readonly string[], bigint>();
  readonly #slots: Slot[] = [];
  readonly #areas = new Map<
    Slot,
    Map<readonly string[], EnvironmentAreas>
  >();
  /** Written down when the first command starts: handlers are there by then. */
  #calls: CommandCalls | undefined;
  #takenCount = 0;

  /** @ignore Made by {@linkcode Starter.prepare}. */
  constructor(libc: Libc, means: Means) {
    this.#libc = libc;
    this.#means = means;
    const { argv, searchPath } = means.command;
    const [name = "", ...rest] = argv;
    const paths = name.includes("/")
      ? [name]
      : searchPath.map((folder) => `${folder}/${name}`);
    const vector = vectorInCMemory(libc, argv);
    const shell = stringInCMemory(libc, SHELL);
    this.#candidates = paths.map((path) => ({
      path: stringInCMemory(libc, path),
      argv: vector,
      byShell: {
        path: shell,
        argv: vectorInCMemory(libc, [SHELL, path, ...rest]),
        byShell: undefined,
      },
    }));
  }

  /** How many slots are taken. */
  get takenCount(): number {
    return this.#takenCount;
  }

  /**
   * Begins to start the command, with a connection as its standard input,
   * output and error. To be called {@linkcode Starter.withoutSignals}.
   *
   * @param connection Its descriptor. It is closed, whatever happens, as soon
   * as it is not needed.
   * @param options How.
   * @param variables `NAME=VALUE` words for this one beside those of every
   * start, before which they count. The same list is laid out once.
   * @returns What goes on; or the error number, when nothing does.
   */
  start(
    connection: number,
    options: StartOptions,
    variables: readonly string[] = NO_VARIABLES,
  ): Start | number {
    const [attempt] = this.#candidates;
    if (attempt === undefined) return this.#refuse(connection, ENOENT);
    const slot = this.#takeSlot();
    this.#describe(slot, connection, { caller: options.caller, variables });
    const landing = options.sharesDescriptors
      ? this.#means.landings.take(connection)
      : undefined;
    const start: Start = {
      slot,
      pid: -1,
      pidFd: -1,
      attempt,
      candidate: 0,
      isDenied: false,
      connection: landing === undefined ? connection : -1,
      landing: landing ?? -1,
    };
    const code = this.#clone(start);
    if (code !== 0) {
      this.#release(start);
      this.#giveBack(start);
      return code;
    }
    if (!options.keepsConnection) this.#closeConnection(start);
    return start;
  }

  /**
   * Says that a start is over: the command runs. The slot is free again.
   *
   * @param start The start, whose slot is not in use any more.
   */
  finish(start: Start): void {
    this.#release(start);
    this.#giveBack(start);
  }

  /**
   * Goes on after a child that has failed and was collected, with the next
   * file that execvp(3) would try. To be called without signals, too.
   *
   * @param start The start; it has another child if there is one to try.
   * @param isLast Whether nothing else is to be tried.
   * @returns `undefined` where it goes on; or why the command is not started:
   * then the start is over.
   */
  goOn(start: Start, isLast: boolean): StartFailure | undefined {
    const failure = start.slot.list.takeFailure(this.#libc);
    const next = this.#nextAttempt(start, failure);
    const hasConnection = start.connection >= 0 || start.landing >= 0;
    if (typeof next === "object" && hasConnection && !isLast) {
      start.attempt = next;
      const code = this.#clone(start);
      if (code === 0) return undefined;
      this.finish(start);
      return { reason: errorText(this.#libc, code), code };
    }
    this.finish(start);
    const code = typeof next === "number" ? next : failure.code;
    const text = errorText(this.#libc, code);
    const what = failure.call?.what ?? failure.call?.call ?? "";
    return { reason: what === "" ? text : `${what}: ${text}`, code };
  }

  /** As execvp(3) does: what to try next, or the error number. */
  #nextAttempt(start: Start, { code, call }: CallFailure): Attempt | number {
    if (call?.call !== "execve") return code;
    switch (code) {
      case ENOEXEC:
        return start.attempt.byShell ?? code;
      case EACCES:
        start.isDenied = true;
        break;
      case ENOENT:
      case ENOTDIR:
      case ENODEV:
      case ESTALE:
      case ETIMEDOUT:
        break;
      default:
        return code;
    }
    // The shell's own failure is not about a file of the path.
    if (start.attempt.byShell === undefined) return code;
    const next = this.#candidates[++start.candidate];
    return next ?? (start.isDenied ? EACCES : code);
  }

  #clone(start: Start): number {
    const { slot, attempt } = start;
    const { list } = slot;
    const { connectionRows, aboveRow, execRow } = this.#writtenCalls;
    const shares = start.landing >= 0;
    const fd = shares ? start.landing : start.connection;
    for (const row of connectionRows) list.setDescriptor(row, 0, fd);
    list.setDescriptor(aboveRow, 0, Math.max(fd, this.#errorFd ?? 0) + 1);
    if (slot.holds !== attempt) {
      slot.holds = attempt;
      list.setArgument(execRow, 0, attempt.path);
      list.setArgument(execRow, 1, attempt.argv);
    }
    const { cloner, spare } = this.#means;
    const pid = spare.use(() => cloner.clone(slot, shares));
    if (pid < 0) return -pid;
    start.pid = pid;
    start.pidFd = cloner.pidFd;
    return 0;
  }

  /** Only a slot that no child is in may be written to. */
  #describe(
    slot: Slot,
    connection: number,
    { caller, variables }: {
      readonly caller: Caller | undefined;
      readonly variables: readonly string[];
    },
  ): void {
    const { connectionEnvironment: style = "none" } = this.#means.command;
    const vector = style === "none" || caller === undefined
      ? this.#environmentWith(variables)
      : this.#areasOf(slot, style, variables).write(connection, caller);
    if (slot.environment === vector) return;
    slot.environment = vector;
    slot.list.setArgument(this.#writtenCalls.execRow, 2, vector);
  }

  /** Each slot has its own, for each list of variables that may come. */
  #areasOf(
    slot: Slot,
    style: Exclude<ConnectionEnvironment, "none">,
    variables: readonly string[],
  ): EnvironmentAreas {
    let ofSlot = this.#areas.get(slot);
    if (ofSlot === undefined) this.#areas.set(slot, ofSlot = new Map());
    let areas = ofSlot.get(variables);
    if (areas === undefined) {
      const words = this.#wordsWith(variables);
      areas = new EnvironmentAreas(this.#libc, style, words);
      ofSlot.set(variables, areas);
    }
    return areas;
  }

  get #writtenCalls(): CommandCalls {
    return this.#calls ??= this.#writeCalls();
  }

  #writeCalls(): CommandCalls {
    const libc = this.#libc;
    const { opened, command } = this.#means;
    const { identity, rootDirectory, surroundings = {} } = command;
    const groups = surroundings.groups ?? [identity?.gid ?? 0];
    const limits = limitsOf(command);
    return commandCalls({
      identity,
      signals: signalsSetAside(libc),
      addresses: {
        zeroes: inCMemory(libc, new Uint8Array(KERNEL_SIGACTION_BYTES)),
        groups: inCMemory(libc, new Uint8Array(new Uint32Array(groups).buffer)),
        slash: stringInCMemory(libc, "/"),
        ...rootDirectory === undefined ? {} : {
          root: {
            address: stringInCMemory(libc, rootDirectory),
            path: rootDirectory,
          },
        },
      },
      groupCount: groups.length,
      errorFd: this.#errorFd,
      surroundings: surroundingCalls(libc, { ...surroundings, limits }, opened),
    });
  }

  /** What standard error is, where it is not the connection. */
  get #errorFd(): number | undefined {
    const { nothing, opened, command } = this.#means;
    return command.surroundings?.standardError === "null"
      ? nothing
      : opened.errorOutput;
  }

  #environmentWith(variables: readonly string[]): bigint {
    const known = this.#environments.get(variables);
    if (known !== undefined) return known;
    const address = vectorInCMemory(this.#libc, this.#wordsWith(variables));
    this.#environments.set(variables, address);
    return address;
  }

  #wordsWith(variables: readonly string[]): readonly string[] {
    const own = new Set(variables.map(nameIn));
    const { environment } = this.#means.command;
    return [
      ...environment.filter((word) => !own.has(nameIn(word))),
      ...variables,
    ];
  }

  #takeSlot(): Slot {
    let slot = this.#slots.find(({ isTaken }) => !isTaken);
    if (slot === undefined) {
      const { calls } = this.#writtenCalls;
      slot = new Slot(this.#libc, calls);
      this.#slots.push(slot);
    }
    slot.isTaken = true;
    this.#takenCount++;
    return slot;
  }

  #giveBack({ slot }: Start): void {
    slot.isTaken = false;
    this.#takenCount--;
  }

  #release(start: Start): void {
    if (start.landing >= 0) {
      this.#means.landings.giveBack(start.landing);
      start.landing = -1;
    }
    this.#closeConnection(start);
    this.#means.spare.refill();
  }

  #closeConnection(start: Start): void {
    if (start.connection < 0) return;
    this.#libc.c.close(start.connection);
    start.connection = -1;
    this.#means.spare.refill();
  }

  #refuse(connection: number, code: number): number {
    this.#libc.c.close(connection);
    return code;
  }
}

/** The daemon may have raised its own limit of descriptors. */
function limitsOf(
  { surroundings, descriptorLimit: own }: PrepareOptions,
): readonly ResourceLimit[] {
  const limits = surroundings?.limits ?? [];
  const isSaid = limits.some(({ resource }) => resource === "nofile");
  if (own === undefined || isSaid) return limits;
  const [soft, hard] = [limitValue(own.soft), limitValue(own.hard)];
  return [...limits, { resource: "nofile", soft, hard }];
}

function limitValue(words: bigint): LimitValue {
  return words > Number.MAX_SAFE_INTEGER ? "infinity" : Number(words);
}

/** The name of a variable, out of its `NAME=VALUE` word. */
function nameIn(word: string): string {
  return word.slice(0, word.indexOf("="));
}
