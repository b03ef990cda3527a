/**
 * Configurations at random, from a grammar: what people write, what they
 * write by mistake, and what nobody would write but a machine.
 *
 * The same seed makes the same configurations.
 *
 * @module
 */

/** Names that only the configurations know. */
export const USER_NAMES = [
  "a",
  "b",
  "c",
  "d",
  "e5",
  "F_g",
  "_h",
  "0i",
] as const;

/** Names of parameters that any text may be the value of. */
export const KNOWN_NAMES = [
  "command_time_limit",
  "daemon_timeout",
  "export_environment",
  "mail_owner",
  "max_use",
  "multi_instance_name",
  "queue_directory",
  "syslog_facility",
  "syslog_name",
] as const;

/** A configuration's two files, as binary strings. */
export interface RandomConfiguration {
  readonly main: string;
  readonly master: string;
}

/** Numbers that follow from a seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to below `limit`. */
  below(limit: number): number {
    // The generator "mulberry32": all of its 2^32 states are on one cycle.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  /** Whether something happens that does so `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.below(1000) < percent * 10;
  }

  /** One of several. */
  of<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** As many things as the number says, made one by one. */
  some(count: number, make: () => string): string[] {
    return Array.from({ length: count }, make);
  }
}

/**
 * Makes a configuration.
 *
 * @param seed Which one.
 * @returns The same one for the same seed.
 */
export function randomConfiguration(seed: number): RandomConfiguration {
  const random = new Random(seed);
  return { main: mainCf(random), master: masterCf(random) };
}

function mainCf(random: Random): string {
  const lines = random.some(1 + random.below(12), () => mainLine(random));
  return file(random, lines);
}

/** Lines as a file; some end in CRLF, and some files end without a newline. */
function file(random: Random, lines: readonly string[]): string {
  const isCrlf = random.chance(10);
  const text = lines.map((line) => {
    const end = isCrlf || random.chance(1) ? "\r\n" : "\n";
    return random.chance(15) ? `${between(random)}${line}${end}` : line + end;
  }).join("");
  const start = random.chance(2) ? " starts with white space\n more\n" : "";
  return start + (random.chance(10) ? text.trimEnd() : text);
}

/** What may stand between two lines. */
function between(random: Random): string {
  return random.of([
    "\n",
    "# comment\n",
    "#\n\n",
    " \t\n",
    "  # comment = $\n",
    "\v\f\n",
    "\r\n",
  ]);
}

function mainLine(random: Random): string {
  if (random.chance(0.5)) {
    return random.of([
      "nothing",
      "= x",
      "a b = c",
      "\0a = b",
      "==",
      "a:b",
      "$",
    ]);
  }
  if (random.chance(1)) return `${name(random)} = x\0y\n z`;
  const blank = (): string => random.chance(80) ? " " : blanks(random);
  const set = random.chance(4)
    ? random.of(["x_time_limit", "127.0.0.1:10023_time_limit", "\u00e9"])
    : name(random);
  return set + (random.chance(90) ? blank() : "") + "=" +
    (random.chance(90) ? blank() : "") + value(random, 0, mentionOf(set)) +
    (random.chance(10) ? blanks(random) : "");
}

function name(random: Random): string {
  return random.chance(75) ? random.of(USER_NAMES) : random.of(KNOWN_NAMES);
}

/** Names whose values mostly mention none in turn: else all were loops. */
const LEAVES: readonly string[] = ["0i", "_h", "max_use", "mail_owner"];

/** What a name's value, or an override, may mention. */
type Mention = (random: Random) => string;

function mentionOf(set: string): Mention {
  const mostly: readonly [string, ...string[]] = LEAVES.includes(set)
    ? ["undefined", "process_name", "service_name"]
    : ["undefined", "process_name", ...LEAVES, ...LEAVES];
  return (random) => random.chance(7) ? name(random) : random.of(mostly);
}

function value(random: Random, depth: number, mention: Mention): string {
  if (random.chance(8)) return "";
  const count = 1 + random.below(depth === 0 ? 5 : 2);
  return random.some(count, () => atom(random, depth, mention)).join(
    random.chance(50) ? "" : blanks(random),
  );
}

function atom(random: Random, depth: number, mention: Mention): string {
  if (random.chance(55)) return literal(random);
  if (random.chance(0.7)) return malformed(random);
  if (random.chance(8)) return "$$";
  const inner = (): string =>
    depth > 3 ? "" : value(random, depth + 1, mention);
  const mentioned = mention(random);
  if (random.chance(40)) {
    return random.of([`$${mentioned}`, `\${${mentioned}}`, `$(${mentioned})`]);
  }
  const space = (): string =>
    random.chance(75)
      ? ""
      : random.chance(98)
      ? random.of([" ", "\t", "\r", "\n  ", "\n# comment\n\t"])
      : blanks(random);
  const group = (): string => `${space()}{${inner()}}${space()}`;
  const plain = (): string =>
    random.some(
      random.below(3),
      () => random.chance(50) ? literal(random) : `$${mention(random)} `,
    ).join("");
  const choice = random.of([
    () => `?${plain()}`,
    () => `:${plain()}`,
    () => `?${group()}`,
    () => `:${group()}`,
    () => `?${group()}:${group()}`,
    () => `?${group()}:${plain()}`,
  ]);
  if (random.chance(50)) {
    return `\${${space()}${mentioned}${space()}${choice()}}`;
  }
  const operator = random.of(["==", "!=", "<", "<=", ">=", ">"]);
  if (random.chance(5)) {
    const level = (): string => `{${random.of(["2", "3.6", "3.10.1", "03"])}}`;
    return `\${${level()} ${operator}level ${level()}${choice()}}`;
  }
  const relation = `${group()}${operator}${group()}`;
  return random.chance(15) ? `\${${relation}}` : `\${${relation}${choice()}}`;
}

