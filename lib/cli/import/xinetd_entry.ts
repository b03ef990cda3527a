/**
 * A service of xinetd.conf(5), translated attribute by attribute.
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
  setUser,
  type Surroundings,
} from "./surroundings.ts";
import {
  type ImportedService,
  type ImportedType,
  NO_TIME_LIMIT,
  quoted,
  ServiceDraft,
  type Tell,
} from "./translation.ts";
import { variableNames, writeVariable } from "./words.ts";
import { setAccess } from "./xinetd_access.ts";
import {
  type Assignment,
  OF_DEFAULTS,
  valueOf,
  type XinetdEntry,
  type XinetdFiles,
} from "./xinetd_file.ts";

/** Where the log of services is. */
export const LOG_MEND =
  "the log goes to standard error: whoever starts spawnd " +
  "keeps it, systemd for one in its journal";

/** What an entry is translated with. */
export interface EntryContext {
  readonly from: Surroundings;
  readonly tell: Tell;
  readonly importedNames: Set<string>;
}

/** Attributes that need no translation here: they are read elsewhere. */
const READ_ELSEWHERE = new Set([
  ...["bind", "disable", "env", "flags", "group", "id", "interface", "libwrap"],
  ...["mdns", "no_access", "only_from", "passenv", "port", "protocol"],
  ...["redirect", "server", "server_args", "socket_type", "type", "user"],
  "wait",
]);

/** The limits, by prlimit(1)'s names. */
const LIMITS: Readonly<Record<string, string>> = {
  rlimit_as: "as",
  rlimit_cpu: "cpu",
  rlimit_data: "data",
  rlimit_files: "nofile",
  rlimit_rss: "rss",
  rlimit_stack: "stack",
};

/** Translates one entry. */
export class EntryTranslator {
  readonly #entry: XinetdEntry;
  readonly #defaults: XinetdEntry;
  readonly #context: EntryContext;
  readonly #draft: ServiceDraft;

  constructor(
    entry: XinetdEntry,
    { defaults }: XinetdFiles,
    context: EntryContext,
  ) {
    this.#entry = entry;
    this.#defaults = defaults;
    this.#context = context;
    const [id = entry.name] = this.#find("id")?.values ?? [];
    this.#draft = new ServiceDraft(entry.place, quoted(id), context.tell);
    // It may have been who may connect; xinetd does not serve it, either.
    this.#draft.isHeld = entry.isBroken || defaults.isBroken;
  }

  translate(): ImportedService[] {
    const type = this.#type();
    if (type === undefined) return [];
    const draft = this.#draft;
    draft.set("command_time_limit", NO_TIME_LIMIT);
    draft.set("spawnd_connection_environment", "inetd");
    draft.set("spawnd_directory", "/");
    draft.set("spawnd_umask", "022");
    this.#setFlags();
    if (this.#find("redirect") === undefined) this.#setCommand();
    else this.#setRedirect();
    this.#setEnvironment();
    setAccess(draft, this.#find("only_from"), this.#find("no_access"));
    this.#setOthers();
    return this.#addresses(type).map((name) => draft.at(type, name));
  }

  #find(name: string): Assignment | undefined {
    return valueOf(name, this.#entry, this.#defaults);
  }

  #word(name: string): string {
    return this.#find(name)?.values[0] ?? "";
  }

  #place(name: string): string {
    return this.#find(name)?.place ?? this.#entry.place;
  }

