/**
 * A folder for one test. Goes with the scope: `using`.
 *
 * @module
 */

/** A temporary folder, and what tests put into it. */
export class Scratch implements Disposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "spawnd-unit-" });

  /** The path of a name in it. */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Writes a file. */
  file(name: string, text = "", mode = 0o644): string {
    const path = this.path(name);
    Deno.writeTextFileSync(path, text);
    Deno.chmodSync(path, mode);
    return path;
  }

  /** Makes a folder. */
  subfolder(name: string): string {
    const path = this.path(name);
    Deno.mkdirSync(path);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}
