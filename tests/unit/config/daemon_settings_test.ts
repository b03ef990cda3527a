import { assertEquals } from "@std/assert";
import { checkDaemon } from "../../../lib/config/daemon_settings.ts";
import { load, told } from "./configuration.ts";

Deno.test("checkDaemon() has defaults for all of it", () => {
  assertEquals(checkDaemon(load({})), {
    settings: {
      queueDirectory: "/var/spool/postfix",
      owner: "daemon",
      mailOwner: "postfix",
      syslogFacility: "mail",
      syslogName: "postfix",
      maillogFile: "",
      importEnvironment: [
        { name: "MAIL_CONFIG" },
        { name: "MAIL_DEBUG" },
        { name: "MAIL_LOGTAG" },
        { name: "TZ" },
        { name: "XAUTHORITY" },
        { name: "DISPLAY" },
        { name: "LANG", value: "C" },
        { name: "POSTLOG_SERVICE" },
        { name: "POSTLOG_HOSTNAME" },
      ],
      stopTimeoutSeconds: 0,
      log: "auto",
      metricsAddress: { kind: "off" },
      inetInterfaces: ["all"],
      inetProtocols: ["ipv4", "ipv6"],
    },
    problems: [],
  });
});

Deno.test("checkDaemon() takes lists apart at commas and white space", () => {
  const { settings } = checkDaemon(load({
    "main.cf": "inet_interfaces = localhost, [::1]\n  10.0.0.1\n" +
      "inet_protocols = ipv6\n",
  }));
  assertEquals(settings?.inetInterfaces, ["localhost", "[::1]", "10.0.0.1"]);
  assertEquals(settings?.inetProtocols, ["ipv6"]);
});

Deno.test("checkDaemon() tells all that is wrong", () => {
  const { settings, problems } = checkDaemon(load({
    "main.cf": "owner =\ninet_protocols = ipv4, é\n",
  }));
  assertEquals(settings, undefined);
  assertEquals(told(problems), [
    "./main.cf:1:1: error: bad string length 0 < 1: owner = ",
    './main.cf:2:18: error: unknown inet_protocols value "é" in "ipv4, é" ' +
    "(it is all, or of ipv4, ipv6)",
  ]);
});

Deno.test("checkDaemon() reads where metrics are served", () => {
  const addressIn = (text: string) =>
    checkDaemon(load({ "main.cf": `spawnd_metrics_address = ${text}\n` }))
      .settings?.metricsAddress;
  for (const name of ["9109", ":9109"]) {
    assertEquals(addressIn(name), { kind: "inet", name, isLocal: true });
  }
  for (const name of ["[::]:9109", "0.0.0.0:9109", "localhost:http"]) {
    assertEquals(addressIn(name), { kind: "inet", name, isLocal: false });
  }
  const path = "/run/spawnd/metrics";
  assertEquals(addressIn(path), { kind: "unix", path });
  assertEquals(addressIn(`unix:${path}`), { kind: "unix", path });
});

Deno.test("checkDaemon() refuses what is no place for metrics, or for the log", () => {
  const toldOf = (line: string): string =>
    told(checkDaemon(load({ "main.cf": `${line}\n` })).problems).join("\n");
  assertEquals(
    toldOf("spawnd_metrics_address = unix:run/metrics"),
    "./main.cf:1:26: error: spawnd_metrics_address: " +
      "no absolute path: unix:run/metrics (write unix:/...)",
  );
  assertEquals(
    toldOf("spawnd_metrics_address = host:"),
    "./main.cf:1:26: error: spawnd_metrics_address: " +
      'missing service information in "host:" ' +
      "(write a port, host:port, or the path of a unix socket)",
  );
  assertEquals(
    toldOf("spawnd_log = journald"),
    "./main.cf:1:14: error: parameter spawnd_log: unrecognized value: " +
      "journald (it is one of auto, stderr, syslog, journal)",
  );
});
