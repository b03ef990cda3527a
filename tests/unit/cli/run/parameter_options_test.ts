import { assert, assertEquals } from "@std/assert";
import { ValueReader } from "../../../../lib/cli/shared/option_values.ts";
import { parseOptions } from "../../../../lib/cli/shared/options.ts";
import {
  optionSettings,
  parameterOptions,
} from "../../../../lib/cli/run/parameter_options.ts";
import type { OptionSetting } from "../../../../lib/config/one_entry.ts";
import {
  type Parameter,
  PARAMETERS,
} from "../../../../lib/config/parameters.ts";
import type { Parsed } from "../../../../lib/config/values.ts";
import { formatMistake } from "../../../../lib/result.ts";

const BASE = { scope: "service", origin: "spawnd" } as const;

function even(text: string): Parsed<string> {
  return text.length % 2 === 0
    ? { ok: true, value: text }
    : { ok: false, wrong: `odd: ${text}`, mend: "write one more" };
}

/** One of each kind. */
const ROWS: readonly Parameter[] = [
  {
    ...BASE,
    name: "spawnd_wait_for",
    type: "time",
    unit: "s",
    min: 2,
    default: "5s",
    meaning: "How long it waits. It is not long.",
  },
  {
    ...BASE,
    name: "spawnd_nicety",
    type: "integer",
    min: -20,
    max: 19,
    default: "0",
    meaning: "The nicety of a command.",
  },
  {
    ...BASE,
    name: "spawnd_quiet_mode",
    type: "boolean",
    default: "no",
    meaning: "Whether nothing is said.",
  },
  {
    ...BASE,
    name: "spawnd_alive",
    type: "boolean",
    default: "yes",
    meaning: "Whether the kernel asks.",
  },
  {
    ...BASE,
    name: "spawnd_words",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: even,
    placeholder: "LIST",
    transport: "unix",
    meaning: "Some words.",
  },
  {
    ...BASE,
    name: "spawnd_colour",
    type: "string",
    choices: ["red", "blue"],
    default: "red",
    meaning: "The colour.",
  },
];

/** What a command line of a unix service sets, or what is wrong with it. */
function settings(...args: string[]): OptionSetting[] | string {
  return settingsOf("unix", args);
}

function settingsOf(
  transport: string,
  args: readonly string[],
): OptionSetting[] | string {
  const parsed = parseOptions(args, { options: parameterOptions(ROWS) });
  if (!parsed.ok) return formatMistake(parsed.mistake);
  const { values, flags } = parsed.value;
  const reader = new ValueReader(values);
  const made = optionSettings({ values, flags, reader, transport }, ROWS);
  return reader.mistake === undefined ? made : formatMistake(reader.mistake);
}

Deno.test("a parameter is an option by its name without spawnd_, and with dashes", () => {
  assertEquals(
    parameterOptions(ROWS).map(({ name, value = "" }) => [name, value]),
    [
      ["wait-for", "TIME"],
      ["nicety", "N"],
      ["quiet-mode", ""],
      ["no-alive", ""],
      ["words", "LIST"],
      ["colour", "WORD"],
    ],
  );
});

Deno.test("what an option is for is the first sentence of the table, with the default", () => {
  assertEquals(parameterOptions(ROWS).map(({ help }) => help), [
    "how long it waits (5s)",
    "the nicety of a command (0)",
    "whether nothing is said",
    "not: whether the kernel asks",
    "some words",
    "the colour (red)",
  ]);
});

Deno.test("an option sets its parameter to what it says", () => {
  assertEquals(
    settings(
      "--wait-for",
      "2M",
      "--nicety=-5",
      "--quiet-mode",
      "--no-alive",
      "--words",
      "$a",
      "--colour",
      "blue",
    ),
    [
      { name: "spawnd_wait_for", value: "120s", option: "--wait-for" },
      { name: "spawnd_nicety", value: "-5", option: "--nicety" },
      { name: "spawnd_quiet_mode", value: "yes", option: "--quiet-mode" },
      { name: "spawnd_alive", value: "no", option: "--no-alive" },
      { name: "spawnd_words", value: "$a", option: "--words" },
      { name: "spawnd_colour", value: "blue", option: "--colour" },
    ],
  );
  assertEquals(settings(), []);
});

for (
  const [args, text] of [
    [
      ["--wait-for", "1"],
      "--wait-for 1: invalid time (the minimum is 2s)",
    ],
    [
      ["--nicety", "20"],
      "--nicety 20: bad number (write a whole number, -20 to 19)",
    ],
    [
      ["--nicety", "-21"],
      "--nicety -21: bad number (write a whole number, -20 to 19)",
    ],
    [
      ["--quiet-mode=no"],
      "bad option: --quiet-mode=no: --quiet-mode takes no value " +
      "(write --quiet-mode alone)",
    ],
    [["--words", "odd"], "--words odd: odd: odd (write one more)"],
    [
      ["--colour", "rde"],
      "--colour rde: unknown value (write red or blue)",
    ],
  ] as const
) {
  Deno.test(`"${args.join(" ")}" says what is wrong`, () => {
    assertEquals(settings(...args), text);
  });
}

Deno.test("an option that is for one type of services is refused with another", () => {
  assertEquals(
    settingsOf("inet", ["--words", "ab"]),
    "--words ab: only for unix services (leave it out)",
  );
  assertEquals(settingsOf("inet", []), []);
});

Deno.test("every parameter of a service, or of the daemon of one, is an option", () => {
  const rows = PARAMETERS.filter((row: Parameter) => row.scope !== undefined);
  assert(rows.length > 0);
  assertEquals(parameterOptions().length, rows.length);
  const names = parameterOptions().map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
});
