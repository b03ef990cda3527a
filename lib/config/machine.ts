/**
 * Values that depend on the machine: its name, and the Postfix on it.
 *
 * @module
 */

/** What values depend on. It is asked only where such a value is used. */
export interface Machine {
  /** Its name, with a domain or without. */
  hostname(): string;
  /** The version of the Postfix on it, if there is one. */
  mailVersion(): string | undefined;
}

/** A machine of which nothing is known. */
export const ANY_MACHINE: Machine = {
  hostname: () => "localhost",
  mailVersion: () => undefined,
};

/** Postfix's word for a machine without a domain. */
export const NO_DOMAIN = "localdomain";
