/**
 * A machine for translations: files, accounts and groups as a test says.
 *
 * @module
 */

import { translate } from "../../../../lib/cli/import/import.ts";
import type { ImportFormat } from "../../../../lib/cli/import/formats.ts";
import type {
  NamedId,
  Surroundings,
} from "../../../../lib/cli/import/surroundings.ts";
import { formatNote } from "../../../../lib/cli/import/translation.ts";
import { fromText, toText, toWord } from "../../../../lib/config/bytes.ts";
import { parseMasterCf } from "../../../../lib/config/master_cf.ts";

const USERS: Readonly<Record<string, readonly [number, number]>> = {
  root: [0, 0],
  daemon: [1, 1],
  ftp: [101, 201],
  "j.doe": [102, 202],
  nobody: [65534, 65534],
  wheel: [103, 0],
};

const GROUPS: Readonly<Record<string, number>> = {
  root: 0,
  tty: 5,
  ftp: 201,
  nogroup: 65534,
};

/**
 * Makes a machine.
 *
 * @param files What its files say, by their paths.
 * @returns The machine, on which nothing else is.
 */
export function machineWith(
  files: Readonly<Record<string, string>>,
): Surroundings {
  const paths = Object.keys(files);
  return {
    readFile(path): string {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound(path);
      return fromText(text);
    },
    listDirectory(path): string[] {
      const below = paths.filter((each) => each.startsWith(`${path}/`))
        .map((each) => each.slice(path.length + 1).split("/")[0] ?? "");
      if (below.length === 0) throw new Deno.errors.NotFound(path);
      return [...new Set(below)];
    },
    isDirectory: (path) => paths.some((each) => each.startsWith(`${path}/`)),
    findUser(key): NamedId | undefined {
      const [name, ids] = Object.entries(USERS)
        .find(([name, [uid]]) => name === key || `${uid}` === key) ?? [];
      return name === undefined || ids === undefined
        ? undefined
        : { name, id: ids[0], gid: ids[1] };
    },
    findGroup(key): NamedId | undefined {
      const [name, id] = Object.entries(GROUPS)
        .find(([name, gid]) => name === key || `${gid}` === key) ?? [];
      return name === undefined || id === undefined ? undefined : { name, id };
    },
    groupsOf: (user) => user === "ftp" ? ["tty"] : [],
    hasPort: (name) => !name.startsWith("unknown"),
  };
}

/** An entry as master.cf's own reader has it. */
export interface PrintedEntry {
  readonly name: string;
  readonly type: string;
  readonly maxProcesses: number | undefined;
  readonly isVerbose: boolean;
  /** By `-o`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** `user=` and what follows. */
  readonly words: readonly string[];
}

/** What was printed and told. */
export interface Imported {
  readonly text: string;
  readonly entries: readonly PrintedEntry[];
  readonly notes: readonly string[];
}

/**
 * Translates, and reads what is printed as spawnd itself does.
 *
 * @param format The format.
 * @param files What the machine's files say.
 * @param named The files to name; the first one, if nothing is said.
 * @returns What comes of it.
 * @throws {Error} If what is printed is no master.cf.
 */
export function importedFrom(
  format: ImportFormat,
  files: Readonly<Record<string, string>>,
  named: readonly string[] = Object.keys(files).slice(0, 1),
): Imported {
  const { text, notes } = translate({
    format,
    files: named,
    parts: ["main.cf", "master.cf"],
  }, machineWith(files));
  const [, master = ""] = text.split("# master.cf\n");
  const { entries, problems } = parseMasterCf("master.cf", knownTypes(master));
  const error = problems.find(({ level }) => level === "error");
  if (error !== undefined) throw new Error(error.text);
  const types = typesIn(master);
  return {
    text: toText(text),
    entries: entries.map((entry, at) => ({
      name: entry.name.text,
      type: types[at] ?? "",
      maxProcesses: entry.maxProcesses,
      isVerbose: entry.options.some(({ kind }) => kind === "flags"),
      parameters: Object.fromEntries(
        entry.options.flatMap((option) =>
          option.kind === "override" && option.setting !== undefined
            ? [[
              option.setting.name.text,
              toText(option.setting.value.text).replaceAll("$$", "$"),
            ]]
            : []
        ),
      ),
      words: entry.words.map((word) => toWord(word.text)),
    })),
    notes: notes.map((note) => toText(formatNote(note))),
  };
}

const ENTRY = /^([^\s#]\S*) (inet|unix|udp) /gm;

function typesIn(master: string): string[] {
  return [...master.matchAll(ENTRY)].map(([, , type = ""]) => type);
}

/** master.cf's reader tells about each type in tests of its own. */
function knownTypes(master: string): string {
  return master.replaceAll(
    ENTRY,
    (_, name, type) => `${name} ${type === "udp" ? "inet" : type} `,
  );
}
