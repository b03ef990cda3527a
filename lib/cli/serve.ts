/**
 * `spawnd serve`: all spawn services of a configuration in one process.
 *
 * @module
 */

import { type Configuration, loadConfiguration } from "../config/load.ts";
import { formatProblem, type Problem } from "../config/problems.ts";
import { type CheckedService, checkServices } from "../config/services.ts";
import type { EngineName, ListeningSocket } from "../engine/engine.ts";
import { commandEnvironment } from "../engine/environment.ts";
import type { LogFormat } from "../log/log.ts";
import { parseInetName } from "../net/inet_endpoint.ts";
import { listenInet } from "../net/listening.ts";
import { listenUnix } from "../net/unix_socket.ts";
import { getent } from "../net/getent.ts";
import type { Identity } from "../posix/credentials.ts";
import {
  EX,
  type ExitCode,
  failure,
  formatMistake,
  type Mistake,
  type Result,
  success,
} from "../result.ts";
import {
  type DaemonPlan,
  type PlanListenOptions,
  prepareProcess,
  serveUntilStopped,
  type ServicePlan,
} from "../service/daemon.ts";
import { READY_VARIABLE } from "../service/hand_over.ts";
import { prepareQueueDirectory } from "../net/queue_directory.ts";
import { serveHelp } from "./help.ts";
import { parseServeRequest, SERVE_OPTIONS } from "./serve_options.ts";
import {
  checkMeans,
  findOwner,
  openContext,
  refuseForeignIdentity,
  type StartContext,
} from "./start.ts";

/** Sockets of services are for everybody who may enter their directory. */
const SOCKET_MODE = 0o666;

/** How many connections may wait for a service. */
const BACKLOG_CONNECTIONS = 1024;

/** What a command line asks for. */
export interface ServeRequest {
  readonly directory: string;
  readonly engine: EngineName | undefined;
  readonly logFormat: LogFormat;
  readonly pidFile: string | undefined;
  readonly readyFd: number | undefined;
  readonly verbose: boolean;
}

/**
 * Runs the subcommand.
 *
 * @param args The words after `serve`.
 * @returns The exit code.
 */
export async function serve(args: readonly string[]): Promise<ExitCode> {
  const request = parseServeRequest(args);
  if (!request.ok) {
    console.error(`spawnd serve: ${formatMistake(request.mistake)}`);
    return request.mistake.exitCode;
  }
  if (request.value === "help") {
    console.log(serveHelp(SERVE_OPTIONS));
    return EX.OK;
  }
  const context = openContext(request.value.logFormat);
  const { log } = context;
  const served = await servePlan(request.value, context);
  if (!served.ok) {
    for (const mistake of served.mistake) {
      log.error("refused", formatMistake(mistake), { ...mistake });
    }
    log.fatal("cannot-start", `nothing is served: ${count(served.mistake)}`);
  }
  await log.flush();
  return served.ok ? EX.OK : served.mistake[0]?.exitCode ?? EX.CONFIG;
}

function count({ length }: readonly unknown[]): string {
  return length === 1 ? "1 error" : `${length} errors`;
}

