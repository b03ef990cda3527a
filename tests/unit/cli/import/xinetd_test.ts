import { assert, assertEquals } from "@std/assert";
import { type Imported, importedFrom } from "./machine.ts";

const FILE = "/etc/xinetd.conf";

/** A service with attributes of its own. */
function service(attributes: string, name = "ftp"): string {
  return `service ${name}
{
  socket_type = stream
  wait        = no
  user        = ftp
  server      = /usr/sbin/ftpd
  ${attributes.split("\n").map((line) => line.trim()).join("\n  ")}
}
`;
}

function xinetd(
  text: string,
  more: Readonly<Record<string, string>> = {},
): Imported {
  return importedFrom("xinetd", { [FILE]: text, ...more });
}

/** The parameters that a service has beside those that each has. */
function own(
  { entries: [entry] }: Imported,
): Readonly<Record<string, string>> {
  const {
    command_time_limit: _limit,
    spawnd_connection_environment: _environment,
    spawnd_directory: _directory,
    ...others
  } = entry?.parameters ?? {};
  return others;
}

Deno.test("import xinetd makes an entry of a service", () => {
  const imported = xinetd(service(`
    port = 2121
    server_args = -l "-A x" \\
    group = tty
    instances = 30
    per_source = 4
    cps = 25 30
    max_load = 2.5
    nice = -5
    umask = 27
    groups = yes
    access_times = 8:00-18:30 20:15-21:00
    rlimit_as = 64M
    rlimit_files = 100
    rlimit_cpu = UNLIMITED
    flags = NODELAY KEEPALIVE REUSE
    log_on_success = PID HOST DURATION
  `));
  assertEquals(imported.notes, []);
  assertEquals(own(imported), {
    spawnd_umask: "027",
    spawnd_nodelay: "yes",
    spawnd_keepalive: "yes",
    spawnd_client_connection_count_limit: "4",
    spawnd_connection_rate_limit: "25",
    spawnd_rate_time_unit: "1s",
    spawnd_load_limit: "2.5",
    spawnd_nice: "-5",
    spawnd_groups: "all",
    spawnd_access_times: "08:00-18:30, 20:15-21:00",
    spawnd_limits: "as=64M nofile=100 cpu=infinity",
  });
  const [entry] = imported.entries;
  assertEquals(entry?.name, "2121");
  assertEquals(entry?.maxProcesses, 30);
  assertEquals(entry?.isVerbose, true);
  assertEquals(entry?.words, [
    "user=ftp:tty",
    "argv=/usr/sbin/ftpd",
    "-l",
    '"-A',
    'x"',
    "\\",
  ]);
});

Deno.test("import xinetd lets the longer network decide, as xinetd does", () => {
  const clients = (attributes: string): string | undefined =>
    own(xinetd(service(attributes)))["spawnd_clients"];
  assertEquals(
    clients("only_from = 128.138.209.0 10.1.2.3\nno_access = 128.138.209.10"),
    "!128.138.209.10 10.1.2.3 128.138.209.0/24",
  );
  assertEquals(clients("no_access = 10.0.0.0"), "!10.0.0.0/8 0.0.0.0/0 [::]/0");
  assertEquals(clients("only_from ="), "!0.0.0.0/0 ![::]/0");
  assertEquals(clients("only_from = 0.0.0.0"), "0.0.0.0/0");
  assertEquals(
    clients("only_from = 10.1.{2,3} 1234:5678::/20 ::1 10.9.9.9/12"),
    "[::1]/128 10.1.2.0/24 10.1.3.0/24 [1234:5000::]/20 10.0.0.0/12",
  );
  assertEquals(
    clients("only_from = 10.0.0.0/8\nno_access = 10.0.0.0/8"),
    "!10.0.0.0/8 10.0.0.0/8",
  );
});

