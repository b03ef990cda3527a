/**
 * Packages of Debian as tests/debian/fetch.sh has unpacked them.
 *
 * @module
 */

const FOLDER = new URL("../../.cache/debian/", import.meta.url).pathname;

/** The path of a file of a package; of `DEBIAN/` its control files. */
export function packageFile(name: string, path: string): string {
  return `${FOLDER}${name}/${path}`;
}

/** A test that is ignored where packages were not fetched, but for CI. */
export function packageTest(
  name: string,
  packages: readonly string[],
  fn: () => Promise<void>,
): void {
  const areThere = packages.every((each) => isFolder(`${FOLDER}${each}`));
  const ignore = !areThere && Deno.env.get("CI") === undefined;
  Deno.test({ name, ignore, fn });
}

/** What a file says, unpacked if it is packed. */
export async function packageText(name: string, path: string): Promise<string> {
  const { readable } = await Deno.open(packageFile(name, path));
  const plain = path.endsWith(".gz")
    ? readable.pipeThrough(new DecompressionStream("gzip"))
    : readable;
  return await new Response(plain).text();
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
