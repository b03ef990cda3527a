import { assert, assertEquals } from "@std/assert";
import {
  type CommandLine,
  optionLines,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "../../../../lib/cli/shared/options.ts";
import { EX, formatMistake } from "../../../../lib/result.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "time-limit", value: "TIME", help: "how long" },
  { name: "owner", alias: "o", value: "USER", help: "whose" },
  { name: "verbose", alias: "v", help: "more words" },
  { name: "help", help: "show this" },
];

function parsed(...args: string[]): ParsedOptions {
  return parsedWith({ options: SPECS }, args);
}

function parsedWith(
  line: CommandLine,
  args: readonly string[],
): ParsedOptions {
  const result = parseOptions(args, line);
  if (!result.ok) throw new Error(formatMistake(result.mistake));
  return result.value;
}

function refusal(...args: string[]): string {
  const result = parseOptions(args, { options: SPECS });
  if (result.ok) throw new Error(`taken: ${args.join(" ")}`);
  assertEquals(result.mistake.exitCode, EX.USAGE);
  return formatMistake(result.mistake);
}

Deno.test("parseOptions() takes a value behind a space or an equals sign", () => {
  assertEquals(parsed("--owner", "alice").values.get("owner"), "alice");
  assertEquals(parsed("--owner=alice").values.get("owner"), "alice");
  assertEquals(parsed("--owner=a=b").values.get("owner"), "a=b");
  assertEquals(parsed("--time-limit", "007").values.get("time-limit"), "007");
});

Deno.test("parseOptions() takes a negative number for the value that it is", () => {
  assertEquals(parsed("--time-limit", "-1").values.get("time-limit"), "-1");
  assertEquals(parsed("-o", "-1").values.get("owner"), "-1");
  assertEquals(refusal("-1"), "unknown option: -1 (--help lists the options)");
  assertEquals(parsed("--", "--owner", "-1").words, ["--owner", "-1"]);
});

Deno.test("parseOptions() gives no value to an option that was not given", () => {
  const { values, flags, words } = parsed();
  assertEquals([values.size, flags.size, words.length], [0, 0, 0]);
});

Deno.test("parseOptions() takes letters that stand alone joined", () => {
  const options = [...SPECS, { name: "quiet", alias: "q", help: "no words" }];
  const { flags, words } = parsedWith({ options }, ["-vq", "x"]);
  assertEquals(flags, new Set(["verbose", "quiet"]));
  assertEquals(words, ["x"]);
});

Deno.test("parseOptions() turns off what is on by default", () => {
  const options = [...SPECS, { name: "no-keepalive", help: "not alive" }];
  const flags = (...args: string[]): string[] | string => {
    const result = parseOptions(args, { options });
    return result.ok ? [...result.value.flags] : formatMistake(result.mistake);
  };
  assertEquals(flags("--no-keepalive", "true"), ["no-keepalive"]);
  assertEquals(flags("x"), []);
  assertEquals(
    flags("--no-keepalive=no"),
    "bad option: --no-keepalive=no: --no-keepalive takes no value " +
      "(write --no-keepalive alone)",
  );
});

Deno.test("parseOptions() leaves the words of a command alone", () => {
  const line = {
    options: SPECS,
    beginsCommand: (word: string) => word === "run:",
  };
  const args = ["-v", "x", "run:", "-v", "--", "--what"];
  assertEquals(parsedWith(line, args).words, [
    "x",
    "run:",
    "-v",
    "--",
    "--what",
  ]);
});

Deno.test("parseOptions() has the last of several values count", () => {
  const { values } = parsed("--owner", "alice", "--owner=bob");
  assertEquals(values.get("owner"), "bob");
});

Deno.test("parseOptions() takes an option by its one-letter name", () => {
  assertEquals(parsed("-v").flags, new Set(["verbose"]));
  assertEquals(parsed("-o", "alice").values.get("owner"), "alice");
});

Deno.test("parseOptions() keeps the words that are no options, in their order and as they are", () => {
  const { words, flags } = parsed(
    "inet",
    "0007",
    "--verbose",
    "user=alice",
    "1e3",
  );
  assertEquals(words, ["inet", "0007", "user=alice", "1e3"]);
  assertEquals(flags, new Set(["verbose"]));
});

Deno.test("parseOptions() takes a word behind a flag for a word", () => {
  for (const word of ["inet", "true", "false", "1"]) {
    const { words, flags } = parsed("--verbose", word);
    assertEquals([words, [...flags]], [[word], ["verbose"]]);
  }
});

Deno.test("parseOptions() takes all behind -- for words", () => {
  const { words, flags } = parsed("inet", "--", "--verbose", "-x", "--");
  assertEquals(words, ["inet", "--verbose", "-x", "--"]);
  assertEquals(flags.size, 0);
});

Deno.test("parseOptions() refuses an option that needs a value and has none", () => {
  const text = "--owner needs a value (write --owner USER)";
  assertEquals(refusal("--owner"), text);
  assertEquals(refusal("--owner="), text);
  assertEquals(refusal("--owner", ""), text);
  assertEquals(refusal("--owner", "--verbose"), text);
});

Deno.test("parseOptions() refuses a value for an option that takes none", () => {
  for (const word of ["--verbose=no", "--verbose=", "-v=1", "-v5", "-vx"]) {
    assert(refusal(word).includes(word), word);
  }
});

Deno.test("parseOptions() refuses an option that there is not, and finds the one that was meant", () => {
  assertEquals(
    refusal("--time-limt", "5"),
    "unknown option: --time-limt (did you mean --time-limit?)",
  );
  assertEquals(
    refusal("--ownr=alice"),
    "unknown option: --ownr=alice (did you mean --owner?)",
  );
  assertEquals(
    refusal("--verb"),
    "unknown option: --verb (did you mean --verbose?)",
  );
  assertEquals(
    refusal("--something-else"),
    "unknown option: --something-else (--help lists the options)",
  );
  assertEquals(
    refusal("-x"),
    "unknown option: -x (--help lists the options)",
  );
});

Deno.test("parseOptions() names the first of several options that there are not", () => {
  assert(refusal("--first-one", "--second-one").includes("--first-one"));
});

Deno.test("optionLines() writes one line an option, the help texts below each other", () => {
  assertEquals(
    optionLines(SPECS),
    [
      "  --time-limit TIME  how long",
      "  -o, --owner USER   whose",
      "  -v, --verbose      more words",
      "  --help             show this",
    ].join("\n"),
  );
});
