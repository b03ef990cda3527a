/**
 * `spawnd run`: one service from the command line.
 *
 * The order of the steps is the security of the daemon: everything that can
 * be refused is checked first, then sockets are opened, then the three locks
 * fall, and only then the first connection is accepted.
 *
 * @module
 */

import {
  type Accounts,
  type CommandAttributes,
  parseAttributes,
} from "../config/attributes.ts";
import { DirectEngine } from "../engine/direct.ts";
import type { Engine, EngineName, ListeningSocket } from "../engine/engine.ts";
import { RelayEngine } from "../engine/relay.ts";
import { underJournal } from "../log/journal.ts";
import { type DaemonLog, openLog } from "../log/log.ts";
import { getentAccounts } from "../net/getent.ts";
import { parseInetName } from "../net/inet_endpoint.ts";
import { listenInet } from "../net/listening.ts";
import { listenUnix } from "../net/unix_socket.ts";
import { findGroup, findUser } from "../posix/accounts.ts";
import {
  type Credentials,
  dropInheritableCapabilities,
  type Identity,
  restAs,
  startedAs,
  unchangingCredentials,
} from "../posix/credentials.ts";
import { isLibc, type Libc, openLibc } from "../posix/libc.ts";
import {
  closeAllOnExec,
  isOpen,
  setUmask,
  writeOnce,
} from "../posix/process.ts";
import {
  EX,
  type ExitCode,
  failure,
  formatMistake,
  type Result,
  success,
} from "../result.ts";
import { lockDown } from "../service/lock_down.ts";
import { Service } from "../service/service.ts";
import { untilStopped } from "../service/stopping.ts";
import { runHelp } from "./help.ts";
import {
  parseRunRequest,
  RUN_OPTIONS,
  type RunRequest,
} from "./run_options.ts";

/** Where commands run, if it is there; as below a Postfix. */
const QUEUE_DIRECTORY = "/var/spool/postfix";

/** What files that the daemon or its commands make are closed to. */
const UMASK = 0o077;

/**
 * Runs the subcommand.
 *
 * @param args The words after `run`.
 * @returns The exit code.
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  if (args.length === 0) {
    console.log(runHelp(RUN_OPTIONS));
    return EX.USAGE;
  }
  const request = parseRunRequest(args);
  if (!request.ok) {
    console.error(`spawnd run: ${formatMistake(request.mistake)}`);
    return request.mistake.exitCode;
  }
  if (request.value === "help") {
    console.log(runHelp(RUN_OPTIONS));
    return EX.OK;
  }
  const library = openLibc();
  const libc = isLibc(library) ? library : undefined;
  const log = openLog({
    format: request.value.logFormat,
    journal: libc !== undefined && underJournal(libc),
  });
  const unavailable = isLibc(library) ? "" : library.unavailable;
  const served = await serve(request.value, { libc, unavailable, log });
  if (!served.ok) {
    const { mistake } = served;
    log.fatal("cannot-start", formatMistake(mistake), { ...mistake });
  }
  await log.flush();
  return served.ok ? EX.OK : served.mistake.exitCode;
}

/** What the process was found to have. */
interface Context {
  readonly libc: Libc | undefined;
  /** Why there is no C library. */
  readonly unavailable: string;
  readonly log: DaemonLog;
}

async function serve(
  request: RunRequest,
  context: Context,
): Promise<Result<void>> {
  const { libc, log } = context;
  const engineName = chooseEngine(request, context);
  if (!engineName.ok) return engineName;
  const { readyFd } = request;
  if (readyFd !== undefined && !(libc !== undefined && isOpen(libc, readyFd))) {
    return failure({
      text: `--ready-fd ${readyFd}: no such descriptor`,
      mend: `open it for the daemon: spawnd run ... ${readyFd}>FILE`,
      exitCode: EX.USAGE,
    });
  }
  if (libc !== undefined) prepareProcess(libc);
  const checked = checkIdentities(request, context);
  if (!checked.ok) return checked;
  const { attributes, owner, byRoot } = checked.value;

  // The sockets are removed with whatever credentials there are by then.
  let credentials: Credentials = unchangingCredentials();
  const sockets = openSockets(request, engineName.value, libc, {
    socketOwner: checked.value.socketOwner,
    credentials: () => credentials,
  });
  if (!sockets.ok) return sockets;
  enterDirectory();

  // Lock 3, which the relay engine cannot have: there the runtime itself
  // becomes the command's user, in the child.
  if (libc !== undefined && byRoot && engineName.value === "direct") {
    credentials = restAs(libc, owner);
  }
  const engine: Engine = libc !== undefined && engineName.value === "direct"
    ? new DirectEngine(libc, credentials)
    : new RelayEngine();
  const service = new Service({
    name: request.name,
    sockets: sockets.value,
    command: {
      argv: attributes.argv,
      environment: request.environment,
      identity: attributes.identity,
    },
    timeLimitMs: request.timeLimitMs,
    maxProcesses: request.maxProcesses,
    engine,
    log: log.forService(request.name),
    verbose: request.verbose,
  });
  lockDown(engine.name);

  announce(request, context, sockets.value, attributes, engine);
  const running = engine.run();
  service.start();
  if (libc !== undefined && readyFd !== undefined) {
    writeOnce(libc, readyFd, new Uint8Array([0x0a]));
    libc.c.close(readyFd);
  }
  await Promise.race([untilStopped([service], log), running]);
  engine.stop();
  return success(undefined);
}

