import { assert, assertEquals } from "@std/assert";
import { type Imported, importedFrom } from "./machine.ts";

const SOCKET = "/u/x.socket";
const SERVICE = "/u/x@.service";

/** A pair that can be served, and what is to stand in it besides. */
function pair(
  socket: string,
  service: string,
  more: Readonly<Record<string, string>> = {},
): Imported {
  return importedFrom("systemd", {
    [SOCKET]: `[Unit]\nDescription=X\n[Socket]\nAccept=yes\n${socket}\n` +
      "[Install]\nWantedBy=sockets.target\n",
    [SERVICE]: "[Service]\nUser=ftp\nStandardInput=socket\n" +
      `ExecStart=/bin/x\n${service}\n`,
    ...more,
  });
}

function argvOf({ entries: [entry] }: Imported): readonly string[] | undefined {
  return entry?.words.slice(1);
}

Deno.test("import systemd makes an entry of a pair", () => {
  const { entries, notes } = pair("ListenStream=79", "");
  assertEquals(notes, []);
  assertEquals(entries, [{
    name: "79",
    type: "inet",
    maxProcesses: 64,
    isVerbose: false,
    parameters: {
      spawnd_connection_environment: "systemd",
      command_time_limit: "3549w",
      spawnd_directory: "/",
      spawnd_umask: "022",
      spawnd_groups: "all",
      spawnd_login_environment: "yes",
    },
    words: ["user=ftp", "argv=/bin/x"],
  }]);
});

Deno.test("import systemd has an entry for each address", () => {
  const { entries, notes } = pair(
    "ListenStream=1\nListenStream=\nListenStream=127.0.0.1:2\n" +
      "ListenStream=[::1]:3\nListenStream=/run/x\nListenStream=[fe80::1]:4%lo",
    "",
  );
  assertEquals(notes, []);
  assertEquals(entries.map(({ name, type }) => `${name} ${type}`), [
    "127.0.0.1:2 inet",
    "[::1]:3 inet",
    "/run/x unix",
    "[fe80::1%lo]:4 inet",
  ]);
});

Deno.test("import systemd tells addresses of other kinds", () => {
  const { entries, notes } = pair(
    "ListenStream=@x\nListenStream=vsock:1:2\nListenDatagram=/run/x\n" +
      "ListenSequentialPacket=/run/y\nListenFIFO=/run/z\nListenStream=nothing",
    "",
  );
  assertEquals(entries, []);
  assertEquals(notes.length, 7);
});

Deno.test("import systemd takes over what a socket sets", () => {
  const { entries: [entry], notes } = pair(
    "ListenStream=[::]:1\nBindIPv6Only=ipv6-only\nMaxConnections=5\n" +
      "MaxConnectionsPerSource=2\nBacklog=9\nBindToDevice=lo\nNoDelay=true\n" +
      "KeepAlive=on\nKeepAliveTimeSec=1h\nKeepAliveIntervalSec=10\n" +
      "KeepAliveProbes=3\nDeferAcceptSec=500ms\nFreeBind=1\nReusePort=y\n" +
      "TriggerLimitIntervalSec=1min 30s\nTriggerLimitBurst=100\n" +
      "SocketMode=0660\nSocketUser=ftp\nSocketGroup=tty\nTransparent=no",
    "",
  );
  assertEquals(notes, []);
  const {
    command_time_limit: _limit,
    spawnd_connection_environment: _environment,
    spawnd_directory: _directory,
    spawnd_groups: _groups,
    spawnd_login_environment: _login,
    spawnd_umask: _umask,
    ...own
  } = entry?.parameters ?? {};
  assertEquals(entry?.maxProcesses, 5);
  assertEquals(own, {
    spawnd_client_connection_count_limit: "2",
    spawnd_backlog: "9",
    spawnd_bind_to_device: "lo",
    spawnd_nodelay: "yes",
    spawnd_keepalive: "yes",
    spawnd_keepalive_idle: "3600s",
    spawnd_keepalive_interval: "10s",
    spawnd_keepalive_count: "3",
    spawnd_defer_accept: "1s",
    spawnd_free_bind: "yes",
    spawnd_reuse_port: "yes",
    spawnd_rate_time_unit: "90s",
    spawnd_connection_rate_limit: "100",
    spawnd_socket_mode: "0660",
    spawnd_socket_owner: "ftp:tty",
    spawnd_v6only: "yes",
  });
});

Deno.test("import systemd takes over what a service sets", () => {
  const { entries: [entry], notes } = pair(
    "ListenStream=1",
    "Group=tty\nSupplementaryGroups=ftp\nNice=5\nUMask=0077\n" +
      "WorkingDirectory=/srv\nLimitNOFILE=10:20\nLimitCPU=1min\n" +
      "LimitAS=64M\nLimitCORE=infinity\nCPUAffinity=0-1\n" +
      "IOSchedulingClass=best-effort\nIOSchedulingPriority=6\n" +
      "NoNewPrivileges=yes\nPrivateNetwork=true\nRuntimeMaxSec=5min\n" +
      "StandardError=journal\nRestart=no\nType=simple\nProtectHome=no",
  );
  assertEquals(notes, []);
  assertEquals(entry?.parameters, {
    spawnd_connection_environment: "systemd",
    command_time_limit: "300s",
    spawnd_directory: "/srv",
    spawnd_umask: "0077",
    spawnd_standard_error: "inherit",
    spawnd_groups: "tty ftp",
    spawnd_login_environment: "yes",
    spawnd_io_priority: "best-effort:6",
    spawnd_nice: "5",
    spawnd_cpu_affinity: "0-1",
    spawnd_no_new_privileges: "yes",
    spawnd_private_network: "yes",
    spawnd_limits: "nofile=10:20 cpu=60 as=64M core=infinity",
  });
  assertEquals(entry?.words[0], "user=ftp:tty");
});

