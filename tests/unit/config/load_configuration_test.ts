import { assertEquals } from "@std/assert";
import { loadConfiguration } from "../../../lib/config/load_configuration.ts";
import type { Expansion } from "../../../lib/config/expand.ts";
import type { Problem } from "../../../lib/config/problems.ts";
import {
  binary,
  type Files,
  GOOD_SERVICE,
  load,
  told,
} from "./configuration.ts";

function problems(files: Files): string[] {
  return told(load(files).problems);
}

function text(expansion: Expansion | undefined): string | undefined {
  return expansion?.ok ? expansion.text : undefined;
}

Deno.test("loadConfiguration() finds no fault with a good configuration", () => {
  const configuration = load({
    "main.cf": "a = 5m\necho_time_limit = $a\n",
    "master.cf": `${GOOD_SERVICE}smtp inet n - n - - smtpd\n`,
  });
  assertEquals(configuration.problems, []);
  assertEquals(configuration.entries.map(({ name }) => name.text), ["echo"]);
  assertEquals(configuration.otherEntries, 1);
});

Deno.test("loadConfiguration() serves entries of spawn and of spawnd", () => {
  const { entries } = load({
    "master.cf": "a unix - n n - - spawn\nb unix - n n - - spawnd\n" +
      "c unix - n n - - spawner\n",
  });
  assertEquals(entries.map(({ name }) => name.text), ["a", "b"]);
});

Deno.test("loadConfiguration() tells all errors of both files, in their order", () => {
  assertEquals(
    problems({
      "main.cf": "max_use = -1\nbad line\nmax_idle = x\n",
      "master.cf": `broken\n${GOOD_SERVICE}`,
    }).map((problem) => problem.replace(/ \(.*\)$/, "")),
    [
      "./main.cf:1:11: error: invalid max_use parameter value -1 < 0",
      `./main.cf:2:1: error: missing '=' after attribute name: "bad line"`,
      "./main.cf:3:12: error: parameter max_idle: bad time value or unit: x",
      './master.cf:1:1: error: missing "transport type" field',
    ],
  );
});

Deno.test("loadConfiguration() tells a file that cannot be read, and reads the other", () => {
  const found = told(
    loadConfiguration("/no/such/folder", Deno.readFileSync).problems,
  );
  assertEquals(found, [
    "/no/such/folder/main.cf: error: open /no/such/folder/main.cf: " +
    "No such file or directory (it may be empty; -c names another directory)",
    "/no/such/folder/master.cf: error: open /no/such/folder/master.cf: " +
    "No such file or directory (write a line for each service: " +
    "127.0.0.1:7007 inet n n n - - spawn user=NAME argv=COMMAND)",
  ]);
});

Deno.test("loadConfiguration() sets config_directory, which main.cf may set anew", () => {
  assertEquals(text(load({}).scope.expanded("config_directory")), ".");
  assertEquals(problems({ "main.cf": "config_directory = /x\n" }), [
    "./main.cf:1:1: warning: overriding earlier entry: config_directory=. " +
    "(leave one of them out)",
  ]);
});

Deno.test("a service sees its own settings before those of main.cf", () => {
  const configuration = load({
    "main.cf": "a = main\nb = main\nc = $a $b\n",
    "master.cf": "x unix - n n - - spawn -o a=first -o { a = second }\n",
  });
  const [scope] = configuration.entries.map(configuration.scopeOf);
  assertEquals(text(scope?.expanded("c")), "second main");
  assertEquals(text(configuration.scope.expanded("c")), "main main");
});

Deno.test("a service knows its name, its command and the daemon's process id", () => {
  const configuration = loadConfiguration(
    ".",
    (path) =>
      new TextEncoder().encode(
        path === "./main.cf"
          ? "a = $service_name $process_name $process_id\n"
          : "x unix - n n - - spawn\n",
      ),
    { processName: "spawnd", processId: 7 },
  );
  const [scope] = configuration.entries.map(configuration.scopeOf);
  assertEquals(text(scope?.expanded("a")), "x spawn 7");
  assertEquals(text(configuration.scope.expanded("a")), "amnesiac spawnd 7");
});

