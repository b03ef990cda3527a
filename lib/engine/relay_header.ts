/**
 * What a proxy says of its client, read by the relay engine, which carries all
 * bytes itself: what has come behind the header is the client's, and is kept.
 *
 * @module
 */

import {
  parseProxyHeader,
  type ProxiedConnection,
  PROXY_HEADER_BYTES_MAX,
} from "../net/proxy_protocol.ts";

/** A header that was read. */
export interface ReadHeader {
  /** `undefined` where the connection is the proxy's own. */
  readonly connection: ProxiedConnection | undefined;
  /** What the client has sent by then. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a header.
 *
 * @param connection The connection, which is closed when it takes too long.
 * @param timeoutMs How long it may take.
 * @returns The header; or why there is none.
 */
export async function readProxyHeader(
  connection: Deno.Conn,
  timeoutMs: number,
): Promise<ReadHeader | { readonly wrong: string }> {
  const bytes = new Uint8Array(PROXY_HEADER_BYTES_MAX);
  let length = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, timeoutMs);
  try {
    for (;;) {
      const count = await connection.read(bytes.subarray(length));
      if (count === null) return { wrong: "no PROXY header" };
      length += count;
      const header = parseProxyHeader(bytes.subarray(0, length));
      if (header.kind === "wrong") return { wrong: header.reason };
      if (header.kind === "incomplete") continue;
      const { connection: proxied, lengthBytes } = header;
      return { connection: proxied, rest: bytes.slice(lengthBytes, length) };
    }
  } catch {
    return {
      wrong: isLate
        ? `no PROXY header within ${timeoutMs / 1000} s`
        : "no PROXY header",
    };
  } finally {
    clearTimeout(timer);
  }
}
