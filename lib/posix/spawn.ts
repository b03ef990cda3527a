/**
 * Starting a command with posix_spawn(3), which shares memory with its parent
 * until exec, so that its price does not grow with the size of the runtime.
 *
 * All that does not differ from one connection to the next is laid out in C
 * memory once: attributes, arguments, environment, candidate paths.
 *
 * @module
 */

import type { Credentials, Identity } from "./credentials.ts";
import {
  EACCES,
  ENODEV,
  ENOENT,
  ENOEXEC,
  ENOTDIR,
  ESTALE,
  ETIMEDOUT,
} from "./errno.ts";
import { cString, cVector, type Libc } from "./libc.ts";
import { type DescriptorLimit, setDescriptorLimit } from "./process.ts";

// spawn.h
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;

// Sizes to spare: posix_spawnattr_t has 336 bytes, posix_spawn_file_actions_t
// 80, sigset_t 128, on every 64-bit Linux.
const ATTRIBUTES_BYTES = 512;
const FILE_ACTIONS_BYTES = 128;
const SIGSET_BYTES = 128;
/** The signals 1 to 64, as the first bytes of a sigset_t. */
const ALL_SIGNALS_BYTES = 8;

const SHELL = "/bin/sh";

/** A command ready to be started any number of times. */
export interface SpawnOptions {
  /** The command and its arguments, as configured; never empty. */
  readonly argv: readonly string[];
  /** The whole environment, as `NAME=VALUE` words. */
  readonly environment: readonly string[];
  /** Where a command without a slash is looked for, in order. */
  readonly searchPath: readonly string[];
  /** Whose rights the command has. */
  readonly identity: Identity;
}

interface Candidate {
  readonly path: Uint8Array<ArrayBuffer>;
  /** The arguments with which the shell runs the file, where exec(2) cannot. */
  readonly shellArgv: Uint8Array<ArrayBuffer>;
}

/** What a daemon's successor is started with. */
export interface SuccessorOptions {
  /** The program's file. */
  readonly path: string;
  readonly argv: readonly (string | Uint8Array)[];
  readonly environment: readonly (string | Uint8Array)[];
  /** Where it starts, as relative paths among its arguments are meant. */
  readonly directory: string;
  /**
   * The descriptors that it inherits beside 0, 1, 2, and their numbers there.
   * None may have the number of one that comes later in the list.
   */
  readonly fds: readonly { readonly fd: number; readonly as: number }[];
}

/**
 * Starts this program anew, as root, in the same session.
 *
 * @param libc The C library.
 * @param credentials The way to become root again.
 * @param options What to start.
 * @returns The process id, or the negated error number.
 */
export function spawnSuccessor(
  libc: Libc,
  credentials: Credentials,
  options: SuccessorOptions,
): number {
  const actions = new Uint8Array(FILE_ACTIONS_BYTES);
  libc.c.posix_spawn_file_actions_init(actions);
  for (const { fd, as } of options.fds) {
    // Onto itself, that only takes the close-on-exec flag away.
    libc.c.posix_spawn_file_actions_adddup2(actions, fd, as);
  }
  const directory = cString(options.directory);
  libc.c.posix_spawn_file_actions_addchdir_np(actions, directory);
  const pid = new Int32Array(1);
  const code = credentials.asCommand(ROOT, () =>
    libc.c.posix_spawn(
      new Uint8Array(pid.buffer),
      cString(options.path),
      actions,
      makeAttributes(libc, 0),
      cVector(libc, options.argv),
      cVector(libc, options.environment),
    ));
  libc.c.posix_spawn_file_actions_destroy(actions);
  return code === 0 ? pid[0] ?? -1 : -code;
}

const ROOT: Identity = { uid: 0, gid: 0 };

function makeAttributes(
  libc: Libc,
  flags: number,
): Uint8Array<ArrayBuffer> {
  const attributes = new Uint8Array(ATTRIBUTES_BYTES);
  const { c } = libc;
  const every = new Uint8Array(SIGSET_BYTES).fill(0xff, 0, ALL_SIGNALS_BYTES);
  const none = new Uint8Array(SIGSET_BYTES);
  c.posix_spawnattr_init(attributes);
  c.posix_spawnattr_setsigdefault(attributes, every);
  c.posix_spawnattr_setsigmask(attributes, none);
  c.posix_spawnattr_setflags(
    attributes,
    flags | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK,
  );
  return attributes;
}

/**
 * File actions that put one descriptor on 0, 1 and 2, by that descriptor.
 * Accepted connections take the lowest free number, so that a few entries
 * serve all of them; no more are made than the process can have descriptors.
 */
class FileActions {
  readonly #libc: Libc;
  readonly #byFd = new Map<number, Uint8Array<ArrayBuffer>>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  of(fd: number): Uint8Array<ArrayBuffer> {
    let actions = this.#byFd.get(fd);
    if (actions === undefined) {
      actions = new Uint8Array(FILE_ACTIONS_BYTES);
      const { c } = this.#libc;
      c.posix_spawn_file_actions_init(actions);
      for (const target of [0, 1, 2]) {
        c.posix_spawn_file_actions_adddup2(actions, fd, target);
      }
      this.#byFd.set(fd, actions);
    }
    return actions;
  }
}

