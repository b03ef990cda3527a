import { assertEquals, assertThrows } from "@std/assert";
import { type Parameter, PARAMETERS } from "../../../lib/config/parameters.ts";
import type { Problem } from "../../../lib/config/problems.ts";
import {
  defaultSettings,
  readServiceSettings,
  type ServiceSettings,
  settingsFromTexts,
} from "../../../lib/config/service_settings.ts";
import { load, told } from "./configuration.ts";

/** The settings of the service `echo`, or what is wrong with them. */
function settings(options: string, main = ""): ServiceSettings | string[] {
  const { entries: [entry], scopeOf } = load({
    "main.cf": main,
    "master.cf":
      `echo unix - n n - - spawn ${options} user=alice argv=/bin/cat\n`,
  });
  if (entry === undefined) throw new Error("no entry");
  const problems: Problem[] = [];
  const read = readServiceSettings(
    entry.name.text,
    scopeOf(entry),
    (problem) => problems.push(problem),
  );
  return read ?? told(problems);
}

/** A value of each. */
function valuesOf(read: ServiceSettings | string[]): unknown {
  if (Array.isArray(read)) return read;
  const { command_time_limit, spawnd_backlog, spawnd_socket_mode } = read;
  return [command_time_limit, spawnd_backlog, spawnd_socket_mode];
}

Deno.test("every parameter of a service is among its settings", () => {
  const names = PARAMETERS.filter((row: Parameter) => row.scope === "service")
    .map(({ name }) => name);
  const { texts, ...values } = defaultSettings();
  assertEquals(Object.keys(values), names);
  assertEquals(Object.keys(texts), names);
});

Deno.test("a service that sets nothing has the defaults", () => {
  const { texts: _, ...read } = settings("") as ServiceSettings;
  const { texts: __, ...defaults } = defaultSettings();
  assertEquals(read, defaults);
});

Deno.test("an entry's -o counts before main.cf, and that before the default", () => {
  const main = "spawnd_backlog = 7\nmode = 600\nspawnd_socket_mode = $mode\n";
  assertEquals(valuesOf(settings("", main)), [1000, 7, 0o600]);
  assertEquals(valuesOf(settings("-o spawnd_backlog=9", main)), [
    1000,
    9,
    0o600,
  ]);
});

Deno.test("a time limit is the service's own where it has one", () => {
  const main = "command_time_limit = 5m\n";
  assertEquals(valuesOf(settings("", main)), [300, 1024, 0o666]);
  assertEquals(valuesOf(settings("-o command_time_limit=7", main)), [
    7,
    1024,
    0o666,
  ]);
  assertEquals(
    valuesOf(settings("-o command_time_limit=7", "echo_time_limit = 3\n")),
    [3, 1024, 0o666],
  );
});

Deno.test("every setting that is wrong is told, where it stands", () => {
  assertEquals(
    settings("-o spawnd_socket_mode=rw", "spawnd_backlog = 5000000\n"),
    [
      "./main.cf:1:18: error: " +
      "invalid spawnd_backlog parameter value 5000000 > 4194304",
      "./master.cf:1:49: error: spawnd_socket_mode: bad mode " +
      "(write three octal digits, such as 0660)",
    ],
  );
});

Deno.test("settings can be read from their texts again", () => {
  const read = settings(
    "-o { export_environment = LANG { A = b c } D=\xfc }",
    "spawnd_socket_owner = alice:users\nspawnd_socket_mode = 0600\n",
  ) as ServiceSettings;
  const texts = JSON.parse(JSON.stringify(read.texts));
  assertEquals(settingsFromTexts(texts), read);
});

Deno.test("texts of other settings are refused", () => {
  const { texts } = defaultSettings();
  const { spawnd_backlog: _, ...others } = texts;
  assertThrows(() => settingsFromTexts(others), TypeError);
  assertThrows(
    () => settingsFromTexts({ ...texts, spawnd_backlog: "many" }),
    TypeError,
  );
});
