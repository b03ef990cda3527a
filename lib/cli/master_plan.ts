/**
 * From the command line of master(8) and Postfix's configuration to what a
 * child serves, or to the reason why it does not.
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
import { commandEnvironment } from "../engine/environment.ts";
import { facilityNumber } from "../log/system_log.ts";
import type { ChildPlan } from "../master/child.ts";
import { DEPUTY_VARIABLE } from "../master/deputy.ts";
import { FIRST_LISTEN_FD, parseGeneration } from "../master/status.ts";
import type { Libc } from "../posix/libc.ts";
import { formatAddress, isListening, socketAddress } from "../posix/sockets.ts";
import type { ServiceOptions } from "../service/service.ts";
import type { MasterRequest } from "./master_options.ts";
import { accountsOf } from "./start.ts";

/** Where Postfix has its configuration unless MAIL_CONFIG says otherwise. */
const CONFIG_DIRECTORY = "/etc/postfix";

/** Something for which the process cannot go on. */
export class Fatal extends Error {}

/**
 * Checks a request of master(8)'s against the configuration.
 *
 * @param request The request.
 * @param context The C library, and the name that this program was started by.
 * @returns What to serve.
 * @throws {Fatal} With Postfix's word for what is wrong, where it has one.
 */
export function planChild(
  request: MasterRequest,
  { libc, program }: { libc: Libc; program: string },
): ChildPlan {
  const { transport, serviceName: name = program } = request;
  if (request.isUnprivileged) {
    throw new Fatal(`service ${name} requires privileged operation`);
  }
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
  const concurrency = transport === "stdin"
    ? 1
    : scope.integer("spawnd_concurrency", report) ??
      lookUpMaxProcesses(configuration, transport, binaryName) ?? "unknown";
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
      sockets: transport === "stdin"
        ? []
        : listeningSockets(libc, request.sockets),
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
    transport,
    owner,
    queueDirectory: settings.queueDirectory,
    generation: parseGeneration(Deno.env.get("GENERATION")),
    isClassic: concurrency === 1 || concurrency === "unknown",
    isDeputy: Deno.env.get(DEPUTY_VARIABLE) !== undefined,
    daemonTimeoutSeconds: need(scope.seconds("daemon_timeout", report)),
    turn: {
      connections: maxUses * (commands || defaultLimit),
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
