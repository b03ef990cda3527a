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
import type { EngineName } from "../engine/engine.ts";
import { commandEnvironment } from "../engine/environment.ts";
import { parseInetName } from "../net/inet_endpoint.ts";
import { listenInet, type ListeningSocket } from "../net/listening.ts";
import { listenUnix } from "../net/unix_socket.ts";
import { quoted } from "../log/quoted.ts";
import type { Identity } from "../posix/credentials.ts";
import {
  EX,
  type ExitCode,
  failure,
  formatMistake,
  type Result,
  success,
} from "../result.ts";
import { prepareProcess, serveUntilStopped } from "../service/daemon.ts";
import type { DaemonPlan, PlanListenOptions } from "../service/plan.ts";
import { lookAtCommand } from "./commands.ts";
import { runHelp } from "./help.ts";
import {
  parseRunRequest,
  RUN_OPTIONS,
  type RunRequest,
} from "./run_options.ts";
import {
  checkMeans,
  findOwner,
  openContext,
  ownIdentity,
  refuseBytes,
  refuseForeignIdentity,
  type StartContext,
} from "./start.ts";

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
  const context = openContext(request.value.logFormat);
  const { log } = context;
  const served = await serve(request.value, context);
  if (!served.ok) {
    const { mistake } = served;
    log.fatal("cannot-start", formatMistake(mistake), { ...mistake });
  }
  await log.flush();
  return served.ok ? EX.OK : served.mistake.exitCode;
}

async function serve(
  request: RunRequest,
  context: StartContext,
): Promise<Result<void>> {
  const means = checkMeans(request, context);
  if (!means.ok) return means;
  const { libc } = context;
  const { engine, readyFd } = means.value;
  if (libc !== undefined) prepareProcess(libc);
  const checked = checkIdentities(request, context);
  if (!checked.ok) return checked;
  const { attributes, owner, socketOwner } = checked.value;
  const environment = commandEnvironment(
    request.exportEnvironment,
    context.variables,
  );
  const { argv } = attributes;
  const strange = refuseBytes({ argv, environment }, engine);
  if (strange !== undefined) return failure(strange);
  // It may be installed later; so that is no reason not to serve.
  for (const finding of lookAtCommand(attributes, QUEUE_DIRECTORY)) {
    context.log.warning("command", formatMistake(finding), { ...finding });
  }
  const plan: DaemonPlan = {
    services: [{
      id: request.name,
      name: request.name,
      listen: (options) => listen(request, socketOwner, options),
      command: {
        argv,
        environment,
        identity: attributes.identity,
      },
      timeLimitMs: request.timeLimitMs,
      maxProcesses: request.maxProcesses,
      verbose: request.verbose,
    }],
    engine,
    owner,
    directory: QUEUE_DIRECTORY,
    backlogConnections: request.backlogConnections,
    readyFd,
    stopTimeoutMs: request.stopTimeoutMs,
    reloads: false,
    announce: (sockets) =>
      announce(request, context, attributes, {
        engine,
        sockets: [...sockets.values()].flat(),
      }),
  };
  const served = await serveUntilStopped(plan, context);
  if (served.ok) return served;
  const [mistake] = served.mistake;
  if (mistake === undefined) throw new Error("refused without a reason");
  return failure(mistake);
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
  context: StartContext,
): Result<Identities> {
  const { accounts } = context;
  const owner = findOwner(request.owner, "--owner", context);
  if (!owner.ok) return owner;
  const attributes = parseAttributes(request.attributes, {
    accounts,
    owner: owner.value,
    self: ownIdentity(context),
  });
  if (!attributes.ok) return attributes;
  const { identity, userName } = attributes.value;
  const foreign = refuseForeignIdentity(userName, identity, context);
  if (foreign !== undefined) return failure(foreign);
  const socketOwner = findSocketOwner(request.socketOwner, accounts);
  if (!socketOwner.ok) return socketOwner;
  return success({
    attributes: attributes.value,
    owner: owner.value,
    socketOwner: socketOwner.value,
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
  { log, unavailable }: StartContext,
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
    `listening on ${addresses.join(" and ")}: runs ${
      argv.map(quoted).join(" ")
    } as ` +
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
