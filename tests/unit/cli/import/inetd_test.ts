import { assert, assertEquals } from "@std/assert";
import { type Imported, importedFrom } from "./machine.ts";

const FILE = "/etc/inetd.conf";

function inetd(
  text: string,
  more: Readonly<Record<string, string>> = {},
): Imported {
  return importedFrom("inetd", { [FILE]: text, ...more });
}

Deno.test("import inetd makes an entry of a line", () => {
  const { entries, notes } = inetd(
    "# a comment\n" +
      "ftp\tstream\ttcp\tnowait.60\tftp\t/usr/sbin/ftpd\tftpd -l -A\n",
  );
  assertEquals(notes, []);
  assertEquals(entries, [{
    name: "ftp",
    type: "inet",
    maxProcesses: undefined,
    isVerbose: false,
    parameters: {
      spawnd_connection_rate_limit: "60",
      spawnd_rate_time_unit: "60s",
      command_time_limit: "3549w",
      spawnd_connection_environment: "none",
      spawnd_directory: "/",
      spawnd_groups: "all",
      spawnd_umask: "022",
    },
    words: ["user=ftp", "argv=/usr/sbin/ftpd", "-l", "-A"],
  }]);
});

Deno.test("import inetd has an entry for each address, and each kind of one", () => {
  const { entries } = inetd([
    "1.2.3.4,::1:21 stream tcp nowait ftp /bin/a a",
    "22 stream tcp4 nowait ftp /bin/a a",
    "23 stream tcp6 nowait ftp /bin/a a",
    "24 stream tcp46 nowait ftp /bin/a a",
    "/run/a stream unix nowait ftp /bin/a a",
    "localhost:",
    "25 stream tcp nowait ftp /bin/a a",
    "*:26 stream tcp nowait ftp /bin/a a",
    "69 dgram udp wait ftp /bin/a a",
    "",
  ].join("\n"));
  assertEquals(
    entries.map(({ name, type, parameters }) =>
      [name, type, parameters["spawnd_v6only"], parameters["spawnd_wait"]]
        .filter((each) => each !== undefined).join(" ")
    ),
    [
      "1.2.3.4:21 inet",
      "[::1]:21 inet",
      "0.0.0.0:22 inet",
      "[::]:23 inet yes",
      "[::]:24 inet no",
      "/run/a unix",
      "localhost:25 inet",
      "26 inet",
      "localhost:69 udp yes",
    ],
  );
});

Deno.test("import inetd takes tcpd's program, where TCP wrappers have no rule", () => {
  const line =
    "finger stream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.fingerd -w\n";
  const { entries, notes } = inetd(line, {
    "/etc/hosts.allow": "# nothing\n\n",
    "/etc/hosts.deny": "",
  });
  assertEquals(notes, []);
  assertEquals(entries[0]?.words.slice(1), ["argv=/usr/sbin/in.fingerd", "-w"]);
});

Deno.test("import inetd holds a service back that TCP wrappers protect", () => {
  const line = "finger stream tcp nowait nobody /usr/sbin/tcpd in.fingerd\n";
  const { entries, notes, text } = inetd(line, {
    "/etc/hosts.deny": "ALL: ALL\n",
  });
  assertEquals(entries, []);
  assertEquals(notes.length, 1);
  assert(notes[0]?.includes("/etc/hosts.deny"), notes[0]);
  assert(text.includes("#    user=nobody") || text.includes("#finger"), text);
});

Deno.test("import inetd holds back what would be refused, and says why", () => {
  const { entries, notes } = inetd([
    "1 stream tcp nowait root /bin/a a",
    "2 stream tcp nowait nobody.root /bin/a a",
    "3 stream tcp nowait wheel /bin/a a",
    "4 stream tcp nowait daemon /bin/a a",
    "5 stream tcp nowait stranger /bin/a a",
    "6 stream tcp nowait nobody:strangers /bin/a a",
    "",
  ].join("\n"));
  assertEquals(entries, []);
  assertEquals(notes.map((note) => note.replace(/ \(.*/, "")), [
    `${FILE}:1: 1: runs as root, which spawnd refuses`,
    `${FILE}:2: 2: runs with root's group, which spawnd refuses`,
    `${FILE}:3: 3: runs with root's group, which spawnd refuses`,
    `${FILE}:4: 4: daemon is spawnd's own account`,
    `${FILE}:5: 5: unknown user: stranger`,
    `${FILE}:6: 6: unknown group: strangers`,
  ]);
});

Deno.test("import inetd reads groups behind a dot, and users with one", () => {
  const { entries } = inetd(
    "1 stream tcp nowait nobody.tty /bin/a a\n" +
      "2 stream tcp nowait j.doe /bin/a a\n" +
      "3 stream tcp nowait j.doe:tty /bin/a a\n",
  );
  assertEquals(entries.map(({ words: [user] }) => user), [
    "user=nobody:tty",
    "user=j.doe",
    "user=j.doe:tty",
  ]);
});

Deno.test("import inetd tells what it has no translation for", () => {
  const { entries, notes } = inetd([
    "echo stream tcp nowait root internal",
    "rusersd/1-3 dgram rpc/udp wait root /bin/a a",
    "1 dgram udp nowait nobody /bin/a a",
    "2 raw tcp nowait nobody /bin/a a",
    "3 stream tcp,rcvbuf=64k nowait nobody /bin/a a",
    "4 stream tcp nowait nobody /bin/a other",
    "5 stream tcp sometimes nobody /bin/a a",
    "99999 stream tcp nowait nobody /bin/a a",
    "6 stream tcp",
    "",
  ].join("\n"));
  assertEquals(entries.map(({ name }) => name), ["3", "4"]);
  assertEquals(
    notes.map((note) => note.split(":")[1]),
    ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
  );
  assert(notes[0]?.includes("argv=/bin/cat"), notes[0]);
});
