/**
 * The services of a configuration, checked: what is here can be served.
 *
 * A parsed entry is another type than a checked service, so that a value that
 * nobody has looked at cannot reach a listening socket.
 *
 * @module
 */

import {
  checkAdmission,
  type CheckedAdmission,
} from "./admission/check_admission.ts";
import {
  type Accounts,
  type CommandAttributes,
  findIdentity,
  type Login,
} from "./attributes.ts";
import { toText, toWord } from "./bytes.ts";
import { isComplete } from "./whole_record.ts";
import type { Configuration } from "./configuration.ts";
import type { PlacedText } from "./logical_lines.ts";
import type { MasterEntry, ServiceType } from "./master_cf.ts";
import {
  inOrder,
  type Place,
  type Problem,
  problemAt,
  problemInText,
  type Report,
} from "./problems.ts";
import {
  checkAttributes,
  type CheckContext,
  type CheckedAttributes,
} from "./service_attributes.ts";
import type { Identity } from "../posix/credentials.ts";
import { success } from "../result.ts";
import { findGroups, refuseGroups } from "./surroundings/groups.ts";
import {
  readServiceSettings,
  type ServiceSettings,
} from "./service_settings.ts";
import { findParameter, timeLimitParameter } from "./parameters.ts";
import type { Scope } from "./settings.ts";

export type { CheckContext } from "./service_attributes.ts";

/** Where a service is reached. */
export type ServiceAddress =
  /** `host:port`, `[v6]:port` or `port`; names are not looked up; udp's too. */
  | { readonly kind: "inet"; readonly name: string }
  | { readonly kind: "unix"; readonly path: string };

/** The parts of a line that a later problem may point at. */
export interface ServicePlaces {
  readonly name: Place;
  readonly maxProcesses: Place;
  readonly timeLimit: Place;
  readonly chroot: Place;
  /** The `user=` attribute. */
  readonly user: Place;
  /** The `argv=` attribute. */
  readonly command: Place;
}

/** What master(8)'s child is told of its own life. */
export interface ProcessSettings {
  /** Commands of one process at once; 0 for no limit. */
  readonly concurrency: number;
  /** Whether that was said beside maxproc. */
  readonly hasConcurrency: boolean;
  readonly daemonTimeoutSeconds: number;
  readonly maxIdleSeconds: number;
  readonly maxUses: number;
}

/** A service that can be served. */
export interface CheckedService {
  readonly name: string;
  readonly type: Exclude<ServiceType, "fifo" | "unix-dgram">;
  readonly isPrivate: boolean;
  readonly address: ServiceAddress;
  /** Commands at once; 0 for no limit. */
  readonly maxProcesses: number;
  readonly settings: ServiceSettings;
  /** Its command's supplementary groups, if they are not its group alone. */
  readonly groups: { readonly gids: readonly number[] | undefined };
  /** What its command's account has to log in by, if that is asked for. */
  readonly login: { readonly found: Login | undefined };
  /** Whether its commands are given the listening socket. */
  readonly waits: boolean;
  /** Whether they may run as long as they like: nobody has said how long. */
  readonly isUnlimited: boolean;
  readonly admission: CheckedAdmission;
  /** Whose its unix socket is. */
  readonly socketOwner: { readonly identity: Identity } | "starter";
  readonly attributes: CommandAttributes;
  readonly isVerbose: boolean;
  /** What counts where each service has processes of its own. */
  readonly process: ProcessSettings;
  /** Whether queue_directory is the root directory of its command. */
  readonly isChrooted: boolean;
  readonly places: ServicePlaces;
  /** All its other parameters. */
  readonly scope: Scope;
}

/** What looking at the services came to. */
export interface CheckedServices {
  /** Those that can be served. */
  readonly services: readonly CheckedService[];
  /** Problems of the services alone, in the order of the file. */
  readonly problems: readonly Problem[];
}

/**
 * Checks every entry that spawnd serves.
 *
 * @param configuration The configuration.
 * @param context The accounts, and the daemon's owner.
 * @returns The services, and everything wrong with the others.
 */
export function checkServices(
  configuration: Configuration,
  context: CheckContext,
): CheckedServices {
  const problems: Problem[] = [];
  const imported = importedNames(configuration);
  const services = configuration.entries.flatMap((entry) => {
    const checker = new ServiceChecker(configuration, entry, imported);
    const service = checker.check(context);
    for (const problem of checker.problems) problems.push(problem);
    return service === undefined ? [] : [service];
  });
  return { services, problems: inOrder(problems) };
}

/**
 * The variables that a daemon passes on, if not all that it has; what is wrong
 * is told elsewhere.
 */
function importedNames(
  { origin, scope }: Configuration,
): ReadonlySet<string> | undefined {
  if (origin === "command line") return undefined;
  const entries = scope.value("import_environment", () => {});
  return new Set(entries?.map(({ name }) => name));
}

