/**
 * Files that appear whole, under a name that nobody can foresee until then,
 * with the rights they are to have from the first. (npm's write-file-atomic
 * opens a name that can be foreseen, whatever lies there, and goes on where the
 * file cannot be given away.)
 *
 * @module
 */

/** Whose a file is to be, and with which permission bits. */
export interface FileRights {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** What a file has until it is whole. */
const UNFINISHED_MODE = 0o600;

/**
 * Puts a file in the place of the one of that name, or where there is none.
 *
 * @param path Its name.
 * @param bytes All of it.
 * @param rights Whose it is to be.
 * @throws {Error} What the runtime throws where that fails; then nothing has
 * changed.
 */
export function replaceFile(
  path: string,
  bytes: Uint8Array,
  rights: FileRights,
): void {
  writeAside(path, bytes, rights, (aside) => Deno.renameSync(aside, path));
}

/**
 * Makes a file, but never in the place of another.
 *
 * @param path Its name.
 * @param bytes All of it.
 * @param rights Whose it is to be.
 * @throws {Deno.errors.AlreadyExists} If there is one of that name.
 */
export function createFile(
  path: string,
  bytes: Uint8Array,
  rights: FileRights,
): void {
  writeAside(path, bytes, rights, (aside) => {
    Deno.linkSync(aside, path);
    Deno.removeSync(aside);
  });
}

function writeAside(
  path: string,
  bytes: Uint8Array,
  { uid, gid, mode }: FileRights,
  finish: (aside: string) => void,
): void {
  const aside = `${path}.${crypto.randomUUID()}`;
  try {
    {
      using file = Deno.openSync(aside, {
        write: true,
        createNew: true,
        mode: UNFINISHED_MODE,
      });
      for (let at = 0; at < bytes.length;) {
        at += file.writeSync(bytes.subarray(at));
      }
      Deno.chownSync(aside, uid, gid);
      Deno.chmodSync(aside, mode);
      // Before the name, or a crash could leave the name alone.
      file.syncSync();
    }
    finish(aside);
  } catch (error) {
    removeIfThere(aside);
    throw error;
  }
}

/**
 * Removes a file, if it is there.
 *
 * @param path Its name.
 */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Tells whether there is anything of that name, be it a link to nothing.
 *
 * @param path The name.
 * @returns Whether there is.
 */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Tells whose a file is.
 *
 * @param path Its name.
 * @returns Its rights, those of what a link leads to.
 */
export function rightsOf(path: string): FileRights {
  const { uid, gid, mode } = Deno.statSync(path);
  return { uid: uid ?? 0, gid: gid ?? 0, mode: (mode ?? 0) & 0o7777 };
}

/**
 * Digests a file, to tell later whether it is the same.
 *
 * @param file Its bytes, or its name.
 * @returns Its SHA-256 in hexadecimal digits; `undefined` if it is not there.
 */
export async function digestOf(
  file: string | Uint8Array<ArrayBuffer>,
): Promise<string | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = typeof file === "string" ? Deno.readFileSync(file) : file;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}
