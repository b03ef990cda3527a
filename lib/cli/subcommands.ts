/**
 * The subcommands there are: the table that the completions of shells and the
 * manual page are made from.
 *
 * @module
 */

import { PARAMETERS } from "../config/parameters.ts";
import { COMPLETION_OPTIONS, SHELLS } from "./completion/request.ts";
import { CONFIG_OPTIONS } from "./config/request.ts";
import { INSPECT_OPTIONS } from "./inspect/request.ts";
import { INSTALL_OPTIONS } from "./install_postfix/request.ts";
import type { OptionSpec } from "./shared/options.ts";
import { RELOAD_OPTIONS } from "./reload/reload.ts";
import { RUN_OPTIONS } from "./run/request.ts";
import { SERVE_OPTIONS } from "./serve/request.ts";

/** A subcommand. */
export interface Subcommand {
  readonly name: string;
  /** The words after it, beside options. */
  readonly synopsis: string;
  /** What it is for, as one phrase. */
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** What its first word may be, where that is known. */
  readonly words: readonly string[];
  /** Whether the others may be that as well. */
  readonly many?: true;
}

/** All of them, in the order in which they are told about. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  {
    name: "run",
    synopsis: "TYPE NAME user=USER[:GROUP] argv=COMMAND [ARG...]",
    summary: "serve one service",
    options: RUN_OPTIONS,
    words: ["inet", "unix", "udp"],
  },
  {
    name: "serve",
    synopsis: "",
    summary: "serve all spawn services of a configuration",
    options: SERVE_OPTIONS,
    words: [],
  },
  {
    name: "reload",
    synopsis: "",
    summary: "make a daemon take its configuration anew",
    options: RELOAD_OPTIONS,
    words: [],
  },
  {
    name: "check",
    synopsis: "",
    summary: "tell what is wrong with a configuration",
    options: INSPECT_OPTIONS,
    words: [],
  },
  {
    name: "config",
    synopsis: "[NAME...]",
    summary: "print values of parameters",
    options: CONFIG_OPTIONS,
    words: PARAMETERS.map(({ name }) => name),
    many: true,
  },
  {
    name: "services",
    synopsis: "",
    summary: "print the table of services",
    options: INSPECT_OPTIONS,
    words: [],
  },
  {
    name: "install-postfix",
    synopsis: "[SERVICE/TYPE...]",
    summary: "serve below Postfix, in the place of spawn(8)",
    options: INSTALL_OPTIONS,
    words: [],
  },
  {
    name: "completion",
    synopsis: SHELLS.join("|"),
    summary: "print the completion script of a shell",
    options: COMPLETION_OPTIONS,
    words: SHELLS,
  },
];
