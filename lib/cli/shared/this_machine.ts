/**
 * The machine that the program runs on, for values that depend on it.
 *
 * @module
 */

import type { Machine } from "../../config/machine.ts";
import { findServicePort } from "../../net/getent.ts";
import { readFile } from "./read_file.ts";

/** Where packages of Postfix have it; never searched for. */
const POSTCONF = "/usr/sbin/postconf";

/** This machine. */
export const thisMachine: Machine = {
  hostname: Deno.hostname,
  mailVersion(): string | undefined {
    try {
      const { success, stdout } = new Deno.Command(POSTCONF, {
        args: ["-d", "-h", "mail_version"],
        clearEnv: true,
        stdin: "null",
        stderr: "null",
      }).outputSync();
      const version = new TextDecoder().decode(stdout).trim();
      return success && version !== "" ? version : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  servicePort: findServicePort,
  readFile,
};
