/**
 * The program where every account can run it.
 *
 * @module
 */

import { programWords } from "./daemon.ts";
import { Folder, output } from "./machine.ts";

/**
 * A copy of the program that every account can run, wherever the tests are.
 * Goes with the scope: `await using`.
 */
export class AnybodysProgram implements AsyncDisposable {
  readonly #folder: Folder;

  private constructor(
    folder: Folder,
    readonly words: readonly string[],
    readonly env: Record<string, string>,
  ) {
    this.#folder = folder;
  }

  static async create(): Promise<AnybodysProgram> {
    const folder = await Folder.create();
    const [program = "", ...words] = programWords();
    const ownProgram = folder.join("program");
    await output("cp", program, ownProgram);
    if (program !== Deno.execPath()) {
      return new AnybodysProgram(folder, [ownProgram], {});
    }
    const root = new URL("../../", import.meta.url).pathname;
    const own = folder.join("source/");
    await Deno.mkdir(own);
    for (const name of ["main.ts", "lib", "deno.json", "deno.lock"]) {
      await output("cp", "-r", root + name, own);
    }
    const { denoDir } = JSON.parse(await output(program, "info", "--json"));
    await Deno.mkdir(folder.join("cache"));
    await output("cp", "-r", `${denoDir}/npm`, folder.join("cache"));
    await output("chmod", "-R", "a+rX", folder.path);
    return new AnybodysProgram(
      folder,
      [ownProgram, ...words.map((word) => word.replace(root, own))],
      { DENO_DIR: folder.join("cache") },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}