Deno.test("import xinetd holds a service back whose names keep somebody out", () => {
  const held = xinetd(service("no_access = .example.org"));
  assertEquals(held.entries, []);
  assertEquals(held.notes.length, 1);
  const served = xinetd(service("only_from = .example.org 10.1.2.3"));
  assertEquals(own(served)["spawnd_clients"], "10.1.2.3");
  assertEquals(served.notes.length, 1);
  const nobody = xinetd(service("only_from = .example.org"));
  assertEquals(own(nobody)["spawnd_clients"], "!0.0.0.0/0 ![::]/0");
});

Deno.test("import xinetd merges defaults as the operators say", () => {
  const defaults = "defaults\n{\n only_from = 10.1.1.1\n instances = 7\n" +
    " umask = 002\n}\n";
  const clients = (attributes: string): string | undefined =>
    own(xinetd(defaults + service(attributes)))["spawnd_clients"];
  assertEquals(clients(""), "10.1.1.1");
  assertEquals(clients("only_from += 10.1.1.2"), "10.1.1.1 10.1.1.2");
  assertEquals(clients("only_from -= 10.1.1.1"), "!0.0.0.0/0 ![::]/0");
  assertEquals(clients("only_from = 10.1.1.3"), "10.1.1.3");
  assertEquals(clients("only_from = 1.1.1.1\nonly_from = 2.2.2.2"), "2.2.2.2");
  const imported = xinetd(defaults + service(""));
  assertEquals(imported.entries[0]?.maxProcesses, 7);
  assertEquals(own(imported)["spawnd_umask"], "002");
});

Deno.test("import xinetd follows includes, and each file once", () => {
  const { entries, notes } = xinetd("includedir /etc/xinetd.d\ninclude /x\n", {
    "/etc/xinetd.d/b": service("", "b"),
    "/etc/xinetd.d/a": service("", "a") + `include ${FILE}\n`,
    "/etc/xinetd.d/c.dpkg-old": service("", "c"),
    "/etc/xinetd.d/d~": service("", "d"),
    "/x": service("", "x") + "includedir /nowhere\n",
  });
  assertEquals(entries.map(({ name }) => name), ["a", "b", "x"]);
  assertEquals(notes, [
    "/x:9: /nowhere cannot be read: No such file or directory " +
    "(name another directory)",
  ]);
});

Deno.test("import xinetd takes a directory of services", () => {
  const files = { "/d/one": service("", "one"), "/d/two": service("", "two") };
  const { entries } = importedFrom("xinetd", files, ["/d"]);
  assertEquals(entries.map(({ name }) => name), ["one", "two"]);
});

