/**
 * The name of an inet service, `host:port`, `[host]:port`, `:port` or `port`,
 * taken apart as Postfix does it. Nothing is looked up here.
 *
 * @module
 */

import { mapInet4, mappedInet4 } from "../posix/mapped_inet4.ts";
import { parseCount } from "./values.ts";

/** A host: an address in its shortest form, or a name. */
export type Host =
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "name"; readonly name: string };

/** A name, taken apart. */
export interface InetName {
  /** None where every address of the machine is meant. */
  readonly host: Host | undefined;
  /** A number, or the name of a service. */
  readonly port: string;
}

/** A name, or what is wrong with it, as Postfix says it. */
export type InetNameOrWrong =
  | { readonly ok: true; readonly value: InetName }
  | { readonly ok: false; readonly wrong: string };

/** The largest port there is. */
export const PORT_MAX = 65535;

const HOSTNAME_LENGTH_MAX = 255;
const LABEL_LENGTH_MAX = 63;

/**
 * Takes a name apart.
 *
 * @param name The name.
 * @returns Its parts.
 *
 * @example
 * ```ts
 * splitInetName("[ipv6:::1]:25");
 * // { host: { kind: "address", address: "::1" }, port: "25" }
 * ```
 */
export function splitInetName(name: string): InetNameOrWrong {
  const parts = name.startsWith("[") ? bracketed(name) : plain(name);
  if ("wrong" in parts) return { ok: false, wrong: parts.wrong };
  const { host: hostText, port } = parts;
  if (port === "") return { ok: false, wrong: "missing service information" };
  const host = hostText === undefined ? undefined : parseHost(hostText);
  if (hostText !== undefined && host === undefined) {
    return { ok: false, wrong: "valid hostname or network address required" };
  }
  if (/^\d/.test(port) && !/^\d+$/.test(port)) {
    return { ok: false, wrong: "garbage after numerical service" };
  }
  return { ok: true, value: { host, port } };
}

/** The parts as they are written. */
interface Parts {
  readonly host: string | undefined;
  readonly port: string;
}

function plain(name: string): Parts {
  const colon = name.lastIndexOf(":");
  return {
    host: colon > 0 ? name.slice(0, colon) : undefined,
    port: name.slice(colon + 1),
  };
}

function bracketed(name: string): Parts | { readonly wrong: string } {
  const prefix = /^\[(ipv6:)?/i.exec(name);
  const start = prefix?.[0].length ?? 1;
  const end = name.indexOf("]", start);
  if (end < 0) return { wrong: 'missing "]"' };
  const host = name.slice(start, end);
  const rest = name.slice(end + 1);
  if (!/^(?::|$)/.test(rest)) return { wrong: 'garbage after "]"' };
  if (prefix?.[1] !== undefined && canonicalInet6(host) === undefined) {
    return { wrong: "malformed IPv6 address" };
  }
  return { host, port: rest.slice(1) };
}

/**
 * Reads a host.
 *
 * @param text The host, without brackets.
 * @returns The host, or `undefined` if it is no valid one.
 */
export function parseHost(text: string): Host | undefined {
  if (text.includes(":")) {
    const address = canonicalInet6(text);
    return address === undefined ? undefined : { kind: "address", address };
  }
  if (isInet4(text)) {
    const address = canonicalInet4(text);
    // What the C library reads as octal may have no such digits.
    return address === undefined
      ? { kind: "name", name: text }
      : { kind: "address", address };
  }
  return isHostname(text) ? { kind: "name", name: text } : undefined;
}

/**
 * Four numbers; what begins with 0 is all zeros. Libraries differ: node:net
 * takes no leading zeros, ipaddr.js takes fewer numbers than four.
 */
function isInet4(text: string): boolean {
  return /^\d+(?:\.\d+){3}$/.test(text) &&
    text.split(".").every((part) => parseCount(part, 255) !== undefined) &&
    (!/^0+\./.test(text) || /^[0.]+$/.test(text));
}

/** As inet_aton(3) reads it: a number with a leading zero is octal. */
function canonicalInet4(text: string): string | undefined {
  const parts = text.split(".");
  if (parts.some((part) => /^0.*[89]/.test(part))) return undefined;
  return parts
    .map((part) => parseInt(part, part.startsWith("0") ? 8 : 10))
    .join(".");
}

/**
 * The form in which the kernel's answers are written too. Postfix knows no
 * scopes; without one, nobody could listen on a link-local address.
 */
function canonicalInet6(text: string): string | undefined {
  const [, bare, scope = ""] = /^([\da-f:.]*)(%[\w.-]+)?$/i.exec(text) ?? [];
  if (bare === undefined) return undefined;
  const address = withoutScope(bare);
  return address === undefined ? undefined : address + scope;
}

function withoutScope(text: string): string | undefined {
  const address = URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
  const inet4 = mappedInet4(address ?? "");
  return inet4 === undefined ? address : mapInet4(inet4);
}

/** Labels of letters, digits, `_` and inner hyphens, not all of them numbers. */
function isHostname(text: string): boolean {
  return text.length <= HOSTNAME_LENGTH_MAX && /[a-z_]/i.test(text) &&
    text.split(".").every((label) =>
      label.length <= LABEL_LENGTH_MAX &&
      /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i.test(label)
    );
}