async function servePlan(
  request: ServeRequest,
  context: StartContext,
): Promise<Result<void, readonly Mistake[]>> {
  const { libc, log } = context;
  // A successor has its own descriptor, whatever its predecessor was given.
  const handedFd = Deno.env.get(READY_VARIABLE);
  const readyFd = handedFd === undefined ? request.readyFd : Number(handedFd);
  const means = checkMeans({ ...request, readyFd }, context);
  if (!means.ok) return { ok: false, mistake: [means.mistake] };
  if (libc !== undefined) prepareProcess(libc);
  const configuration = loadConfiguration(
    request.directory,
    (path) => Deno.readFileSync(path),
  );
  const problems = [...configuration.problems];
  const report = (problem: Problem): void => {
    problems.push(problem);
  };
  const { scope } = configuration;
  const ownerName = scope.string("owner", report) ?? "";
  const owner = findOwner(ownerName, "owner", context);
  if (!owner.ok) return { ok: false, mistake: [owner.mistake] };
  const checked = checkServices(configuration, {
    accounts: context.accounts,
    owner: owner.value,
  });
  problems.push(...checked.problems);
  const throttleSeconds = scope.seconds("service_throttle_time", report) ?? 0;
  const queueDirectory = scope.string("queue_directory", report) ?? "/";
  const inet = {
    interfaces: words(scope.string("inet_interfaces", report)),
    protocols: words(scope.string("inet_protocols", report)),
  };
  const foreign = checked.services.flatMap(({ attributes }) =>
    refuseForeignIdentity(attributes.userName, attributes.identity, context) ??
      []
  );
  const mistakes = [...problems.flatMap(mistakeOf), ...foreign];
  for (const problem of problems) {
    if (problem.level !== "warning") continue;
    log.warning("configuration", formatProblem(problem), { ...problem });
  }
  if (mistakes.length === 0 && checked.services.length === 0) {
    mistakes.push({
      place: configuration.master.file,
      text: "no service to serve",
      mend: "spawnd serves the entries whose command is spawn or spawnd",
      exitCode: EX.CONFIG,
    });
  }
  if (mistakes.length > 0) return { ok: false, mistake: mistakes };
  const plan: DaemonPlan = {
    services: checked.services.map((service): ServicePlan => ({
      name: service.name,
      listen: (options) =>
        listen(service, {
          ...options,
          inet,
          queueDirectory,
          owner: owner.value,
        }),
      command: {
        argv: service.attributes.argv,
        environment: commandEnvironment(
          service.exportEnvironment,
          (name) => Deno.env.get(name),
        ),
        identity: service.attributes.identity,
      },
      timeLimitMs: 1000 * service.timeLimitSeconds,
      maxProcesses: service.maxProcesses,
      throttleMs: 1000 * throttleSeconds,
    })),
    ...means.value,
    owner: owner.value,
    directory: queueDirectory,
    backlogConnections: BACKLOG_CONNECTIONS,
    verbose: request.verbose,
    reloads: true,
    pidFile: request.pidFile,
    announce: (sockets) =>
      announce(configuration, context, [...sockets.values()].flat()),
  };
  return await serveUntilStopped(plan, context);
}

function words(list: string | undefined): string[] {
  return (list ?? "").split(/[,\s]+/).filter((word) => word !== "");
}

function mistakeOf(problem: Problem): Mistake[] {
  if (problem.level === "warning") return [];
  const { file, line, column, text, mend } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return [{ place, text, mend, exitCode: EX.CONFIG }];
}

interface ListenContext extends PlanListenOptions {
  readonly inet: {
    readonly interfaces: readonly string[];
    readonly protocols: readonly string[];
  };
  readonly queueDirectory: string;
  readonly owner: Identity | undefined;
}

function listen(
  { address, isPrivate }: CheckedService,
  context: ListenContext,
): Result<ListeningSocket[]> {
  if (address.kind === "inet") {
    const name = parseInetName(address.name, getent, context.inet);
    return name.ok ? listenInet(name.value, context) : name;
  }
  const { queueDirectory, owner } = context;
  if (address.path.startsWith(`${queueDirectory}/`)) {
    const prepared = prepareQueueDirectory({
      queueDirectory,
      isPrivate,
      owner,
    });
    if (!prepared.ok) return prepared;
  }
  const socket = listenUnix(address.path, {
    ...context,
    mode: SOCKET_MODE,
    owner: undefined,
  });
  return socket.ok ? success([socket.value]) : failure(socket.mistake);
}

function announce(
  { directory, entries, otherEntries }: Configuration,
  { log }: StartContext,
  sockets: readonly ListeningSocket[],
): void {
  const addresses = sockets.map(({ address }) => address);
  const services = entries.length;
  log.info(
    "listening",
    `serving ${services === 1 ? "1 service" : `${services} services`} of ` +
      `${directory} on ${addresses.length} addresses, ` +
      `other entries left alone: ${otherEntries}`,
    {
      directory,
      services,
      otherEntries,
      addresses,
    },
  );
}
