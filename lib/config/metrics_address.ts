/**
 * Where metrics are served: the value of `spawnd_metrics_address`.
 *
 * @module
 */

import { splitInetName } from "./inet_name.ts";
import type { Parsed } from "./values.ts";

/** The address; `isLocal` where no host is named: then it is the loopback's. */
export type MetricsAddress =
  | { readonly kind: "off" }
  | { readonly kind: "unix"; readonly path: string }
  | {
    readonly kind: "inet";
    readonly name: string;
    readonly isLocal: boolean;
  };

/**
 * Reads the address.
 *
 * @param text Empty, a path, or `host:port`.
 * @returns The address.
 */
export function metricsAddressValue(text: string): Parsed<MetricsAddress> {
  if (text === "") return { ok: true, value: { kind: "off" } };
  const path = text.replace(/^unix:/, "");
  if (path.startsWith("/")) return { ok: true, value: { kind: "unix", path } };
  if (path !== text) {
    const wrong = `no absolute path: ${text}`;
    return { ok: false, wrong, mend: "write unix:/..." };
  }
  const name = splitInetName(text);
  if (!name.ok) {
    return {
      ok: false,
      wrong: `${name.wrong} in "${text}"`,
      mend: "write a port, host:port, or the path of a unix socket",
    };
  }
  const isLocal = name.value.host === undefined;
  return { ok: true, value: { kind: "inet", name: text, isLocal } };
}
