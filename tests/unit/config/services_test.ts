import { assertEquals } from "@std/assert";
import { loadConfiguration } from "../../../lib/config/load_configuration.ts";
import { inOrder } from "../../../lib/config/problems.ts";
import {
  type CheckedService,
  checkServices,
} from "../../../lib/config/services.ts";
import {
  accounts,
  type Files,
  GOOD_SERVICE,
  load,
  owner,
  told,
} from "./configuration.ts";
import { defaultSettings } from "../../../lib/config/service_settings.ts";

function service(master: string, main = ""): CheckedService {
  const configuration = load({ "main.cf": main, "master.cf": master });
  const { services: [service], problems } = checkServices(configuration, {
    accounts,
    owner,
  });
  if (service !== undefined) return service;
  throw new Error(told([...configuration.problems, ...problems]).join("\n"));
}

/** All there is to say about a configuration, without the mends. */
function problems(files: Files): string[] {
  return toldOf(files).map((problem) => problem.replace(/ \([^()]*\)$/, ""));
}

/** All there is to say about a configuration. */
function toldOf(files: Files): string[] {
  const configuration = load(files);
  const { services, problems } = checkServices(configuration, {
    accounts,
    owner,
  });
  assertEquals(services, []);
  return told(inOrder([...configuration.problems, ...problems]));
}

function refusal(line: string): string[] {
  return problems({ "master.cf": `${line}\n` });
}

Deno.test("checkServices() has all that serving takes", () => {
  const { scope: _, places: __, ...checked } = service(
    "10.0.0.1:5 inet n n n - 7 spawn -v -o max_use=3 -o spawnd_backlog=9\n" +
      "  user=alice:users argv=/bin/echo { a  b } user=c\n",
    "10.0.0.1:5_time_limit = 5m\nqueue_directory = /q\n",
  );
  const defaults = defaultSettings();
  assertEquals(checked, {
    name: "10.0.0.1:5",
    type: "inet",
    isPrivate: false,
    address: { kind: "inet", name: "10.0.0.1:5" },
    maxProcesses: 7,
    settings: {
      ...defaults,
      command_time_limit: 300,
      spawnd_backlog: 9,
      texts: {
        ...defaults.texts,
        command_time_limit: "5m",
        spawnd_backlog: "9",
      },
    },
    groups: { gids: undefined },
    login: { found: undefined },
    waits: false,
    isUnlimited: false,
    admission: { clients: undefined, proxies: undefined, peers: undefined },
    socketOwner: "starter",
    attributes: {
      identity: { uid: 1000, gid: 100 },
      userName: "alice",
      argv: ["/bin/echo", "a  b", "user=c"],
    },
    isVerbose: true,
    process: {
      concurrency: 7,
      hasConcurrency: false,
      daemonTimeoutSeconds: 18000,
      maxIdleSeconds: 100,
      maxUses: 3,
    },
    isChrooted: false,
  });
});

Deno.test("a unix service is in private/ or public/, or where its absolute path says", () => {
  const path = (name: string, isPrivate: string): unknown =>
    service(
      `${name} unix ${isPrivate} n n - - spawn user=alice argv=x\n`,
      "queue_directory = /q\n",
    ).address;
  assertEquals(path("a", "-"), { kind: "unix", path: "/q/private/a" });
  assertEquals(path("a", "n"), { kind: "unix", path: "/q/public/a" });
  assertEquals(path("/run/a", "-"), { kind: "unix", path: "/run/a" });
});

Deno.test("maxproc is 0 for no limit, and - for default_process_limit", () => {
  const max = (field: string): number =>
    service(
      `x unix - n n - ${field} spawn user=alice argv=x\n`,
      "default_process_limit = 9\n",
    ).maxProcesses;
  assertEquals([max("-"), max("0"), max("3")], [9, 0, 3]);
});

Deno.test("spawnd_concurrency counts before maxproc", () => {
  assertEquals(
    service(
      "x unix - n n - 5 spawn -o spawnd_concurrency=1 user=alice argv=x\n",
    ).process.concurrency,
    1,
  );
});

Deno.test("a time limit is the service's, or command_time_limit", () => {
  assertEquals(service(GOOD_SERVICE).settings.command_time_limit, 1000);
  assertEquals(
    service(GOOD_SERVICE, "command_time_limit = 2m\n").settings
      .command_time_limit,
    120,
  );
  assertEquals(
    service(GOOD_SERVICE, "echo_time_limit = 3\n").places.timeLimit.file,
    "./main.cf",
  );
});

