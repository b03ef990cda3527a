import { assertEquals, assertObjectMatch } from "@std/assert";
import {
  type RunRequest,
  runRequest,
} from "../../../../lib/cli/run/request.ts";
import { RUN } from "../../../../lib/cli/run/subcommand.ts";
import { configurationOf } from "../../../../lib/config/one_entry.ts";
import { ANY_MACHINE } from "../../../../lib/config/machine.ts";
import {
  defaultSettings,
  readServiceSettings,
  type ServiceSettings,
} from "../../../../lib/config/service_settings.ts";
import type { Scope } from "../../../../lib/config/settings.ts";
import { EX, formatMistake } from "../../../../lib/result.ts";
import { asked as askedOf } from "../asked.ts";

const parseRunRequest = askedOf(RUN, runRequest);

const SERVICE = ["inet", "127.0.0.1:7007"];
const ATTRIBUTES = ["user=nobody", "argv=/bin/cat"];

/** What an inet service with those options asks for. */
function requested(...options: string[]): RunRequest {
  return requestOf(...SERVICE, ...options, ...ATTRIBUTES);
}

/** What the service of a request sees of parameters, and what the daemon does. */
function scopesOf(
  { type, name, attributes: words, maxProcesses, settings }: RunRequest,
): { service: Scope; daemon: Scope; name: string } {
  if (type === "stdin") throw new Error("it does not listen");
  const entry = { type, name, words, maxProcesses };
  const configuration = configurationOf(entry, settings, ANY_MACHINE);
  const { entries: [made], scope: daemon, scopeOf } = configuration;
  if (made === undefined) throw new Error("no entry");
  return { service: scopeOf(made), daemon, name: made.name.text };
}

function unexpected(problem: unknown): never {
  throw new Error(JSON.stringify(problem));
}

/** The settings that a service is served with. */
function settingsOf(request: RunRequest): ServiceSettings {
  const { service, name } = scopesOf(request);
  const settings = readServiceSettings(name, service, unexpected);
  if (settings === undefined) throw new Error("no settings");
  return settings;
}

function ownerOf(request: RunRequest): string | undefined {
  return scopesOf(request).daemon.string("owner", unexpected);
}

function requestOf(...args: string[]): RunRequest {
  const result = parseRunRequest(args);
  if (!result.ok) throw new Error(formatMistake(result.mistake));
  if (result.value === "help") throw new Error("help was asked for");
  return result.value;
}

/** Why an inet service with those options is refused. */
function refusal(...options: string[]): string {
  return refusalOf(...SERVICE, ...options, ...ATTRIBUTES);
}

function refusalOf(...args: string[]): string {
  const result = parseRunRequest(args);
  if (result.ok) throw new Error(`taken: ${args.join(" ")}`);
  assertEquals(result.mistake.exitCode, EX.USAGE);
  return formatMistake(result.mistake);
}

Deno.test("spawnd run reads type, name and attributes", () => {
  const { type, name, attributes } = requestOf(
    "unix",
    "/run/echo.sock",
    "user=nobody",
    "argv=/bin/cat",
    "-u",
  );
  assertEquals(type, "unix");
  assertEquals(name, "/run/echo.sock");
  assertEquals(attributes, ["user=nobody", "argv=/bin/cat", "-u"]);
});

Deno.test("spawnd run has the defaults that the help tells", () => {
  const request = requested();
  assertEquals(request, {
    type: "inet",
    name: "127.0.0.1:7007",
    attributes: ["user=nobody", "argv=/bin/cat"],
    maxProcesses: undefined,
    settings: [],
    engine: undefined,
    logFormat: "text",
    readyFd: undefined,
    verbose: false,
  });
  const settings = settingsOf(request);
  assertEquals(settings, defaultSettings());
  assertObjectMatch(settings, {
    command_time_limit: 1000,
    spawnd_backlog: 1024,
    spawnd_log_connections: false,
    spawnd_socket_mode: 0o666,
    spawnd_socket_owner: "",
  });
  const { daemon } = scopesOf(request);
  assertEquals(daemon.string("owner", unexpected), "daemon");
  assertEquals(daemon.seconds("spawnd_stop_timeout", unexpected), 0);
  assertEquals(daemon.integer("default_process_limit", unexpected), 100);
});

