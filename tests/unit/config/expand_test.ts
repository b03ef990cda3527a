import { cpuUsage } from "node:process";
import { assert, assertEquals } from "@std/assert";
import { toText } from "../../../lib/config/bytes.ts";
import { expand, mentionedNames } from "../../../lib/config/expand.ts";
import { PlacedText } from "../../../lib/config/logical_lines.ts";
import { parseMainCf } from "../../../lib/config/main_cf.ts";
import { formatProblem, wholeFile } from "../../../lib/config/problems.ts";
import { binary } from "./configuration.ts";

const WHOLE = wholeFile("main.cf");

/** The value of `x` in a main.cf, or the problem with it. */
function valueOfX(text: string): string {
  const { settings } = parseMainCf("main.cf", binary(text));
  const lookup = (name: string): PlacedText | undefined =>
    settings.get(name)?.value;
  const expansion = expand(lookup("x") ?? new PlacedText(""), {
    lookup,
    place: WHOLE,
  });
  return expansion.ok ? expansion.text : formatProblem(expansion.problem);
}

/** What a value comes to where `set` is "yes" and `empty` is empty. */
function value(text: string): string {
  return valueOfX(`set = yes\nempty =\nten = 10\nx = ${text}\n`);
}

/** The problem with such a value, without its place and mend. */
function refusal(text: string): string {
  return value(text).replace(/^main\.cf:4:\d+: error: /, "")
    .replace(/ \([^()]*\)$/, "");
}

Deno.test("expand() puts the value of a name in the place of $name, ${name} and $(name)", () => {
  assertEquals(
    value("<$set> <${set}> <$(set)> <${ set }>"),
    "<yes> ".repeat(4).trim(),
  );
  assertEquals(value("$set-$set.x"), "yes-yes.x");
  assertEquals(value("$undefined${empty}"), "");
});

Deno.test("expand() makes a dollar sign of $$", () => {
  assertEquals(value("$$"), "$");
  assertEquals(value("$$set$$$set"), "$set$yes");
});

Deno.test("expand() takes the text behind ? where a value is not empty, and behind : where it is", () => {
  assertEquals(value("${set?a}${empty?b}${undefined?c}"), "a");
  assertEquals(value("${set:a}${empty:b}${undefined:c}"), "bc");
  assertEquals(value("${set?{a}:{b}} ${empty?{a}:{b}}"), "a b");
  assertEquals(value("${set ? {a} : {b} }"), "a");
  assertEquals(value("${empty?{a}:b}"), "b");
});

Deno.test("expand() keeps all of a branch without braces, its blanks and colons too", () => {
  assertEquals(value("<${set? a:b}>"), "< a:b>");
  assertEquals(value("<${empty: a ? b}>"), "< a ? b>");
});

Deno.test("expand() tests a value as it is written, not as it expands", () => {
  assertEquals(valueOfX("e =\nr = $e\nx = ${r?not empty}\n"), "not empty");
});

Deno.test("expand() expands the branch that is taken, and what that leads to", () => {
  assertEquals(
    valueOfX(
      "a = $b\nb = ${c?{<$c>}}\nc = ok\nx = ${{$c} == {ok} ? {$a} : {}}",
    ),
    "<ok>",
  );
});

Deno.test("expand() compares as numbers where both sides are all digits", () => {
  assertEquals(value("${{$ten} > {9} ? {more} : {less}}"), "more");
  assertEquals(value("${{010} == {$ten} ? {same}}"), "same");
  assertEquals(value("${{10a} > {9a} ? {more} : {less}}"), "less");
  assertEquals(
    value("${{9223372036854775807} > {9223372036854775806}}"),
    "true",
  );
});

Deno.test("expand() knows all relations, and a relation alone is true or empty", () => {
  const holding = ["==", "!=", "<", "<=", ">=", ">"]
    .map((operator) => value(`\${{1} ${operator} {2}?{1}:{0}}`)).join("");
  assertEquals(holding, "011100");
  assertEquals(value("${{a} == {a}}"), "true");
  assertEquals(value("<${{a}=={b}}>"), "<>");
  assertEquals(value("${{3.10} >level {3.9} ? {newer}}"), "newer");
});

Deno.test("expand() takes no notice of a malformed branch that is not taken", () => {
  assertEquals(value("${empty?{$}:{b}}"), "b");
});

