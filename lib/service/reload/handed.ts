/**
 * What an image of this process hands on to the next, which executes in its
 * place, and to a trial: a sealed file in memory, whose descriptor is named in
 * the environment. Whoever could forge one is root already; even so, nothing
 * in it is taken unread.
 *
 * @module
 */

import { clientOf, type RunningCommand } from "../../engine/engine.ts";
import type { HandedSocket } from "../../net/inherited_sockets.ts";
import { monotonicOffsetMs } from "../../posix/clock.ts";
import type { Libc } from "../../posix/libc.ts";
import { readSealedFile, sealedFile } from "../../posix/memory_file.ts";
import { lookAtDescriptor } from "../../posix/files.ts";
import type { DescriptorLimit } from "../../posix/process.ts";
import { EX, reasonOf, Refusal } from "../../result.ts";
import type { Service, ServiceMemory } from "../service.ts";
import { clientIn, waitingOf } from "./client_record.ts";
import { countersOf } from "./counters_record.ts";
import { Shape } from "./shape.ts";

/** Names the descriptor of what was handed on. */
export const HANDED_VARIABLE = "SPAWND_HANDED_FD";

/** Names the descriptor on which a trial gives its verdict. */
export const TRIAL_VARIABLE = "SPAWND_TRIAL_FD";

/** Changed with whatever changes what is written here. */
const VERSION = 2;

/** A service's memory, by what tells the service from others. */
export interface HandedService {
  readonly id: string;
  readonly name: string;
  readonly memory: ServiceMemory;
}

/** The plan of a trial, with what it has opened. */
export interface TriedPlan {
  /** In the words of the program that has tried it. */
  readonly text: string;
  /** The sockets that it has opened, in their order. */
  readonly passed: readonly HandedSocket[];
}

/** What is handed on. */
export interface Handed {
  readonly sockets: readonly HandedSocket[];
  readonly services: readonly HandedService[];
  /** For the next image. */
  readonly plan?: TriedPlan | undefined;
  /** The number of descriptors that the first image was started with. */
  readonly descriptorLimit?: DescriptorLimit | undefined;
  /** The pid file, open for writing. */
  readonly pidFileFd?: number | undefined;
  /** The master(8) that the first image was started by. */
  readonly masterPid?: number | undefined;
  /** When the first image was started, in milliseconds of the calendar. */
  readonly sinceMs?: number | undefined;
  /** Whether a SIGHUP has come that nothing was done about. */
  readonly isReloadWanted: boolean;
  /** When connections were accepted last, on the machine's monotonic clock. */
  readonly pausedMs: number;
}

/**
 * Gives a service's memory with what tells it from others.
 *
 * @param id What tells it from others.
 * @param service The service.
 * @returns What is handed on.
 */
export function remember(id: string, service: Service): HandedService {
  return { id, name: service.name, memory: service.memory };
}

/**
 * Writes what is handed on.
 *
 * @param libc The C library.
 * @param handed What is handed on.
 * @returns The descriptor of a sealed file.
 * @throws {SystemError} If there is no descriptor or no memory for it.
 */
export function writeHanded(libc: Libc, handed: Handed): number {
  const offsetMs = monotonicOffsetMs(libc);
  const text = JSON.stringify(
    { version: VERSION, ...handed, services: handed.services.map(flat) },
    (_key, value) => typeof value === "bigint" ? String(value) : value,
  );
  return sealedFile(libc, new TextEncoder().encode(text));

  function flat({ id, name, memory }: HandedService): unknown {
    return {
      ...{ id, name },
      ...memory,
      commands: memory.commands.map(({ running, limitMs, isKilled }) => ({
        pid: running.pid,
        peer: running.peer,
        origin: clientOf(running),
        clientKey: running.clientKey,
        startedMs: running.startedMs + offsetMs,
        name: running.command.argv[0],
        ...running.command.identity,
        client: running.client,
        limitMs,
        isKilled,
      })),
      waiting: memory.waiting.map(({ fd, proxy, sinceMs }) => ({
        ...{ fd, proxy },
        sinceMs: sinceMs + offsetMs,
      })),
    };
  }
}

/**
 * Reads what was handed on, and closes the file.
 *
 * @param libc The C library.
 * @param fd The file's descriptor.
 * @returns What was handed on.
 * @throws {Error} If it is not what {@linkcode writeHanded} writes.
 */
