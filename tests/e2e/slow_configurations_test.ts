/**
 * Configurations that are no files, have no end, or would take long to read:
 * each is refused by lines that say where, and nobody waits for it.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runToEnd } from "./daemon.ts";
import { Folder, output, rootTest } from "./machine.ts";

const SERVICE = "7007 inet n n n - 5 spawn user=nobody argv=/bin/cat\n";

/** Runs the rest, and notes in a file how many seconds of a processor it took. */
const NOTES_SECONDS = `
  my $file = shift @ARGV;
  my $status = system { $ARGV[0] } @ARGV;
  my (undef, undef, $user, $system) = times;
  open my $note, ">", $file or die;
  print $note $user + $system;
  exit $status >> 8;
`;

/** What comes of `check`, and how long it has computed. */
async function check(
  folder: Folder,
): Promise<{ code: number; lines: string[]; tookMs: number }> {
  const note = folder.join("seconds");
  const { code, stdout, stderr } = await runToEnd(["check", "-c", "."], {
    cwd: folder.path,
    prefix: ["perl", "-e", NOTES_SECONDS, note],
  });
  assertEquals(stderr, "");
  return {
    code,
    lines: stdout.trimEnd().split("\n"),
    tookMs: 1000 * Number(await Deno.readTextFile(note)),
  };
}

async function folderOf(main: string, master = SERVICE): Promise<Folder> {
  const folder = await Folder.create();
  await folder.file("main.cf", main);
  await folder.file("master.cf", master);
  return folder;
}

/** What is in the place of a file, made by a shell, and what is said of it. */
const NO_FILES: Readonly<Record<string, readonly [string, string]>> = {
  "a fifo": ["mkfifo", "Not a regular file (put a file in its place)"],
  "a directory": ["mkdir", "Is a directory (put a file in its place)"],
  "a device": [
    "ln -s /dev/zero",
    "Not a regular file (put a file in its place)",
  ],
  "a socket's end": [
    "ln -s /proc/self/fd/1",
    "Not a regular file (put a file in its place)",
  ],
  "a file without end": [
    "truncate --size=100G",
    "File too large (it may have up to 4194304 bytes)",
  ],
  "nothing": [
    ": ",
    "No such file or directory (it may be empty; -c names another directory)",
  ],
};

for (const [what, [make, text]] of Object.entries(NO_FILES)) {
  rootTest(
    `${what} in the place of main.cf is refused, not waited for`,
    async () => {
      await using folder = await folderOf("");
      const path = folder.join("main.cf");
      await output("sh", "-c", `rm "${path}" && ${make} "${path}"`);
      const { code, lines: [line] } = await check(folder);
      assertEquals({ code, line }, {
        code: 78,
        line: `./main.cf: error: open ./main.cf: ${text}`,
      });
      for (const words of [["serve", "-c", "."], ["config", "-c", "."]]) {
        const ended = await runToEnd(words, { cwd: folder.path });
        assertEquals(ended.code, 78);
        assertStringIncludes(
          ended.stderr,
          `open ./main.cf: ${text}`.slice(-30),
        );
        assert(!ended.stderr.includes("    at "), ended.stderr);
      }
    },
  );
}

rootTest("what to write into a missing master.cf is said", async () => {
  await using folder = await folderOf("");
  await Deno.remove(folder.join("master.cf"));
  const { lines } = await check(folder);
  assertEquals(lines, [
    "./master.cf: error: open ./master.cf: No such file or directory (write " +
    "a line for each service: 127.0.0.1:7007 inet n n n - - spawn user=NAME " +
    "argv=COMMAND)",
  ]);
});

/**
 * How much longer than an empty configuration one may compute. It is to be
 * below 100 ms; a processor that others share has less for each.
 */
const LONGER_MAX_MS = 1000;

const DOUBLING = Array.from(
  { length: 40 },
  (_, index) => `n${index} = $n${index + 1}$n${index + 1}\n`,
).join("");

/** Values of parameters, and what is said of them. */
const SLOW: Readonly<Record<string, readonly [string, string]>> = {
  "20,000 nested branches": [
    `syslog_name = ${"${x:{".repeat(20_000)}${"}}".repeat(20_000)}\n`,
    "./main.cf:1:522: error: unreasonable macro call nesting: ",
  ],
  "3,000 nested comparisons": [
    `syslog_name = ${"${{".repeat(3000)}${"}=={x}}".repeat(3000)}\n`,
    "./main.cf:1:1520: error: unreasonable macro call nesting: ",
  ],
  "40 parameters that double each other": [
    `syslog_name = $n0\nmail_owner = $n0\nqueue_directory = /$n0\n` +
    `n40 = x\n${DOUBLING}`,
    "error: unreasonable number of macro calls: ",
  ],
  "a value that others multiply": [
    `syslog_name = ${"$a".repeat(1000)}\na = ${"x".repeat(10_000)}\n`,
    "./main.cf:1:15: error: unreasonable length of a value",
  ],
  "a million lines that are none": [
    "a\n".repeat(1_000_000),
    "./main.cf:1001:1: error: more than 1000 errors: " +
    "the rest is not looked at (mend the first ones)",
  ],
  "a name after very many blanks": [
    `syslog_name = \${${" ".repeat(1_000_000)}-}\n`,
    "error: attribute name syntax error at: ",
  ],
};

for (const [what, [main, text]] of Object.entries(SLOW)) {
  rootTest(`${what} are refused at their place, and at once`, async () => {
    await using empty = await folderOf("");
    await using folder = await folderOf(main);
    const quick = await check(empty);
    const { code, lines, tookMs } = await check(folder);
    assertEquals(code, 78);
    assert(
      lines.some((line) => line.includes(text)),
      lines.map((line) => line.slice(0, 200)).join("\n"),
    );
    const longerMs = tookMs - quick.tookMs;
    assert(longerMs < LONGER_MAX_MS, `${longerMs} ms longer`);
  });
}

rootTest(
  "5,000 services are checked in two seconds of a processor",
  async () => {
    const services = Array.from(
      { length: 5000 },
      (_, index) =>
        index % 2 === 0
          ? `127.0.0.1:${10_000 + index} inet n n n - 5 spawn ` +
            "user=nobody argv=/bin/cat\n"
          : `s${index} unix - n n - 5 spawn user=nobody argv=/bin/cat\n`,
    );
    await using folder = await folderOf("", services.join(""));
    const { code, lines, tookMs } = await check(folder);
    assertEquals({ code, lines }, { code: 0, lines: [""] });
    assert(tookMs < 2000 + LONGER_MAX_MS, `${tookMs} ms`);
  },
);
