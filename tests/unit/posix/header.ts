/**
 * The numbers that the system's own C headers give to names.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";

/**
 * A test that needs what comes with a C compiler. Where that is not installed
 * it is shown as ignored, but not where all tests have to run.
 *
 * @param path What it needs: the compiler, or a folder of header files.
 */
export function compilerTest(
  path:
    | "/usr/bin/gcc"
    | "/usr/include/asm-generic"
    | "/usr/aarch64-linux-gnu/include/asm",
  name: string,
  fn: () => void | Promise<void>,
): void {
  programTest([path], name, fn);
}

/**
 * The same for a test that needs programs of other packages.
 *
 * @param paths What it needs.
 */
export function programTest(
  paths: readonly string[],
  name: string,
  fn: () => void | Promise<void>,
): void {
  const wanted = paths.every(isThere) || Deno.env.get("CI") !== undefined;
  Deno.test({ name, ignore: !wanted, fn });
}

/** Whether a path leads to anything. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * The decimal and octal `#define`s of header files.
 *
 * @param headers The files, below /usr/include if they are not absolute.
 */
export function definitions(...headers: string[]): Map<string, number> {
  const text = headers
    .map((header) => Deno.readTextFileSync(resolve("/usr/include", header)))
    .join("\n");
  return new Map(
    [...text.matchAll(/^#define\s+(\w+)\s+(\d+)\b/gm)]
      .map(([, name = "", digits = ""]) => [name, numberOf(digits)]),
  );
}

/** As C reads it: what begins with a zero is octal. */
function numberOf(digits: string): number {
  return Number.parseInt(digits, digits.startsWith("0") ? 8 : 10);
}
