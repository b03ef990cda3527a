/**
 * The child's side of master(8): this program in the place of spawn(8), as an
 * entry of master.cf starts it.
 *
 * One process runs all commands of its service at once, as many as maxproc on
 * the service's line says, and master sees it as one that is never taken. With
 * `spawnd_concurrency` 1 it is a process for one command at a time, as
 * spawn(8) is.
 *
 * Diagnostics go to the mail log. A fatal one waits a second, so that master
 * does not start one process after the other, and ends the process with 1.
 *
 * @module
 */

import { parseAttributes } from "../config/attributes.ts";
import { toBinary, toText } from "../config/bytes.ts";
import { checkDaemon } from "../config/daemon_settings.ts";
import { type Configuration, loadConfiguration } from "../config/load.ts";
import type { MasterEntry } from "../config/master_cf.ts";
import type { Problem } from "../config/problems.ts";
import { Scope } from "../config/settings.ts";
import { DirectEngine } from "../engine/direct.ts";
import { commandEnvironment } from "../engine/environment.ts";
import { type DaemonLog, logTo } from "../log/log.ts";
import { facilityNumber, SYSLOG_SOCKET, SystemLog } from "../log/system_log.ts";
import {
  FIRST_LISTEN_FD,
  parseGeneration,
  STATUS_FD,
  StatusChannel,
} from "../master/status.ts";
import { Turn, type TurnEnd } from "../master/turn.ts";
import { type Identity, restAs } from "../posix/credentials.ts";
import { isLibc, type Libc, openLibc } from "../posix/libc.ts";
import { Children, commandLine } from "../posix/process.ts";
import { formatAddress, isListening, socketAddress } from "../posix/sockets.ts";
import { prepareProcess } from "../service/daemon.ts";
import { lockDown } from "../service/lock_down.ts";
import { Service, type ServiceOptions } from "../service/service.ts";
import { SignalQueue } from "../service/stopping.ts";
import { type MasterRequest, parseMasterRequest } from "./master_options.ts";
import { accountsOf } from "./start.ts";

/** Where Postfix has its configuration unless MAIL_CONFIG says otherwise. */
const CONFIG_DIRECTORY = "/etc/postfix";

/** Postfix's log facility until its configuration is known. */
const MAIL_FACILITY = 2;

/** How long a process that failed stays, so that master does not spin. */
const FATAL_WAIT_MS = 1000;

const EXIT_FATAL = 1;

/** Something for which the process cannot go on. */
class Fatal extends Error {}

/**
 * Runs as a child of master(8).
 *
 * @param words The words after the program.
 * @returns The exit code.
 */
export async function serveMaster(words: readonly string[]): Promise<number> {
  const libc = openLibc();
  if (!isLibc(libc)) return EXIT_FATAL;
  const program = commandLine(libc)[0]?.split("/").at(-1) ?? "spawnd";
  const postlog = Deno.env.get("POSTLOG_SERVICE");
  const host = Deno.env.get("POSTLOG_HOSTNAME")?.split(".")[0] ?? "localhost";
  const sink = new SystemLog(libc, {
    ident: `${Deno.env.get("MAIL_LOGTAG") ?? "postfix"}/${program}`,
    path: postlog ?? SYSLOG_SOCKET,
    origin: postlog === undefined ? { facility: MAIL_FACILITY } : { host },
  });
  const log = logTo(sink);
  try {
    prepareProcess(libc);
    const request = readRequest(words);
    const plan = makePlan(request, { libc, program });
    sink.rename(`${plan.syslogName}/${program}`, plan.facility);
    for (const text of plan.warnings) log.warning("configuration", text);
    await serveTurn(plan, libc, log);
    await log.flush();
    return 0;
  } catch (error) {
    if (!(error instanceof Fatal)) throw error;
    log.fatal("cannot-start", error.message);
    await log.flush();
    await new Promise((resolve) => setTimeout(resolve, FATAL_WAIT_MS));
    return EXIT_FATAL;
  }
}