export function readHanded(libc: Libc, fd: number): Handed {
  const offsetMs = monotonicOffsetMs(libc);
  const bytes = readSealedFile(libc, fd);
  libc.c.close(fd);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const all = new Shape(JSON.parse(decoder.decode(bytes)), "handed");
  const version = all.field("version").count();
  if (version !== VERSION) {
    throw new TypeError(`handed.version is ${version}, not ${VERSION}`);
  }
  return {
    sockets: all.field("sockets").list().map(handedSocketOf),
    services: all.field("services").list()
      .map((shape) => serviceOf(shape, offsetMs)),
    plan: all.field("plan").optional((plan) => ({
      text: plan.field("text").text(),
      passed: plan.field("passed").list().map(handedSocketOf),
    })),
    descriptorLimit: all.field("descriptorLimit").optional((limit) => ({
      soft: limit.field("soft").long(),
      hard: limit.field("hard").long(),
    })),
    pidFileFd: all.field("pidFileFd").optional((fd) => fd.count()),
    masterPid: all.field("masterPid").optional((pid) => pid.count()),
    sinceMs: all.field("sinceMs").optional((since) => since.number()),
    isReloadWanted: all.field("isReloadWanted").flag(),
    pausedMs: all.field("pausedMs").number(),
  };
}

/**
 * Reads a socket that was handed on.
 *
 * @param shape The JSON value.
 * @returns The socket.
 */
export function handedSocketOf(shape: Shape): HandedSocket {
  return {
    fd: shape.field("fd").count(),
    address: shape.field("address").text(),
    asked: shape.field("asked").optional((asked) => asked.text()),
    name: shape.field("name").optional((name) => name.text()),
    file: shape.field("file").optional((file) => ({
      device: file.field("device").long(),
      inode: file.field("inode").long(),
    })),
    isDatagram: shape.field("isDatagram").optional((flag) => flag.flag()),
    isGiven: shape.field("isGiven").optional((flag) => flag.flag()),
  };
}

function serviceOf(shape: Shape, offsetMs: number): HandedService {
  return {
    id: shape.field("id").text(),
    name: shape.field("name").text(),
    memory: {
      startFailures: shape.field("startFailures").count(),
      acceptFailures: shape.field("acceptFailures").count(),
      counters: shape.field("counters").optional(countersOf),
      commands: shape.field("commands").list().map((command) => ({
        running: runningOf(command, offsetMs),
        // JSON has no word for it.
        limitMs: command.field("limitMs").optional((limit) => limit.number()) ??
          Infinity,
        isKilled: command.field("isKilled").flag(),
      })),
      waiting: shape.field("waiting").list()
        .map((waiting) => waitingOf(waiting, offsetMs)),
    },
  };
}

function runningOf(shape: Shape, offsetMs: number): RunningCommand {
  const pid = shape.field("pid").count();
  // 0 and 1 would name far more than a command when they are signalled.
  if (pid <= 1) throw new TypeError(`no command has the process id ${pid}`);
  return {
    pid,
    peer: shape.field("peer").text(),
    origin: shape.field("origin").optional((origin) => origin.text()),
    clientKey: shape.field("clientKey").optional((key) => key.textOrNumber()),
    startedMs: shape.field("startedMs").number() - offsetMs,
    command: {
      argv: [shape.field("name").text()],
      environment: [],
      identity: {
        uid: shape.field("uid").count(),
        gid: shape.field("gid").count(),
      },
    },
    client: shape.field("client").optional(clientIn),
  };
}

/** What this process was started with beside its command line. */
export interface Start {
  /** What it goes on with, or tries with. */
  readonly handed: Handed;
  /** Where to give a verdict; `undefined` for who is to serve. */
  readonly trialFd: number | undefined;
}

/**
 * Takes what was handed on to this process, and its traces in the environment.
 *
 * @param libc The C library.
 * @returns It; `undefined` where this process was started as usual.
 * @throws {Refusal} If the environment names what no spawnd has handed on.
 */
export function takeHanded(libc: Libc): Start | undefined {
  const fd = takeDescriptor(HANDED_VARIABLE);
  const trialFd = takeDescriptor(TRIAL_VARIABLE);
  if (trialFd !== undefined) {
    const isSocket = lookAtDescriptor(libc, trialFd)?.kind === "socket";
    if (!isSocket) throw foreign(TRIAL_VARIABLE, `${trialFd} is no socket`);
    if (fd === undefined) {
      throw foreign(TRIAL_VARIABLE, `there is no ${HANDED_VARIABLE}`);
    }
  }
  if (fd === undefined) return undefined;
  try {
    return { handed: readHanded(libc, fd), trialFd };
  } catch (error) {
    throw foreign(HANDED_VARIABLE, reasonOf(error));
  }
}

function takeDescriptor(name: string): number | undefined {
  const text = textOf(name);
  if (text === undefined) return undefined;
  Deno.env.delete(name);
  if (!/^\d{1,9}$/.test(text)) throw foreign(name, "it names no descriptor");
  return Number(text);
}

/** What is no UTF-8 is no number either. */
function textOf(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return "";
    throw error;
  }
}

/**
 * Makes the refusal of what only a spawnd sets for itself.
 *
 * @param name The variable.
 * @param reason What is wrong with it.
 * @returns The refusal, to be thrown.
 */
export function foreign(name: string, reason: string): Refusal {
  return new Refusal({
    text: `the variable ${name} was not set by a spawnd: ${reason}`,
    mend: "unset it",
    exitCode: EX.CONFIG,
  });
}
