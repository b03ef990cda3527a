import { assertEquals } from "@std/assert";
import type { Problem } from "../../../lib/config/problems.ts";
import type { Scope } from "../../../lib/config/settings.ts";
import { load, told } from "./configuration.ts";

/** A typed value of a main.cf, or what was reported in its place. */
function read<T>(
  text: string,
  take: (scope: Scope, report: (problem: Problem) => void) => T,
): T | string {
  const problems: Problem[] = [];
  const value = take(
    load({ "main.cf": text }).scope,
    (problem) => problems.push(problem),
  );
  return problems.length === 0
    ? value
    : told(problems).join("\n").replace("./main.cf:", "");
}

Deno.test("a time is in seconds, by whatever way its value comes", () => {
  const seconds = (text: string): number | undefined | string =>
    read(text, (scope, report) => scope.seconds("max_idle", report));
  assertEquals(seconds(""), 100);
  assertEquals(seconds("max_idle = 5m\n"), 300);
  assertEquals(seconds("unit = h\nmax_idle = 2$unit\n"), 7200);
  assertEquals(
    seconds("max_idle = 5q\n"),
    "1:12: error: parameter max_idle: bad time value or unit: 5q " +
      "(write 90s, 5m, 2h, 1d or 1w)",
  );
  assertEquals(seconds("max_idle = 0\n"), 0);
  assertEquals(
    seconds("max_idle =\n"),
    "1:1: error: parameter max_idle: bad time value or unit:  " +
      "(write 90s, 5m, 2h, 1d or 1w)",
  );
  assertEquals(
    seconds("max_idle = 1h30m\n"),
    "1:12: warning: parameter max_idle: text after the unit: 30m " +
      "(it is ignored: the time is 3600 seconds)",
  );
});

Deno.test("a time is no less than the least that there is", () => {
  assertEquals(
    read(
      "daemon_timeout = 0\n",
      (scope, report) => scope.seconds("daemon_timeout", report),
    ),
    "1:18: error: invalid daemon_timeout: 0 (min 1)",
  );
});

Deno.test("a whole number is refused in Postfix's words", () => {
  const integer = (text: string): number | undefined | string =>
    read(text, (scope, report) => scope.integer("max_use", report));
  assertEquals(integer(""), 100);
  assertEquals(integer("max_use = 7\n"), 7);
  assertEquals(
    integer("max_use = 7x\n"),
    "1:11: error: bad numerical configuration: max_use = 7x " +
      "(write a whole number)",
  );
  assertEquals(
    integer("max_use = -1\n"),
    "1:11: error: invalid max_use parameter value -1 < 0",
  );
});

Deno.test("a whole number may be empty where that is its default", () => {
  const concurrency = (text: string): number | undefined | string =>
    read(text, (scope, report) => scope.integer("spawnd_concurrency", report));
  assertEquals(concurrency(""), undefined);
  assertEquals(concurrency("spawnd_concurrency = 0\n"), 0);
});

Deno.test("a boolean is refused in Postfix's words", () => {
  const boolean = (text: string): boolean | undefined | string =>
    read(
      text,
      (scope, report) => scope.boolean("multi_instance_enable", report),
    );
  assertEquals(boolean(""), false);
  assertEquals(boolean("multi_instance_enable = YES\n"), true);
  assertEquals(
    boolean("multi_instance_enable = maybe\n"),
    "1:25: error: bad boolean configuration: multi_instance_enable = maybe " +
      "(write yes or no)",
  );
});

Deno.test("a string is text, and empty only where it may be", () => {
  const string = (text: string): string | undefined =>
    read(text, (scope, report) => scope.string("queue_directory", report));
  assertEquals(string("queue_directory = /é\n"), "/é");
  assertEquals(
    string("queue_directory =\n"),
    "1:1: error: bad string length 0 < 1: queue_directory = ",
  );
  assertEquals(
    read(
      "export_environment =\n",
      (scope, report) => scope.string("export_environment", report),
    ),
    "",
  );
});

Deno.test("a string with few values is one of them", () => {
  const facility = (text: string): string | undefined =>
    read(text, (scope, report) => scope.string("syslog_facility", report));
  assertEquals(facility("syslog_facility = local0\n"), "local0");
  assertEquals(
    facility("syslog_facility = locla0\n")?.replace(/ \(.*/, ""),
    "1:19: error: parameter syslog_facility: unrecognized value: locla0",
  );
});

Deno.test("a value that cannot be expanded is reported where the slip is", () => {
  assertEquals(
    read(
      "a = ${x\nmax_idle = $a\n",
      (scope, report) => scope.seconds("max_idle", report),
    ),
    '1:5: error: truncated macro reference: "${x" (close it with })',
  );
});

Deno.test("setting() tells what sets a parameter, and nothing for a default", () => {
  const { scope } = load({ "main.cf": "max_use = 7\n" });
  assertEquals(scope.setting("max_use")?.name.place?.line, 1);
  assertEquals(scope.setting("max_idle"), undefined);
  assertEquals(scope.written("max_idle")?.text, "100s");
  assertEquals(scope.written("unheard_of"), undefined);
});