function chooseEngine(
  { engine }: RunRequest,
  { libc, unavailable }: Context,
): Result<EngineName> {
  if (engine === "direct" && libc === undefined) {
    return failure({
      text: `the direct engine cannot run: ${unavailable}`,
      mend: "leave --engine out to run with relay",
      exitCode: EX.OSERR,
    });
  }
  return success(engine ?? (libc === undefined ? "relay" : "direct"));
}

/** What a daemon does to its own process before anything else. */
function prepareProcess(libc: Libc): void {
  closeAllOnExec(libc);
  dropInheritableCapabilities(libc);
  setUmask(libc, UMASK);
}

/** Who is who, checked. */
interface Identities {
  readonly attributes: CommandAttributes;
  readonly owner: Identity;
  readonly socketOwner: Identity | undefined;
  /** Whether root started the daemon, so that there are identities to change. */
  readonly byRoot: boolean;
}

function checkIdentities(
  request: RunRequest,
  { libc }: Context,
): Result<Identities> {
  const accounts = libc === undefined ? getentAccounts : accountsOf(libc);
  const self = { uid: Deno.uid() ?? -1, gid: Deno.gid() ?? -1 };
  if (libc !== undefined && !isPlainProcess(libc)) {
    return failure({
      text: "real and effective ids differ",
      mend: "spawnd must not be installed set-user-id",
      exitCode: EX.NOPERM,
    });
  }
  const byRoot = self.uid === 0;
  const owner = byRoot ? findOwner(request.owner, accounts) : success(self);
  if (!owner.ok) return owner;
  const attributes = parseAttributes(request.attributes, {
    accounts,
    owner: byRoot ? owner.value : undefined,
  });
  if (!attributes.ok) return attributes;
  const { identity, userName } = attributes.value;
  if (!byRoot && (identity.uid !== self.uid || identity.gid !== self.gid)) {
    return failure({
      text: `only root can run commands as ${userName}`,
      mend: "start as root, or give your own account as user=",
      exitCode: EX.NOPERM,
    });
  }
  const socketOwner = findSocketOwner(request.socketOwner, accounts);
  if (!socketOwner.ok) return socketOwner;
  return success({
    attributes: attributes.value,
    owner: owner.value,
    socketOwner: socketOwner.value,
    byRoot,
  });
}

function accountsOf(libc: Libc): Accounts {
  return {
    findUser: (name) => findUser(libc, name),
    findGroup: (name) => findGroup(libc, name),
  };
}

function isPlainProcess(libc: Libc): boolean {
  const { real, effective } = startedAs(libc);
  return real.uid === effective.uid && real.gid === effective.gid;
}

function findOwner(name: string, accounts: Accounts): Result<Identity> {
  const owner = accounts.findUser(name);
  if (owner === undefined) {
    return failure({
      place: "--owner",
      text: `unknown user name: ${name}`,
      mend: "name an account for the daemon itself",
      exitCode: EX.NOUSER,
    });
  }
  if (owner.uid !== 0 && owner.gid !== 0) return success(owner);
  return failure({
    place: "--owner",
    text: `${name} is privileged`,
    mend: "name an account without privileges",
    exitCode: EX.CONFIG,
  });
}

function findSocketOwner(
  words: string | undefined,
  accounts: Accounts,
): Result<Identity | undefined> {
  if (words === undefined) return success(undefined);
  const [name = "", group] = words.split(":", 2);
  const user = accounts.findUser(name);
  const gid = group ? accounts.findGroup(group) : user?.gid;
  if (user !== undefined && gid !== undefined) {
    return success({ uid: user.uid, gid });
  }
  return failure({
    place: "--socket-owner",
    text: user === undefined
      ? `unknown user name: ${name}`
      : `unknown group name: ${group}`,
    exitCode: EX.NOUSER,
  });
}

function openSockets(
  request: RunRequest,
  engine: EngineName,
  libc: Libc | undefined,
  access: {
    socketOwner: Identity | undefined;
    credentials: () => Credentials;
  },
): Result<ListeningSocket[]> {
  const { backlogConnections } = request;
  const options = { engine, libc, backlogConnections };
  if (request.type === "inet") {
    const name = parseInetName(request.name);
    return name.ok ? listenInet(name.value, options) : name;
  }
  const socket = listenUnix(request.name, {
    ...options,
    mode: request.socketMode,
    owner: access.socketOwner,
    credentials: access.credentials,
  });
  return socket.ok ? success([socket.value]) : socket;
}

/** Commands inherit the directory that the daemon is in. */
function enterDirectory(): void {
  try {
    Deno.chdir(QUEUE_DIRECTORY);
  } catch {
    Deno.chdir("/");
  }
}

function announce(
  request: RunRequest,
  { log, unavailable }: Context,
  sockets: readonly ListeningSocket[],
  { argv, userName, identity }: CommandAttributes,
  engine: Engine,
): void {
  const addresses = sockets.map(({ address }) => address);
  const { maxProcesses, timeLimitMs } = request;
  const why = request.engine === undefined && unavailable !== ""
    ? ` (${unavailable})`
    : "";
  log.info(
    "listening",
    `listening on ${addresses.join(" and ")}: runs ${argv.join(" ")} as ` +
      `${userName} (uid ${identity.uid}, gid ${identity.gid}), ` +
      `engine ${engine.name}${why}`,
    {
      addresses,
      argv,
      user: userName,
      ...identity,
      engine: engine.name,
      maxProcesses,
      timeLimitSeconds: timeLimitMs / 1000,
    },
  );
}
