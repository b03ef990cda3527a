import { assertEquals } from "@std/assert";
import {
  type MasterEntry,
  parseMasterCf,
} from "../../../lib/config/master_cf.ts";
import { told } from "./configuration.ts";

function entry(text: string): MasterEntry {
  const { entries: [entry], problems } = parseMasterCf("master.cf", text);
  if (entry === undefined) throw new Error(told(problems).join("\n"));
  return entry;
}

function errors(text: string): string[] {
  return told(parseMasterCf("master.cf", text).problems);
}

/** Options as they were understood. */
function options(text: string): string[] {
  return entry(`x unix - n n - - spawn ${text}`).options.map((option) =>
    option.kind === "flags"
      ? option.word.text
      : `${option.setting?.name.text} := ${option.setting?.value.text}`
  );
}

function words(text: string): string[] {
  return entry(`x unix - n n - - spawn ${text}`).words.map(({ text }) => text);
}

Deno.test("parseMasterCf() reads the eight fields", () => {
  const read = entry("10.0.0.1:5 inet n n y 60? 7 spawn\n");
  assertEquals(read.name.text, "10.0.0.1:5");
  assertEquals(read.type, "inet");
  assertEquals(read.isPrivate, false);
  assertEquals(read.isUnprivileged, false);
  assertEquals(read.isChrooted, true);
  assertEquals(read.wakeupSeconds, 60);
  assertEquals(read.maxProcesses, 7);
  assertEquals(read.command.text, "spawn");
});

Deno.test("parseMasterCf() has a default for all but name, type and command", () => {
  const read = entry("x unix - - - - - spawn\n");
  assertEquals(read.isPrivate, true);
  assertEquals(read.isUnprivileged, true);
  assertEquals(read.isChrooted, false);
  assertEquals(read.wakeupSeconds, 0);
  assertEquals(read.maxProcesses, undefined);
});

Deno.test("parseMasterCf() takes - in the chroot field for what it is told", () => {
  const chroots = (line: string): boolean | undefined =>
    parseMasterCf("master.cf", line, { chroots: true }).entries[0]?.isChrooted;
  assertEquals(chroots("x unix - n - - - spawn\n"), true);
  assertEquals(chroots("x unix - n n - - spawn\n"), false);
});

Deno.test("parseMasterCf() takes the digits of a number, as master(8), and tells of the rest", () => {
  const text = "x unix - n n 60x? 3x spawn\n";
  assertEquals(entry(text).maxProcesses, 3);
  assertEquals(entry(text).wakeupSeconds, 60);
  assertEquals(errors(text), [
    'master.cf:1:14: warning: field "wakeup_time": text after the number: ' +
    '"60x?" (it is ignored: the number is 60)',
    'master.cf:1:19: warning: field "max_proc": text after the number: "3x" ' +
    "(it is ignored: the number is 3)",
  ]);
});

Deno.test("parseMasterCf() knows an inet service by its address, however that is written", () => {
  const findPort = (name: string): number | undefined =>
    new Map([["smtp", 25]]).get(name);
  const served = (...names: string[]): [string[], string[]] => {
    const { services, problems } = parseMasterCf(
      "master.cf",
      names.map((name) => `${name} inet n n n - - spawn\n`).join(""),
      { findPort },
    );
    return [
      services.map(({ name }) => name.text),
      problems.map(({ text }) => text),
    ];
  };
  const told = (name: string, path: string): string =>
    `duplicate master.cf entry for service "${name}" (${path}) ` +
    "-- using the last entry";
  for (
    const [first, last, path] of [
      ["22", ":22", "22"],
      ["25", "smtp", "25"],
      ["022", "22", "22"],
      ["127.0.0.1:p", "[127.0.0.1]:p", "[127.0.0.1]:p"],
      ["::1:22", "[ipv6:0::1]:22", "[::1]:22"],
      ["127.00.0.1:+22", "127.0.0.1:22", "[127.0.0.1]:22"],
      ["[localhost]:25", "localhost:smtp", "[localhost]:25"],
    ] as const
  ) {
    assertEquals(served(first, last), [[last], [told(first, path)]]);
  }
  const different = ["22", "0.0.0.0:22", "localhost:22", "LOCALHOST:22"];
  assertEquals(served(...different), [different, []]);
});

Deno.test("parseMasterCf() leaves out what is disabled", () => {
  const { entries, services, problems } = parseMasterCf(
    "master.cf",
    "22 inet n n n - - spawn\nx unix - n n - - spawn\n",
    { isDisabled: (name, type) => name === "22" && type === "inet" },
  );
  assertEquals(entries.length, 2);
  assertEquals(services.map(({ name }) => name.text), ["x"]);
  assertEquals(problems, []);
});

