/**
 * What `deno test` says of the tests that it has run, and the sum of that over
 * several of them.
 *
 * @module
 */

/** How many tests, and how many steps of tests, came to what. */
export type Counts = { tests: number; steps: number };

const KINDS = ["passed", "failed", "ignored", "filtered out"] as const;

/** The closing line of `deno test`. */
export type Summary = Record<typeof KINDS[number], Counts>;

/** A test, and how long it took. */
export interface Timed {
  readonly name: string;
  readonly file: string;
  readonly seconds: number;
  readonly hasFailed: boolean;
}

const CLOSING_LINE = /^(?:ok|FAILED) \| \d+ passed.*$/gm;

// deno-lint-ignore no-control-regex
const COLOUR = /\x1b\[[\d;]*m/g;

/**
 * Reads the closing line of `deno test`, which is, in full:
 *
 *     ok | 9 passed (4 steps) | 0 failed (1 step) | 1 ignored (1 step)
 *     | 2 measured | 3 filtered out (1s)
 *
 * @returns Nothing where there is no such line.
 */
export function parseSummary(output: string): Summary | undefined {
  const [line] = [...output.replaceAll(COLOUR, "").matchAll(CLOSING_LINE)]
    .at(-1) ?? [];
  if (line === undefined) return undefined;
  const summary = noTests();
  for (const kind of KINDS) {
    const part = new RegExp(`\\| (\\d+) ${kind}(?: \\((\\d+) steps?\\))?`);
    const [, tests = 0, steps = 0] = part.exec(line) ?? [];
    summary[kind] = { tests: Number(tests), steps: Number(steps) };
  }
  return summary;
}

/** The summary of no test. */
export function noTests(): Summary {
  return {
    "passed": { tests: 0, steps: 0 },
    "failed": { tests: 0, steps: 0 },
    "ignored": { tests: 0, steps: 0 },
    "filtered out": { tests: 0, steps: 0 },
  };
}

/** Adds summaries up. */
export function sumOf(summaries: readonly Summary[]): Summary {
  const sum = noTests();
  for (const summary of summaries) {
    for (const kind of KINDS) {
      sum[kind].tests += summary[kind].tests;
      sum[kind].steps += summary[kind].steps;
    }
  }
  return sum;
}

/** A summary as `deno test` closes with it. */
export function closingLine(
  summary: Summary,
  { isGood, tookMs }: { readonly isGood: boolean; readonly tookMs: number },
): string {
  const parts = KINDS.filter((kind) =>
    kind !== "filtered out" || summary[kind].tests > 0
  ).map((kind) => {
    const { tests, steps } = summary[kind];
    const ofSteps = steps === 0
      ? ""
      : ` (${steps} ${steps === 1 ? "step" : "steps"})`;
    return `${tests} ${kind}${ofSteps}`;
  });
  const seconds = Math.round(tookMs / 1000);
  const time = seconds < 60
    ? `${seconds}s`
    : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${[isGood ? "ok" : "FAILED", ...parts].join(" | ")} (${time})`;
}

/**
 * Reads a report of the form that JUnit has, in which each test stands below
 * its file, and steps after all tests.
 */
export function parseTimes(xml: string): Timed[] {
  const times: Timed[] = [];
  let file = "";
  const elements =
    /<testsuite name="(.*?)"|<testcase name="(.*?)" .*?time="([\d.]+)".*?>(\s*<(?:failure|error))?/g;
  for (const [, suite, name, seconds, failure] of xml.matchAll(elements)) {
    if (suite !== undefined) file = unescaped(suite).replace(/^\.\//, "");
    if (name === undefined) continue;
    times.push({
      file,
      name: unescaped(name),
      seconds: Number(seconds),
      hasFailed: failure !== undefined,
    });
  }
  return times;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescaped(text: string): string {
  return text.replaceAll(/&(\w+);/g, (all, name) => ENTITIES[name] ?? all);
}