Deno.test("spawnd run leaves all that follows argv= to the command", () => {
  const { attributes, verbose } = requested("user=alice");
  assertEquals(attributes, ["user=alice", ...ATTRIBUTES]);
  assertEquals(verbose, false);
  const command = [
    "ARGV=rsync",
    "--daemon",
    "--no-such-option",
    "-v",
    "--",
    "",
  ];
  assertEquals(
    requestOf(...SERVICE, "user=nobody", ...command).attributes,
    ["user=nobody", ...command],
  );
});

Deno.test("spawnd run takes options anywhere before argv=", () => {
  for (
    const args of [
      ["--owner", "alice", ...SERVICE, ...ATTRIBUTES],
      ["inet", "--owner", "alice", "127.0.0.1:7007", ...ATTRIBUTES],
      [...SERVICE, "user=nobody", "--owner", "alice", "argv=/bin/cat"],
    ]
  ) {
    const request = requestOf(...args);
    const { name, attributes } = request;
    assertEquals([ownerOf(request), name, attributes], [
      "alice",
      "127.0.0.1:7007",
      ATTRIBUTES,
    ]);
  }
});

Deno.test("spawnd run tells that help was asked for, whatever else is wrong", () => {
  const asked = (...args: string[]): unknown => {
    const result = parseRunRequest(args);
    return result.ok ? result.value : result.mistake.text;
  };
  assertEquals(asked("--help"), "help");
  assertEquals(asked("inte", "--help"), "help");
  assertEquals(asked(...SERVICE, "--time-limit", "never", "--help"), "help");
});

Deno.test("spawnd run refuses a type that there is not", () => {
  assertEquals(
    refusalOf("inte", "7007", ...ATTRIBUTES),
    "bad service type: inte (did you mean inet?)",
  );
  assertEquals(
    refusalOf("datagram", "7007", ...ATTRIBUTES),
    "bad service type: datagram (the first word is inet, unix, udp or stdin)",
  );
  assertEquals(
    refusalOf("--verbose"),
    "missing service type (the first word is inet, unix, udp or stdin)",
  );
});

Deno.test("spawnd run refuses a service without a name", () => {
  assertEquals(
    refusalOf("inet"),
    "missing service name (name it host:port)",
  );
  assertEquals(
    refusalOf("inet", ...ATTRIBUTES),
    "missing service name (name it host:port)",
  );
  assertEquals(
    refusalOf("unix", "argv=/bin/cat"),
    "missing service name (name the socket's path)",
  );
});

Deno.test("--time-limit takes a time", () => {
  const seconds = (text: string): number =>
    settingsOf(requested("--time-limit", text)).command_time_limit;
  assertEquals(seconds("90"), 90);
  assertEquals(seconds("5m"), 300);
  assertEquals(seconds("2H"), 7200);
  assertEquals(seconds("1s"), 1);
  assertEquals(
    refusal("--time-limit", "soon"),
    "--time-limit soon: bad time value or unit (write 90, 90s, 5m or 2h)",
  );
  assertEquals(
    refusal("--time-limit", "0"),
    "--time-limit 0: invalid time (the minimum is 1s)",
  );
});

Deno.test("--max-processes takes a number", () => {
  assertEquals(requested("--max-processes", "20").maxProcesses, 20);
  assertEquals(requested("--max-processes", "0").maxProcesses, 0);
  assertEquals(
    refusal("--max-processes", "many"),
    "--max-processes many: bad number (write a whole number, 0 to 4194304)",
  );
  assertEquals(
    refusal("--max-processes=-1"),
    "--max-processes -1: bad number (write a whole number, 0 to 4194304)",
  );
});

Deno.test("--export-environment takes names, words and groups", () => {
  assertEquals(
    settingsOf(
      requested("--export-environment", "NAME A=1, { B = two words }"),
    ).export_environment,
    [{ name: "NAME" }, { name: "A", value: "1" }, {
      name: "B",
      value: "two words",
    }],
  );
  assertEquals(
    refusal("--export-environment", "{ A = 1"),
    `--export-environment { A = 1: missing '}' in "{ A = 1" ` +
      "(write names, name=value words and { name = value } groups)",
  );
});

Deno.test("without --export-environment a command gets TZ, MAIL_CONFIG and LANG", () => {
  assertEquals(
    settingsOf(requested()).export_environment.map(({ name }) => name),
    ["TZ", "MAIL_CONFIG", "LANG"],
  );
});

