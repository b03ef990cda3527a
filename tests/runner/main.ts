/**
 * Runs the tests, side by side where that can be: `main.ts [WORD...]`, where a
 * word is `unit`, `e2e` or `peers`, a folder or a file of tests, or an option
 * for `deno test`. Without one all tests are run.
 *
 * What a process of tests prints comes as one piece, when it has ended. Then
 * come the slowest tests, those that have failed, and a last line in the words
 * of `deno test`, with the sum of all.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };
import { type Ended, Runner } from "./job.ts";
import { type Job, planOf } from "./plan.ts";
import { closingLine, noTests, sumOf } from "./report.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const KINDS: readonly string[] = ["unit", "e2e", "peers"];

/** Processes for each processor: tests wait more than they compute. */
const JOBS_A_PROCESSOR = 2;

const SLOWEST_COUNT = 15;

/** The words of `deno test`, which deno.json has. */
function testWords(options: readonly string[]): string[] {
  const [, ...words] = manifest.tasks["test:files"].command.split(" ");
  return [Deno.execPath(), ...words, ...options];
}

/** The files of tests that a word means, from the checkout. */
function* filesOf(word: string): Generator<string> {
  const path = KINDS.includes(word) ? `tests/${word}` : word.replace(/\/$/, "");
  if (isFile(path)) return yield path;
  for (const { name, isDirectory } of entriesOf(path)) {
    if (isDirectory) yield* filesOf(`${path}/${name}`);
    else if (name.endsWith("_test.ts")) yield `${path}/${name}`;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What a folder has; nothing where there is none. */
function entriesOf(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Options and words; a filter may be a word by itself. */
function sorted(
  args: readonly string[],
): { options: string[]; words: string[] } {
  const options: string[] = [];
  const words: string[] = [];
  for (const arg of args) {
    if (options.at(-1) === "--filter") options.push(`${options.pop()}=${arg}`);
    else (arg.startsWith("-") ? options : words).push(arg);
  }
  return { options, words };
}

/** Runs jobs, so many at once, and shows what each has printed. */
async function runAll(
  jobs: readonly Job[],
  { runner, atOnce }: { readonly runner: Runner; readonly atOnce: number },
): Promise<Ended[]> {
  const left = [...jobs];
  const ended: Ended[] = [];
  const work = async (): Promise<void> => {
    while (!runner.isStopped) {
      const job = left.shift();
      if (job === undefined) return;
      const one = await runner.run(job);
      ended.push(one);
      console.log(`${one.output.trim()}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return [...ended, ...left.map(notRun)];
}

/** What is left of a job that was not begun. */
function notRun(job: Job): Ended {
  return {
    job,
    output: "",
    summary: undefined,
    times: [],
    isGood: false,
  };
}

function report(all: readonly Ended[], tookMs: number): boolean {
  const times = all.flatMap((each) => each.times);
  const slowest = times.toSorted((one, other) => other.seconds - one.seconds);
  console.log("slowest tests:");
  for (const { seconds, file, name } of slowest.slice(0, SLOWEST_COUNT)) {
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}: ${name}`);
  }
  const bad = all.filter(({ isGood }) => !isGood);
  if (bad.length > 0) console.log("\nfailed:");
  for (const { job, times, summary } of bad) {
    const names = times.filter(({ hasFailed }) => hasFailed)
      .map(({ file, name }) => `${file}: ${name}`);
    if (summary === undefined) names.push(`${job.name}: it came to no end`);
    for (const name of names) console.log(`  ${name}`);
  }
  const sum = sumOf(all.map(({ summary }) => summary ?? NO_END));
  const isGood = bad.length === 0;
  console.log(`\n${closingLine(sum, { isGood, tookMs })}`);
  return isGood;
}

/** What counts for a process that came to no end. */
const NO_END = { ...noTests(), failed: { tests: 1, steps: 0 } };

/** Has what the files import fetched, which the processes have no network for. */
async function fetchImports(files: readonly string[]): Promise<boolean> {
  return await deno("cache", "--frozen", ...files);
}

/** Runs Deno, and says whether that went well. */
async function deno(...args: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
  }).spawn().status;
  return success;
}

async function main(args: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  Deno.chdir(ROOT);
  const { options, words } = sorted(args);
  const files = new Set<string>();
  for (const word of words.length === 0 ? KINDS : words) {
    const found = [...filesOf(word)];
    if (found.length === 0) {
      console.error(`no tests: ${word} (name unit, e2e, peers, or a file)`);
      return 64;
    }
    for (const file of found) files.add(file);
  }
  if (!await fetchImports([...files])) return 1;
  const types = deno("check", "--frozen", ...files);
  const folder = await Deno.makeTempDir({ prefix: "spawnd-tests-" });
  const runner = new Runner({ words: testWords(options), folder });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => runner.stop());
  }
  const { sideBySide, alone } = planOf([...files]);
  const atOnce = JOBS_A_PROCESSOR * navigator.hardwareConcurrency;
  const ended = [
    ...await runAll(sideBySide, { runner, atOnce }),
    ...await runAll(alone, { runner, atOnce: 1 }),
  ];
  await Deno.remove(folder, { recursive: true });
  const isSound = await types;
  return report(ended, performance.now() - startedMs) && isSound ? 0 : 1;
}

Deno.exit(await main(Deno.args));
