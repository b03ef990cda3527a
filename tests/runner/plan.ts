/**
 * Which tests are run, in which processes, and what runs beside what.
 *
 * Files run side by side, each in a `deno test` of its own; those of unit tests,
 * which are short, by folders. Some have to be alone.
 *
 * @module
 */

/**
 * Files whose tests have nothing else beside them, and why. They change what
 * the whole machine has, or measure what others would take from them.
 */
export const ALONE: Readonly<Record<string, string>> = {
  "tests/e2e/suid_dumpable_test.ts":
    "sets fs.suid_dumpable, with which no daemon on the machine starts",
  "tests/e2e/hostile_bystanders_test.ts":
    "measures how long clients wait, and whether the daemon ever does",
  "tests/e2e/leaks_test.ts":
    "measures memory, which the collector frees when it has the time",
  "tests/e2e/many_services_test.ts":
    "measures how long a start takes, and memory",
  "tests/e2e/moments_test.ts": "measures how soon a client is served",
};

/** Files that take longest: whatever begins last is waited for by all. */
const FIRST: readonly string[] = [
  "tests/peers/package_test.ts",
  "tests/peers/systemd_test.ts",
  "tests/e2e/reload_hanging_trial_test.ts",
  "tests/peers/postconf_test.ts",
  "tests/peers/environment_comparison_test.ts",
  "tests/peers/install_postfix_test.ts",
  "tests/peers/addresses_comparison_test.ts",
  "tests/peers/many_connections_test.ts",
  "tests/peers/postfix_test.ts",
  "tests/e2e/reload_test.ts",
  "tests/e2e/stopping_test.ts",
  "tests/e2e/hostile_stops_test.ts",
  "tests/e2e/hostile_signals_test.ts",
];

/** Tests that are run by one process. */
export interface Job {
  /** A file, or a folder. */
  readonly name: string;
  readonly files: readonly string[];
}

/** All that is to be run. */
export interface Plan {
  readonly sideBySide: readonly Job[];
  readonly alone: readonly Job[];
}

/**
 * Says what runs beside what.
 *
 * @param files Paths from the checkout, in any order.
 */
export function planOf(files: readonly string[]): Plan {
  const alone = files.filter((file) => file in ALONE);
  const others = files.filter((file) => !(file in ALONE));
  const jobs = [...Map.groupBy(others, jobOf)]
    .map(([name, files]) => ({ name, files: files.toSorted() }));
  return {
    sideBySide: jobs.toSorted((one, other) =>
      rank(one) - rank(other) || (one.name < other.name ? -1 : 1)
    ),
    alone: alone.toSorted().map((name) => ({ name, files: [name] })),
  };
}

/** The longest first, and last those that fill what gaps there are. */
function rank({ name }: Job): number {
  const first = FIRST.indexOf(name);
  if (first >= 0) return first;
  return FIRST.length + ["peers", "e2e", "unit"].indexOf(kindOf(name));
}

function jobOf(file: string): string {
  return kindOf(file) === "unit" ? file.replace(/\/[^/]*$/, "") : file;
}

function kindOf(file: string): string {
  return file.split("/")[1] ?? "";
}
