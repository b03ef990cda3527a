/**
 * What parameters say of who may connect to a service, with all looked up that
 * they name: files, users and groups.
 *
 * @module
 */

import type { Accounts } from "../attributes.ts";
import type { ServiceType } from "../master_cf.ts";
import { type Place, type Problem, problemInText } from "../problems.ts";
import type { ServiceSettings } from "../service_settings.ts";
import { readClientFiles } from "./client_files.ts";
import type { ClientRule } from "./client_rules.ts";

/** What was looked up. */
export interface CheckedAdmission {
  /** Who may connect; `undefined` for everybody. */
  readonly clients: readonly ClientRule[] | undefined;
  /** Who says who its clients are; `undefined` for nobody. */
  readonly proxies: readonly ClientRule[] | undefined;
  /** Who may connect by a unix socket; `undefined` for everybody. */
  readonly peers: PeerIds | undefined;
}

/** Users and groups. */
export interface PeerIds {
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

/** The parameters that are looked at here. */
type Name = keyof ServiceSettings & `spawnd_${string}`;

/** What there is to look things up with. */
export interface AdmissionCheck {
  readonly type: ServiceType;
  readonly accounts: Accounts;
  readonly readFile: (path: string) => Uint8Array;
  /** Where a parameter's value stands. */
  readonly placeOf: (name: Name) => Place;
  /** Whether the service's own line sets it. */
  readonly isOwn: (name: Name) => boolean;
  readonly report: (problem: Problem) => void;
}

/**
 * Looks up what settings name.
 *
 * @param settings The settings.
 * @param check What to look it up with; mistakes are reported there.
 * @returns What was looked up.
 */
export function checkAdmission(
  settings: ServiceSettings,
  check: AdmissionCheck,
): CheckedAdmission {
  const clients = rulesOf("spawnd_clients", settings, check);
  const proxies = settings.spawnd_proxy_protocol
    ? proxiesOf(settings, check)
    : undefined;
  return { clients, proxies, peers: peersOf(settings, check) };
}

function proxiesOf(
  settings: ServiceSettings,
  check: AdmissionCheck,
): readonly ClientRule[] | undefined {
  const name = "spawnd_proxy_protocol";
  const wrong = (text: string, mend: string): void =>
    check.report(
      problemInText(check.placeOf(name), { text: `${name}: ${text}`, mend }),
    );
  if (check.type === "pass") {
    if (check.isOwn(name)) {
      wrong(
        "postscreen(8) passes its clients' own connections",
        "leave it out",
      );
    }
    return undefined;
  }
  const rules = rulesOf("spawnd_proxy_clients", settings, check);
  if (rules === undefined && check.type === "inet") {
    wrong(
      "anybody could say to be anyone",
      "name the proxies in spawnd_proxy_clients",
    );
  }
  return rules ?? [];
}

function rulesOf(
  name: "spawnd_clients" | "spawnd_proxy_clients",
  settings: ServiceSettings,
  { placeOf, readFile, report }: AdmissionCheck,
): readonly ClientRule[] | undefined {
  const items = settings[name];
  if (items.length === 0) return undefined;
  return readClientFiles(items, {
    name,
    place: placeOf(name),
    readFile,
    report,
  });
}

/** Where connections have addresses, only a line of its own can mean users. */
function peersOf(
  settings: ServiceSettings,
  check: AdmissionCheck,
): PeerIds | undefined {
  const { accounts, type, isOwn, placeOf, report } = check;
  const names = ["spawnd_peer_users", "spawnd_peer_groups"] as const;
  if (type !== "unix") {
    for (const name of names.filter((name) => settings[name].length > 0)) {
      if (!isOwn(name)) continue;
      report(problemInText(placeOf(name), {
        text: `${name}: only for unix services`,
        mend: "leave it out: spawnd_clients is for this one",
      }));
    }
    return undefined;
  }
  const [uids, gids] = names.map((name, index) =>
    settings[name].flatMap((each) => {
      const id = index === 0
        ? accounts.findUser(each)?.uid
        : accounts.findGroup(each);
      if (id !== undefined) return [id];
      const kind = index === 0 ? "user" : "group";
      report(problemInText(placeOf(name), {
        text: `${name}: unknown ${kind} name: ${each}`,
        mend: `name one that getent(1) knows`,
      }));
      return [];
    })
  );
  const isSet = names.some((name) => settings[name].length > 0);
  return isSet ? { uids: uids ?? [], gids: gids ?? [] } : undefined;
}
