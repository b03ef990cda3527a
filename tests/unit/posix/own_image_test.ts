import { assertEquals, assertMatch } from "@std/assert";
import {
  executedPath,
  supplementaryGroups,
} from "../../../lib/posix/own_image.ts";
import { output, rootTest, statusFields } from "../../e2e/machine.ts";
import { ALLOW_AS_DAEMON, reportOf, runFixture } from "../fixture.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

/** An account that nobody has. */
const OWNER = "54321";

/** As `setpriv` starts it: groups of its own, and a descriptor to hand on. */
const PREFIX = [
  "setpriv",
  "--groups=11,12",
  "--",
  "sh",
  "-c",
  'cd / && exec "$@" 9</dev/null',
  "sh",
];

const OPTIONS = { allow: ALLOW_AS_DAEMON, prefix: PREFIX };

Deno.test("executedPath() is the path as the kernel was given it, through links", async () => {
  assertMatch(executedPath(libc), /deno/);
  using scratch = new Scratch();
  const link = scratch.path("another-name");
  Deno.symlinkSync(Deno.execPath(), link);
  const { code, stdout } = await new Deno.Command(link, {
    args: [
      "eval",
      "--quiet",
      `--config=${new URL("../../../deno.json", import.meta.url).pathname}`,
      `import { executedPath } from "${new URL(
        "../../../lib/posix/own_image.ts",
        import.meta.url,
      )}";
       import { openLibc } from "${new URL(
        "../../../lib/posix/libc.ts",
        import.meta.url,
      )}";
       console.log(executedPath(openLibc()));`,
    ],
  }).output();
  assertEquals(
    [code, new TextDecoder().decode(stdout)],
    [0, `${link}\n`],
  );
});

Deno.test("supplementaryGroups() is what id(1) says", async () => {
  const groups = new Uint32Array(supplementaryGroups(libc).buffer);
  const all = (await output("id", "-G")).trim().split(" ").map(Number);
  for (const group of groups) assertEquals(all.includes(group), true);
});

rootTest(
  "executeInPlace() starts as who was started first, all signals blocked, in the first directory",
  async () => {
    const { code, stdout, stderr } = await runFixture("execute_in_place.ts", {
      ...OPTIONS,
      args: [OWNER, "/bin/cat", "/proc/self/status"],
    });
    assertEquals([code, stderr], [0, ""]);
    const fields = statusFields(stdout);
    assertEquals(fields.get("Name"), "cat");
    assertEquals(fields.get("Uid"), "0 0 0 0");
    assertEquals(fields.get("Gid"), "0 0 0 0");
    assertEquals(fields.get("Groups"), "11 12");
    // All but SIGKILL, SIGSTOP and the two that the C library keeps for itself.
    assertEquals(fields.get("SigBlk"), "fffffffe7ffbfeff");
    const listed = await runFixture("execute_in_place.ts", {
      ...OPTIONS,
      args: [OWNER, "/bin/sh", "-c", "pwd; echo /proc/$$/fd/*"],
    });
    const [directory, fds = ""] = listed.stdout.split("\n");
    assertEquals(directory, "/");
    assertEquals(
      fds.split(" ").map((path) => path.replace(/.*\//, "")).sort(),
      ["0", "1", "2", "3", "9"], // 3 is by which the shell looks
    );
  },
);

rootTest(
  "executeInPlace() undoes all of it where the program cannot be executed",
  async () => {
    using scratch = new Scratch();
    Deno.chmodSync(scratch.folder, 0o755);
    const text = scratch.file("text", "no program");
    const cases = [
      [scratch.path("missing"), "No such file or directory"],
      [text, "Permission denied"],
      ["/usr", "Permission denied"],
    ] as const;
    for (const [path, reason] of cases) {
      const report = await reportOf<
        { reason: string; before: unknown; after: unknown }
      >("execute_in_place.ts", { ...OPTIONS, args: [OWNER, path] });
      assertEquals(report.reason, `cannot start ${path} anew: ${reason}`);
      assertEquals(report.after, report.before);
    }
  },
);

rootTest(
  "executeInPlace() ends a daemon that cannot rest as its owner again",
  async () => {
    const { code, stdout, stderr } = await runFixture("rest_lost.ts", {
      prefix: ["unshare", "--user", "--map-root-user"],
    });
    assertEquals([code, stdout], [71, ""], stderr);
    assertMatch(
      stderr,
      /^spawnd: panic: rest as the owner again: Invalid argument\n$/,
    );
  },
);