function readRequest(words: readonly string[]): MasterRequest {
  const request = parseMasterRequest(words);
  if (!request.ok) throw new Fatal(request.mistake.text);
  if (Deno.stdin.isTerminal() && !request.value.isDebugged) {
    throw new Fatal("do not run this command by hand");
  }
  return request.value;
}

/** What a child serves, checked. */
interface ChildPlan {
  readonly service: Omit<ServiceOptions, "engine" | "log" | "observer">;
  readonly owner: Identity;
  readonly queueDirectory: string;
  readonly generation: number;
  readonly isClassic: boolean;
  /** See {@linkcode Turn}. */
  readonly turn: { connections: number; idleMs: number; retireMs?: number };
  readonly isVerbose: boolean;
  readonly syslogName: string;
  readonly facility: number;
  readonly warnings: readonly string[];
}

function makePlan(
  request: MasterRequest,
  { libc, program }: { libc: Libc; program: string },
): ChildPlan {
  const name = request.serviceName ?? program;
  const warnings: string[] = [];
  const report = ({ level, text }: Problem): void => {
    if (level === "error") throw new Fatal(text);
    warnings.push(text);
  };
  const configuration = loadConfiguration(
    Deno.env.get("MAIL_CONFIG") ?? CONFIG_DIRECTORY,
    (path) => Deno.readFileSync(path),
    { processName: program },
  );
  // Trouble in other lines of master.cf is master's to tell.
  const { main } = configuration;
  for (const problem of configuration.problems) {
    if (problem.file === main.file && problem.level === "error") {
      report(problem);
    }
  }
  const binaryName = toBinary(new TextEncoder().encode(name));
  const scope = new Scope({
    main,
    services: new Set([binaryName]),
    own: {
      process_id: String(Deno.pid),
      process_name: program,
      service_name: binaryName,
    },
    overrides: request.overrides,
  });
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Fatal("bad configuration");
    return value;
  };
  const daemon = checkDaemon({ ...configuration, scope });
  daemon.problems.forEach(report);
  const settings = need(daemon.settings);
  const accounts = accountsOf(libc);
  const owner = accounts.findUser(settings.mailOwner);
  if (owner === undefined) {
    throw new Fatal(`unknown mail_owner user name: ${settings.mailOwner}`);
  }
  if (owner.uid === 0 || owner.gid === 0) {
    throw new Fatal(`mail_owner ${settings.mailOwner} is privileged`);
  }
  const attributes = parseAttributes(request.attributes, { accounts, owner });
  if (!attributes.ok) throw new Fatal(attributes.mistake.text);
  const defaultLimit = need(scope.integer("default_process_limit", report));
  const concurrency = scope.integer("spawnd_concurrency", report) ??
    lookUpMaxProcesses(configuration, request.transport, binaryName) ??
    "unknown";
  if (concurrency === "unknown") {
    warnings.push(
      `service ${name}: no such line in ${configuration.master.file}: ` +
        "running one command at a time",
    );
  }
  const commands = concurrency === "default"
    ? defaultLimit
    : concurrency === "unknown"
    ? 1
    : concurrency;
  const maxUses = need(scope.integer("max_use", report));
  const facility = facilityNumber(settings.syslogFacility);
  if (facility === undefined) {
    throw new Fatal(`unknown syslog facility: ${settings.syslogFacility}`);
  }
  const list = need(scope.string("export_environment", report));
  return {
    service: {
      name,
      sockets: listeningSockets(libc, request.sockets),
      command: {
        argv: attributes.value.argv,
        environment: commandEnvironment(list, (name) => Deno.env.get(name)),
        identity: attributes.value.identity,
      },
      timeLimitMs: 1000 * need(scope.timeLimitSeconds(binaryName, report)),
      maxProcesses: commands,
      verbose: false,
      throttleMs: 0,
      isQuietAtLimit: commands === 1,
    },
    owner,
    queueDirectory: settings.queueDirectory,
    generation: parseGeneration(Deno.env.get("GENERATION")),
    isClassic: commands === 1,
    turn: {
      connections: maxUses * (commands === 0 ? defaultLimit : commands),
      idleMs: 1000 * need(scope.seconds("max_idle", report)),
      ...request.retireSeconds === undefined
        ? {}
        : { retireMs: 1000 * request.retireSeconds },
    },
    isVerbose: request.verbose,
    syslogName: toText(settings.syslogName),
    facility,
    warnings,
  };
}