Deno.test("import systemd reads quotes, escapes, variables and specifiers", () => {
  const imported = pair(
    "ListenStream=1",
    'Environment="A=a b" B=\'"c"\' "D=$x"\nEnvironment=E=${B}\n' +
      'ExecStart=\nExecStart=-/bin/x "one two" \'3 "4"\' \\x41\\u00e9 \\\n' +
      "# in between\n  $A ${A} $$B pre${B}post %%s %p",
  );
  assertEquals(imported.notes, []);
  assertEquals(argvOf(imported), [
    "argv=/bin/x",
    "one two",
    '3 "4"',
    "Aé",
    "a",
    "b",
    "a b",
    "$B",
    'pre"c"post',
    "%s",
    "x",
  ]);
  assertEquals(
    imported.entries[0]?.parameters["export_environment"],
    'LANG { A = a b } B="c" D=$x { E = ${B} }',
  );
});

Deno.test("import systemd reads drop-ins by name, the first folder's of two", () => {
  const imported = pair("ListenStream=1", "", {
    [`${SOCKET}.d/20.conf`]: "[Socket]\nListenStream=\nListenStream=3\n",
    [`${SOCKET}.d/10.conf`]: "[Socket]\nListenStream=\nListenStream=2\n",
    [`/etc/systemd/system/x.socket.d/20.conf`]:
      "[Socket]\nListenStream=\nListenStream=4\n",
    [`${SERVICE}.d/a.conf`]: "[Service]\nExecStart=\nExecStart=/bin/y\n",
  });
  assertEquals(imported.entries.map(({ name }) => name), ["3"]);
  assertEquals(argvOf(imported), ["argv=/bin/y"]);
});

Deno.test("import systemd finds a service where systemd does, and a socket", () => {
  const unit = "[Service]\nUser=ftp\nStandardInput=socket\nExecStart=/bin/x\n";
  const { entries } = importedFrom("systemd", {
    "/u/x.socket": "[Socket]\nListenStream=1\nService=y.service\n",
    "/lib/systemd/system/y.service": unit,
  });
  assertEquals(entries[0]?.parameters["spawnd_wait"], "yes");
  assertEquals(entries[0]?.maxProcesses, undefined);
  const files = {
    "/u/x@.service": unit,
    "/u/x.socket": "[Socket]\nListenStream=1\nAccept=1\n",
  };
  assertEquals(importedFrom("systemd", files).entries.length, 1);
  const alone = importedFrom("systemd", { "/u/x@.service": unit });
  assertEquals(alone.entries, []);
  assertEquals(alone.notes.length, 1);
});

Deno.test("import systemd holds back what would not serve as it did", () => {
  for (
    const [service, why] of [
      ["User=", "root"],
      ["User=root", "root"],
      ["StandardInput=null", "descriptor 3"],
      ["StandardOutput=journal", "StandardOutput=journal"],
      ["ExecStart=/bin/y", "several"],
      ["ExecStart=", "no ExecStart"],
      ["ExecStart=\nExecStart=+/bin/y", "root"],
      ["ExecStart=\nExecStart=/bin/y %i", "%i"],
      ["ExecStart=\nExecStart=/bin/y $UNSET", "$UNSET"],
      ["ExecStart=\nExecStart=/bin/y 'open", "missing '"],
      ["DynamicUser=yes", "DynamicUser"],
    ] as const
  ) {
    const { entries, notes, text } = pair("ListenStream=1", service);
    assertEquals(entries, [], service);
    assertEquals(notes.length, 1, `${service}: ${notes.join("\n")}`);
    assert(notes[0]?.includes(why), notes[0]);
    assert(text.includes("#1 inet"), text);
  }
});

Deno.test("import systemd tells settings that it does not know, each at its place", () => {
  const { entries, notes } = pair(
    "ListenStream=1\nMark=7\nSymlinks=/run/y\nnonsense",
    "ProtectSystem=strict\nEnvironmentFile=/etc/default/x\nKillMode=process",
  );
  assertEquals(entries.length, 1);
  assertEquals(
    notes.map((note) => note.split(": ")[0]).toSorted(),
    [
      `${SOCKET}:6`,
      `${SOCKET}:7`,
      `${SOCKET}:8`,
      `${SERVICE}:5`,
      `${SERVICE}:6`,
      `${SERVICE}:7`,
    ],
  );
});

Deno.test("import systemd keeps out whom IPAddressDeny= did", () => {
  const clients = (settings: string): string | undefined =>
    pair("ListenStream=1", settings).entries[0]?.parameters["spawnd_clients"];
  assertEquals(clients("IPAddressAllow=10.0.0.0/8"), undefined);
  assertEquals(
    clients("IPAddressDeny=any\nIPAddressAllow=localhost 10.1.2.0/24"),
    "127.0.0.0/8 [::1]/128 10.1.2.0/24 !0.0.0.0/0 ![::]/0 0.0.0.0/0 [::]/0",
  );
  assertEquals(
    pair("ListenStream=1\nIPAddressDeny=10.0.0.0/8", "").entries[0]
      ?.parameters["spawnd_clients"],
    "!10.0.0.0/8 0.0.0.0/0 [::]/0",
  );
  const held = pair("ListenStream=1", "IPAddressDeny=nonsense");
  assertEquals(held.entries, []);
  assertEquals(held.notes.length, 1);
});
