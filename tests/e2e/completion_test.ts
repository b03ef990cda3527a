import { assert, assertEquals } from "@std/assert";
import type { OptionSpec } from "../../lib/cli/shared/options.ts";
import { PROGRAM } from "../../lib/cli/subcommands.ts";
import { runToEnd } from "./daemon.ts";
import { Folder } from "./machine.ts";

type Shell = "bash" | "zsh" | "fish";

/** A test with a shell, which may be missing where nobody promised it. */
function shellTest(
  shell: Shell,
  name: string,
  fn: (script: string) => Promise<void>,
): void {
  Deno.test({
    name: `${shell} ${name}`,
    ignore: !isInstalled(shell) && Deno.env.get("CI") === undefined,
    fn: async () => {
      await using folder = await Folder.create();
      const { code, stdout, stderr } = await runToEnd(["completion", shell]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      await fn(await folder.file(`spawnd.${shell}`, stdout));
    },
  });
}

function isInstalled(shell: Shell): boolean {
  const { success } = new Deno.Command("sh", {
    args: ["-c", `command -v ${shell}`],
    stdout: "null",
  }).outputSync();
  return success;
}

/** What a shell offers, given the words so far, the last one unfinished. */
type Complete = (script: string, line: string) => Promise<string[]>;

async function lines(program: string, ...args: string[]): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { HOME: "/nonexistent" },
  }).output();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stderr), "");
  return decoder.decode(stdout).split("\n").filter((line) => line !== "");
}

/** Calls the function as bash does, which splits words at = and : as well. */
const bash: Complete = async (script, line) => {
  const words = line.split(/ |(?<==)|(?==)/);
  return await lines(
    "bash",
    "--norc",
    "-c",
    'source "$1"; shift; complete -p spawnd >/dev/null; COMP_WORDS=("$@"); ' +
      "COMP_CWORD=$(($# - 1)); _spawnd; " +
      'printf "%s\\n" "${COMPREPLY[@]}"',
    "bash",
    script,
    ...words,
  );
};

const fish: Complete = async (script, line) => {
  const offered = await lines(
    "fish",
    "--no-config",
    "--command",
    `source ${script}; complete -C '${line}'`,
  );
  return offered.map((each) => each.split("\t")[0] ?? "");
};

/** What each shell offers, and what it does not. */
const OFFERS: readonly {
  readonly line: string;
  readonly all: readonly string[];
  readonly none?: readonly string[];
}[] = [
  { line: "spawnd ser", all: ["serve", "services"], none: ["run"] },
  { line: "spawnd --v", all: ["--version"] },
  { line: "spawnd serve --log-format ", all: ["text", "json"] },
  { line: "spawnd serve --engine ", all: ["direct", "relay"] },
  { line: "spawnd completion ", all: ["bash", "zsh", "fish"] },
  { line: "spawnd config max_", all: ["max_idle", "max_use"], none: ["owner"] },
  { line: "spawnd config max_use max_i", all: ["max_idle"] },
  { line: "spawnd run ", all: ["inet", "unix"] },
  { line: "spawnd run inet 7007 --owner nobo", all: ["nobody"] },
  {
    line: "spawnd run inet 7007 argv=/bin/cat /etc/passw",
    all: ["/etc/passwd"],
  },
];

for (const [shell, complete] of Object.entries({ bash, fish })) {
  // As the keys above are.
  const name = shell as Shell;

  for (const { line, all, none = [] } of OFFERS) {
    shellTest(name, `offers what may follow "${line}"`, async (script) => {
      const offered = await complete(script, line);
      for (const word of all) assert(offered.includes(word), `${offered}`);
      for (const word of none) assert(!offered.includes(word), `${offered}`);
    });
  }

  shellTest(name, "offers every option of every subcommand", async (script) => {
    for (const { name, options } of PROGRAM.subcommands) {
      const offered = await complete(script, `spawnd ${name} --`);
      assertEquals(offered.sort(), options.map(long).sort(), name);
    }
  });

  shellTest(name, "offers directories for -c", async (script) => {
    for (const option of ["-c", "--config"]) {
      const offered = await complete(script, `spawnd check ${option} /etc/pa`);
      assert(offered.length > 0, option);
      assert(!offered.includes("/etc/passwd"), `${offered}`);
    }
  });
}

function long({ name }: OptionSpec): string {
  return `--${name}`;
}

for (
  const [line, expected] of [
    ["spawnd serve --engine=d", "direct"],
    ["spawnd check --config=/usr/loca", "/usr/local"],
    ["spawnd run inet 7007 user=nobo", "nobody"],
  ] as const
) {
  shellTest(
    "bash",
    `completes what is behind the = of "${line}"`,
    async (script) => {
      assertEquals(await bash(script, line), [expected]);
    },
  );
}

