/**
 * Values that depend on the machine: its name, the Postfix on it, its ports.
 *
 * @module
 */

/** What values depend on. It is asked only where such a value is used. */
export interface Machine {
  /** Its name, with a domain or without. */
  hostname(): string;
  /** The version of the Postfix on it, if there is one. */
  mailVersion(): string | undefined;
  /** The number of a tcp port by its name in services(5). */
  servicePort(name: string): number | undefined;
  /** What a file says that a value names; what is thrown is its problem. */
  readFile(path: string): Uint8Array;
}

/** A machine of which nothing is known. */
export const ANY_MACHINE: Machine = {
  hostname: () => "localhost",
  mailVersion: () => undefined,
  servicePort: () => undefined,
  readFile: () => {
    throw new Deno.errors.NotFound();
  },
};

/** Postfix's word for a machine without a domain. */
export const NO_DOMAIN = "localdomain";
