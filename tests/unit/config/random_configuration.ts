/**
 * Configurations at random, from a grammar: what people write, what they
 * write by mistake, and what nobody would write but a machine.
 *
 * A name in them that only they know ends in {@linkcode OWN}, and so does that
 * of a service: {@linkcode named} puts something in its place, so that several
 * configurations can stand in one without meaning each other.
 *
 * @module
 */

import fc from "fast-check";

/** Names that only the configurations know, as they are written. */
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

/** Stands behind a name that is a configuration's own; never in a byte. */
export const OWN = "\ue000";

/** A configuration's two files, as binary strings but for {@linkcode OWN}. */
export interface RandomConfiguration {
  readonly main: string;
  readonly master: string;
}

/** Gives a configuration's own names an end, to tell them from another's. */
export function named(
  { main, master }: RandomConfiguration,
  end: string,
): RandomConfiguration {
  return {
    main: main.replaceAll(OWN, end),
    master: master.replaceAll(OWN, end),
  };
}

type Text = fc.Arbitrary<string>;

/** One of several texts. */
function of(...texts: readonly string[]): Text {
  return fc.constantFrom(...texts);
}

/** Kinds of text, each so many times in a hundred; the first is the simplest. */
function kinds(...weighted: readonly (readonly [number, Text])[]): Text {
  return fc.oneof(
    { withCrossShrink: true },
    ...weighted.map(([percent, arbitrary]) => ({
      weight: Math.round(percent * 1000),
      arbitrary,
    })),
  );
}

/** A text that is there so many times in a hundred. */
function sometimes(percent: number, text: Text): Text {
  return kinds([100 - percent, fc.constant("")], [percent, text]);
}

/** Texts in a row. */
function row(...texts: readonly Text[]): Text {
  return fc.tuple(...texts).map((all) => all.join(""));
}

/** As many texts, one by one. */
function some<T>(
  each: fc.Arbitrary<T>,
  minLength: number,
  maxLength: number,
): fc.Arbitrary<T[]> {
  return fc.array(each, { minLength, maxLength, size: "max" });
}

/** What may stand between two lines. */
const BETWEEN = of(
  "\n",
  "# comment\n",
  "#\n\n",
  " \t\n",
  "  # comment = $\n",
  "\v\f\n",
  "\r\n",
);

/** White space, within a line or over the end of one. */
const BLANKS = kinds(
  [70, of(" ", "  ", "\t", " \t ", "\r", "\v", "\f")],
  [30, row(of("\n"), sometimes(40, BETWEEN), of(" ", "\t", "  \t"))],
);

const LITERAL = kinds(
  [
    80,
    of(
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
    ),
  ],
  [20, BLANKS],
);

const MALFORMED = of(
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
);

/** Names whose values mostly mention none in turn: else all were loops. */
const LEAVES: readonly string[] = [
  `0i${OWN}`,
  `_h${OWN}`,
  "max_use",
  "mail_owner",
];

const OWN_NAMES = USER_NAMES.map((name) => name + OWN);

const NAME = kinds([75, of(...OWN_NAMES)], [25, of(...KNOWN_NAMES)]);

/** A name that is set, whose value mentions others: leaves, or those that are none. */
function nameToSet(areLeaves: boolean): Text {
  const isOne = (name: string): boolean => LEAVES.includes(name) === areLeaves;
  const own = OWN_NAMES.filter(isOne);
  const known = KNOWN_NAMES.filter(isOne);
  const share = (part: number, names: readonly string[], all: number) =>
    [part * names.length / all, of(...names)] as const;
  return kinds(
    share(75, own, OWN_NAMES.length),
    share(25, known, KNOWN_NAMES.length),
  );
}

/** How often a name that is set is one of the leaves, in a hundred. */
const LEAF_PERCENT = 75 * 2 / OWN_NAMES.length + 25 * 2 / KNOWN_NAMES.length;

/** What is nested deeper than this has nothing in it. */
const DEPTH_MAX = 4;

/** Values whose names lead to leaves alone, or mostly to none at all. */
class Values {
  readonly #mention: Text;
  readonly #byDepth: Text[] = [];

