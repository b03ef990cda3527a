/**
 * systemd.socket(5), translated: a socket unit and the service that it starts,
 * one entry for each address.
 *
 * @module
 */

import { parseHost } from "../../config/inet_name.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportUnitSetting, setService } from "./systemd_service.ts";
import { socketSetter } from "./systemd_socket.ts";
import {
  type ImportedService,
  type ImportedType,
  Notes,
  quoted,
  ServiceDraft,
  type Tell,
  type Translation,
} from "./translation.ts";
import {
  findUnit,
  nameOf,
  readBoolean,
  readUnit,
  type Unit,
  type UnitSetting,
} from "./unit_file.ts";
import { setUnitAccess } from "./unit_access.ts";
import { withSpecifiers } from "./unit_words.ts";

/** As many connections as systemd has where nothing is said. */
const CONNECTIONS = 64;

/** What both units of a pair are translated with. */
interface PairContext {
  readonly from: Surroundings;
  readonly tell: Tell;
  readonly importedNames: Set<string>;
}

/**
 * Translates socket units.
 *
 * @param paths The .socket files; of .service files among them, the sockets.
 * @param from The machine.
 * @returns Their services.
 */
export function translateSystemd(
  paths: readonly string[],
  from: Surroundings,
): Translation {
  const notes = new Notes();
  const importedNames = new Set<string>();
  const context = { from, tell: notes.tell, importedNames };
  const sockets = new Set(
    paths.flatMap((path) => socketOf(path, context) ?? []),
  );
  const services = [...sockets].flatMap((path) => translatePair(path, context));
  return { services, importedNames, remarks: [], notes: notes.all };
}

function socketOf(
  path: string,
  { from, tell }: PairContext,
): string | undefined {
  if (path.endsWith(".socket")) return path;
  const name = nameOf(path);
  const socket = name.endsWith(".service")
    ? findUnit(name.replace(/@?\.service$/, ".socket"), path, from)
    : undefined;
  if (socket === undefined) {
    tell(
      path,
      "no socket belongs to it: not translated",
      "name a .socket file",
    );
  }
  return socket;
}

function translatePair(path: string, context: PairContext): ImportedService[] {
  const { from, tell } = context;
  const socket = readUnit(path, from, tell);
  if (socket === undefined) return [];
  const place = firstPlace(socket) ?? path;
  const draft = new ServiceDraft(place, quoted(socket.name), tell);
  if (/@\.socket$/.test(socket.name)) {
    const mend = "copy it to a name without @, and write its addresses out";
    draft.tell(path, "is a template: not translated", mend);
    return [];
  }
  const last = (name: string): UnitSetting | undefined =>
    socket.settings.get(`Socket.${name}`)?.at(-1);
  const accepts = readBoolean(last("Accept")?.value ?? "no") ?? false;
  const service = readService(socket, accepts, { draft, context });
  if (service === undefined) return [];
  draft.set("spawnd_connection_environment", "systemd");
  if (accepts) draft.maxProcesses = CONNECTIONS;
  else draft.set("spawnd_wait", "yes");
  setSocket(socket, draft, accepts);
  setService(service, draft, context);
  setUnitAccess([socket, service], draft);
  const isInet6Alone = last("BindIPv6Only")?.value === "ipv6-only";
  return addressesOf(socket, draft, isInet6Alone)
    .map(({ type, name }) => draft.at(type, name));
}

function firstPlace({ settings }: Unit): string | undefined {
  const [first] = [...settings]
    .filter(([key]) => key.startsWith("Socket.Listen"))
    .flatMap(([, assignments]) => assignments);
  return first?.place;
}

function readService(
  socket: Unit,
  accepts: boolean,
  { draft, context }: { draft: ServiceDraft; context: PairContext },
): Unit | undefined {
  const { from, tell } = context;
  const base = socket.name.replace(/\.socket$/, "");
  const named = socket.settings.get("Socket.Service")?.at(-1)?.value;
  const name = accepts ? `${base}@.service` : named ?? `${base}.service`;
  const path = findUnit(name, socket.path, from);
  if (path !== undefined) return readUnit(path, from, tell);
  const mend = "put it into the same directory";
  draft.tell(socket.path, `there is no ${quoted(name)}: not translated`, mend);
  return undefined;
}

function setSocket(socket: Unit, draft: ServiceDraft, accepts: boolean): void {
  const set = socketSetter(draft, accepts);
  for (const [key, assignments] of socket.settings) {
    const [section = "", name = ""] = key.split(/\.(.*)/s);
    const last = assignments.at(-1);
    if (section === "Install" || last === undefined) continue;
    if (section === "Unit") reportUnitSetting(name, last, draft);
    else if (last.value !== "") set(name, last);
  }
  setOwner(socket, draft);
}

function setOwner(socket: Unit, draft: ServiceDraft): void {
  const { settings } = socket;
  const user = settings.get("Socket.SocketUser")?.at(-1)?.value;
  const group = settings.get("Socket.SocketGroup")?.at(-1)?.value;
  if (user === undefined && group === undefined) return;
  draft.take(
    "spawnd_socket_owner",
    group === undefined ? user ?? "root" : `${user ?? "root"}:${group}`,
    socket.path,
  );
}

/** An address of a socket. */
interface Address {
  readonly type: ImportedType;
  readonly name: string;
}

const LISTENS = ["ListenStream", "ListenDatagram"] as const;

function addressesOf(
  socket: Unit,
  draft: ServiceDraft,
  isInet6Alone: boolean,
): Address[] {
  const addresses = LISTENS.flatMap((name) =>
    (socket.settings.get(`Socket.${name}`) ?? []).flatMap((setting) => {
      const written = withSpecifiers(setting.value, socket.name);
      const value = written.ok ? written.text : setting.value;
      if (value === "") return [];
      const kind = name === "ListenStream" ? "inet" : "udp";
      const address = readAddress(value, kind, isInet6Alone);
      if (address !== undefined) return [address];
      const text = `${name}=${quoted(value)} is not translated`;
      const mend = "spawnd has ports, addresses and paths of stream sockets";
      draft.tell(setting.place, text, mend);
      return [];
    })
  );
  if (addresses.length === 0) {
    const mend = "write ListenStream=";
    draft.tell(socket.path, "listens on nothing that spawnd has", mend);
  } else if (addresses.length > 1 && draft.parameters.has("spawnd_wait")) {
    const text = "a command is given one socket, not all at once";
    draft.tell(draft.place, text, "each address has a command of its own");
  }
  if (addresses.some(({ name }) => name.startsWith("[::]:"))) {
    draft.set("spawnd_v6only", isInet6Alone ? "yes" : "no");
  }
  return addresses;
}

function readAddress(
  value: string,
  type: "inet" | "udp",
  isInet6Alone: boolean,
): Address | undefined {
  if (value.startsWith("/")) {
    return type === "inet" ? { type: "unix", name: value } : undefined;
  }
  if (/^\d+$/.test(value)) {
    return { type, name: isInet6Alone ? `[::]:${value}` : value };
  }
  const { inet6, inet4, port = "", scope = "" } =
    /^(?:\[(?<inet6>[\da-f:.]+)\]|(?<inet4>[\d.]+)):(?<port>\d+)(?<scope>%[\w.-]+)?$/i
      .exec(value)?.groups ?? {};
  const host = parseHost(inet6 ?? inet4 ?? "");
  if (host?.kind !== "address") return undefined;
  return {
    type,
    name: inet6 !== undefined
      ? `[${host.address}${scope}]:${port}`
      : `${host.address}:${port}`,
  };
}
