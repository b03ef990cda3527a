/**
 * `spawnd import`: the configuration of another super-server, as parameters and
 * entries of spawnd's.
 *
 * Nothing is written but standard output, and nothing but the files is asked:
 * what those files name need not be there.
 *
 * @module
 */

import { fromText, toBytes, toText } from "../../config/bytes.ts";
import { printable } from "../../log/printable.ts";
import { EX, success } from "../../result.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";
import { translateInetd } from "./inetd.ts";
import { type ImportRequest, importRequest } from "./request.ts";
import { printTranslation } from "./print.ts";
import { type Surroundings, thisMachine } from "./surroundings.ts";
import { translateSystemd } from "./systemd.ts";
import { translateTcprules } from "./tcprules.ts";
import {
  formatNote,
  type Note,
  Notes,
  type Translation,
} from "./translation.ts";
import { translateXinetd } from "./xinetd.ts";

/** The exit code where something could not be translated. */
const SOMETHING_LEFT = 1;

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export function importFiles(given: ParsedOptions): Outcome {
  const request = importRequest(given);
  if (!request.ok) return request;
  const { text, notes } = translate(request.value, thisMachine);
  if (Deno.stdout.isTerminal()) {
    for (const line of text.split("\n")) console.log(printable(toText(line)));
  } else writeWhole(toBytes(text));
  for (const note of notes) {
    console.error(printable(toText(formatNote(note))));
  }
  if (notes.length === 0) return success(EX.OK);
  return success(text === "" ? EX.CONFIG : SOMETHING_LEFT);
}

/** What is printed, a binary string, and what is told. */
interface Translated {
  readonly text: string;
  readonly notes: readonly Note[];
}

type TranslateServices = (
  paths: readonly string[],
  from: Surroundings,
) => Translation;

const SERVICES: Readonly<
  Record<Exclude<ImportRequest["format"], "tcprules">, TranslateServices>
> = {
  inetd: translateInetd,
  systemd: translateSystemd,
  xinetd: translateXinetd,
};

/**
 * Translates files.
 *
 * @param request What is asked for.
 * @param from The machine.
 * @returns What to print and what to tell.
 */
export function translate(
  { format, files, parts }: ImportRequest,
  from: Surroundings,
): Translated {
  const paths = files.map(fromText);
  if (format === "tcprules") {
    const { table, notes } = translateTcprules(paths, from);
    return { text: table, notes };
  }
  const translation = SERVICES[format](paths, from);
  const unwritable = new Notes();
  const text = printTranslation(translation, parts, unwritable.tell);
  return { text, notes: [...translation.notes, ...unwritable.all] };
}

/** A pipe takes as much at a time as it has room for. */
function writeWhole(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}