  constructor(areOfLeaves: boolean) {
    const mostly = areOfLeaves ? [] : [...LEAVES, ...LEAVES];
    this.#mention = kinds(
      [93, of(`undefined`, "process_name", ...mostly)],
      [7, NAME],
    );
    for (let depth = DEPTH_MAX; depth >= 0; depth--) {
      this.#byDepth[depth] = this.#made(depth);
    }
  }

  /** A value at a depth. */
  at(depth: number): Text {
    return this.#byDepth[depth] ?? fc.constant("");
  }

  #made(depth: number): Text {
    const atoms = some(this.#atom(depth), 1, depth === 0 ? 5 : 2);
    return kinds(
      [46, atoms.map((all) => all.join(""))],
      [46, fc.tuple(atoms, BLANKS).map(([all, blanks]) => all.join(blanks))],
      [8, fc.constant("")],
    );
  }

  #atom(depth: number): Text {
    const mention = this.#mention;
    const simple = fc.tuple(mention, fc.nat(2)).map(([name, form]) =>
      [`$${name}`, `\${${name}}`, `$(${name})`][form] ?? ""
    );
    return kinds(
      [55, LITERAL],
      [16.4, simple],
      [24.7, this.#conditional(depth)],
      [3.6, of("$$")],
      [0.3, MALFORMED],
    );
  }

  #conditional(depth: number): Text {
    const space = kinds(
      [75, fc.constant("")],
      [24.5, of(" ", "\t", "\r", "\n  ", "\n# comment\n\t")],
      [0.5, BLANKS],
    );
    const group = row(space, of("{"), this.at(depth + 1), of("}"), space);
    const mentioned = this.#mention.map((name) => `$${name} `);
    const plain = some(kinds([50, LITERAL], [50, mentioned]), 0, 2)
      .map((all) => all.join(""));
    const choice = fc.oneof(
      row(of("?", ":"), plain),
      row(of("?", ":"), group),
      row(of("?"), group, of(":"), fc.oneof(group, plain)),
    );
    const operator = of("==", "!=", "<", "<=", ">=", ">");
    const level = of("{2}", "{3.6}", "{3.10.1}", "{03}");
    const relation = row(group, operator, group);
    const inside = kinds(
      [50, row(space, this.#mention, space, choice)],
      [2.5, row(level, of(" "), operator, of("level "), level, choice)],
      [7, relation],
      [40.5, row(relation, choice)],
    );
    return row(of("${"), inside, of("}"));
  }
}

const OF_LEAVES = new Values(true);
const OF_OTHERS = new Values(false);

/** A name and its value at a depth, with what is to stand between them. */
function setting(depth: number, between: Text, after: Text): Text {
  const odd = of("x_time_limit", `127.0.0.1:10023${OWN}_time_limit`, "\u00e9");
  return kinds(
    [LEAF_PERCENT, row(nameToSet(true), between, OF_LEAVES.at(depth), after)],
    [
      100 - LEAF_PERCENT,
      row(
        depth === 0
          ? kinds([95, nameToSet(false)], [5, odd])
          : nameToSet(false),
        between,
        OF_OTHERS.at(depth),
        after,
      ),
    ],
  );
}

const SPACE = kinds([80, of(" ")], [20, BLANKS]);

const MAIN_LINE = kinds(
  [
    98.5,
    setting(
      0,
      row(sometimes(90, SPACE), of("="), sometimes(90, SPACE)),
      sometimes(10, BLANKS),
    ),
  ],
  [1, NAME.map((name) => `${name} = x\0y\n z`)],
  [0.5, of("nothing", "= x", "a b = c", "\0a = b", "==", "a:b", "$")],
);

/** Lines as a file; some end in CRLF, and some files end without a newline. */
function file(lines: fc.Arbitrary<string[]>): Text {
  const ends = fc.record({
    isCrlf: often(10),
    isWithoutEnd: often(10),
    start: sometimes(2, of(" starts with white space\n more\n")),
    // For each of its lines; there are not more of them.
    odd: some(often(1), LINES_MAX, LINES_MAX),
    before: some(sometimes(15, BETWEEN), LINES_MAX, LINES_MAX),
  });
  return fc.tuple(lines, ends).map(([lines, ends]) => {
    const text = lines.map((line, index) => {
      const end = ends.isCrlf || ends.odd[index] ? "\r\n" : "\n";
      return `${ends.before[index]}${line}${end}`;
    }).join("");
    return ends.start + (ends.isWithoutEnd ? text.trimEnd() : text);
  });
}

