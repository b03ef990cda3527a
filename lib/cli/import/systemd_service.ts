/**
 * The service of a socket unit, as systemd.service(5) and systemd.exec(5) have
 * it.
 *
 * @module
 */

import { setUser, type Surroundings } from "./surroundings.ts";
import { setCommand } from "./systemd_command.ts";
import {
  NO_TIME_LIMIT,
  quoted,
  type ServiceDraft,
  type ServiceParameter,
} from "./translation.ts";
import {
  readBoolean,
  readSeconds,
  type Unit,
  type UnitSetting,
} from "./unit_file.ts";
import { wordsOf } from "./words.ts";

/** What a service is translated with. */
export interface ServiceContext {
  readonly from: Surroundings;
  /** Where go variables of the daemon's own that it passes on. */
  readonly importedNames: Set<string>;
}

/**
 * Takes over a service.
 *
 * @param service The unit.
 * @param draft What becomes of it.
 * @param context What it is translated with.
 */
export function setService(
  service: Unit,
  draft: ServiceDraft,
  { from, importedNames }: ServiceContext,
): void {
  const last = (name: string): UnitSetting | undefined =>
    service.settings.get(`Service.${name}`)?.at(-1);
  draft.set("command_time_limit", NO_TIME_LIMIT);
  draft.set("spawnd_directory", "/");
  draft.set("spawnd_umask", "022");
  setCommand(service, draft, importedNames);
  setStreams(service, draft);
  const user = last("User");
  setUser(draft, {
    place: user?.place ?? service.path,
    user: user?.value || "root",
    group: last("Group")?.value,
  }, from);
  if (readBoolean(last("DynamicUser")?.value ?? "no") === true) {
    const text = "DynamicUser= is not translated";
    draft.hold(
      last("DynamicUser")?.place ?? service.path,
      text,
      "put an account of its own after user=",
    );
  }
  setGroups(service, draft, from);
  if (user !== undefined) draft.set("spawnd_login_environment", "yes");
  const limits: string[] = [];
  setIoPriority(service, draft);
  for (const [key, assignments] of service.settings) {
    const [section = "", name = ""] = key.split(/\.(.*)/s);
    const setting = assignments.at(-1);
    if (section === "Install" || setting === undefined) continue;
    if (section === "Unit") reportUnitSetting(name, setting, draft);
    else if (/^Limit[A-Z]+$/.test(name)) {
      limits.push(limitOf(name, setting.value));
    } else setSetting(name, setting, draft);
  }
  if (limits.length > 0) {
    draft.take("spawnd_limits", limits.join(" "), service.path);
  }
}

/** The connection is a command's input, output and error, or nothing is. */
function setStreams({ settings, path }: Unit, draft: ServiceDraft): void {
  const last = (name: string): UnitSetting =>
    settings.get(`Service.${name}`)?.at(-1) ?? { place: path, value: "" };
  const [input, output, error] = [
    last("StandardInput"),
    last("StandardOutput"),
    last("StandardError"),
  ];
  if (input.value !== "socket") {
    draft.hold(
      input.place,
      "takes its socket as descriptor 3 (LISTEN_FDS), and not as its input",
      "if its program can, start it as inetd would",
    );
    return;
  }
  if (!/^(?:socket|inherit|)$/.test(output.value)) {
    const text = `StandardOutput=${quoted(output.value)} is not translated`;
    const mend =
      "its client would read the output: let the command redirect it";
    draft.hold(output.place, text, mend);
  }
  if (/^(?:socket|inherit|)$/.test(error.value)) return;
  const isNull = error.value === "null";
  draft.set("spawnd_standard_error", isNull ? "null" : "inherit");
  if (/^(?:null|(?:journal|kmsg|syslog)(?:\+console)?)$/.test(error.value)) {
    return;
  }
  const text = `StandardError=${quoted(error.value)} is not translated`;
  draft.tell(error.place, text, "it goes where spawnd's own log goes");
}

/** Settings that a parameter takes over as they are. */
const SAME: Readonly<Record<string, ServiceParameter>> = {
  CPUAffinity: "spawnd_cpu_affinity",
  Nice: "spawnd_nice",
  UMask: "spawnd_umask",
};

const BOOLEANS: Readonly<Record<string, ServiceParameter>> = {
  NoNewPrivileges: "spawnd_no_new_privileges",
  PrivateNetwork: "spawnd_private_network",
};