Deno.test("import xinetd remarks what is disabled, in each way to say it", () => {
  const { entries, notes, text } = xinetd(
    "defaults\n{\n disabled = off\n}\n" + service("disable = yes", "a") +
      service("flags = DISABLE", "b") + service("id = off", "c") +
      service("", "d"),
  );
  assertEquals(entries.map(({ name }) => name), ["d"]);
  assertEquals(notes, []);
  assertEquals(text.match(/^# .* is disabled/gm)?.length, 3);
  const enabled = xinetd(
    "defaults\n{\n enabled = b\n}\n" + service("", "a") + service("", "b"),
  );
  assertEquals(enabled.entries.map(({ name }) => name), ["b"]);
});

Deno.test("import xinetd makes socat of redirect", () => {
  const imported = xinetd(
    "service www\n{\n socket_type = stream\n wait = no\n port = 80\n" +
      " redirect = 10.1.1.1 8080\n}\nservice six\n{\n socket_type = stream\n" +
      " wait = no\n redirect = ::1 8080\n}\n",
  );
  assertEquals(imported.notes, []);
  assertEquals(imported.entries.map(({ words }) => words), [
    ["user=nobody", "argv=/usr/bin/socat", "STDIO", "TCP:10.1.1.1:8080"],
    ["user=nobody", "argv=/usr/bin/socat", "STDIO", "TCP:[::1]:8080"],
  ]);
});

Deno.test("import xinetd passes variables on as they are listed", () => {
  const imported = xinetd(
    service("passenv = LANG EDITOR\nenv = A=1 B={x}\nenv += C=2"),
  );
  assertEquals(
    own(imported)["export_environment"],
    "LANG EDITOR A=1 { B = {x} } C=2",
  );
  assert(/^import_environment = .* LANG EDITOR$/m.test(imported.text));
  assertEquals(imported.notes, []);
  const none = xinetd(service("passenv ="));
  assertEquals(own(none)["export_environment"], "");
});

Deno.test("import xinetd gives datagram and waiting services their socket", () => {
  const { entries, notes } = xinetd(
    service("", "a").replace("wait        = no", "wait = yes") +
      service("port = 69", "b").replace("stream", "dgram")
        .replace("wait        = no", "wait = yes") +
      service("", "c").replace("stream", "dgram"),
  );
  assertEquals(
    entries.map(({ name, type, parameters }) => [
      name,
      type,
      parameters["spawnd_wait"],
    ]),
    [["a", "inet", "yes"], ["69", "udp", "yes"]],
  );
  assertEquals(notes.length, 1);
});

Deno.test("import xinetd tells what it does not translate, each at its place", () => {
  const { entries, notes } = xinetd([
    service("type = INTERNAL", "echo"),
    service("type = RPC", "a"),
    service("type = TCPMUX", "b"),
    service("flags = SENSOR", "c"),
    service("flags = IDONLY", "d"),
    service("banner = /etc/banner", "e"),
    service("log_on_failure = USERID", "f"),
    service("nonsense = 1", "g"),
    service("env = PATH=/opt/bin", "h"),
    service("bind = no_host!", "i"),
  ].join(""));
  assertEquals(entries.map(({ name }) => name), ["e", "f", "g", "h"]);
  assertEquals(
    notes.map((note) => note.split(":")[1]),
    ["7", "15", "23", "31", "39", "47", "55", "63", "71", "79"],
  );
});

Deno.test("import xinetd holds services back that TCP wrappers protect", () => {
  const files = { "/etc/hosts.deny": "ALL: PARANOID\n" };
  assertEquals(xinetd(service(""), files).entries, []);
  assertEquals(xinetd(service("flags = NOLIBWRAP"), files).entries.length, 1);
});

Deno.test("import xinetd tells broken syntax, and reads on", () => {
  const { entries, notes } = xinetd(
    "nonsense\n" + service("umask=022", "a") +
      service("port = 21\nport = 22", "c") +
      "service b\n{\n wait = no\n",
  );
  assertEquals(entries.map(({ name }) => name), ["21"]);
  assertEquals(notes.map((note) => note.replace(/ \(.*/, "")), [
    `${FILE}:1: outside of an entry: nonsense`,
    `${FILE}:8: no attribute: umask=022`,
    `${FILE}:17: port is assigned already: the first counts`,
    `${FILE}:19: b: no } closes it: not translated`,
  ]);
});

Deno.test("import xinetd holds a service back whose limit is no number", () => {
  for (
    const attribute of [
      "instances = many",
      "per_source = -1",
      "cps = fast 10",
      "max_load = high",
      "nice = 99",
      "umask = rwx",
      "access_times = 25:00-26:00",
      "rlimit_as = 1X",
      "port = 70000",
      "port = unknown",
    ]
  ) {
    const { entries, notes, text } = xinetd(service(attribute));
    assertEquals(entries, [], attribute);
    assertEquals(notes.length, 1, notes.join("\n"));
    assert(text.includes("to be mended before it is served"), text);
  }
});

Deno.test("import xinetd lets no name of a variable into main.cf that is none", () => {
  const { notes, text } = xinetd(service("passenv = LANG ${x} a=b {"));
  assertEquals(notes.length, 3);
  assert(/^import_environment = .*POSTLOG_HOSTNAME LANG$/m.test(text), text);
});

Deno.test("import xinetd holds all services back whose defaults it cannot read", () => {
  const defaults = "defaults\n{\n only_from=10.0.0.0/8\n}\n";
  const { entries, notes } = xinetd(defaults + service(""));
  assertEquals(entries, []);
  assertEquals(notes.length, 1);
});