Deno.test("a service must not be unprivileged", () => {
  assertEquals(refusal("x unix - - n - - spawn user=alice argv=x"), [
    "./master.cf:1:10: error: service x requires privileged operation",
  ]);
});

Deno.test("a service is in a chroot by its line, or by default below level 1", () => {
  const chroots = (field: string, main = ""): boolean =>
    service(`x unix - n ${field} - - spawn user=alice argv=x\n`, main)
      .isChrooted;
  assertEquals([chroots("y"), chroots("n"), chroots("-")], [true, false, true]);
  assertEquals(chroots("-", "compatibility_level = 0.9\n"), true);
  assertEquals(chroots("-", "compatibility_level = 1\n"), false);
  assertEquals(chroots("-", "compatibility_level = 3.6\n"), false);
  assertEquals(
    problems({ "main.cf": "compatibility_level = new\n" }),
    [
      './main.cf:1:23: error: malformed compatibility level syntax: "new"',
    ],
  );
});

Deno.test("a command needs a connection", () => {
  assertEquals(refusal("x fifo - n n - - spawn user=alice argv=x"), [
    "./master.cf:1:3: error: unsupported transport type: fifo",
  ]);
});

Deno.test("a line has no other options than -o, -v and -D", () => {
  assertEquals(refusal("x unix - n n - - spawn -vq user=alice argv=x"), [
    "./master.cf:1:24: error: invalid option: q",
  ]);
});

Deno.test("refused attributes are pointed at", () => {
  const line = "x unix - n n - - spawn";
  assertEquals(refusal(`${line} user=nobody argv=x`), [
    "./master.cf:1:24: error: unknown user name: nobody",
  ]);
  assertEquals(refusal(`${line} user=alice user=alice:x argv=x`), [
    "./master.cf:1:24: warning: overridden by a later user=: user=alice",
    "./master.cf:1:35: error: unknown group name: x",
  ]);
  assertEquals(refusal(`${line} user=alice size=3 argv=x`), [
    "./master.cf:1:35: error: unknown attribute name: size=3",
  ]);
  assertEquals(refusal(`${line} user=alice user=root argv=x user=alice`), [
    "./master.cf:1:24: warning: overridden by a later user=: user=alice",
    "./master.cf:1:35: error: request to deliver as root",
  ]);
  assertEquals(refusal(`${line} -- user=daemon argv=x`), [
    "./master.cf:1:27: error: request to deliver as mail system owner",
  ]);
  assertEquals(refusal(`${line} user=alice`), [
    "./master.cf:1:18: error: missing argv= attribute",
  ]);
});

Deno.test("arguments that are not UTF-8 are kept, and told where master(8) cannot pass them on", () => {
  const line = "x unix - n n - - spawn user=alice argv=/bin/echo caf\xe9\n";
  const configuration = loadConfiguration(".", (path) =>
    Uint8Array.from(
      path === "./main.cf" ? "" : line,
      (unit) => unit.charCodeAt(0),
    ));
  const context = { accounts, owner };
  const { problems, services } = checkServices(configuration, context);
  assertEquals(problems, []);
  assertEquals(services[0]?.attributes.argv, ["/bin/echo", "caf\udce9"]);
  const below = { ...context, isBelowMaster: true };
  assertEquals(told(checkServices(configuration, below).problems), [
    "./master.cf:1:50: warning: not UTF-8: caf\udce9 " +
    "(master(8) cannot start spawnd with it: save the file as UTF-8)",
  ]);
});

Deno.test("a variable that is exported and not imported is told", () => {
  const problemsOf = (main: string): string[] =>
    told(
      checkServices(
        load({ "main.cf": main, "master.cf": GOOD_SERVICE }),
        { accounts, owner },
      ).problems,
    );
  assertEquals(
    problemsOf("import_environment = A B=1\nexport_environment = A B C D=1\n"),
    [
      "./main.cf:2:22: warning: export_environment: C is not in " +
      "import_environment " +
      "(commands do not get it: set import_environment, too)",
    ],
  );
  assertEquals(problemsOf("import_environment = TZ=Europe/Berlin\n"), []);
});

Deno.test("a bad export_environment is refused in Postfix's words", () => {
  assertEquals(
    problems({
      "main.cf": "export_environment = A, { B = c }d\n",
      "master.cf": GOOD_SERVICE,
    }),
    [
      "./main.cf:1:22: error: export_environment: " +
      `syntax error after '}' in "{ B = c }d"`,
    ],
  );
});