Deno.test("expand() refuses what is malformed in Postfix's words", () => {
  assertEquals(refusal("a $"), 'empty macro name: "a $"');
  assertEquals(refusal("${}"), 'empty macro name: "${}"');
  assertEquals(refusal("a ${set"), 'truncated macro reference: "a ${set"');
  assertEquals(
    refusal("${se-t}"),
    'attribute name syntax error at: "...se>>>-t"',
  );
  assertEquals(
    refusal("${{a} = {b}}"),
    '"==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: ' +
      '"...a}>>>= {b}"',
  );
  assertEquals(
    refusal("${{a} == b}"),
    '"{expression}" expected at: "...{a} ==>>> b"',
  );
  assertEquals(
    refusal("${{a} == {b}x}"),
    '"?" or ":" expected at: "...}>>>x"',
  );
  assertEquals(refusal("${set?{a}b}"), '":" expected at: "...a}>>>b"');
  assertEquals(
    refusal("${set?{a}:{b}c}"),
    'unexpected input at: "...b}>>>c"',
  );
  assertEquals(
    refusal("${set?{a} : {b}"),
    'truncated macro reference: "${set?{a} : {b}"',
  );
  assertEquals(
    refusal("$({)"),
    'unbalanced {} in attribute expression: "{"',
  );
  assertEquals(
    refusal("${{a} ==foo {b}}"),
    'bad operator suffix at: "...==>>>foo"',
  );
  assertEquals(
    refusal("${{x} ==level {3}}"),
    'malformed compatibility level syntax: "x"',
  );
  assertEquals(
    refusal("${{9223372036854775808} == {1}}"),
    "mac_exp_eval: bad conversion: 9223372036854775808",
  );
});

Deno.test("expand() points at the slip, however many names and lines lead there", () => {
  assertEquals(
    valueOfX("x = $a\na = one\n  # comment\n  été ${b\nb = x\n"),
    'main.cf:4:7: error: truncated macro reference: "one  été ${b" ' +
      "(close it with })",
  );
});

Deno.test("expand() refuses a loop, and tells the way round it", () => {
  const unreasonable = "error: unreasonable macro call nesting: ";
  assertEquals(
    valueOfX("x = $a\na = $b\nb = ${a}\n"),
    `main.cf:2:6: ${unreasonable}"b" (it is a loop: a -> b -> a)`,
  );
  assertEquals(
    valueOfX("x = ${{$x} == {1} ? {a} : {b}}\n"),
    `main.cf:1:9: ${unreasonable}"x" (it is a loop: x -> x)`,
  );
});

Deno.test("expand() refuses names that lead to names too often, though to an end", () => {
  const chain = (length: number): string =>
    Array.from({ length }, (_, at) => `n${at} = $n${at + 1}\n`).join("");
  assertEquals(valueOfX(`x = $n0\n${chain(99)}n99 = end\n`), "end");
  assertEquals(
    valueOfX(`x = $n0\n${chain(100)}n100 = end\n`),
    'main.cf:102:8: error: unreasonable macro call nesting: "end" ' +
      "(let fewer names lead to names)",
  );
});

Deno.test("expand() refuses values that double at each of many steps", () => {
  const text = Array.from(
    { length: 40 },
    (_, at) => `n${at} = $n${at + 1}$n${at + 1}\n`,
  ).join("");
  assertEquals(
    valueOfX(`x = $n0\n${text}`).replace(/^.*?error: /, ""),
    'unreasonable number of macro calls: "n25" ' +
      "(one value may take up to 100000)",
  );
});

Deno.test("expand() refuses values that grow beyond any use", () => {
  const long = "y".repeat(10_000);
  assertEquals(
    valueOfX(`x = ${"$a".repeat(105)}\na = ${long}\n`),
    "main.cf:1:5: error: unreasonable length of a value " +
      "(it may have up to 1048576 bytes)",
  );
  assertEquals(
    valueOfX(`x = ${"$a".repeat(104)}\na = ${long}\n`).length,
    1_040_000,
  );
});

Deno.test("expand() is as strict about a value that it expanded before", () => {
  const { settings } = parseMainCf(
    "main.cf",
    Array.from({ length: 60 }, (_, at) => `n${at} = $n${at + 1}\n`).join("") +
      Array.from({ length: 60 }, (_, at) => `m${at} = $m${at + 1}\n`).join("") +
      "n60 = $m0\nm60 = end\n",
  );
  const known = new Map();
  const expanded = (name: string): string => {
    const expansion = expand(new PlacedText(`$${name}`), {
      lookup: (name) => settings.get(name)?.value,
      place: WHOLE,
      known,
    });
    return expansion.ok ? expansion.text : expansion.problem.text;
  };
  const unreasonable = 'unreasonable macro call nesting: "m40"';
  assertEquals(expanded("n0"), unreasonable);
  assertEquals(expanded("m0"), "end");
  assertEquals(expanded("n30"), "end");
  assertEquals(expanded("n0"), unreasonable);
});