Deno.test("--engine takes direct or relay", () => {
  assertEquals(requested("--engine", "direct").engine, "direct");
  assertEquals(requested("--engine", "relay").engine, "relay");
  assertEquals(
    refusal("--engine", "dierct"),
    "--engine dierct: unknown value (did you mean direct?)",
  );
  assertEquals(
    refusal("--engine", "diesel"),
    "--engine diesel: unknown value (write direct or relay)",
  );
});

Deno.test("--owner takes a name", () => {
  assertEquals(ownerOf(requested("--owner", "alice")), "alice");
  assertEquals(
    refusalOf(
      ...SERVICE,
      ...ATTRIBUTES.slice(0, 1),
      "--owner",
      "argv=/bin/cat",
    ),
    "--owner needs a value (write --owner USER)",
  );
});

Deno.test("--backlog takes a number", () => {
  const request = requested("--backlog", "5");
  assertEquals(settingsOf(request).spawnd_backlog, 5);
  assertEquals(
    refusal("--backlog", "1k"),
    "--backlog 1k: bad number (write a whole number, 0 to 4194304)",
  );
});

Deno.test("--socket-mode takes octal digits, for a unix service", () => {
  const unix = (mode: string): string[] => [
    "unix",
    "/run/echo.sock",
    "--socket-mode",
    mode,
    ...ATTRIBUTES,
  ];
  const modeOf = (mode: string): number =>
    settingsOf(requestOf(...unix(mode))).spawnd_socket_mode;
  assertEquals(modeOf("0660"), 0o660);
  assertEquals(modeOf("600"), 0o600);
  assertEquals(
    refusalOf(...unix("rw-rw----")),
    "--socket-mode rw-rw----: bad mode " +
      "(write three octal digits, such as 0660)",
  );
  assertEquals(
    refusal("--socket-mode", "0660"),
    "--socket-mode 0660: only for unix services (leave it out)",
  );
});

Deno.test("--socket-owner takes a name, for a unix service", () => {
  const request = requestOf(
    "unix",
    "/run/echo.sock",
    "--socket-owner",
    "alice:users",
    ...ATTRIBUTES,
  );
  assertEquals(settingsOf(request).spawnd_socket_owner, "alice:users");
  assertEquals(
    refusal("--socket-owner", "alice"),
    "--socket-owner alice: only for unix services (leave it out)",
  );
});

Deno.test("--log-format takes text or json", () => {
  assertEquals(requested("--log-format", "json").logFormat, "json");
  assertEquals(requested("--log-format", "text").logFormat, "text");
  assertEquals(
    refusal("--log-format", "jsno"),
    "--log-format jsno: unknown value (did you mean json?)",
  );
});

Deno.test("--stop-timeout takes a time, and 0 for no limit", () => {
  const seconds = (text: string): number | undefined =>
    scopesOf(requested("--stop-timeout", text)).daemon
      .seconds("spawnd_stop_timeout", unexpected);
  assertEquals(seconds("2m"), 120);
  assertEquals(seconds("0"), 0);
  assertEquals(
    refusal("--stop-timeout", "soon"),
    "--stop-timeout soon: bad time value or unit (write 90, 90s, 5m or 2h)",
  );
});

Deno.test("--ready-fd takes a number", () => {
  assertEquals(requested("--ready-fd", "3").readyFd, 3);
  assertEquals(
    refusal("--ready-fd", "stdout"),
    "--ready-fd stdout: bad number (write a whole number, 0 to 1048576)",
  );
});

Deno.test("--verbose and -v ask for a report on each connection", () => {
  assertEquals(requested("--verbose").verbose, true);
  assertEquals(requested("-v").verbose, true);
});

Deno.test("spawnd run tells the first of several mistakes", () => {
  assertEquals(
    refusal("--backlog", "x", "--time-limit", "y"),
    "--time-limit y: bad time value or unit (write 90, 90s, 5m or 2h)",
  );
});

Deno.test("spawnd run needs a value for every option that the help shows with one", () => {
  for (const { name, value } of RUN.options) {
    if (value === undefined) continue;
    assertEquals(
      refusal(`--${name}=`),
      `--${name} needs a value (write --${name} ${value})`,
    );
  }
});
