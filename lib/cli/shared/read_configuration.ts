/**
 * A configuration as every subcommand reads it: by files that are files, and
 * with what is known of this machine.
 *
 * @module
 */

import type { Configuration } from "../../config/configuration.ts";
import {
  loadConfiguration,
  type LoadOptions,
} from "../../config/load_configuration.ts";
import { readFile } from "./read_file.ts";
import { thisMachine } from "./this_machine.ts";

/**
 * Reads a configuration.
 *
 * @param directory Where main.cf and master.cf are.
 * @param options What it is read by, this machine aside.
 * @returns All of it, however much is wrong with it.
 */
export function readConfiguration(
  directory: string,
  options: Omit<LoadOptions, "machine"> = {},
): Configuration {
  return loadConfiguration(directory, readFile, {
    ...options,
    machine: thisMachine,
  });
}
