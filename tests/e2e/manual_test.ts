import { assert, assertEquals } from "@std/assert";
import { PAGES } from "../../docs/generate.ts";
import { PROGRAM } from "../../lib/cli/subcommands.ts";
import { PARAMETERS } from "../../lib/config/parameters.ts";

const MAN = new URL("../../docs/man/", import.meta.url);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(program: string, ...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { LC_ALL: "C.UTF-8", MANWIDTH: "80", MANPAGER: "cat" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** A test with a program that may be missing where nobody promised it. */
function programTest(
  program: "man" | "mandoc",
  name: string,
  fn: () => Promise<void>,
): void {
  const { success } = new Deno.Command("sh", {
    args: ["-c", `command -v ${program}`],
    stdout: "null",
  }).outputSync();
  const ignore = !success && Deno.env.get("CI") === undefined;
  Deno.test({ name, ignore, fn });
}

/** A page as a reader sees it, on one line. */
async function shown(page: string): Promise<string> {
  const { stdout } = await run(
    "mandoc",
    "-Tascii",
    new URL(page, MAN).pathname,
  );
  // Bold and underlined letters are typed over.
  // deno-lint-ignore no-control-regex -- with this one
  return stdout.replaceAll(/.\x08/g, "").replaceAll(/\s+/g, " ");
}

for (const [page, make] of Object.entries(PAGES)) {
  const path = new URL(page, MAN).pathname;

  Deno.test(`docs/man/${page} is what the tables make`, async () => {
    assertEquals(
      await Deno.readTextFile(path),
      make(),
      'run "deno task docs"',
    );
  });

  programTest("man", `man has no complaint about ${page}`, async () => {
    const { code, stdout, stderr } = await run(
      "man",
      "--warnings",
      "--encoding=UTF-8",
      "--local-file",
      path,
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assert(stdout.includes("NAME"), stdout);
  });

  programTest("mandoc", `mandoc has no complaint about ${page}`, async () => {
    const { code, stdout, stderr } = await run("mandoc", "-Tlint", path);
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
  });
}

programTest("mandoc", "spawnd(8) tells of every option", async () => {
  const text = await shown("spawnd.8");
  for (const { name, options } of PROGRAM.subcommands) {
    assert(text.includes(` spawnd ${name} `), name);
    for (const { name: option, alias, value, help } of options) {
      const given = value === undefined ? "" : ` ${value}`;
      const short = alias === undefined ? "" : `-${alias}${given}, `;
      const term = ` ${short}--${option}${given} ${help} `;
      assert(text.includes(term), term);
    }
  }
});

programTest("mandoc", "spawnd.cf(5) tells of every parameter", async () => {
  const text = await shown("spawnd.cf.5");
  for (const parameter of PARAMETERS) {
    const value = "readOnly" in parameter
      ? "read-only"
      : `default: ${parameter.default || "empty"}`;
    const term = ` ${parameter.name} (${value}) ${parameter.meaning} `;
    assert(text.includes(term), term);
  }
});
