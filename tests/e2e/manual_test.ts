import { assert, assertEquals } from "@std/assert";
import { filled, made, PAGES } from "../../docs/generate.ts";
import { parseMasterRequest } from "../../lib/cli/master/request.ts";
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
  program: "man" | "mandoc" | "scdoc",
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

for (const page of PAGES) {
  const path = new URL(page, MAN).pathname;

  Deno.test(`docs/${page}.scd asks for every table`, async () => {
    await filled(page);
  });

  programTest(
    "scdoc",
    `docs/man/${page} is what its source makes`,
    async () => {
      assertEquals(
        await Deno.readTextFile(path),
        await made(page),
        'run "./build.sh deno task docs"',
      );
    },
  );

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

Deno.test("spawnd(8) has a part for every subcommand", async () => {
  const lines = (await filled("spawnd.8")).split("\n");
  for (const { name } of PROGRAM.subcommands) {
    assert(lines.includes(`## spawnd ${name}`), name);
  }
});

Deno.test("spawnd(8) tells of every letter that master(8) can pass", async () => {
  const text = await filled("spawnd.8");
  const [, below = ""] = text.split("# BELOW MASTER(8)");
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"];
  const known = letters.filter((letter) =>
    parseMasterRequest(["-t", "unix", `-${letter}`, "9"]).ok ||
    parseMasterRequest(["-t", "unix", `-${letter}`, "unix"]).ok ||
    parseMasterRequest(["-t", "unix", `-${letter}`, "a=b"]).ok
  );
  assert(known.length > 10, known.join(""));
  for (const letter of known) assert(below.includes(`*-${letter}*`), letter);
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
