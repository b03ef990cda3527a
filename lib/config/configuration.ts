/**
 * A configuration: what main.cf and master.cf say, or what a command line says
 * in their place, with every problem there is with it.
 *
 * @module
 */

import type { KnownPorts } from "./known_tcp_ports.ts";
import type { Machine } from "./machine.ts";
import type { MainCf } from "./main_cf.ts";
import { type MasterCf, type MasterEntry, overridesOf } from "./master_cf.ts";
import type { Problem } from "./problems.ts";
import { type OwnValues, Scope } from "./settings.ts";

/** The commands whose entries spawnd serves. */
export const SPAWN_COMMANDS: readonly string[] = ["spawn", "spawnd"];

/** The commands whose services have a time limit of their own. */
const TIME_LIMITED_COMMANDS = [...SPAWN_COMMANDS, "pipe"];

/** A configuration as it was read: parsed, not checked. */
export interface Configuration {
  /** Where it was read; a command line is in no file. */
  readonly origin: "files" | "command line";
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

/** What scopes are made of. */
export interface ScopeGround {
  readonly main: MainCf;
  readonly master: MasterCf;
  /** The values outside of services. */
  readonly own: OwnValues;
  readonly machine: Machine;
  /** The services that have a time limit of their own, if master.cf has not. */
  readonly services?: ReadonlySet<string>;
}

/**
 * Makes the scopes of a configuration.
 *
 * @param ground What they are made of.
 * @returns The daemon's, that of its defaults, and how those of entries are
 * made.
 */
export function scopesOf(
  { main, master, own, machine, services = timeLimited(master) }: ScopeGround,
): Pick<Configuration, "scope" | "defaults" | "scopeOf"> {
  const all = { main, services, own, machine };
  return {
    scope: new Scope(all),
    defaults: new Scope({ ...all, main: { ...main, settings: new Map() } }),
    scopeOf: (entry) =>
      new Scope({
        ...all,
        own: {
          ...own,
          process_name: entry.command.text,
          service_name: entry.name.text,
        },
        overrides: overridesOf(entry),
      }),
  };
}

function timeLimited({ entries }: MasterCf): ReadonlySet<string> {
  return new Set(
    entries
      .filter(({ command }) => TIME_LIMITED_COMMANDS.includes(command.text))
      .map(({ name }) => name.text),
  );
}
