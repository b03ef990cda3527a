import { assertEquals } from "@std/assert";
import { runToEnd } from "./daemon.ts";
import { Folder, output } from "./machine.ts";

const MAIN = `\
inet_interfaces = loopback-only
queue_directory = /var/spool/example
policy_time_limit = 1h
default_process_limit = 30
`;

const MASTER = `\
smtp inet n - y - - smtpd
7007 inet n n n - - spawn user=nobody argv=/bin/cat
127.0.0.1:7008 inet n n n - 5 spawn
    -o command_time_limit=5 user=nobody argv=/bin/echo {two words} {} one
policy unix - n n - 0 spawn user=nobody:mail argv=cat
all unix n n n - 7 spawnd user=nobody argv=/bin/cat
`;

async function configuration(main = MAIN, master = MASTER): Promise<Folder> {
  const folder = await Folder.create();
  await folder.file("main.cf", main);
  await folder.file("master.cf", master);
  return folder;
}

Deno.test("services prints the table of services as they would run", async () => {
  await using folder = await configuration();
  const { code, stdout, stderr } = await runToEnd(
    ["services", "-c", folder.path],
  );
  assertEquals(
    stdout,
    `\
SERVICE              ADDRESS                            USER    MAXPROC   TIME   COMMAND
7007/inet            [::1]:7007,127.0.0.1:7007          nobody  30        1000s  /bin/cat
127.0.0.1:7008/inet  127.0.0.1:7008                     nobody  5         5s     /bin/echo {two words} {} one
policy/unix          /var/spool/example/private/policy  nobody  no limit  3600s  cat
all/unix             /var/spool/example/public/all      nobody  7         1000s  /bin/cat
`,
  );
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("services --json has all that there is to a service", async () => {
  await using folder = await configuration();
  const { code, stdout } = await runToEnd(
    ["services", "--json", "-c", folder.path],
  );
  const services: unknown[] = JSON.parse(stdout);
  assertEquals([code, services.length], [0, 4]);
  assertEquals(services[2], {
    service: "policy",
    type: "unix",
    addresses: ["/var/spool/example/private/policy"],
    user: "nobody",
    uid: Number(await output("id", "-u", "nobody")),
    gid: Number(await output("sh", "-c", "getent group mail | cut -d: -f3")),
    maxProcesses: 0,
    timeLimitSeconds: 3600,
    argv: ["cat"],
    file: `${folder.path}/master.cf`,
    line: 5,
  });
});

Deno.test("services tells the errors where nothing would be served", async () => {
  await using folder = await configuration(
    "max_idl = 5\n",
    "7007 inet n n n - - spawn user=nobody argv=/bin/cat\n" +
      "7008 inet n n n - - spawn user=root argv=/bin/cat\n",
  );
  const { code, stdout, stderr } = await runToEnd(
    ["services", "-c", folder.path],
  );
  assertEquals({ code, stdout, stderr }, {
    code: 78,
    stdout: "",
    stderr:
      `${folder.path}/master.cf:2:27: error: request to deliver as root ` +
      "(use an account that has no other purpose)\n",
  });
});

Deno.test("services escapes what a terminal would obey", async () => {
  await using folder = await configuration(
    "",
    "7007 inet n n n - - spawn user=nobody argv=/bin/\u001b[31mcat\n",
  );
  for (const form of [[], ["--json"]]) {
    const { stdout } = await runToEnd(
      ["services", "-c", folder.path, ...form],
    );
    assertEquals(/\\(?:x1b|u001b)\[31mcat/.test(stdout), true, stdout);
    assertEquals(stdout.includes("\u001b"), false);
  }
});

Deno.test("services --help is on one screen", async () => {
  const { code, stdout, stderr } = await runToEnd(["services", "--help"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(stdout.split("\n").length <= 24, true);
  assertEquals(stdout.startsWith("  spawnd services\n"), true);
});