/** Read elsewhere, or of no effect where each connection has a command. */
const OF_NO_EFFECT =
  /^(?:CPUSchedulingResetOnFork|DynamicUser|Environment|EnvironmentFile|ExecStart|Group|IOScheduling(?:Class|Priority)|IPAddress(?:Allow|Deny)|PassEnvironment|RemainAfterExit|Restart.*|Standard(?:Input|Output|Error)|SuccessExitStatus|SyslogIdentifier|SupplementaryGroups|TTY.*|UnsetEnvironment|User)$/;

const SANDBOX =
  /^(?:Bind(?:ReadOnly)?Paths|ExecPaths|InaccessiblePaths|NoExecPaths|PrivateDevices|PrivateTmp|Protect.*|Read(?:Only|Write)Paths|RootDirectory|RootImage|TemporaryFileSystem)$/;

function setSetting(
  name: string,
  { place, value }: UnitSetting,
  draft: ServiceDraft,
): void {
  if (value === "" || OF_NO_EFFECT.test(name)) return;
  const [same, boolean] = [SAME[name], BOOLEANS[name]];
  const isTrue = readBoolean(value);
  if (same !== undefined) draft.take(same, value, place);
  else if (boolean !== undefined && isTrue !== undefined) {
    if (isTrue) draft.set(boolean, "yes");
  } else if (name === "Type" && /^(?:exec|idle|oneshot|simple)$/.test(value)) {
    return;
  } else if (name === "RuntimeMaxSec") {
    const seconds = readSeconds(value);
    if (seconds !== undefined) draft.set("command_time_limit", `${seconds}s`);
  } else if (name === "WorkingDirectory" && value.startsWith("/")) {
    draft.set("spawnd_directory", value);
  } else if (isTrue !== false) {
    const mend = SANDBOX.test(name)
      ? "spawnd_landlock names the paths that a command may use"
      : /^(?:CPUQuota|MemoryMax|TasksMax)$/.test(name)
      ? "spawnd_limits has cpu, as and nproc, of each process"
      : /^(?:Exec|Timeout|Watchdog|Kill)/.test(name)
      ? "put it into the unit that starts spawnd, or into the command"
      : undefined;
    draft.tell(place, `${quoted(name)}= is not translated`, mend);
  }
}

/** As prlimit(1) calls it: `LimitNOFILE=1024:2048` is `nofile=1024:2048`. */
function limitOf(name: string, value: string): string {
  const resource = name.slice("Limit".length).toLowerCase();
  const isTime = resource === "cpu";
  const parts = value.split(":").map((part) =>
    isTime ? readSeconds(part) ?? part : part
  );
  return `${resource}=${parts.join(":")}`;
}

/** Those that are named, with those that the account is in anyway. */
function setGroups(
  { settings, path }: Unit,
  draft: ServiceDraft,
  from: Surroundings,
): void {
  const named = (settings.get("Service.SupplementaryGroups") ?? [])
    .flatMap(({ value }) => wordsOf(value));
  if (named.length === 0) {
    draft.set("spawnd_groups", "all");
    return;
  }
  const [user = ""] = draft.user.split(":");
  const groups = new Set([...from.groupsOf(user), ...named]);
  draft.take("spawnd_groups", [...groups].join(" "), path);
}

/** linux/ioprio.h's classes, by the numbers that systemd takes for them, too. */
const IO_CLASSES: Readonly<Record<string, string>> = {
  0: "best-effort",
  1: "realtime",
  2: "best-effort",
  3: "idle",
  none: "best-effort",
};

function setIoPriority({ settings, path }: Unit, draft: ServiceDraft): void {
  const last = (name: string): string | undefined =>
    settings.get(`Service.IOScheduling${name}`)?.at(-1)?.value;
  const [written, level] = [last("Class"), last("Priority")];
  if (written === undefined && level === undefined) return;
  const name = IO_CLASSES[written ?? "none"] ?? written ?? "";
  const isIdle = name === "idle" || level === undefined;
  const value = isIdle ? name : `${name}:${level}`;
  draft.take("spawnd_io_priority", value, path);
}

/** Settings of [Unit] that say what a unit is, and when it starts. */
const UNIT_SETTINGS =
  /^(?:After|Before|BindsTo|CollectMode|Conflicts|DefaultDependencies|Description|Documentation|PartOf|Requires|RequiresMountsFor|StartLimit.*|StopWhenUnneeded|Wants)$/;

/**
 * Tells a setting of [Unit] that means something for what is served.
 *
 * @param name Its name.
 * @param setting Its last assignment.
 * @param draft The service.
 */
export function reportUnitSetting(
  name: string,
  { place, value }: UnitSetting,
  draft: ServiceDraft,
): void {
  if (value === "" || UNIT_SETTINGS.test(name)) return;
  const text = `${quoted(name)}= is not translated`;
  draft.tell(place, text, "put it into the unit that starts spawnd");
}