shellTest(
  "bash",
  "offers the attributes after type and name",
  async (script) => {
    assertEquals(await bash(script, "spawnd run inet 7007 "), [
      "user=",
      "argv=",
    ]);
    assertEquals(await bash(script, "spawnd run inet "), []);
  },
);

shellTest("fish", "offers users as attributes", async (script) => {
  const offered = await fish(script, "spawnd run inet 7007 user=nobo");
  assertEquals(offered, ["user=nobody"]);
});

/** Types lines with tabs into a zsh on a terminal; gives them as completed. */
async function zsh(
  script: string,
  typed: readonly string[],
): Promise<string[]> {
  const START = "\x01";
  const END = "\x05";
  const child = new Deno.Command("script", {
    args: ["-qec", "zsh -f -i", "/dev/null"],
    env: { TERM: "xterm", HOME: "/nonexistent" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = [
    "PS1=; autoload -Uz compinit; compinit -u -D",
    `bindkey "^I" complete-word; source ${script}`,
    // The line is not run but printed.
    ...typed.map((line) => `${line}\t${START}echo "<${END}>"`),
    "exit",
    "",
  ].join("\n");
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  const { stdout } = await child.output();
  await writer.close().catch(() => {});
  return [...new TextDecoder().decode(stdout).matchAll(/^<(.*)>\r$/gm)]
    .map(([, line = ""]) => line);
}

shellTest("zsh", "completes words on a terminal", async (script) => {
  const completed = {
    "spawnd chec": "spawnd check",
    "spawnd --ver": "spawnd --version",
    "spawnd serve --engine=d": "spawnd serve --engine=direct",
    "spawnd serve --log-format j": "spawnd serve --log-format json",
    "spawnd config max_u": "spawnd config max_use",
    "spawnd config max_use max_i": "spawnd config max_use max_idle",
    "spawnd completion z": "spawnd completion zsh",
    "spawnd check -c /usr/loc": "spawnd check -c /usr/local",
    "spawnd run in": "spawnd run inet",
    "spawnd run inet 7007 us": "spawnd run inet 7007 user=",
    "spawnd run inet 7007 user=nobo": "spawnd run inet 7007 user=nobody",
    "spawnd run inet 7007 argv=cat /etc/passw":
      "spawnd run inet 7007 argv=cat /etc/passwd",
  };
  const shown = await zsh(script, Object.keys(completed));
  assertEquals(shown.map((line) => line.trimEnd()), Object.values(completed));
});

shellTest(
  "zsh",
  "completes every option of every subcommand",
  async (script) => {
    const all = PROGRAM.subcommands.flatMap(({ name, options }) =>
      options.map((option) => `spawnd ${name} ${long(option)}`)
    );
    const count = (begun: string): number =>
      all.filter((line) => line.startsWith(begun)).length;
    // What is wholly another's beginning is complete, and may go on.
    const typed = all.filter((line) => count(line) === 1);
    assert(typed.length > 0.9 * all.length);
    // But for the last letter, unless that might begin another as well.
    const begun = typed.map((line) => {
      const short = line.slice(0, -1);
      return count(short) === 1 ? short : line;
    });
    const shown = await zsh(script, begun);
    assertEquals(shown.map((line) => line.replace(/=?\s*$/, "")), typed);
  },
);

shellTest(
  "zsh",
  "takes the script for an autoloaded function",
  async (script) => {
    assert((await Deno.readTextFile(script)).startsWith("#compdef spawnd\n"));
    assertEquals(await lines("zsh", "-f", "-n", script), []);
  },
);

for (
  const [words, line] of [
    [[], "spawnd completion: missing shell (write one of bash, zsh, fish)"],
    [["bsh"], "spawnd completion: unknown shell: bsh (did you mean bash?)"],
    [
      ["powershell"],
      "spawnd completion: unknown shell: powershell " +
      "(write one of bash, zsh, fish)",
    ],
    [
      ["bash", "zsh"],
      "spawnd completion: unexpected word: zsh (write one of bash, zsh, fish)",
    ],
  ] as const
) {
  const shown = ["completion", ...words].join(" ");
  Deno.test(`"${shown}" says what is wrong and exits 64`, async () => {
    const { code, stdout, stderr } = await runToEnd(["completion", ...words]);
    assertEquals({ code, stdout, stderr }, {
      code: 64,
      stdout: "",
      stderr: `${line}\n`,
    });
  });
}
