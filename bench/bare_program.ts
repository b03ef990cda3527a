/**
 * A program that prints one line, compiled with the flags and on the base
 * binary that spawnd is compiled with and on: what it takes to start is the
 * runtime's part of what spawnd takes.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { BenchError } from "./processes.ts";
import type { Workshop } from "./workshop.ts";

// What the compile task names that is spawnd's own.
const ownSource = "dist/bundle/main.js";
const fileOptions = new Set(["--include", "--output"]);

/**
 * Compiles it.
 *
 * @param workshop The processes and where things are.
 * @returns Its path.
 * @throws {BenchError} When the task is another than this file knows.
 */
export async function compileBareProgram(workshop: Workshop): Promise<string> {
  const { processes, directory } = workshop;
  const source = `${directory}/bare.js`;
  const output = `${directory}/bare`;
  await Deno.writeTextFile(source, 'console.log("bare");\n');
  await processes.capture([
    "env",
    `DENO_DIR=${directory}/deno-dir`,
    `DENORT_BIN=${await extractBaseBinary(workshop)}`,
    ...[Deno.execPath(), ...compileFlags(), "--output", output, source],
  ]);
  return output;
}

/** The words after `deno` of the task that compiles spawnd, without files. */
function compileFlags(): string[] {
  const commands = config.tasks.compile.command.split(" && ");
  const words = commands.at(-1)?.split(" ") ?? [];
  const [deno, compile, ...flags] = words.filter((word, i) =>
    !fileOptions.has(word) && !fileOptions.has(words[i - 1] ?? "")
  );
  const isKnown = deno === "deno" && compile === "compile" &&
    flags.pop() === ownSource &&
    flags.every((flag) => /^--[^"'$\\]+$/.test(flag));
  if (isKnown) return [compile, ...flags];
  throw new BenchError(
    `the compile task in deno.json is not of the known form: ` +
      words.join(" "),
  );
}

/**
 * A compiled program is the base binary, an ELF file that ends with its section
 * headers, and what was appended to it.
 */
async function extractBaseBinary(
  { processes, directory, spawnd }: Workshop,
): Promise<string> {
  // The locale that its field names are from is the default one.
  const header = await processes.capture(["readelf", "--file-header", spawnd]);
  const field = (name: string): number => {
    const value = new RegExp(`^\\s*${name}:\\s*(\\d+)`, "m").exec(header)?.[1];
    if (value !== undefined) return Number(value);
    throw new BenchError(`readelf tells no "${name}" of ${spawnd}`);
  };
  const length = field("Start of section headers") +
    field("Size of section headers") * field("Number of section headers");
  const base = `${directory}/denort`;
  await processes.capture([
    ...["sh", "-c", 'head --bytes="$1" "$2" >"$3" && chmod 0755 "$3"'],
    ...["sh", `${length}`, spawnd, base],
  ]);
  return base;
}
