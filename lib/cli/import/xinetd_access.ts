/**
 * only_from and no_access of xinetd: who may connect, as mynetworks has it.
 *
 * xinetd lets the longer network decide, and no_access where both are as long;
 * a list's first match decides. So the longest come first.
 *
 * @module
 */

import {
  ALL_NETWORKS,
  type Network,
  networkOfNumbers,
  readNetwork,
  readNumbers,
  writeListed,
} from "./networks.ts";
import { quoted, type ServiceDraft } from "./translation.ts";
import type { Assignment } from "./xinetd_file.ts";

const NAMES_MEND =
  "write its addresses: with names, a name service would stand in the way of " +
  "every connection";

/**
 * Sets who may connect.
 *
 * @param draft The service.
 * @param onlyFrom Who may; everybody, if it is not there.
 * @param noAccess Who may not.
 */
export function setAccess(
  draft: ServiceDraft,
  onlyFrom: Assignment | undefined,
  noAccess: Assignment | undefined,
): void {
  if (onlyFrom === undefined && noAccess === undefined) return;
  const allowed = onlyFrom === undefined
    ? ALL_NETWORKS
    : onlyFrom.values.flatMap((value) => {
      const networks = readClients(value);
      if (networks !== undefined) return networks;
      const text = `only_from: ${quoted(value)} is not translated`;
      draft.tell(onlyFrom.place, text, NAMES_MEND);
      return [];
    });
  const denied = (noAccess?.values ?? []).flatMap((value) => {
    const networks = readClients(value);
    if (networks !== undefined) return networks;
    // Without it, whom it keeps out would be let in.
    const text = `no_access: ${quoted(value)} is not translated`;
    draft.hold(noAccess?.place ?? "", text, NAMES_MEND);
    return [];
  });
  const rules = [
    ...denied.map((network) => ({ network, sign: "!" })),
    ...allowed.map((network) => ({ network, sign: "" })),
  ].sort((one, other) => other.network.prefixBits - one.network.prefixBits);
  const words = rules.map(({ network, sign }) => sign + writeListed(network));
  const nobody = ALL_NETWORKS.map((network) => `!${writeListed(network)}`);
  draft.set(
    "spawnd_clients",
    [...new Set(words.length === 0 ? nobody : words)].join(" "),
  );
}

/** One value of either; `undefined` for the name of a host or a network. */
function readClients(value: string): Network[] | undefined {
  const [, before, inner] = /^([\d.]+)\.\{([\d,]+)\}$/.exec(value) ?? [];
  if (before !== undefined && inner !== undefined) {
    const networks = inner.split(",").flatMap((last) => {
      const numbers = readNumbers(`${before}.${last}`);
      return numbers === undefined ? [] : [networkOfNumbers(numbers)];
    });
    return networks.length === inner.split(",").length ? networks : undefined;
  }
  const numbers = readNumbers(value);
  if (numbers !== undefined && numbers.length === 4) {
    return [networkOfNumbers(withoutZeros(numbers))];
  }
  const network = readNetwork(value);
  return network === undefined ? undefined : [network];
}

/** Zeros at the end of an address stand for any number. */
function withoutZeros(numbers: readonly number[]): number[] {
  const last = numbers.findLastIndex((number) => number !== 0);
  return numbers.slice(0, last + 1);
}
