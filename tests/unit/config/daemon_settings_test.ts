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
