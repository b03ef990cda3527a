/**
 * ExecStart= and Environment= of systemd, as a command and its variables.
 *
 * @module
 */

import { ARGV0_MEND, baseName } from "./inner_services.ts";
import { quoted, type ServiceDraft, type Tell } from "./translation.ts";
import type { Unit, UnitSetting } from "./unit_file.ts";
import { splitUnitWords, withSpecifiers, withVariables } from "./unit_words.ts";
import { variableNames, wordsOf, writeVariable } from "./words.ts";

/** Variables by name, with where each was set. */
type Variables = Map<
  string,
  { readonly place: string; readonly value: string }
>;

/**
 * Takes over the command, with its variables.
 *
 * @param service The unit.
 * @param draft The service.
 * @param importedNames Where go variables of the daemon's own.
 */
export function setCommand(
  service: Unit,
  draft: ServiceDraft,
  importedNames: Set<string>,
): void {
  const variables = readEnvironment(service, draft);
  setEnvironment(service, { draft, variables, importedNames });
  const commands = service.settings.get("Service.ExecStart") ?? [];
  const [command] = commands;
  if (command === undefined) {
    draft.hold(service.path, "has no ExecStart=", "write argv=COMMAND");
  } else if (commands.length > 1) {
    const mend = "write a script that runs them, one by one";
    draft.hold(command.place, "runs several commands", mend);
  } else setCommandLine(command, { unitName: service.name, draft, variables });
}

function setCommandLine(
  { place, value }: UnitSetting,
  { unitName, draft, variables }: {
    readonly unitName: string;
    readonly draft: ServiceDraft;
    readonly variables: Variables;
  },
): void {
  const [prefixes = ""] = /^[@\-:+!]*/.exec(value) ?? [];
  if (/[+!]/.test(prefixes)) {
    const text = `ExecStart=${prefixes}: runs as root, which spawnd refuses`;
    draft.hold(place, text, "let the command have its user's rights alone");
  }
  const words = readWords(
    { place, value: value.slice(prefixes.length) },
    unitName,
    (...words) => draft.hold(...words),
  );
  const expanded = prefixes.includes(":")
    ? { ok: true, words } as const
    : withVariables(
      words,
      new Map([...variables].map(([name, { value }]) => [name, value])),
    );
  if (!expanded.ok) {
    const text = `ExecStart: $${quoted(expanded.name)} is set by nobody here`;
    draft.hold(place, text, "write what it stands for");
  }
  const [program = "", ...args] = expanded.ok ? expanded.words : words;
  const hasName = prefixes.includes("@");
  draft.argv = [program, ...hasName ? args.slice(1) : args];
  if (hasName && baseName(args[0] ?? "") !== baseName(program)) {
    const text = `the name ${quoted(args[0] ?? "")} is not translated`;
    draft.tell(place, text, ARGV0_MEND);
  }
  if (program !== "" && !program.includes("/")) {
    const mend = "commands are searched in /usr/bin and /bin: write its path";
    draft.tell(place, `${quoted(program)} has no path`, mend);
  }
}

/** Words of a setting, with all that is wrong with them told. */
function readWords(
  { place, value }: UnitSetting,
  unitName: string,
  tell: Tell,
): readonly string[] {
  const split = splitUnitWords(value);
  if (!split.ok) {
    tell(place, `${quoted(value)}: ${split.wrong}`, "write it out");
    return [];
  }
  return split.words.map((word) => {
    const specified = withSpecifiers(word, unitName);
    if (specified.ok) return specified.text;
    const text = `${specified.specifier} has no meaning here`;
    tell(place, text, "write what it stands for");
    return word;
  });
}

function readEnvironment(service: Unit, draft: ServiceDraft): Variables {
  const variables: Variables = new Map();
  for (const setting of service.settings.get("Service.Environment") ?? []) {
    const { place } = setting;
    const words = readWords(
      setting,
      service.name,
      (...words) => draft.tell(...words),
    );
    for (const word of words) {
      const equals = word.indexOf("=");
      const name = word.slice(0, Math.max(equals, 0));
      variables.set(name, { place, value: word.slice(equals + 1) });
    }
  }
  for (
    const { place, value } of service.settings.get("Service.EnvironmentFile") ??
      []
  ) {
    const text = `EnvironmentFile=${quoted(value)} is not translated`;
    draft.tell(place, text, "write its variables into export_environment");
  }
  for (
    const { value } of service.settings.get("Service.UnsetEnvironment") ?? []
  ) {
    for (const name of wordsOf(value)) variables.delete(name);
  }
  return variables;
}

function setEnvironment(
  service: Unit,
  { draft, variables, importedNames }: {
    readonly draft: ServiceDraft;
    readonly variables: Variables;
    readonly importedNames: Set<string>;
  },
): void {
  const passed = (service.settings.get("Service.PassEnvironment") ?? [])
    .flatMap(({ place, value }) =>
      variableNames(wordsOf(value), (name) => {
        const text = `PassEnvironment: ${quoted(name)} is not translated`;
        draft.tell(place, text, "write the name of a variable");
      })
    );
  if (passed.length === 0 && variables.size === 0) return;
  for (const name of passed) importedNames.add(name);
  const written = [...variables].flatMap(([name, { place, value }]) => {
    const variable = writeVariable(name, value);
    if (variable !== undefined && name !== "PATH") return [variable];
    const mend = name === "PATH"
      ? "PATH is always /usr/bin:/bin: let the command set it"
      : "leave out control characters, blanks at the ends and single braces";
    const text = `Environment: ${quoted(name)} is not translated`;
    draft.tell(place, text, mend);
    return [];
  });
  draft.set("export_environment", ["LANG", ...passed, ...written].join(" "));
}