function literal(random: Random): string {
  if (random.chance(20)) return blanks(random);
  return random.of([
    "x",
    "yes",
    "0",
    "10",
    "010",
    "9",
    "5s",
    "word",
    "a=b",
    ",",
    "#",
    "\u00c3\u00a9",
    "\u00ff",
    "\u0001",
    ":",
    "?",
    "(",
    ")",
    "/var/x",
    "long".repeat(20),
  ]);
}

/** White space, within a line or over the end of one. */
function blanks(random: Random): string {
  if (random.chance(70)) {
    return random.of([" ", "  ", "\t", " \t ", "\r", "\v", "\f"]);
  }
  const comments = random.chance(40) ? between(random) : "";
  return `\n${comments}${random.of([" ", "\t", "  \t"])}`;
}

function malformed(random: Random): string {
  return random.of([
    "$",
    "${",
    "$(",
    "${}",
    "$()",
    "$-",
    "${a-b}",
    "${a b}",
    "${{a}}",
    "${{a} = {b}}",
    "${{a} == b}",
    "${{a} == {b}x}",
    "${{a} ==foo {b}}",
    "${{x} <level {3}}",
    "${{99999999999999999999} == {1}}",
    "${a?{x}y}",
    "${a?{x}:{y}z}",
    "${a:{x}y}",
    "${a?{x}",
    "{",
    "}",
    "${ }",
    "${?x}",
  ]);
}

function masterCf(random: Random): string {
  const used = new Set<string>();
  const lines = random.some(random.below(5), () => {
    const line = masterLine(random, used);
    return random.chance(5) ? `${line}\n# comment\n\n` : line;
  });
  return file(random, lines.filter((line) => line !== ""));
}

/**
 * A service's line; empty where that service is there already. What postconf
 * makes of two lines with overrides for one service is neither's.
 */
function masterLine(random: Random, used: Set<string>): string {
  const service = random.of([
    "x",
    "smtp",
    "127.0.0.1:10023",
    "[::1]:10023",
    "a/b",
    "/run/x",
    "{a b}",
    "a{b c}d",
    "\u00c3\u00a9",
    "-",
  ]);
  const type = random.chance(1)
    ? "ine"
    : random.of(["inet", "unix", "pass", "fifo", "unix-dgram"]);
  if (used.has(`${service} ${type}`)) return "";
  used.add(`${service} ${type}`);
  const flag = (): string =>
    random.chance(1)
      ? random.of(["Y", "yes", "{}"])
      : random.of(["-", "y", "n"]);
  const fields = [
    service,
    type,
    type === "inet" && random.chance(95) ? "n" : flag(),
    flag(),
    flag(),
    random.chance(1) ? random.of(["x", "-5", "x5"]) : wakeup(random),
    random.chance(1) ? random.of(["x", "-1", "x1"]) : limit(random),
    random.of(["spawn", "spawn", "pipe", "smtpd", "x{y  z}w"]),
  ];
  if (random.chance(1)) fields.length = 1 + random.below(8);
  else fields.push(...serviceArguments(random));
  return fields.reduce((line, field) => line + gap(random) + field);
}

function wakeup(random: Random): string {
  return random.of(["-", "-", "0", "60", "1000?", "007"]);
}

function limit(random: Random): string {
  return random.of(["-", "-", "0", "1", "20", "007"]);
}

/** Blanks between words of master.cf. */
function gap(random: Random): string {
  const space = random.chance(70) ? " " : blanks(random);
  return /[ \t\r\n]/.test(space) ? space : " ";
}

function serviceArguments(random: Random): string[] {
  const options = random.some(random.below(4), () => option(random));
  const words = random.some(random.below(5), () => argument(random));
  return [...options, ...words];
}

function option(random: Random): string {
  if (random.chance(20)) return random.of(["-v", "-D", "-vv", "-c", "--v"]);
  if (random.chance(1)) return random.of(["-o x", "-o {x}", "-o {=x}"]);
  const set = name(random);
  if (random.chance(30)) {
    const word = random.of(["x", "$a", "${b}", "", "{x}", "a=b", "\u00ff"]);
    return random.of([
      `-o ${set}=${word}`,
      `-vo ${set}=${word}`,
      // For postconf, an "o" in such a word begins another override.
      `-o${random.of(USER_NAMES)}=${word}`,
    ]);
  }
  // A brace that is not closed would take in the rest of the line.
  const text = balanced(value(random, 2, mentionOf(set)));
  return `-o${gap(random)}{${blanks(random)}${set} = ${text} }`;
}

function argument(random: Random): string {
  if (random.chance(1)) return random.of(["{a", "{a}b", "{a b} c}"]);
  return random.of([
    "user=nobody",
    "argv=/bin/cat",
    "{a  b}",
    "{ {a} }",
    "{a}",
    "{}",
    "a{b c}d",
    "}",
    "-n",
    "$x",
    "\u00c3\u00a9",
    "--",
  ]);
}

/** Mostly, so that braces do not make all of it one. */
export function balanced(text: string): string {
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth++;
    else if (char === "}" && --depth < 0) return text.replaceAll(/[{}]/g, "");
  }
  return depth === 0 ? text : text.replaceAll(/[{}]/g, "");
}