/** Parameters that look at each client. */
const RULES_OF_CLIENTS = [
  "spawnd_client_connection_count_limit",
  "spawnd_client_connection_rate_limit",
  "spawnd_clients",
  "spawnd_peer_groups",
  "spawnd_peer_users",
  "spawnd_proxy_protocol",
] as const satisfies readonly (keyof ServiceSettings)[];

/** What a line may have beside `-o`: -v for verbose, -D for a debugger. */
const NO_FLAG = /[^-vD]/;

class ServiceChecker {
  readonly problems: Problem[] = [];
  readonly #entry: MasterEntry;
  readonly #imported: ReadonlySet<string> | undefined;
  readonly #origin: Configuration["origin"];
  readonly #scope: Scope;
  readonly #file: string;
  readonly #readFile: (path: string) => Uint8Array;
  readonly #report: Report = (problem) => this.problems.push(problem);

  constructor(
    configuration: Configuration,
    entry: MasterEntry,
    imported: ReadonlySet<string> | undefined,
  ) {
    this.#entry = entry;
    this.#origin = configuration.origin;
    this.#imported = imported;
    this.#scope = configuration.scopeOf(entry);
    this.#file = configuration.master.file;
    this.#readFile = (path) => configuration.machine.readFile(path);
  }

  /** The service; `undefined` where there is an error. */
  check(context: CheckContext): CheckedService | undefined {
    const { name, isPrivate } = this.#entry;
    const scope = this.#scope;
    const report = this.#report;
    const type = this.#type();
    this.#refusePrivileges();
    const flags = this.#flags();
    const checked = checkAttributes(this.#entry, {
      ...context,
      ...{ report, file: this.#file, origin: this.#origin },
    });
    const maxProcesses = this.#entry.maxProcesses ??
      scope.integer("default_process_limit", report);
    const settings = this.#settings();
    const waits = this.#waits(settings);
    const service = {
      name: toText(name.text),
      type,
      isPrivate,
      address: this.#address(scope.string("queue_directory", report)),
      maxProcesses,
      settings,
      groups: settings && checked && this.#groups(settings, checked, context),
      login: settings && checked && this.#login(settings, checked, context),
      waits,
      isUnlimited: waits && !this.#isTimeLimitSet(),
      admission: settings && this.#admission(settings, context.accounts),
      socketOwner: this.#socketOwner(context.accounts),
      attributes: checked?.attributes,
      isVerbose: flags.includes("v"),
      process: this.#process(maxProcesses),
      isChrooted: this.#entry.isChrooted,
      places: checked && this.#places(checked),
      scope,
    };
    const isWrong = this.problems.some(({ level }) => level === "error");
    return !isWrong && isComplete<CheckedService>(service)
      ? service
      : undefined;
  }

