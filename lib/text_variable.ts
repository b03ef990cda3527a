/**
 * A variable of the environment as text, whatever others have put there.
 *
 * @module
 */

/** In the place of a value that is no UTF-8, and that the runtime cannot give. */
export const NOT_UTF8 = "\udcff";

/**
 * Reads a variable of the runtime's.
 *
 * @param name Its name.
 * @returns Its value; {@linkcode NOT_UTF8} for one that is no text; or
 * `undefined` if it is not set, or nothing of that name could be.
 */
export function textVariable(name: string): string | undefined {
  if (name === "" || /[=\0]/.test(name)) return undefined;
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return NOT_UTF8;
    throw error;
  }
}