Deno.test("every bad service is told, and a good one among them is still good", () => {
  const { services, problems } = checkServices(
    load({
      "master.cf": `a unix - y n - - spawn\n${GOOD_SERVICE}` +
        "b unix - n n - - spawn -o max_use=-1 user=alice argv=x\n",
    }),
    { accounts, owner },
  );
  assertEquals(services.map(({ name }) => name), ["echo"]);
  assertEquals(problems.map(({ line }) => line), [1, 1, 3]);
});

/** The service on a line with settings of its own. */
function withSettings(
  settings: Readonly<Record<string, string>>,
  { type = "inet", user = "alice" } = {},
): CheckedService {
  const options = Object.entries(settings)
    .map(([name, value]) => `-o { ${name} = ${value} }`).join(" ");
  return service(
    `127.0.0.1:5 ${type} n n n - - spawn ${options} user=${user} argv=x\n`,
  );
}

/** What is wrong with such a line. */
function wrongWith(...words: Parameters<typeof withSettings>): string[] {
  const [settings, { type = "inet", user = "alice" } = {}] = words;
  const options = Object.entries(settings)
    .map(([name, value]) => `-o { ${name} = ${value} }`).join(" ");
  return toldOf({
    "master.cf":
      `127.0.0.1:5 ${type} n n n - - spawn ${options} user=${user} argv=x\n`,
  }).map((text) => text.replace(/^\.\/master\.cf:1:\d+: /, ""));
}

Deno.test("a service's supplementary groups are looked up, its own among them", () => {
  const gidsFor = (list: string) =>
    withSettings({ spawnd_groups: list }).groups.gids;
  assertEquals(gidsFor("primary"), undefined);
  assertEquals(gidsFor("all"), [1000, 100, 200]);
  assertEquals(gidsFor("users"), [1000, 100]);
});

Deno.test("a command must not have beside its group what it must not have as its group", () => {
  assertEquals(wrongWith({ spawnd_groups: "users, root" }), [
    "error: request to use privileged group id 0 (name the groups that it needs)",
  ]);
  assertEquals(wrongWith({ spawnd_groups: "daemon" }), [
    "error: request to use mail system owner group id 1 (name the groups that it needs)",
  ]);
  assertEquals(wrongWith({ spawnd_groups: "nobodys" }), [
    "error: unknown group name: nobodys",
  ]);
  assertEquals(wrongWith({ spawnd_groups: "all, users" }), [
    "error: spawnd_groups: all stands alone (write primary, all, or names of groups)",
  ]);
});

Deno.test("what a service's account has to log in by is looked up where that is asked for", () => {
  assertEquals(
    withSettings({ spawnd_login_environment: "yes" }).login.found,
    { home: "/home/alice", shell: "/bin/sh" },
  );
});

Deno.test("a service waits where that is said, and for datagrams always", () => {
  const waits = (words: Record<string, string>, type?: string): boolean[] => {
    const { waits, isUnlimited } = withSettings(words, { type });
    return [waits, isUnlimited];
  };
  assertEquals(waits({}), [false, false]);
  assertEquals(waits({ spawnd_wait: "yes" }), [true, true]);
  assertEquals(waits({}, "udp"), [true, true]);
  assertEquals(waits({ command_time_limit: "5s" }, "udp"), [true, false]);
});

Deno.test("bad surroundings are told where they stand", () => {
  for (
    const [name, value, told] of [
      ["spawnd_limits", "nofiles=1", "unknown limit: nofiles (did you mean"],
      ["spawnd_nice", "99", "bad nice value: 99 (write a whole number"],
      ["spawnd_umask", "9", "bad mode (write three octal digits"],
      ["spawnd_directory", "srv", "no absolute path: srv (begin it with /)"],
      ["spawnd_io_priority", "fast", "bad priority of input and output: fast"],
      ["spawnd_cpu_affinity", "0-", "bad list of processors: 0- (write"],
      ["spawnd_landlock", "/usr", "bad path to read or write: /usr (write"],
      ["spawnd_bind_to_device", "a/b", "no name of a network interface: a/b"],
    ] as const
  ) {
    const [problem = "", ...others] = wrongWith({ [name]: value });
    assertEquals(others, [], name);
    assertEquals(problem.startsWith(`error: ${name}: ${told}`), true, problem);
  }
  assertEquals(wrongWith({ spawnd_standard_error: "file" }), [
    "error: parameter spawnd_standard_error: unrecognized value: file " +
    "(it is one of connection, inherit, null)",
  ]);
});

Deno.test("who takes clients by itself is given no rules about them", () => {
  assertEquals(wrongWith({ spawnd_wait: "yes", spawnd_clients: "10.0.0.1" }), [
    "error: spawnd_clients: a command that waits takes clients by itself " +
    "(leave it out of this service, or spawnd_wait)",
  ]);
});
