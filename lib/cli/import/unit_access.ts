/**
 * IPAddressAllow= and IPAddressDeny= of systemd.resource-control(5), as a list
 * of who may connect: whom the first lets in is in, whom the second keeps out
 * is out, and everybody else is in.
 *
 * @module
 */

import {
  ALL_NETWORKS,
  type Network,
  readNetwork,
  writeListed,
} from "./networks.ts";
import { quoted, type ServiceDraft } from "./translation.ts";
import type { Unit } from "./unit_file.ts";
import { wordsOf } from "./words.ts";

/** The words that stand for networks. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  localhost: ["127.0.0.0/8", "::1"],
  "link-local": ["169.254.0.0/16", "fe80::/64"],
  multicast: ["224.0.0.0/4", "ff00::/8"],
};

/**
 * Sets who may connect.
 *
 * @param units The socket and its service.
 * @param draft The service.
 */
export function setUnitAccess(
  units: readonly Unit[],
  draft: ServiceDraft,
): void {
  const [allowed, denied] = ["IPAddressAllow", "IPAddressDeny"]
    .map((name) => networksOf(units, name, draft));
  if (allowed === undefined || denied === undefined) return;
  if (denied.length === 0) return;
  draft.set(
    "spawnd_clients",
    [
      ...allowed.map(writeListed),
      ...denied.map((network) => `!${writeListed(network)}`),
      ...ALL_NETWORKS.map(writeListed),
    ].join(" "),
  );
}

function networksOf(
  units: readonly Unit[],
  name: string,
  draft: ServiceDraft,
): Network[] {
  const settings = units.flatMap(({ settings }) => [
    ...settings.get(`Socket.${name}`) ?? [],
    ...settings.get(`Service.${name}`) ?? [],
  ]);
  return settings.flatMap(({ place, value }) =>
    wordsOf(value).flatMap((word) => {
      if (word === "any") return ALL_NETWORKS;
      const networks = (NAMED[word] ?? [word]).flatMap((each) =>
        readNetwork(each) ?? []
      );
      if (networks.length === 0) {
        const text = `${name}: ${quoted(word)} is no network`;
        draft.hold(place, text, "mend spawnd_clients");
      }
      return networks;
    })
  );
}