/** How long it may compute to refuse something. */
const AT_ONCE_MS = 1000;

Deno.test("expand() and mentionedNames() are quick with what nests deeply", () => {
  const nested: Record<string, string> = {
    branches: "${x:{".repeat(20_000) + "}}".repeat(20_000),
    comparisons: "${{".repeat(3_000) + "}=={x}}".repeat(3_000),
    parentheses: "$(x:".repeat(20_000) + ")".repeat(20_000),
    open: "${x:{".repeat(50_000),
    blanks: `\${${" ".repeat(200_000)}-}`,
    functions: "${domain_to_ascii{".repeat(20_000) + "}}".repeat(20_000),
  };
  for (const [what, text] of Object.entries(nested)) {
    const value = new PlacedText(text);
    const before = cpuUsage();
    const expansion = expand(value, { lookup: () => undefined, place: WHOLE });
    mentionedNames(value);
    const tookMs = cpuUsage(before).user / 1000;
    assertEquals(expansion.ok, false, what);
    assert(tookMs < AT_ONCE_MS, `${what}: ${tookMs} ms`);
  }
});

Deno.test("expand() calls the functions that Postfix has since 3.11", () => {
  assertEquals(
    value("${domain_to_ascii{b\u00fccher.example}}"),
    "xn--bcher-kva.example",
  );
  assertEquals(value("${domain_to_ascii{plain.example}}"), "plain.example");
  assertEquals(
    toText(value("${ domain_to_utf8 {xn--bcher-kva.$set} }")),
    "b\u00fccher.yes",
  );
  assertEquals(value("<${domain_to_utf8{}}>"), "<>");
  assertEquals(
    refusal("${domain_to_utf8{xn--zzzzzz}}"),
    "bad domain argument in: 'domain_to_utf8{xn--zzzzzz}'",
  );
  assertEquals(
    refusal("${domain_to_utf8{a}b}"),
    'unexpected input at: "...a}>>>b"',
  );
  assertEquals(
    refusal("${domain_to_latin1{a}}"),
    'attribute name syntax error at: "...domain_to_latin1>>>{a}"',
  );
});

Deno.test("expand() leaves alone what Postfix calls raw", () => {
  assertEquals(
    valueOfX("x = $a $forward_path\na = b\nforward_path = $a/.forward\n"),
    "b $a/.forward",
  );
});

Deno.test("expand() does not take a parameter of Postfix's for empty", () => {
  const refused = "error: no value known for Postfix's parameter " +
    "data_directory (write its value here, or set it in main.cf)";
  assertEquals(valueOfX("x = $data_directory/x\n"), `main.cf:1:6: ${refused}`);
  assertEquals(
    valueOfX("x = ${data_directory?y}\n"),
    `main.cf:1:7: ${refused}`,
  );
  assertEquals(
    valueOfX("x = $a\na = $data_directory\n"),
    `main.cf:2:6: ${refused}`,
  );
  assertEquals(valueOfX("x = $data_directory\ndata_directory = d\n"), "d");
  const lenient = expand(new PlacedText("<$data_directory>"), {
    lookup: () => undefined,
    place: WHOLE,
    isLenient: true,
  });
  assertEquals(lenient, { ok: true, text: "<>" });
});

Deno.test("expand() points at the file where a value stands in none", () => {
  const expansion = expand(new PlacedText("$"), {
    lookup: () => undefined,
    place: WHOLE,
  });
  assertEquals(
    expansion.ok || formatProblem(expansion.problem),
    'main.cf: error: empty macro name: "$" (write $$ for a dollar sign)',
  );
});

Deno.test("mentionedNames() finds names in all branches, up to what is malformed", () => {
  const names = (text: string): string[] =>
    mentionedNames(new PlacedText(text)).map((name) => name.text);
  assertEquals(
    names("$a ${b?{$c}:{${d}}} ${{$e}=={$f}?$g} $$h"),
    ["a", "b", "c", "d", "e", "f", "g"],
  );
  assertEquals(names("$a ${b-c} $d"), ["a"]);
});
