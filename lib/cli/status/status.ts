/**
 * `spawnd status`: what a running daemon does.
 *
 * @module
 */

import { printableJson } from "../../log/printable.ts";
import type { StatusRecord } from "../../observe/status_record.ts";
import { EX, formatMistake, type Result, success } from "../../result.ts";
import { textVariable } from "../../text_variable.ts";
import {
  askDaemon,
  type AskedDaemon,
  findDaemon,
} from "../shared/ask_daemon.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";
import { type StatusRequest, statusRequest } from "./request.ts";
import { statusScreen } from "./screen.ts";

/** The exit code for a daemon to which nobody should be sent. */
const EXIT_NOT_SERVING = 1;

/** As a shell tells of an end by SIGINT. */
const EXIT_INTERRUPTED = 130;

/** How often it is shown anew. */
const WATCH_MS = 1000;

/** ECMA-48: to the first line; to the end of a line, and of the screen. */
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
const CLEAR_ALL = "\x1b[2J";

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export async function status(given: ParsedOptions): Promise<Outcome> {
  const request = statusRequest(given);
  if (!request.ok) return request;
  const { directory, watch } = request.value;
  const daemon = findDaemon(directory);
  if (!daemon.ok) return daemon;
  const isSeen = Deno.stdout.isTerminal();
  if (watch) return await watchDaemon(daemon.value, request.value, isSeen);
  const asked = askDaemon(daemon.value, { ask: "status" });
  if (!asked.ok) return asked;
  console.log(shown(asked.value, request.value, isSeen).join("\n"));
  return success(isServing(asked.value) ? EX.OK : EXIT_NOT_SERVING);
}

/** Shows it until a signal ends that. */
async function watchDaemon(
  daemon: AskedDaemon,
  request: StatusRequest,
  isSeen: boolean,
): Promise<never> {
  if (isSeen && !request.json) {
    print(CLEAR_ALL);
    // The shell goes on below.
    Deno.addSignalListener("SIGINT", () => {
      print("\n");
      Deno.exit(EXIT_INTERRUPTED);
    });
  }
  for (;;) {
    const asked = askDaemon(daemon, { ask: "status" });
    const lines = linesOf(asked, request, isSeen);
    print(
      isSeen && !request.json
        ? HOME + lines.map((line) => `${line}${CLEAR_LINE}`).join("\n") +
          CLEAR_BELOW
        : lines.map((line) => `${line}\n`).join(""),
    );
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  }
}

/** One that is restarted answers again. */
function linesOf(
  asked: Result<StatusRecord[]>,
  request: StatusRequest,
  isSeen: boolean,
): string[] {
  if (asked.ok) return shown(asked.value, request, isSeen);
  return [
    request.json
      ? JSON.stringify({ error: asked.mistake.text })
      : formatMistake(asked.mistake),
  ];
}

function shown(
  records: readonly StatusRecord[],
  { json, watch }: StatusRequest,
  isSeen: boolean,
): string[] {
  if (json) return [printableJson(JSON.stringify(objectOf(records)))];
  const size = isSeen ? sizeOfTerminal() : undefined;
  return statusScreen(records, {
    columns: size?.columns ?? Infinity,
    lines: watch && size ? size.rows : Infinity,
    hasHistory: watch,
    isUnicode: isUnicode(),
  });
}

function objectOf(records: readonly StatusRecord[]): unknown {
  const of = (wanted: StatusRecord["kind"]): unknown[] =>
    records.flatMap(({ kind, ...record }) => kind === wanted ? [record] : []);
  const [daemon] = of("daemon");
  return {
    ...daemon as object, // as it was read
    services: of("service"),
    commands: of("command"),
  };
}

/** A terminal need not know how large it is. */
function sizeOfTerminal(): { columns: number; rows: number } | undefined {
  try {
    const size = Deno.consoleSize();
    return size.columns > 0 && size.rows > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}

/** As setlocale(3) finds out. */
function isUnicode(): boolean {
  const locale = textVariable("LC_ALL") || textVariable("LC_CTYPE") ||
    textVariable("LANG") || "";
  return /utf-?8/i.test(locale);
}

function isServing(records: readonly StatusRecord[]): boolean {
  return records.some((record) =>
    record.kind === "daemon" && record.state === "serving"
  );
}

function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += Deno.stdout.writeSync(bytes.subarray(written));
  }
}
