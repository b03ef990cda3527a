/**
 * What the program's own tables have for the manual pages. Whatever the pages
 * know of the program they know from here.
 *
 * @module
 */

import { optionOf } from "../../lib/cli/run/parameter_options.ts";
import type { Item, Subcommand } from "../../lib/cli/shared/subcommand.ts";
import { PROGRAM } from "../../lib/cli/subcommands.ts";
import {
  type Parameter,
  PARAMETERS,
  timeLimitParameter,
} from "../../lib/config/parameters.ts";
import { EVENTS } from "../../lib/log/events.ts";
import { IDLE_SIGNALS, SIGRTMIN } from "../../lib/posix/signals.ts";
import { EX } from "../../lib/result.ts";
import type { Tables } from "./fill.ts";
import { bold, italic, item, paragraph, plain, wrapped } from "./markup.ts";

/** When a program ends with each exit code. */
const ENDS: Readonly<Record<keyof typeof EX, string>> = {
  OK: "Stopped as asked; or the answer is printed.",
  USAGE: "Wrong words on the command line.",
  NOUSER: "No such user or group.",
  NOHOST: "No such host.",
  SOFTWARE: "An error of spawnd's own, to be reported.",
  OSERR: "The system refused something.",
  NOPERM: "Only root may do that.",
  CONFIG: "A refused or bad setting.",
};

/** The tables, by the source that has them put in. */
export const TABLES: Readonly<Record<string, Tables>> = {
  "spawnd.8": {
    synopsis: PROGRAM.subcommands.flatMap(({ name, synopsis, options }) => {
      const some = options.length > 1 ? ` [${italic("OPTIONS")}]` : "";
      const call = `${bold(`spawnd ${name}`)}${some} ${stoodFor(synopsis)}`;
      return `${call.trimEnd()}++`;
    }),
    subcommands: PROGRAM.subcommands.flatMap(aboutSubcommand),
    "idle-signals": wrapped(
      [...IDLE_SIGNALS].filter(([number]) => number < SIGRTMIN)
        .map(([, name]) => name).join(", "),
    ),
    events: Object.entries(EVENTS).flatMap(([name, meaning]) =>
      item(plain(name), plain(meaning))
    ),
    "exit-codes": Object.entries(EX).flatMap(([name, code]) =>
      // The entries of a constant have its keys.
      item(`${code}`, plain(ENDS[name as keyof typeof EX]))
    ),
  },
  "spawnd.cf.5": {
    parameters: [...PARAMETERS, timeLimitParameter("SERVICE")]
      .flatMap(aboutParameter),
  },
};

function aboutSubcommand({ name, about, options }: Subcommand): string[] {
  return [
    `## spawnd ${name}`,
    "",
    ...about.flatMap(aboutIt),
    ...options.flatMap((option) => item(term(option), plain(option.help))),
  ];
}

function aboutIt(about: string | Item): string[] {
  return typeof about === "string"
    ? paragraph(marked(about))
    : item(marked(about.term), marked(about.text));
}

/** What a table marks as to be typed, or as standing for something else. */
function marked(text: string): string {
  return text.split(/(`[^`]+`|<[A-Z:[\].]+>)/).map((part) => {
    if (/^`.*`$/.test(part)) return bold(part.slice(1, -1));
    return /^<.*>$/.test(part) ? italic(part.slice(1, -1)) : plain(part);
  }).join("");
}

function term({ name, alias, value }: Subcommand["options"][number]): string {
  const given = value === undefined ? "" : ` ${stoodFor(value)}`;
  return (alias === undefined ? "" : `${bold(`-${alias}`)}${given}, `) +
    `${bold(`--${name}`)}${given}`;
}

/** Words in capitals stand for others; those in small letters are typed. */
function stoodFor(synopsis: string): string {
  return synopsis.replaceAll(
    /[A-Z]+|[a-z]+=?/g,
    (word) => /[A-Z]/.test(word) ? italic(word) : bold(word),
  );
}

function aboutParameter(parameter: Parameter): string[] {
  const { name, readOnly, meaning } = parameter;
  const byDefault = parameter.default === "" ? "empty" : parameter.default;
  const [, service = "", rest = name] = /^(SERVICE)(.*)$/.exec(name) ?? [];
  return item(
    `${service === "" ? "" : italic(service)}${bold(rest)} ` +
      plain(readOnly ? "(read-only)" : `(default: ${byDefault})`),
    plain(
      [
        meaning,
        ...valuesOf(parameter),
        ...scopeOf(parameter),
        ...originOf(parameter),
      ].join(" "),
    ),
  );
}

/** What its value may be, where that needs words. */
function valuesOf(parameter: Parameter): string[] {
  switch (parameter.type) {
    case "string":
      return parameter.choices === undefined
        ? []
        : [`One of ${parameter.choices.join(", ")}.`];
    case "time":
      return [`A time, at least ${parameter.min}${parameter.unit}.`];
    case "integer":
      return [`A whole number, at least ${parameter.min}.`];
    case "boolean":
      return ["A boolean."];
  }
}

/** Where else than in main.cf it may be set. */
function scopeOf(parameter: Parameter): string[] {
  if (parameter.scope === undefined) return [];
  const option = `--${optionOf(parameter)} of spawnd run sets it`;
  return [
    parameter.scope === "service"
      ? `-o on a service's line or ${option} for that service.`
      : `${option}, too.`,
  ];
}

function originOf({ origin, since }: Parameter): string[] {
  if (origin === "spawnd") return ["Postfix does not have it."];
  return since === undefined ? [] : [`Postfix ${since} and later.`];
}
