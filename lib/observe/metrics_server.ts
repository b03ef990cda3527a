/**
 * Serves metrics over HTTP: `GET /metrics` and nothing else, one request a
 * connection.
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { METRICS_TYPE } from "./prometheus.ts";
import { type Answer, Slots, type Watcher } from "./slots.ts";

const CLIENTS_MAX = 8;
const HEADER_BYTES_MAX = 8192;
const TIMEOUT_MS = 10_000;

/** The end of a header; as RFC 9112 allows, a line may end with LF alone. */
const HEADER_END = /\r?\n\r?\n/;

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]\r?\n/;

/** What is served, and where. */
export interface MetricsServerOptions {
  readonly libc: Libc;
  readonly watcher: Watcher;
  /** The listening socket. */
  readonly fd: number;
  /** Makes the metrics, piece by piece. */
  readonly metrics: () => Iterable<string>;
}

/**
 * Begins to serve.
 *
 * @param options What is served, and where.
 * @returns What ends it.
 */
export function serveMetrics(
  { libc, watcher, fd, metrics }: MetricsServerOptions,
): Slots {
  return new Slots({
    ...{ libc, watcher, fd },
    clientsMax: CLIENTS_MAX,
    requestBytesMax: HEADER_BYTES_MAX,
    timeoutMs: TIMEOUT_MS,
    answer: (request, isWhole) => answerRequest(request, { isWhole, metrics }),
  });
}

/**
 * Answers a request.
 *
 * @param request What has come of it.
 * @param options Whether that is all there is; and what to serve.
 * @returns The response; `undefined` where the header is not whole yet.
 */
export function answerRequest(
  request: string,
  { isWhole, metrics }: {
    readonly isWhole: boolean;
    readonly metrics: () => Iterable<string>;
  },
): Answer | undefined {
  if (!HEADER_END.test(request)) {
    if (!isWhole) return undefined;
    return request.length >= HEADER_BYTES_MAX
      ? response("431 Request Header Fields Too Large")
      : response("400 Bad Request");
  }
  const [, method, target = ""] = REQUEST_LINE.exec(request) ?? [];
  if (method === undefined) return response("400 Bad Request");
  const [path] = target.replace(/^http:\/\/[^/?]*/i, "").split("?");
  if (path !== "/metrics") return response("404 Not Found");
  if (method !== "GET") {
    return response("405 Method Not Allowed", ["Allow: GET"]);
  }
  return response("200 OK", [`Content-Type: ${METRICS_TYPE}`], metrics());
}

function* response(
  status: string,
  fields: readonly string[] = ["Content-Type: text/plain; charset=utf-8"],
  body: Iterable<string> = [`${status}\n`],
): Generator<string> {
  const header = [`HTTP/1.1 ${status}`, ...fields, "Connection: close", "", ""];
  yield header.join("\r\n");
  yield* body;
}
