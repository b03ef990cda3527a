/**
 * xinetd.conf(5), translated: one entry a service.
 *
 * @module
 */

import type { Surroundings } from "./surroundings.ts";
import {
  type Note,
  Notes,
  quoted,
  type Tell,
  type Translation,
} from "./translation.ts";
import { EntryTranslator, LOG_MEND } from "./xinetd_entry.ts";
import {
  type Assignment,
  OF_DEFAULTS,
  readXinetd,
  valueOf,
  type XinetdEntry,
  type XinetdFiles,
} from "./xinetd_file.ts";

/**
 * Translates xinetd's configuration.
 *
 * @param paths The files, or directories of them.
 * @param from The machine.
 * @returns Its services; those that are disabled, as remarks.
 */
export function translateXinetd(
  paths: readonly string[],
  from: Surroundings,
): Translation {
  const notes = new Notes();
  const files = readXinetd(paths, from, notes.tell);
  const remarks: Note[] = [];
  const importedNames = new Set<string>();
  reportDefaults(files.defaults, notes.tell);
  const services = files.services.flatMap((entry) => {
    const disabled = disabledBy(entry, files);
    if (disabled !== undefined) {
      const text = `${quoted(entry.name)} is disabled: not translated`;
      remarks.push({ place: disabled, text });
      return [];
    }
    const translator = new EntryTranslator(entry, files, {
      from,
      tell: notes.tell,
      importedNames,
    });
    return translator.translate();
  });
  return { services, importedNames, remarks, notes: notes.all };
}

/** Where it is said that a service is not to be served. */
function disabledBy(
  entry: XinetdEntry,
  { defaults }: XinetdFiles,
): string | undefined {
  const valueIn = (name: string, where: XinetdEntry): Assignment | undefined =>
    valueOf(name, where, where);
  const id = valueIn("id", entry)?.values[0] ?? entry.name;
  const own = valueIn("disable", entry);
  if (own?.values[0]?.toLowerCase() === "yes") return own.place;
  const flags = valueIn("flags", entry);
  if (flags?.values.includes("DISABLE")) return flags.place;
  const enabled = valueIn("enabled", defaults);
  if (enabled !== undefined && !enabled.values.includes(id)) {
    return enabled.place;
  }
  const disabled = valueIn("disabled", defaults);
  return disabled?.values.includes(id) ? disabled.place : undefined;
}

/** What the defaults say of no service in particular. */
function reportDefaults(defaults: XinetdEntry, tell: Tell): void {
  const logType = valueOf("log_type", defaults, defaults);
  if (logType !== undefined) {
    tell(logType.place, "defaults: log_type is not translated", LOG_MEND);
  }
  for (const name of defaults.operations.keys()) {
    if (OF_DEFAULTS.has(name)) continue;
    const place = valueOf(name, defaults, defaults)?.place ?? defaults.place;
    tell(place, `defaults: ${quoted(name)} does not count there`);
  }
}
