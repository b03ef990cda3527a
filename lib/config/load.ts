/**
 * A configuration directory, read: main.cf and master.cf, and every problem
 * there is with either.
 *
 * @module
 */

import { reasonOf } from "../result.ts";
import { fromText, toBinary } from "./bytes.ts";
import { compareLevels } from "./compatibility_level.ts";
import { type IsDisabled, parseDisabled } from "./disabled_services.ts";
import { type KnownPorts, parseKnownPorts } from "./known_tcp_ports.ts";
import { PlacedText } from "./logical_lines.ts";
import { type MainCf, parseMainCf, type Settings } from "./main_cf.ts";
import { type MasterCf, type MasterEntry, parseMasterCf } from "./master_cf.ts";
import { findParameter } from "./parameters.ts";
import {
  inOrder,
  type Problem,
  problemAt,
  problemInText,
  type Report,
  wholeFile,
} from "./problems.ts";
import { ANY_MACHINE, type Machine } from "./machine.ts";
import { type OwnValues, Scope } from "./settings.ts";
import { reportStrangeCommands, reportStrangers } from "./strangers.ts";

/** The commands whose entries spawnd serves. */
const SPAWN_COMMANDS: readonly string[] = ["spawn", "spawnd"];

/** The commands whose services have a time limit of their own. */
const TIME_LIMITED_COMMANDS = [...SPAWN_COMMANDS, "pipe"];

/** How files are read; what it throws is told as the file's problem. */
export type ReadFile = (path: string) => Uint8Array;

/** Thrown by who reads files, for one that is not to be read. */
export class RefusedFile extends Error {
  /**
   * @param reason Why, as the system says such things.
   * @param mend What to do about it.
   */
  constructor(reason: string, readonly mend: string) {
    super(reason);
  }
}

/** What an administrator without a file is to do. */
const MISSING_MEND: Readonly<Record<string, string>> = {
  "main.cf": "it may be empty; -c names another directory",
  "master.cf": "write a line for each service: " +
    "127.0.0.1:7007 inet n n n - - spawn user=NAME argv=COMMAND",
};

/** A configuration as it was read: parsed, not checked. */
export interface Configuration {
  readonly directory: string;
  readonly main: MainCf;
  readonly master: MasterCf;
  /** What the daemon as a whole sees. */
  readonly scope: Scope;
  /** What it would see if main.cf were empty. */
  readonly defaults: Scope;
  /** The entries that spawnd serves, in their order. */
  readonly entries: readonly MasterEntry[];
  /** Names of ports that services(5) need not have. */
  readonly knownPorts: KnownPorts;
  /** How many other entries there are. */
  readonly otherEntries: number;
  /** What values depend on. */
  readonly machine: Machine;
  /** All problems found in reading, in the order of the files. */
  readonly problems: readonly Problem[];
  /** What the files say, by their names, to show problems in: binary strings. */
  readonly sources: ReadonlyMap<string, string>;

  /**
   * Makes the scope of an entry.
   *
   * @param entry The entry.
   * @returns What the service sees: its own overrides first.
   */
  scopeOf(entry: MasterEntry): Scope;
}

/** What the configuration is read by. */
export interface LoadOptions {
  /** The value of `process_name` outside of services. */
  readonly processName?: string;
  /** The value of `process_id`. */
  readonly processId?: number;
  /** The value of `service_name` outside of services. */
  readonly serviceName?: string;
  /** What values depend on. */
  readonly machine?: Machine;
}

/** As Postfix has it since 3.11. */
const NO_SERVICE = "amnesiac";

/**
 * Reads a configuration.
 *
 * @param directory Where main.cf and master.cf are.
 * @param readFile How files are read, `Deno.readFileSync` say.
 * @param options What the configuration is read by; this process, if nothing
 * is said.
 * @returns All of it, however much is wrong with it.
 */