  #type(): CheckedService["type"] | undefined {
    const { type, fields, isPrivate } = this.#entry;
    // Reading master.cf has told it.
    if ((type === "inet" || type === "udp") && isPrivate) return undefined;
    if (type !== "fifo" && type !== "unix-dgram") return type;
    const text = `unsupported transport type: ${type}`;
    this.#wrong(fields[1], text, "make it inet or unix");
    return undefined;
  }

  /** spawn(8) itself must be able to become the command's user. */
  #refusePrivileges(): void {
    const { name, fields, isUnprivileged } = this.#entry;
    if (!isUnprivileged) return;
    const text = `service ${name.text} requires privileged operation`;
    const mend = "write n for unprivileged, its fourth field";
    this.#wrong(fields[3], text, mend);
  }

  #flags(): string {
    let flags = "";
    for (const option of this.#entry.options) {
      if (option.kind !== "flags") continue;
      const { word } = option;
      flags += word.text.slice(1);
      const at = word.text.search(NO_FLAG);
      if (at < 0) continue;
      const text = `invalid option: ${word.text.charAt(at)}`;
      this.#wrong(word, text, "a service's line may have -o and -v");
    }
    return flags;
  }

  #settings(): ServiceSettings | undefined {
    const service = this.#entry.name.text;
    const settings = readServiceSettings(service, this.#scope, this.#report);
    const name = "export_environment";
    const imported = this.#imported;
    if (imported === undefined || this.#scope.setting(name) === undefined) {
      return settings;
    }
    for (const { name: variable, value } of settings?.[name] ?? []) {
      if (value !== undefined || imported.has(variable)) continue;
      this.#report(problemInText(this.#scope.place(name), {
        level: "warning",
        text: `${name}: ${variable} is not in import_environment`,
        mend: "commands do not get it: set import_environment, too",
      }));
    }
    return settings;
  }

  /** What a command must not have as its group it must not have beside it. */
  #groups(
    { spawnd_groups: list }: ServiceSettings,
    { attributes: { userName, identity: { gid } } }: CheckedAttributes,
    { accounts, owner }: CheckContext,
  ): CheckedService["groups"] | undefined {
    if (list === "primary") return { gids: undefined };
    const found = list === "all"
      ? success(accounts.groupsOf(userName, gid))
      : findGroups(list, accounts);
    const gids = found.ok ? [...new Set([gid, ...found.value])] : [];
    const refusal = found.ok ? refuseGroups(gids, owner) : found.mistake;
    if (refusal === undefined) return { gids };
    this.#report(problemInText(this.#scope.place("spawnd_groups"), refusal));
    return undefined;
  }

  #login(
    settings: ServiceSettings,
    { attributes: { userName } }: CheckedAttributes,
    { accounts }: CheckContext,
  ): CheckedService["login"] | undefined {
    const name = "spawnd_login_environment";
    if (!settings[name]) return { found: undefined };
    const found = accounts.findLogin(userName);
    if (found !== undefined) return { found };
    this.#report(problemInText(this.#scope.place(name), {
      text: `${name}: no account has the name ${userName}`,
      mend: "name one by user=, or leave it out",
    }));
    return undefined;
  }

  /** What comes is the command's to take: nobody else looks at it. */
  #refuseRules(settings: ServiceSettings | undefined): void {
    for (const name of RULES_OF_CLIENTS) {
      if (settings?.texts[name] === findParameter(name)?.default) continue;
      this.#report(problemInText(this.#scope.place(name), {
        text: `${name}: a command that waits takes clients by itself`,
        mend: "leave it out of this service, or spawnd_wait",
      }));
    }
  }

  #isTimeLimitSet(): boolean {
    const { name } = this.#entry;
    return this.#scope.setting("command_time_limit") !== undefined ||
      this.#scope.setting(timeLimitParameter(name.text).name) !== undefined;
  }

  #waits(settings: ServiceSettings | undefined): boolean {
    const name = "spawnd_wait";
    const { type } = this.#entry;
    const waits = settings?.[name] ?? false;
    if (waits && type === "pass") {
      this.#report(problemInText(this.#scope.place(name), {
        text: "pass services have no socket to give to a command",
        mend: "make it inet or unix, or leave spawnd_wait out",
      }));
    }
    if (waits || type === "udp") this.#refuseRules(settings);
    return waits || type === "udp";
  }

  #admission(settings: ServiceSettings, accounts: Accounts): CheckedAdmission {
    const scope = this.#scope;
    return checkAdmission(settings, {
      ...{ accounts, report: this.#report, type: this.#entry.type },
      readFile: this.#readFile,
      placeOf: (name) => scope.place(name),
      isOwn: (name) =>
        this.#entry.options.some((option) =>
          option.kind === "override" && option.setting?.name.text === name
        ),
    });
  }

  #socketOwner(accounts: Accounts): CheckedService["socketOwner"] | undefined {
    const name = "spawnd_socket_owner";
    const text = this.#scope.value(name, this.#report);
    if (text === undefined) return undefined;
    if (text === "") return "starter";
    const found = findIdentity(toWord(text), accounts);
    if (found.ok) return { identity: found.value.identity };
    this.#report(problemInText(this.#scope.place(name), found.mistake));
    return undefined;
  }

  #process(maxProcesses: number | undefined): ProcessSettings | undefined {
    const scope = this.#scope;
    const report = this.#report;
    const concurrency = scope.integer("spawnd_concurrency", report);
    const values = {
      concurrency: concurrency ?? maxProcesses,
      hasConcurrency: concurrency !== undefined,
      daemonTimeoutSeconds: scope.seconds("daemon_timeout", report),
      maxIdleSeconds: scope.seconds("max_idle", report),
      maxUses: scope.integer("max_use", report),
    };
    return isComplete<ProcessSettings>(values) ? values : undefined;
  }

  #address(queueDirectory: string | undefined): ServiceAddress | undefined {
    const { type, isPrivate } = this.#entry;
    const name = toText(this.#entry.name.text);
    if (type === "inet" || type === "udp") return { kind: "inet", name };
    // A path on a command line is seen from where that is written.
    if (name.startsWith("/") || this.#origin === "command line") {
      return { kind: "unix", path: name };
    }
    if (queueDirectory === undefined) return undefined;
    const folder = isPrivate ? "private" : "public";
    return { kind: "unix", path: `${queueDirectory}/${folder}/${name}` };
  }

  #places({ user, command }: CheckedAttributes): ServicePlaces {
    const { name, fields } = this.#entry;
    const place = (text: PlacedText): Place => text.placeIn(this.#file);
    const timeLimit = this.#scope.place(`${name.text}_time_limit`);
    return {
      name: place(name),
      maxProcesses: place(fields[6] ?? name),
      timeLimit: timeLimit.line > 0 ? timeLimit : place(name),
      chroot: place(fields[4] ?? name),
      user: place(user),
      command: place(command),
    };
  }

  #wrong(word: PlacedText | undefined, text: string, mend: string): void {
    const place = (word ?? this.#entry.name).placeIn(this.#file);
    this.#report(problemAt(place, { text, mend }));
  }
}
