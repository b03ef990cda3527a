/**
 * inetd.conf(5), as Debian's inetds read it: one service a line.
 *
 * @module
 */

import { parseHost } from "../../config/inet_name.ts";
import {
  ARGV0_MEND,
  baseName,
  isTcpd,
  mendOfInner,
  TCPD_PROGRAMS,
} from "./inner_services.ts";
import {
  checkPort,
  holdWrapped,
  readText,
  setUser,
  type Surroundings,
} from "./surroundings.ts";
import {
  type ImportedService,
  type ImportedType,
  NO_TIME_LIMIT,
  Notes,
  quoted,
  ServiceDraft,
  type Translation,
} from "./translation.ts";
import { wordsOf } from "./words.ts";

/** The fields before the arguments. */
const FIELDS = 6;

/**
 * Translates inetd.conf.
 *
 * @param paths The files.
 * @param from The machine.
 * @returns Its services.
 */
export function translateInetd(
  paths: readonly string[],
  from: Surroundings,
): Translation {
  const notes = new Notes();
  const services = paths.flatMap((path) => {
    const text = readText(path, from, notes.tell);
    return text === undefined ? [] : readLines(text, path, { from, notes });
  });
  return {
    services,
    importedNames: new Set(),
    remarks: [],
    notes: notes.all,
  };
}

interface Context {
  readonly from: Surroundings;
  readonly notes: Notes;
}

function readLines(
  text: string,
  path: string,
  { from, notes }: Context,
): ImportedService[] {
  const services: ImportedService[] = [];
  let defaultHosts = ["*"];
  for (const [index, line] of text.split("\n").entries()) {
    const words = wordsOf(line);
    const [first = ""] = words;
    if (first === "" || first.startsWith("#")) continue;
    const place = `${path}:${index + 1}`;
    if (words.length === 1 && first.endsWith(":")) {
      defaultHosts = first.slice(0, -1).split(",");
      continue;
    }
    if (words.length < FIELDS) {
      notes.tell(
        place,
        `${quoted(first)}: fewer than ${FIELDS} fields: not translated`,
        "write name, socket type, protocol, wait or nowait, user, program",
      );
      continue;
    }
    const reader = new LineReader(words, place, { from, notes });
    for (const service of reader.read(defaultHosts)) services.push(service);
  }
  return services;
}

class LineReader {
  readonly #draft: ServiceDraft;
  readonly #place: string;
  readonly #from: Surroundings;
  readonly #words: readonly string[];

  constructor(
    words: readonly string[],
    place: string,
    { from, notes }: Context,
  ) {
    this.#words = words;
    this.#place = place;
    this.#from = from;
    this.#draft = new ServiceDraft(place, quoted(words[0] ?? ""), notes.tell);
  }

  read(defaultHosts: readonly string[]): ImportedService[] {
    const [name = "", socket = "", protocol = "", wait = "", user = ""] =
      this.#words;
    const [program = "", ...args] = this.#words.slice(FIELDS - 1);
    if (program === "internal") {
      const inner = name.slice(name.lastIndexOf(":") + 1);
      return this.#leave("is within inetd itself", mendOfInner(inner));
    }
    const type = this.#type(socket, protocol);
    if (type === undefined || !this.#setWait(wait, type)) return [];
    this.#setBuffers(protocol);
    this.#setCommand(program, args);
    this.#setUser(user);
    const draft = this.#draft;
    draft.set("command_time_limit", NO_TIME_LIMIT);
    draft.set("spawnd_connection_environment", "none");
    draft.set("spawnd_directory", "/");
    draft.set("spawnd_groups", "all");
    draft.set("spawnd_umask", "022");
    return this.#addresses(name, type, protocol, defaultHosts)
      .map((address) => draft.at(type, address));
  }

  #leave(text: string, mend: string): [] {
    this.#draft.tell(this.#place, `${text}: not translated`, mend);
    return [];
  }

