/**
 * `spawnd run`: one service from the command line.
 *
 * @module
 */

import {
  type Accounts,
  type CommandAttributes,
  parseAttributes,
} from "../config/attributes.ts";
import type { EngineName, ListeningSocket } from "../engine/engine.ts";
import { underJournal } from "../log/journal.ts";
import { openLog } from "../log/log.ts";
import { getentAccounts } from "../net/getent.ts";
import { parseInetName } from "../net/inet_endpoint.ts";
import { listenInet } from "../net/listening.ts";
import { listenUnix } from "../net/unix_socket.ts";
import { findGroup, findUser } from "../posix/accounts.ts";
import { type Identity, startedAs } from "../posix/credentials.ts";
import { isLibc, type Libc, openLibc } from "../posix/libc.ts";
import { wasInheritedForWriting } from "../posix/process.ts";
import {
  EX,
  type ExitCode,
  failure,
  formatMistake,
  type Result,
  success,
} from "../result.ts";
import {
  type DaemonContext,
  type DaemonPlan,
  type PlanListenOptions,
  prepareProcess,
  serveUntilStopped,
} from "../service/daemon.ts";
import { runHelp } from "./help.ts";
import {
  parseRunRequest,
  RUN_OPTIONS,
  type RunRequest,
} from "./run_options.ts";

/** Where commands run, if it is there; as below a Postfix. */
const QUEUE_DIRECTORY = "/var/spool/postfix";

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

interface Context extends DaemonContext {
  /** Why there is no C library. */
  readonly unavailable: string;
}

async function serve(
  request: RunRequest,
  context: Context,
): Promise<Result<void>> {
  const { libc } = context;
  const engineName = chooseEngine(request, context);
  if (!engineName.ok) return engineName;
  const { readyFd } = request;
  if (
    readyFd !== undefined &&
    !(libc !== undefined && wasInheritedForWriting(libc, readyFd))
  ) {
    return failure({
      text: `--ready-fd ${readyFd}: no descriptor that can be written to`,
      mend: `open it for the daemon: spawnd run ... ${readyFd}>FILE`,
      exitCode: EX.USAGE,
    });
  }
  if (libc !== undefined) prepareProcess(libc);
  const checked = checkIdentities(request, context);
  if (!checked.ok) return checked;
  const { attributes, owner, socketOwner } = checked.value;
  const plan: DaemonPlan = {
    services: [{
      name: request.name,
      listen: (options) => listen(request, socketOwner, options),
      command: {
        argv: attributes.argv,
        environment: request.environment,
        identity: attributes.identity,
      },
      timeLimitMs: request.timeLimitMs,
      maxProcesses: request.maxProcesses,
      throttleMs: 0,
    }],
    engine: engineName.value,
    owner,
    directory: QUEUE_DIRECTORY,
    backlogConnections: request.backlogConnections,
    readyFd,
    verbose: request.verbose,
    reloads: false,
    announce: (sockets) =>
      announce(request, context, attributes, {
        engine: engineName.value,
        sockets: [...sockets.values()].flat(),
      }),
  };
  const served = await serveUntilStopped(plan, context);
  if (served.ok) return served;
  const [mistake] = served.mistake;
  if (mistake === undefined) throw new Error("refused without a reason");
  return failure(mistake);
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

/** Who is who, checked. */
interface Identities {
  readonly attributes: CommandAttributes;
  /** Not there where root did not start the daemon: it has one identity. */
  readonly owner: Identity | undefined;
  readonly socketOwner: Identity | undefined;
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
  const owner = byRoot
    ? findOwner(request.owner, accounts)
    : success(undefined);
  if (!owner.ok) return owner;
  const attributes = parseAttributes(request.attributes, {
    accounts,
    owner: owner.value,
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

function listen(
  request: RunRequest,
  socketOwner: Identity | undefined,
  options: PlanListenOptions,
): Result<ListeningSocket[]> {
  if (request.type === "inet") {
    const name = parseInetName(request.name);
    return name.ok ? listenInet(name.value, options) : name;
  }
  const socket = listenUnix(request.name, {
    ...options,
    mode: request.socketMode,
    owner: socketOwner,
  });
  return socket.ok ? success([socket.value]) : socket;
}

function announce(
  request: RunRequest,
  { log, unavailable }: Context,
  { argv, userName, identity }: CommandAttributes,
  { engine, sockets }: {
    engine: EngineName;
    sockets: readonly ListeningSocket[];
  },
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
      `engine ${engine}${why}`,
    {
      addresses,
      argv,
      user: userName,
      ...identity,
      engine,
      maxProcesses,
      timeLimitSeconds: timeLimitMs / 1000,
    },
  );
}
