/**
 * Reading a configuration directory: main.cf and master.cf, and every problem
 * there is with either.
 *
 * @module
 */

import { fromText, toBinary } from "./bytes.ts";
import { compareLevels } from "./compatibility_level.ts";
import {
  type Configuration,
  scopesOf,
  SPAWN_COMMANDS,
} from "./configuration.ts";
import { type IsDisabled, parseDisabled } from "./disabled_services.ts";
import { type KnownPorts, parseKnownPorts } from "./known_tcp_ports.ts";
import { PlacedText } from "./logical_lines.ts";
import { parseMainCf } from "./main_cf.ts";
import {
  type MasterCf,
  type MasterEntry,
  overridesOf,
  parseMasterCf,
} from "./master_cf.ts";
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
import { RefusedFile, whyUnread } from "./refused_file.ts";
import { reportStrangeCommands, reportStrangers } from "./strangers.ts";

/** How files are read; what it throws is told as the file's problem. */
export type ReadFile = (path: string) => Uint8Array;

/** What an administrator without a file is to do. */
const MISSING_MEND = {
  "main.cf": "it may be empty; -c names another directory",
  "master.cf": "write a line for each service: " +
    "127.0.0.1:7007 inet n n n - - spawn user=NAME argv=COMMAND",
} as const;

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
  const { machine = ANY_MACHINE } = options;
  const found: Problem[] = [];
  const report: Report = (problem) => found.push(problem);
  const files = new Files(directory, readFile, report);
  const { file, binary } = files.read("main.cf");
  const main = parseMainCf(file, binary, [{
    name: new PlacedText("config_directory"),
    value: new PlacedText(fromText(directory)),
  }]);
  main.problems.forEach(report);
  const own = ownValues(options);
  const preliminary = new Scope({ main, services: new Set(), own, machine });
  const knownPorts = knownPortsIn(preliminary, report);
  const master = readMaster(files, preliminary, {
    ...{ knownPorts, machine, report },
  });
  const scopes = scopesOf({ main, master, own, machine });
  const entries = master.services.filter(isSpawn);
  const others = master.services.filter((entry) => !isSpawn(entry));
  reportSettings({ ...scopes, main, master, entries }, report);
  const isOurs = others.length === 0;
  const { scope } = scopes;
  reportStrangers({ main, entries, scope, isOurs }, report);
  reportStrangeCommands(others, master.file, report);
  return {
    origin: "files",
    ...{ directory, main, master, entries, knownPorts, machine },
    ...scopes,
    otherEntries: others.length,
    problems: inOrder(found),
    sources: files.sources,
  };
}

/** The files of a directory, as they are read. */
class Files {
  /** What each says: binary strings. */
  readonly sources = new Map<string, string>();
  readonly #directory: string;
  readonly #readFile: ReadFile;
  readonly #report: Report;

  constructor(directory: string, readFile: ReadFile, report: Report) {
    this.#directory = directory;
    this.#readFile = readFile;
    this.#report = report;
  }

  /** What a file says: nothing, where it cannot be read. */
  read(name: keyof typeof MISSING_MEND): { file: string; binary: string } {
    const file = `${this.#directory}/${name}`;
    const binary = this.#binary(file, name);
    this.sources.set(file, binary);
    return { file, binary };
  }

  #binary(file: string, name: keyof typeof MISSING_MEND): string {
    try {
      return toBinary(this.#readFile(file));
    } catch (error) {
      const text = `open ${file}: ${whyUnread(error)}`;
      const mend = error instanceof RefusedFile
        ? error.mend
        : error instanceof Deno.errors.NotFound
        ? MISSING_MEND[name]
        : undefined;
      this.#report(problemInText(wholeFile(file), { text, mend }));
      return "";
    }
  }
}

/** The values of what the program itself says. */
function ownValues(
  {
    processName = "spawnd",
    processId = Deno.pid,
    serviceName = NO_SERVICE,
  }: LoadOptions,
): OwnValues {
  return {
    process_id: String(processId),
    process_name: processName,
    service_name: serviceName,
  };
}

function readMaster(
  files: Files,
  scope: Scope,
  { knownPorts, machine, report }: {
    readonly knownPorts: KnownPorts;
    readonly machine: Machine;
    readonly report: Report;
  },
): MasterCf {
  const { file, binary } = files.read("master.cf");
  const master = parseMasterCf(file, binary, {
    chroots: chrootsByDefault(scope, report),
    findPort: (name) => knownPorts.get(name) ?? machine.servicePort(name),
    isDisabled: disabledIn(scope, report),
  });
  master.problems.forEach(report);
  return master;
}

/** Tells what is wrong with values, the overrides of entries among them. */
function reportSettings(
  { main, master, entries, scope, scopeOf }: Pick<
    Configuration,
    "main" | "master" | "entries" | "scope" | "scopeOf"
  >,
  report: Report,
): void {
  for (const name of main.settings.keys()) scope.check(name, report);
  for (const entry of entries) {
    reportReadOnly(entry, master.file, report);
    const ownScope = scopeOf(entry);
    for (const name of overridesOf(entry).keys()) ownScope.check(name, report);
  }
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