  #type(socket: string, words: string): ImportedType | undefined {
    const [protocol = ""] = words.split(",");
    if (protocol.startsWith("rpc/")) {
      this.#leave("is an RPC service", "let it register with rpcbind itself");
      return undefined;
    }
    if (socket === "stream" && /^tcp(?:4|6|46)?$/.test(protocol)) return "inet";
    if (socket === "dgram" && /^udp(?:4|6|46)?$/.test(protocol)) return "udp";
    if (socket === "stream" && protocol === "unix") return "unix";
    this.#leave(
      `${quoted(socket)} over ${quoted(protocol)} is not served`,
      "spawnd has stream over tcp or unix, and dgram over udp",
    );
    return undefined;
  }

  /** Whether the service can be translated. */
  #setWait(word: string, type: ImportedType): boolean {
    const [, wait, max] = /^(wait|nowait)(?:[.:](\d+))?$/.exec(word) ?? [];
    if (wait === undefined) {
      this.#leave(`${quoted(word)} is neither wait nor nowait`, "write one");
      return false;
    }
    if (wait === "nowait" && type === "udp") {
      this.#leave(
        "a datagram service that does not wait has no connection to be given",
        "make it wait, if its program can",
      );
      return false;
    }
    if (wait === "wait") this.#draft.set("spawnd_wait", "yes");
    if (max !== undefined) {
      this.#draft.take("spawnd_connection_rate_limit", max, this.#place);
      this.#draft.set("spawnd_rate_time_unit", "60s");
    }
    return true;
  }

  #setBuffers(protocol: string): void {
    for (const word of protocol.split(",").slice(1)) {
      this.#draft.tell(
        this.#place,
        `${quoted(word)} is not translated`,
        "the kernel sizes buffers itself: sysctl net.ipv4.tcp_rmem, tcp_wmem",
      );
    }
  }

  /** argv[0] is a field of its own here; with tcpd it names the program. */
  #setCommand(program: string, [name = "", ...args]: readonly string[]): void {
    if (isTcpd(program)) {
      if (name === "") {
        this.#draft.hold(this.#place, "tcpd has no program", "name one");
      }
      holdWrapped(this.#draft, this.#place, this.#from);
      const path = name.includes("/") ? name : `${TCPD_PROGRAMS}/${name}`;
      this.#draft.argv = [path, ...args];
      return;
    }
    this.#draft.argv = [program, ...args];
    if (name !== "" && baseName(name) !== baseName(program)) {
      this.#draft.tell(
        this.#place,
        `the name ${quoted(name)} for ${quoted(program)} is not translated`,
        ARGV0_MEND,
      );
    }
  }

  /** `user:group`, or `user.group` if there is no user with a dot. */
  #setUser(word: string): void {
    const separator = word.includes(":") ? ":" : ".";
    const at = word.lastIndexOf(separator);
    const isWhole = at <= 0 ||
      (separator === "." && this.#from.findUser(word) !== undefined);
    setUser(this.#draft, {
      place: this.#place,
      user: isWhole ? word : word.slice(0, at),
      group: isWhole ? undefined : word.slice(at + 1),
    }, this.#from);
  }

  #addresses(
    name: string,
    type: ImportedType,
    protocol: string,
    defaultHosts: readonly string[],
  ): string[] {
    if (type === "unix") {
      if (name.startsWith("/")) return [name];
      return this.#leave("is a socket without a path", "write its whole path");
    }
    const colon = name.lastIndexOf(":");
    const hosts = colon < 0 ? defaultHosts : name.slice(0, colon).split(",");
    const port = name.slice(colon + 1);
    checkPort(this.#draft, port, this.#place, { from: this.#from, type });
    return hosts.flatMap((host) => this.#address(host, port, protocol));
  }

  #address(written: string, port: string, protocol: string): string[] {
    const host = written.replace(/^\[(.*)\]$/, "$1");
    if (host !== "*" && host !== "") {
      const parsed = parseHost(host);
      if (parsed === undefined) {
        return this.#leave(`${quoted(host)} is no host`, "write its address");
      }
      return [host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`];
    }
    const [, version] = /^[a-z]+(46|4|6)/.exec(protocol) ?? [];
    if (version === "4") return [`0.0.0.0:${port}`];
    if (version === undefined) return [port];
    this.#draft.set("spawnd_v6only", version === "6" ? "yes" : "no");
    return [`[::]:${port}`];
  }
}
