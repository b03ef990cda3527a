/**
 * `known_tcp_ports`: names of ports that services(5) need not have.
 *
 * @module
 */

import { PORT_MAX } from "./inet_name.ts";
import { parseCount } from "./values.ts";

/** The ports by their names. */
export type KnownPorts = ReadonlyMap<string, number>;

/**
 * Reads the list: `name=port` or `name=name=port`, between commas.
 *
 * @param list The value.
 * @param warn Called with what is wrong with an entry, in Postfix's words. Such
 * an entry does not count.
 * @returns The ports.
 */
export function parseKnownPorts(
  list: string,
  warn: (text: string) => void,
): KnownPorts {
  const ports = new Map<string, number>();
  for (const part of list.split(",")) {
    const entry = part.trim();
    if (entry === "") continue;
    const wrong = addEntry(entry, ports);
    if (wrong !== undefined) warn(`known_tcp_ports: in "${entry}"${wrong}`);
  }
  return ports;
}

function addEntry(
  entry: string,
  ports: Map<string, number>,
): string | undefined {
  const names = entry.split("=").map((part) => part.trim());
  const port = names.pop() ?? "";
  if (names.length === 0) return ' is not in "name = value" form';
  if (port === "") return ': missing port value after "="';
  if (/\s/.test(port)) return ": whitespace in port number";
  if (!/^\d+$/.test(port)) return ": non-numerical service port";
  const number = parseCount(port, PORT_MAX);
  if (number === undefined) return ": port number out of range";
  for (const name of names) {
    if (name === "") return ': missing service name before "="';
    if (/\s/.test(name)) return ": whitespace in service name";
    if (/^\d+$/.test(name)) return ": numerical service name";
    if (ports.has(name)) return ": duplicate service name";
  }
  for (const name of names) ports.set(name, number);
  return undefined;
}
