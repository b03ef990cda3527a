/**
 * The benchmark's command line.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { BenchError, exitCodes } from "./processes.ts";
import { type ServerName, serverNames } from "./servers.ts";

/** The parts of the benchmark: each can be run alone. */
export type Part = "startup" | "standalone" | "held" | "postfix";

/** In the order in which they are measured: the first meets a cold binary. */
const parts: readonly Part[] = ["startup", "standalone", "held", "postfix"];

/** What to measure, how, and where to write it. */
export interface Options {
  parts: readonly Part[];
  rounds: number;
  seconds: number;
  clients: number[];
  servers: ServerName[];
  /** Connections before a daemon's memory is read the second time. */
  served: number;
  /** Connections held beside which others are measured. */
  held: number;
  /** What share of the run may be lost to a busy machine. */
  patience: number;
  spawnd: string;
  json: string;
  /** A missed target makes the exit code 1. */
  assert: boolean;
}

/** Where the compiled daemon is and the figures go. */
export const dist = decodeURIComponent(
  new URL("../dist", import.meta.url).pathname,
);

const mostClients = 1000;
// Each takes one of the ports that the kernel gives to connecting sockets.
const mostHeld = 20_000;

const fractional: ReadonlySet<string> = new Set(["seconds", "patience"]);

/** The help text. */
export const help = `Measures spawnd beside its peers; run it as root.

  deno task bench                          all of it: some ten minutes
  deno task bench --rounds 1 --seconds 0.5 a first look

  --only PART[,PART...]    not all of it, but
           startup         how long it takes to start
           standalone      the servers that listen by themselves
           held            those while thousands of connections are held
           postfix         spawnd and spawn(8) below one master(8)
  --rounds 5               how often each server is measured
  --seconds 1              how long each time
  --clients 1,8,32,128     how many clients at once
  --servers ${serverNames.join(",")}
                           which standalone servers
  --served 10000           connections before their memory is read again
  --held 5000              connections held beside those that are measured
  --patience 0.2           share of the run to lose to a machine that is busy
  --spawnd dist/spawnd     the compiled daemon
  --json dist/bench.json   where all figures go
  --assert                 exit with 1 when a target is missed
  --help                   this text
`;

/**
 * Reads the command line.
 *
 * @param args The words after the program.
 * @returns The options, or "help" when that was asked for.
 * @throws {BenchError} When a word or value is wrong.
 */
export function parseOptions(args: readonly string[]): Options | "help" {
  const words: Readonly<Record<string, unknown>> = parseArgs([...args], {
    string: [
      "only",
      "rounds",
      "seconds",
      "clients",
      "servers",
      "served",
      "held",
      "patience",
      "spawnd",
      "json",
    ],
    boolean: ["assert", "help"],
    default: {
      rounds: "5",
      seconds: "1",
      clients: "1,8,32,128",
      servers: serverNames.join(","),
      served: "10000",
      held: "5000",
      patience: "0.2",
      spawnd: `${dist}/spawnd`,
      json: `${dist}/bench.json`,
    },
    unknown: (word: string): never => {
      throw misuse(`unknown option or argument "${word}"`);
    },
  });
  if (words["help"] === true) return "help";
  const text = (name: string): string => `${words[name]}`;
  return {
    parts: words["only"] === undefined
      ? parts
      : text("only").split(",").map(parsePart),
    rounds: parseNumber("rounds", text("rounds"), { min: 1, max: 100 }),
    seconds: parseNumber("seconds", text("seconds"), { min: 0.1, max: 60 }),
    clients: text("clients").split(",").map((word) =>
      parseNumber("clients", word, { min: 1, max: mostClients })
    ),
    servers: text("servers").split(",").map(parseServerName),
    served: parseNumber("served", text("served"), { min: 1, max: 100_000 }),
    held: parseNumber("held", text("held"), { min: 1, max: mostHeld }),
    patience: parseNumber("patience", text("patience"), { min: 0, max: 0.9 }),
    spawnd: text("spawnd"),
    json: text("json"),
    assert: words["assert"] === true,
  };
}

function parseNumber(
  name: string,
  word: string,
  { min, max }: { min: number; max: number },
): number {
  const value = Number(word);
  const isWhole = fractional.has(name) || Number.isInteger(value);
  if (word !== "" && isWhole && value >= min && value <= max) return value;
  throw misuse(`--${name} wants a number from ${min} to ${max}, not "${word}"`);
}

function parsePart(word: string): Part {
  const part = parts.find((one) => one === word);
  if (part !== undefined) return part;
  throw misuse(`--only knows ${parts.join(", ")}, not "${word}"`);
}

function parseServerName(word: string): ServerName {
  const name = serverNames.find((one) => one === word);
  if (name !== undefined) return name;
  throw misuse(`--servers knows ${serverNames.join(", ")}, not "${word}"`);
}

function misuse(what: string): BenchError {
  return new BenchError(`${what}, see --help`, exitCodes.usage);
}