Deno.test("parseMasterCf() keeps a process limit of 0, which is none", () => {
  assertEquals(entry("x unix - - - - 0 spawn\n").maxProcesses, 0);
});

Deno.test("parseMasterCf() reads -o in all its forms", () => {
  assertEquals(
    options("-v -o a=b -o { c = d  e } -of=g -vo h= -oprocess=foo user=x"),
    ["-v", "a := b", "c := d  e", "f := g", "-v", "h := ", "process := foo"],
  );
});

Deno.test("parseMasterCf() ends the options at the first word that is none", () => {
  assertEquals(options("-v x -o a=b"), ["-v"]);
  assertEquals(words("-v x -o a=b"), ["x", "-o", "a=b"]);
  assertEquals(words("-- -o a=b"), ["--", "-o", "a=b"]);
  assertEquals(words("- -o a=b"), ["-", "-o", "a=b"]);
});

Deno.test("parseMasterCf() takes braces around a whole argument away", () => {
  assertEquals(words("argv=/bin/x { a  b } {} c{d e}f }"), [
    "argv=/bin/x",
    "a  b",
    "",
    "c{d e}f",
    "}",
  ]);
});

Deno.test("parseMasterCf() has the last line of a service count, and says so", () => {
  const { entries, services, problems } = parseMasterCf(
    "master.cf",
    "x unix - n n - 1 a\nx unix n n n - 2 b\ny unix - n n - 3 c\n" +
      "x unix y n n - 4 d\nx pass - n n - 5 e\n",
  );
  assertEquals(entries.length, 5);
  assertEquals(services.map(({ command }) => command.text), [
    "b",
    "c",
    "d",
    "e",
  ]);
  assertEquals(told(problems), [
    'master.cf:4:1: warning: duplicate master.cf entry for service "x" ' +
    "(private/x) -- using the last entry (leave one of them out)",
  ]);
});

Deno.test("parseMasterCf() tells which field is missing", () => {
  const line = "x unix - n n - - spawn".split(" ");
  const missing = line.map((_, count) =>
    errors(line.slice(0, count + 1).join(" "))[0]?.replace(/^.*error: /, "")
  );
  assertEquals(missing, [
    'missing "transport type" field',
    'missing "private" field',
    'missing "unprivileged" field',
    'missing "chroot" field',
    'missing "wakeup_time" field',
    'missing "max_proc" field',
    'missing "command" field',
    undefined,
  ]);
});

Deno.test("parseMasterCf() tells every bad field of a line, where it stands", () => {
  assertEquals(errors("x tcp q Y\n  yes -? -1 -\n"), [
    "master.cf:1:3: error: bad transport type: tcp " +
    "(it is inet, unix or udp, or pass below master(8))",
    'master.cf:1:7: error: field "private": bad value: "q" (write y, n or -)',
    'master.cf:1:9: error: field "unprivileged": bad value: "Y" ' +
    "(write y, n or -)",
    'master.cf:2:3: error: field "chroot": bad value: "yes" (write y, n or -)',
    'master.cf:2:7: error: field "wakeup_time": bad value: "-?" ' +
    "(write a whole number or -)",
    'master.cf:2:10: error: field "max_proc": bad value: "-1" ' +
    "(write a whole number or -)",
    'master.cf:2:13: error: field "command" has no default value',
  ]);
  assertEquals(errors("x - n - - - 2147483648 c"), [
    'master.cf:1:3: error: field "transport type" has no default value',
    'master.cf:1:13: error: field "max_proc": bad value: "2147483648" ' +
    "(write a whole number or -)",
  ]);
});

Deno.test("parseMasterCf() refuses an inet service that is private", () => {
  assertEquals(errors("5 inet - n n - - spawn"), [
    "master.cf:1:8: error: inet service cannot be private " +
    "(write n in its third field)",
  ]);
});

Deno.test("parseMasterCf() refuses -o without a setting, and braces that do not fit", () => {
  assertEquals(
    errors("x unix - n n - - c -o x -o {=y} -o {a=b}c {d e}f {g\n").map(
      (problem) => problem.replace(/ \([^()]*\)$/, ""),
    ),
    [
      `master.cf:1:23: error: invalid "-o x" option value: ` +
      "missing '=' after attribute name",
      `master.cf:1:28: error: invalid "-o =y" option value: ` +
      "missing attribute name",
      `master.cf:1:36: error: syntax error after '}' in "{a=b}c"`,
      `master.cf:1:43: error: syntax error after '}' in "{d e}f"`,
      `master.cf:1:50: error: missing '}' in "{g"`,
    ],
  );
  assertEquals(errors("x unix - n n - - c -o"), [
    'master.cf:1:22: error: invalid "-o " option value: ' +
    "missing attribute name (write -o name=value or -o { name = value })",
  ]);
});