export function loadConfiguration(
  directory: string,
  readFile: ReadFile,
  options: LoadOptions = {},
): Configuration {
  const {
    processName = "spawnd",
    processId = Deno.pid,
    serviceName = NO_SERVICE,
    machine = ANY_MACHINE,
  } = options;
  const found: Problem[] = [];
  const report: Report = (problem) => found.push(problem);
  const sources = new Map<string, string>();
  const read = (name: string): { file: string; binary: string } => {
    const file = `${directory}/${name}`;
    const binary = readBinary(file, readFile, (error) => {
      const text = `open ${file}: ${whyUnread(error)}`;
      const mend = error instanceof RefusedFile
        ? error.mend
        : error instanceof Deno.errors.NotFound
        ? MISSING_MEND[name]
        : undefined;
      report(problemInText(wholeFile(file), { text, mend }));
    });
    sources.set(file, binary);
    return { file, binary };
  };

  const mainCf = read("main.cf");
  const main = parseMainCf(mainCf.file, mainCf.binary, [{
    name: new PlacedText("config_directory"),
    value: new PlacedText(fromText(directory)),
  }]);
  const own: OwnValues = {
    process_id: String(processId),
    process_name: processName,
    service_name: serviceName,
  };
  const preliminary = new Scope({ main, services: new Set(), own, machine });
  const knownPorts = knownPortsIn(preliminary, report);
  const masterCf = read("master.cf");
  const master = parseMasterCf(masterCf.file, masterCf.binary, {
    chroots: chrootsByDefault(preliminary, report),
    findPort: (name) => knownPorts.get(name) ?? machine.servicePort(name),
    isDisabled: disabledIn(preliminary, report),
  });
  main.problems.forEach(report);
  master.problems.forEach(report);

  const services = new Set(
    master.entries
      .filter(({ command }) => TIME_LIMITED_COMMANDS.includes(command.text))
      .map(({ name }) => name.text),
  );
  const scope = new Scope({ main, services, own, machine });
  const defaults = new Scope({
    main: { ...main, settings: new Map() },
    services,
    own,
    machine,
  });
  const scopeOf = (entry: MasterEntry): Scope =>
    new Scope({
      main,
      services,
      machine,
      own: {
        ...own,
        process_name: entry.command.text,
        service_name: entry.name.text,
      },
      overrides: overridesOf(entry),
    });
  const entries = master.services.filter(isSpawn);
  const others = master.services.filter((entry) => !isSpawn(entry));

  for (const name of main.settings.keys()) scope.check(name, report);
  for (const entry of entries) {
    reportReadOnly(entry, master.file, report);
    const ownScope = scopeOf(entry);
    for (const name of overridesOf(entry).keys()) ownScope.check(name, report);
  }
  const isOurs = others.length === 0;
  reportStrangers({ main, entries, scope, isOurs }, report);
  reportStrangeCommands(others, master.file, report);
  return {
    directory,
    main,
    master,
    scope,
    defaults,
    entries,
    knownPorts,
    machine,
    otherEntries: others.length,
    problems: inOrder(found),
    sources,
    scopeOf,
  };
}

function knownPortsIn(scope: Scope, report: Report): KnownPorts {
  return parseKnownPorts(
    scope.string("known_tcp_ports", report) ?? "",
    (text) =>
      report(problemInText(scope.place("known_tcp_ports"), {
        level: "warning",
        text,
        mend: "it is ignored: write name=port, between commas",
      })),
  );
}

/** Before level 1, services were in the queue directory unless they said n. */
function chrootsByDefault(scope: Scope, report: Report): boolean {
  const level = scope.binary("compatibility_level", report);
  if (level === undefined) return false;
  const order = compareLevels(level, "1");
  if (typeof order === "number") return order < 0;
  report(problemAt(scope.place("compatibility_level"), {
    text: `malformed compatibility level syntax: "${order.malformed}"`,
    mend: "write MAJOR, MAJOR.MINOR or MAJOR.MINOR.PATCH",
  }));
  return false;
}

/** Where there is no protocol left for them, inet services count as disabled. */
function disabledIn(scope: Scope, report: Report): IsDisabled {
  const listed = parseDisabled(
    scope.binary("master_service_disable", report) ?? "",
  );
  const protocols = scope.string("inet_protocols", report);
  if (protocols === undefined || protocols.trim() !== "") return listed;
  report(problemInText(scope.place("inet_protocols"), {
    level: "warning",
    text: "all network protocols are disabled (inet_protocols = )",
    mend: "no inet service is served: write all, ipv4 or ipv6",
  }));
  return (name, type) => type === "inet" || listed(name, type);
}

function isSpawn({ command }: MasterEntry): boolean {
  return SPAWN_COMMANDS.includes(command.text);
}

function readBinary(
  file: string,
  readFile: ReadFile,
  refuse: (error: unknown) => void,
): string {
  try {
    return toBinary(readFile(file));
  } catch (error) {
    refuse(error);
    return "";
  }
}

function whyUnread(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "No such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "Permission denied";
  return reasonOf(error);
}

/** The settings on a line of master.cf; the last one for a name counts. */
function overridesOf(entry: MasterEntry): Settings {
  return new Map(
    entry.options.flatMap((option) =>
      option.kind === "override" && option.setting !== undefined
        ? [[option.setting.name.text, option.setting]]
        : []
    ),
  );
}

function reportReadOnly(
  entry: MasterEntry,
  file: string,
  report: Report,
): void {
  for (const { name, value } of overridesOf(entry).values()) {
    if (!findParameter(name.text)?.readOnly) continue;
    report(problemAt(name.placeIn(file), {
      text: `read-only parameter assignment: ${name.text}=${value.text}`,
      mend: "leave it out: spawnd sets it itself",
    }));
  }
}