/** How many descriptors the commands may have, and the daemon itself. */
export interface DescriptorLimits {
  readonly commands: DescriptorLimit;
  readonly daemon: DescriptorLimit;
}

/** Starts commands; one for the whole process. */
export class Spawner {
  readonly #libc: Libc;
  readonly #credentials: Credentials;
  readonly #limits: DescriptorLimits | undefined;
  readonly #attributes: Uint8Array<ArrayBuffer>;
  readonly #fileActions: FileActions;

  /**
   * @param libc The C library.
   * @param credentials The way to become a command's user.
   * @param limits Where commands may have another number of descriptors than
   * the daemon.
   */
  constructor(
    libc: Libc,
    credentials: Credentials,
    limits?: DescriptorLimits,
  ) {
    this.#libc = libc;
    this.#credentials = credentials;
    this.#limits = limits;
    this.#attributes = makeAttributes(libc, POSIX_SPAWN_SETSID);
    this.#fileActions = new FileActions(libc);
  }

  /**
   * Lays a command out.
   *
   * @param options What to run, how and as whom.
   * @returns The command, ready to be started.
   */
  prepare(options: SpawnOptions): PreparedCommand {
    return new PreparedCommand(
      this.#libc,
      this.#credentials,
      this.#limits,
      this.#attributes,
      this.#fileActions,
      options,
    );
  }
}

/** A command laid out in C memory. */
export class PreparedCommand {
  readonly #libc: Libc;
  readonly #credentials: Credentials;
  readonly #limits: DescriptorLimits | undefined;
  readonly #attributes: Uint8Array<ArrayBuffer>;
  readonly #fileActions: FileActions;
  readonly #identity: Identity;
  readonly #argv: Uint8Array<ArrayBuffer>;
  readonly #environment: Uint8Array<ArrayBuffer>;
  readonly #candidates: readonly Candidate[];
  readonly #shell = cString(SHELL);
  readonly #pid = new Int32Array(1);
  readonly #pidBytes = new Uint8Array(this.#pid.buffer);
  #fd = -1;

  /** @ignore Made by {@linkcode Spawner.prepare}. */
  constructor(
    libc: Libc,
    credentials: Credentials,
    limits: DescriptorLimits | undefined,
    attributes: Uint8Array<ArrayBuffer>,
    fileActions: FileActions,
    options: SpawnOptions,
  ) {
    this.#libc = libc;
    this.#credentials = credentials;
    this.#limits = limits;
    this.#attributes = attributes;
    this.#fileActions = fileActions;
    this.#identity = options.identity;
    const [name = "", ...rest] = options.argv;
    const paths = name.includes("/")
      ? [name]
      : options.searchPath.map((folder) => `${folder}/${name}`);
    this.#candidates = paths.map((path) => ({
      path: cString(path),
      shellArgv: cVector(libc, [SHELL, path, ...rest]),
    }));
    this.#argv = cVector(libc, options.argv);
    this.#environment = cVector(libc, options.environment);
  }

  /**
   * Starts the command once for each connection, with that as its standard
   * input, output and error. The thread becomes the command's user once for
   * all of them.
   *
   * @param connections Their descriptors. They are closed, whatever happens:
   * each as soon as its command has it, so that no client waits for the end
   * of its conversation until the others' commands have been started.
   * @returns For each the process id, or the negated error number.
   * @throws {SystemError} If the thread cannot become the command's user; no
   * command was started.
   */
  start(connections: readonly number[]): number[] {
    const results: number[] = [];
    // The C library takes no descriptor into them that is above the limit.
    for (const connection of connections) this.#fileActions.of(connection);
    const limits = this.#limits;
    if (limits) setDescriptorLimit(this.#libc, limits.commands);
    try {
      this.#credentials.asCommand(this.#identity, () => {
        for (const connection of connections) {
          this.#fd = connection;
          const code = this.#search();
          this.#libc.c.close(connection);
          results.push(code === 0 ? this.#pid[0] ?? -1 : -code);
        }
      });
    } finally {
      if (limits) setDescriptorLimit(this.#libc, limits.daemon);
      for (let left = results.length; left < connections.length; left++) {
        this.#libc.c.close(connections[left] ?? -1);
      }
    }
    return results;
  }

  /** Tries the candidates as execvp(3) does and returns an error number. */
  #search(): number {
    let denied = false;
    let code = ENOENT;
    for (const { path, shellArgv } of this.#candidates) {
      code = this.#spawn(path, this.#argv);
      switch (code) {
        case ENOEXEC:
          return this.#spawn(this.#shell, shellArgv);
        case EACCES:
          denied = true;
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
    }
    return denied ? EACCES : code;
  }

  #spawn(
    path: Uint8Array<ArrayBuffer>,
    argv: Uint8Array<ArrayBuffer>,
  ): number {
    return this.#libc.c.posix_spawn(
      this.#pidBytes,
      path,
      this.#fileActions.of(this.#fd),
      this.#attributes,
      argv,
      this.#environment,
    );
  }
}