Deno.test("a service's time limit is a parameter for every kind of name", () => {
  for (
    const name of ["127.0.0.1:10023", "[::1]:10023", "/run/x.sock", "é", "a/b"]
  ) {
    const { scope, problems } = load({
      "main.cf": `${name}_time_limit = 5m\nother_time_limit = 5m\n`,
      "master.cf": `${name} unix - n n - - spawn\n`,
    });
    assertEquals(told(problems).length, 1, "for other_time_limit alone");
    const found: Problem[] = [];
    const binary = Array.from(
      new TextEncoder().encode(name),
      (byte) => String.fromCharCode(byte),
    ).join("");
    assertEquals(
      scope.read(`${binary}_time_limit`, (problem) => found.push(problem))
        ?.value,
      300,
    );
    assertEquals(found, []);
  }
});

Deno.test("a value is checked as the service sees it", () => {
  assertEquals(
    problems({
      "main.cf": "unit = s\nx_time_limit = 5$unit\n",
      "master.cf": "x unix - n n - - spawn -o x_time_limit=5x -o max_use=-1\n",
    }).map((problem) => problem.replace(/ \(.*\)$/, "")),
    [
      "./master.cf:1:40: error: parameter x_time_limit: " +
      "bad time value or unit: 5x",
      "./master.cf:1:54: error: invalid max_use parameter value -1 < 0",
    ],
  );
});

Deno.test("what only spawnd can say is ignored in main.cf and refused with -o", () => {
  assertEquals(
    problems({
      "main.cf": "service_name = x\n",
      "master.cf": "x unix - n n - - spawn -o process_id=1\n",
    }),
    [
      "./main.cf:1:1: warning: read-only parameter assignment: " +
      "service_name=x (it is ignored: leave it out)",
      "./master.cf:1:27: error: read-only parameter assignment: process_id=1 " +
      "(leave it out: spawnd sets it itself)",
    ],
  );
  assertEquals(
    text(
      load({ "main.cf": "service_name = x\n" }).scope.expanded("service_name"),
    ),
    "amnesiac",
  );
});

Deno.test("names that come to nothing are told, with the nearest known one", () => {
  assertEquals(
    problems({
      "main.cf":
        "max_idel = 5s\nforgotten = x\nqueue_directory = $lost/$qeue\n" +
        "queue = y\nused = z\nowner = ${used?alice}\n",
      "master.cf": GOOD_SERVICE,
    }),
    [
      "./main.cf:1:1: warning: unused parameter: max_idel=5s " +
      "(did you mean max_idle?)",
      "./main.cf:2:1: warning: unused parameter: forgotten=x " +
      "(nothing uses it: leave it out)",
      "./main.cf:3:20: warning: undefined parameter: lost " +
      "(it is taken for empty)",
      "./main.cf:3:26: warning: undefined parameter: qeue " +
      "(did you mean queue?)",
      "./main.cf:4:1: warning: unused parameter: queue=y " +
      "(nothing uses it: leave it out)",
    ],
  );
});

Deno.test("in a directory of Postfix's, its own names are no slips", () => {
  assertEquals(
    problems({
      "main.cf": "smtpd_banner = $myhostname ESMTP\nmax_idel = 5s\n" +
        "syslog_name = x$myname\n",
      "master.cf": `${GOOD_SERVICE}smtp inet n - n - - smtpd\n`,
    }),
    [
      "./main.cf:2:1: warning: unused parameter: max_idel=5s " +
      "(did you mean max_idle?)",
      "./main.cf:3:17: warning: undefined parameter: myname " +
      "(it is taken for empty)",
    ],
  );
});

Deno.test("sources has what the files say, to show a problem in", () => {
  const { sources } = load({ "main.cf": "a = été\nb = 2\n" });
  assertEquals(sources.get("./main.cf"), binary("a = été\nb = 2\n"));
});
