/**
 * A configuration of one entry that stands in no master.cf: on the command line
 * of `spawnd run`, or in the words by which master(8) starts a process. From
 * here on it is as any other.
 *
 * @module
 */

import { fromText } from "./bytes.ts";
import { type Configuration, scopesOf } from "./configuration.ts";
import { parseKnownPorts } from "./known_tcp_ports.ts";
import { PlacedText } from "./logical_lines.ts";
import type { Machine } from "./machine.ts";
import type { MainCf, Setting } from "./main_cf.ts";
import type { MasterCf, MasterEntry, ServiceType } from "./master_cf.ts";
import { findParameter } from "./parameters.ts";
import type { OwnValues } from "./settings.ts";

/** The entry. */
export interface WrittenEntry {
  readonly name: string;
  readonly type: ServiceType;
  /** Commands at once, 0 for no limit; by default as `-` for maxproc. */
  readonly maxProcesses?: number | undefined;
  readonly isUnprivileged?: boolean;
  readonly isChrooted?: boolean;
  /** What runs it, as the eighth field has it. */
  readonly command?: string;
  /** What stands behind `-o`. */
  readonly overrides: Iterable<Setting>;
  /** The command attributes. */
  readonly words: readonly string[];
}

/** A setting as an option of the command line. */
export interface OptionSetting {
  /** The parameter. */
  readonly name: string;
  /** Its value, as it stands: nothing in it refers to others. */
  readonly value: string;
  /** The option, as it is told of. */
  readonly option: string;
}

/**
 * Makes an entry.
 *
 * @param written What it says.
 * @returns It, as master.cf would have it.
 */
function entryOf(written: WrittenEntry): MasterEntry {
  const { type, maxProcesses, command = "spawnd" } = written;
  return {
    name: placed(written.name),
    type,
    fields: [],
    isPrivate: false,
    isUnprivileged: written.isUnprivileged ?? false,
    isChrooted: written.isChrooted ?? false,
    wakeupSeconds: 0,
    maxProcesses,
    command: placed(command),
    options: [...written.overrides].map((setting) => ({
      kind: "override",
      word: setting.value,
      setting,
    })),
    words: written.words.map(placed),
  };
}

/**
 * Puts one entry in the place of all that a configuration has.
 *
 * @param configuration The configuration; its main.cf counts.
 * @param written The entry.
 * @param own What the program itself says.
 * @returns The same, with that entry alone.
 */
export function withOneEntry(
  configuration: Configuration,
  written: WrittenEntry,
  own: OwnValues,
): Configuration & { readonly entries: readonly [MasterEntry] } {
  const entry = entryOf(written);
  const { main, machine } = configuration;
  const master = { ...configuration.master, ...only(entry) };
  const services = new Set([entry.name.text]);
  return {
    ...configuration,
    origin: "command line",
    ...scopesOf({ main, master, own, machine, services }),
    ...{ master, entries: [entry], otherEntries: 0 },
  };
}

/**
 * Makes a configuration of a command line alone.
 *
 * @param written The entry.
 * @param settings What options set: for the service, or for the daemon.
 * @param machine What values depend on.
 * @returns The configuration. What is wrong with it is found in no file, or in
 * the option that says it.
 */
export function configurationOf(
  written: Omit<WrittenEntry, "overrides">,
  settings: readonly OptionSetting[],
  machine: Machine,
): Configuration {
  const isDaemons = ({ name }: OptionSetting): boolean =>
    findParameter(name)?.scope === "daemon";
  const main: MainCf = {
    file: "",
    settings: new Map(
      settings.filter(isDaemons).map((each) => [each.name, settingOf(each)]),
    ),
    problems: [],
  };
  const overrides = settings.filter((each) => !isDaemons(each)).map(settingOf);
  const entry = entryOf({ ...written, overrides });
  const master: MasterCf = { file: "", ...only(entry), problems: [] };
  const own = {
    process_id: String(Deno.pid),
    process_name: "spawnd",
    service_name: entry.name.text,
  };
  const scopes = scopesOf({ main, master, own, machine });
  const ports = scopes.scope.string("known_tcp_ports", () => {});
  return {
    origin: "command line",
    directory: "",
    ...{ main, master, machine, ...scopes },
    entries: [entry],
    knownPorts: parseKnownPorts(ports ?? "", () => {}),
    otherEntries: 0,
    problems: [],
    sources: new Map(),
  };
}

function only(entry: MasterEntry): Pick<MasterCf, "entries" | "services"> {
  return { entries: [entry], services: [entry] };
}

function settingOf({ name, value, option }: OptionSetting): Setting {
  return {
    name: PlacedText.within(name, option),
    value: PlacedText.within(fromText(value).replaceAll("$", "$$$$"), option),
  };
}

function placed(text: string): PlacedText {
  return new PlacedText(fromText(text));
}