const LINES_MAX = 12;

/** Whether something is so that is so many times in a hundred. */
function often(percent: number): fc.Arbitrary<boolean> {
  return fc.nat(999).map((number) => number >= 1000 - percent * 10);
}

/** Blanks between words of master.cf. */
const GAP = kinds([70, of(" ")], [30, BLANKS])
  .map((space) => /[ \t\r\n]/.test(space) ? space : " ");

const OPTION = kinds(
  [
    23.8,
    fc.tuple(
      NAME,
      of("x", "$a", "${b}", "", "{x}", "a=b", "\u00ff"),
      // For postconf, an "o" in a word as the last begins another override.
      of(...OWN_NAMES),
      fc.nat(2),
    ).map(([name, word, own, form]) =>
      [`-o ${name}=${word}`, `-vo ${name}=${word}`, `-o${own}=${word}`][form] ??
        ""
    ),
  ],
  [
    55.4,
    // A brace that is not closed would take in the rest of the line.
    fc.tuple(GAP, BLANKS, setting(2, of(" = "), of(" ")))
      .map(([gap, blanks, text]) => `-o${gap}{${blanks}${balanced(text)}}`),
  ],
  [20, of("-v", "-D", "-vv", "-c", "--v")],
  [0.8, of("-o x", "-o {x}", "-o {=x}")],
);

const ARGUMENT = kinds(
  [
    99,
    of(
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
    ),
  ],
  [1, of("{a", "{a}b", "{a b} c}")],
);

const FLAG = kinds([99, of("-", "y", "n")], [1, of("Y", "yes", "{}")]);

/** A service's line: its name and type, and all of it. */
interface Line {
  readonly service: string;
  readonly text: string;
}

const MASTER_LINE: fc.Arbitrary<Line> = fc.record({
  name: of(
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
  ),
  type: kinds(
    [99, of("inet", "unix", "pass", "fifo", "unix-dgram")],
    [1, of("ine")],
  ),
  flags: some(FLAG, 3, 3),
  isPrivateInet: often(5),
  wakeup: kinds(
    [99, of("-", "-", "0", "60", "1000?", "007")],
    [1, of("x", "-5", "x5")],
  ),
  limit: kinds(
    [99, of("-", "-", "0", "1", "20", "007")],
    [1, of("x", "-1", "x1")],
  ),
  command: of("spawn", "spawn", "pipe", "smtpd", "x{y  z}w"),
  options: some(OPTION, 0, 3),
  words: some(ARGUMENT, 0, 4),
  isShort: often(1),
  length: fc.integer({ min: 1, max: 8 }),
  gaps: some(GAP, 14, 14),
  comment: sometimes(5, of("\n# comment\n\n")),
}).map((line) => {
  const { name, type, flags: [isPrivate = "", ...flags] } = line;
  const fields = [
    name + OWN,
    type,
    type === "inet" && !line.isPrivateInet ? "n" : isPrivate,
    ...flags,
    line.wakeup,
    line.limit,
    line.command,
  ];
  if (line.isShort) fields.length = line.length;
  else fields.push(...line.options, ...line.words);
  const text = fields
    .map((field, index) => index === 0 ? field : line.gaps[index - 1] + field)
    .join("");
  return { service: `${name} ${type}`, text: text + line.comment };
});

/**
 * Each service has one line: what postconf makes of two lines with overrides
 * for one service is neither's.
 */
const MASTER_LINES = fc.uniqueArray(MASTER_LINE, {
  selector: ({ service }) => service,
  maxLength: 4,
  size: "max",
}).map((lines) => lines.map(({ text }) => text));

/** A configuration. */
export const RANDOM_CONFIGURATION: fc.Arbitrary<RandomConfiguration> = fc
  .record({
    main: file(some(MAIN_LINE, 1, LINES_MAX)),
    master: file(MASTER_LINES),
  });

/** Without its braces, where they do not match. */
export function balanced(text: string): string {
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth++;
    else if (char === "}" && --depth < 0) return text.replaceAll(/[{}]/g, "");
  }
  return depth === 0 ? text : text.replaceAll(/[{}]/g, "");
}