  #leave(attribute: string, text: string, mend: string): undefined {
    const place = this.#place(attribute);
    this.#draft.tell(place, `${text}: not translated`, mend);
    return undefined;
  }

  /** How clients reach it; none if it is nothing that spawnd serves. */
  #type(): ImportedType | undefined {
    const types = this.#find("type")?.values ?? [];
    if (types.includes("INTERNAL")) {
      const mend = mendOfInner(this.#entry.name);
      return this.#leave("type", "is within xinetd itself", mend);
    }
    const foreign = types.find((type) => type !== "UNLISTED");
    if (foreign !== undefined) {
      const mend = foreign === "RPC"
        ? "let it register with rpcbind itself"
        : "give it a port of its own";
      return this.#leave("type", `is of type ${quoted(foreign)}`, mend);
    }
    if (this.#find("flags")?.values.includes("SENSOR")) {
      const mend = "let a firewall watch its port, or fail2ban the log";
      return this.#leave("flags", "is a sensor and no service", mend);
    }
    const socket = this.#word("socket_type") || "stream";
    const protocol = this.#word("protocol") ||
      (socket === "dgram" ? "udp" : "tcp");
    const waits = this.#word("wait").toLowerCase() === "yes";
    if (waits) this.#draft.set("spawnd_wait", "yes");
    if (socket === "stream" && /^tcp6?$/.test(protocol)) return "inet";
    if (socket === "dgram" && /^udp6?$/.test(protocol)) {
      return waits ? "udp" : this.#leave(
        "wait",
        "a datagram service that does not wait has no connection to be given",
        "make it wait, if its program can",
      );
    }
    return this.#leave(
      "socket_type",
      `${quoted(socket)} over ${quoted(protocol)} is not served`,
      "spawnd has stream over tcp or unix, and dgram over udp",
    );
  }

  #setFlags(): void {
    const { values = [], place = "" } = this.#find("flags") ?? {};
    const draft = this.#draft;
    for (const flag of values) {
      switch (flag) {
        case "NODELAY":
          draft.set("spawnd_nodelay", "yes");
          break;
        case "KEEPALIVE":
          draft.set("spawnd_keepalive", "yes");
          break;
        case "IDONLY":
          draft.hold(
            place,
            "IDONLY is not translated: there is no ident",
            "let the command ask who it is",
          );
          break;
        case "INTERCEPT":
        case "LABELED":
          draft.hold(place, `${flag} is not translated`, "leave it out");
          break;
        case "NORETRY":
        case "REUSE":
        case "NAMEINARGS":
        case "NOLIBWRAP":
        case "IPv4":
        case "IPv6":
          break;
        default:
          draft.tell(place, `unknown flag: ${quoted(flag)}`);
      }
    }
    // Debian's xinetd asks TCP wrappers unless it is told not to.
    if (!values.includes("NOLIBWRAP")) {
      holdWrapped(draft, this.#entry.place, this.#context.from);
    }
  }

  #setCommand(): void {
    const draft = this.#draft;
    const { from } = this.#context;
    const user = this.#find("user");
    setUser(draft, {
      place: this.#place("user"),
      user: user?.values[0] ?? "root",
      group: this.#find("group")?.values[0],
    }, from);
    const server = this.#word("server");
    const args = this.#find("server_args")?.values ?? [];
    if (server === "") {
      draft.hold(
        this.#place("server"),
        "names no server",
        "write server = PATH",
      );
    }
    const isNamed = this.#find("flags")?.values.includes("NAMEINARGS");
    const [name = "", ...rest] = args;
    if (!isNamed) draft.argv = [server, ...args];
    else if (isTcpd(server)) {
      const path = name.includes("/") ? name : `${TCPD_PROGRAMS}/${name}`;
      draft.argv = [path, ...rest];
      holdWrapped(draft, this.#place("server"), from);
    } else {
      draft.argv = [server, ...rest];
      if (baseName(name) !== baseName(server)) {
        const text = `the name ${quoted(name)} for ${
          quoted(server)
        } is not translated`;
        draft.tell(this.#place("server_args"), text, ARGV0_MEND);
      }
    }
  }

  /** Anybody may carry bytes, as long as it is nobody else. */
  #setRedirect(): void {
    const draft = this.#draft;
    const { values = [], place = "" } = this.#find("redirect") ?? {};
    const [written = "", port = ""] = values;
    const host = parseHost(written);
    if (host === undefined || !/^[\w-]+$/.test(port)) {
      const text = `redirect: no host and port: ${quoted(values.join(" "))}`;
      draft.hold(place, text, "write redirect = ADDRESS PORT");
    }
    const target = written.includes(":") ? `[${written}]` : written;
    draft.argv = ["/usr/bin/socat", "STDIO", `TCP:${target}:${port}`];
    setUser(draft, { place, user: "nobody" }, this.#context.from);
  }

  #setEnvironment(): void {
    const passed = this.#find("passenv");
    const own = this.#find("env");
    if (passed === undefined && own === undefined) return;
    const names = passed === undefined
      ? ["TZ", "LANG"]
      : variableNames(passed.values, (name) => {
        const text = `passenv: ${quoted(name)} is not translated`;
        this.#draft.tell(passed.place, text, "write the name of a variable");
      });
    if (passed !== undefined) {
      for (const name of names) this.#context.importedNames.add(name);
    }
    const variables = (own?.values ?? []).flatMap((value) => {
      const equals = value.indexOf("=");
      const name = value.slice(0, Math.max(0, equals));
      const variable = writeVariable(name, value.slice(equals + 1));
      if (variable !== undefined && name !== "PATH") return [variable];
      const text = `env: ${quoted(value)} is not translated`;
      const mend = name === "PATH"
        ? "PATH is always /usr/bin:/bin: let the command set it"
        : "write NAME=VALUE";
      this.#draft.tell(own?.place ?? "", text, mend);
      return [];
    });
    const list = [...names, ...variables].join(" ");
    this.#draft.set("export_environment", list);
  }

  #addresses(type: ImportedType): string[] {
    const port = this.#word("port") || this.#entry.name;
    const { from } = this.#context;
    checkPort(this.#draft, port, this.#place("port"), { from, type });
    const bind = this.#find("bind") ?? this.#find("interface");
    const [host] = bind?.values ?? [];
    if (host !== undefined && bind !== undefined) {
      if (parseHost(host) === undefined) {
        const text = `bind: ${quoted(host)} is no host: not translated`;
        this.#draft.tell(bind.place, text, "write its address");
        return [];
      }
      return [host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`];
    }
    const flags = this.#find("flags")?.values ?? [];
    const isInet4 = flags.includes("IPv4") && !flags.includes("IPv6");
    return [isInet4 ? `0.0.0.0:${port}` : port];
  }

  /** Attributes that are set or told one by one. */
  #setOthers(): void {
    const names = new Set([
      ...this.#entry.operations.keys(),
      ...this.#defaults.operations.keys(),
    ]);
    const limits: string[] = [];
    let place = "";
    for (const name of names) {
      if (READ_ELSEWHERE.has(name)) continue;
      const assignment = this.#find(name);
      if (assignment === undefined) continue;
      const limit = LIMITS[name];
      if (limit === undefined) this.#setOther(name, assignment);
      else {
        const [value = ""] = assignment.values;
        const isNone = /^unlimited$/i.test(value);
        limits.push(`${limit}=${isNone ? "infinity" : value}`);
        place = assignment.place;
      }
    }
    if (limits.length > 0) {
      this.#draft.take("spawnd_limits", limits.join(" "), place);
    }
  }

  #setOther(name: string, { place, values }: Assignment): void {
    const draft = this.#draft;
    const [value = ""] = values;
    const number = /^unlimited$/i.test(value) ? "0" : value;
    switch (name) {
      case "instances":
        draft.takeMaxProcesses(number, place);
        break;
      case "per_source":
        draft.take("spawnd_client_connection_count_limit", number, place);
        break;
      case "cps":
        draft.take("spawnd_connection_rate_limit", value, place);
        draft.set("spawnd_rate_time_unit", "1s");
        break;
      case "max_load":
        draft.take("spawnd_load_limit", value, place);
        break;
      case "nice":
        draft.take("spawnd_nice", value, place);
        break;
      case "umask":
        draft.take("spawnd_umask", value.padStart(3, "0"), place);
        break;
      case "groups":
        draft.set(
          "spawnd_groups",
          value.toLowerCase() === "yes" ? "all" : "primary",
        );
        break;
      case "access_times":
        draft.take(
          "spawnd_access_times",
          values.map(hours).join(", "),
          place,
        );
        break;
      case "log_on_success":
      case "log_on_failure":
        this.#setLogged(name, { place, values });
        break;
      default:
        if (OF_DEFAULTS.has(name) && !this.#entry.operations.has(name)) {
          if (name.startsWith("banner")) this.#tellOther(name, place);
        } else this.#tellOther(name, place);
    }
  }

  #setLogged(name: string, { place, values }: Assignment): void {
    const told = ["USERID", "TRAFFIC"].filter((each) => values.includes(each));
    for (const each of told) {
      const why = each === "USERID" ? "there is no ident" : "nobody counts it";
      this.#draft.tell(place, `${name}: ${each} is not translated: ${why}`);
    }
    if (name === "log_on_success" && values.length > told.length) {
      this.#draft.isVerbose = true;
    }
  }

  #tellOther(name: string, place: string): void {
    const mends: Readonly<Record<string, string>> = {
      banner: "let a command write it first",
      banner_success: "let a command write it first",
      banner_fail: "who is refused is told nothing",
      log_type: LOG_MEND,
      deny_time: "limits recover by themselves; fail2ban can watch the log",
    };
    const text = `${quoted(name)} is not translated`;
    this.#draft.tell(place, text, mends[name]);
  }
}

/** `8:00-18:30` with two digits an hour. */
function hours(interval: string): string {
  return interval.split("-").map((time) => time.padStart(5, "0")).join("-");
}