/** The maxproc of the service's own line. */
function lookUpMaxProcesses(
  { master }: Configuration,
  type: MasterEntry["type"],
  name: string,
): number | "default" | undefined {
  const entry = master.services.findLast((entry) =>
    entry.type === type && entry.name.text === name
  );
  return entry && (entry.maxProcesses ?? "default");
}

function listeningSockets(
  libc: Libc,
  count: number,
): ServiceOptions["sockets"] {
  return Array.from({ length: count }, (_, index) => {
    const fd = FIRST_LISTEN_FD + index;
    if (!isListening(libc, fd)) {
      throw new Fatal(`descriptor ${fd} is no listening socket`);
    }
    return {
      address: formatAddress(socketAddress(libc, fd)),
      source: { fd },
      // master(8) keeps the socket, and its name in the file system.
      close: () => libc.c.close(fd),
    };
  });
}

/** What a verbose process says at its end. */
const LAST_WORDS: Readonly<Partial<Record<TurnEnd, string>>> = {
  idle: "idle timeout -- exiting",
  disconnect: "master disconnect -- exiting",
};

/** Serves until the turn is over, or master has gone, or a signal ends it. */
async function serveTurn(
  plan: ChildPlan,
  libc: Libc,
  log: DaemonLog,
): Promise<void> {
  const signals = new SignalQueue();
  const status = new StatusChannel(libc, plan.generation);
  Deno.chdir(plan.queueDirectory);
  const credentials = restAs(libc, plan.owner);
  const engine = new DirectEngine(libc, credentials);
  const masterFd = new Children(libc).watch(Deno.ppid);
  const over = Promise.withResolvers<void>();
  const { isClassic, isVerbose } = plan;
  const turn = new Turn({
    ...plan.turn,
    retireMs: plan.turn.retireMs,
    over: (why) => end(why),
    now: () => performance.now(),
  });
  const service = new Service({
    ...plan.service,
    engine,
    log,
    observer: {
      started: (): void => {
        if (isVerbose) log.info("connected", "connection established");
        if (isClassic) status.tell("taken");
        turn.started();
      },
      ended: (): void => {
        if (isVerbose) log.info("disconnected", "connection closed");
        turn.ended();
        if (isClassic) status.tell("available");
      },
    },
  });
  lockDown("direct");
  if (isVerbose) log.info("started", "daemon started");
  engine.watch(STATUS_FD, () => {
    // Its number may come to be a connection's.
    status.close();
    engine.closeWatched(STATUS_FD);
    turn.leave();
  });
  // At once, in the turn of the loop in which it is known: the next connection
  // is another process's.
  const end = (why: TurnEnd): void => {
    const text = LAST_WORDS[why];
    if (isVerbose && text !== undefined) log.info("stopping", text);
    // Its commands go on beside those of the process that master starts next.
    if (why === "overdue" && !isClassic) status.tell("taken");
    service.drain().then(over.resolve);
  };
  // A master that has gone starts no other process: nobody takes connections.
  if (masterFd >= 0) {
    engine.watch(masterFd, () => {
      engine.closeWatched(masterFd);
      end("disconnect");
    });
  }
  const running = engine.run();
  service.start();
  const fatal = await Promise.race([
    signals.fatalBefore(over.promise),
    running,
  ]);
  if (fatal !== undefined) await service.terminate();
  engine.stop();
}
