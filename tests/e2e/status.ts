/**
 * For the tests of what a daemon tells of itself.
 *
 * @module
 */

import type {
  CommandStatus,
  DaemonStatus,
  ServiceStatus,
} from "../../lib/observe/status_record.ts";
import { assertEquals } from "@std/assert";
import { type Ended, readAll, runToEnd } from "./daemon.ts";

/** What `spawnd status --json` prints. */
export interface Status extends Omit<DaemonStatus, "kind"> {
  readonly services: readonly ServiceStatus[];
  readonly commands: readonly CommandStatus[];
}

/** Asks the daemon of a configuration. */
export async function statusOf(directory: string): Promise<Status> {
  const { stdout, stderr } = await ask("status", directory, "--json");
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

/** What it tells of one service. */
export async function serviceOf(
  directory: string,
  name: string,
): Promise<ServiceStatus> {
  const { services } = await statusOf(directory);
  const found = services.find(({ service }) => service === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

/** Runs a subcommand that asks the daemon of a configuration. */
export async function ask(
  subcommand: string,
  directory: string,
  ...words: readonly string[]
): Promise<Ended> {
  return await runToEnd([subcommand, "-c", directory, ...words]);
}

/** A response of HTTP, in one piece. */
export interface Response {
  readonly status: string;
  readonly body: string;
}

/** Sends a request and reads all that comes back. */
export async function request(
  connection: Deno.Conn,
  text: string,
): Promise<Response> {
  await connection.write(new TextEncoder().encode(text));
  return responseOf(new TextDecoder().decode(await readAll(connection)));
}

/** Takes a response apart. */
export function responseOf(text: string): Response {
  const end = text.indexOf("\r\n\r\n");
  const [line = ""] = text.split("\r\n");
  return {
    status: line.replace("HTTP/1.1 ", ""),
    body: end < 0 ? "" : text.slice(end + 4),
  };
}

/** Asks for the metrics on a port of the loopback. */
export async function metricsAt(port: number): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const { status, body } = await request(
    connection,
    "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
  );
  assertEquals(status, "200 OK");
  return body;
}

/** The value of a sample; `undefined` if there is none. */
export function sampleOf(metrics: string, sample: string): number | undefined {
  const line = metrics.split("\n").find((line) =>
    line.startsWith(`${sample} `)
  );
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
}
