import { assertEquals } from "@std/assert";
import {
  type Entry,
  jsonFormat,
  textFormat,
} from "../../../lib/log/formats.ts";
import { reportOf } from "../fixture.ts";

const ENTRY: Entry = {
  time: new Date("2026-01-02T03:04:05.678Z"),
  level: "info",
  service: "127.0.0.1:7007",
  event: "connected",
  text: "connect from 192.0.2.1:1024: process id 7",
  fields: { peer: "192.0.2.1:1024", pid: 7 },
};

const LEVELS = ["info", "warning", "error", "fatal"] as const;

Deno.test("textFormat() writes the time, the program, the service, the process id and the text", () => {
  assertEquals(
    textFormat("plain")(ENTRY),
    `2026-01-02T03:04:05.678Z spawnd/127.0.0.1:7007[${Deno.pid}]: ` +
      "connect from 192.0.2.1:1024: process id 7\n",
  );
});

Deno.test("textFormat() names the program alone in what is about the daemon", () => {
  assertEquals(
    textFormat("plain")({ ...ENTRY, service: "", text: "stopped" }),
    `2026-01-02T03:04:05.678Z spawnd[${Deno.pid}]: stopped\n`,
  );
});

Deno.test("textFormat() puts the level before the text, as Postfix does", () => {
  const format = textFormat("plain");
  assertEquals(
    LEVELS.map((level) => format({ ...ENTRY, level, text: "T" }).slice(25)),
    ["", "warning: ", "error: ", "fatal: "]
      .map((label) => `spawnd/127.0.0.1:7007[${Deno.pid}]: ${label}T\n`),
  );
});

Deno.test("textFormat() gives journald a priority and no time", () => {
  const format = textFormat("journal");
  assertEquals(
    LEVELS.map((level) => format({ ...ENTRY, level, service: "", text: "T" })),
    [
      `<6>spawnd[${Deno.pid}]: T\n`,
      `<4>spawnd[${Deno.pid}]: warning: T\n`,
      `<3>spawnd[${Deno.pid}]: error: T\n`,
      `<2>spawnd[${Deno.pid}]: fatal: T\n`,
    ],
  );
});

Deno.test("textFormat() gives a terminal the level in colour and nothing else", async () => {
  // The runtime decides on colours once, by what it was started with.
  const lines = await reportOf<string[]>("terminal_format.ts", {
    args: [JSON.stringify({ ...ENTRY, service: "", text: "T" }), ...LEVELS],
  });
  assertEquals(
    lines.map((line) => line.replace(/^.*\[\d+\]: /, "")),
    [
      "T\n",
      "\x1b[33mwarning: \x1b[39mT\n",
      "\x1b[31merror: \x1b[39mT\n",
      "\x1b[31mfatal: \x1b[39mT\n",
    ],
  );
});

Deno.test("textFormat() writes one printable line, whatever the text and the name hold", () => {
  for (const style of ["plain", "terminal", "journal"] as const) {
    const line = textFormat(style)({
      ...ENTRY,
      service: "/run/a\nb",
      text: "x\n<2>spawnd[1]: fatal: \x1b[2J",
    });
    assertEquals(
      line.slice(line.indexOf("spawnd")),
      `spawnd//run/a\\x0ab[${Deno.pid}]: ` +
        "x\\x0a<2>spawnd[1]: fatal: \\x1b[2J\n",
    );
  }
});

Deno.test("jsonFormat() writes one object a line", () => {
  const line = jsonFormat({ ...ENTRY, text: 'a\n"b"' });
  assertEquals(line.indexOf("\n"), line.length - 1);
  assertEquals(JSON.parse(line), {
    time: "2026-01-02T03:04:05.678Z",
    level: "info",
    service: "127.0.0.1:7007",
    pid: Deno.pid,
    event: "connected",
    text: 'a\n"b"',
    fields: { peer: "192.0.2.1:1024", pid: 7 },
  });
});

Deno.test("jsonFormat() writes its keys always in the same order", () => {
  assertEquals(Object.keys(JSON.parse(jsonFormat(ENTRY))), [
    "time",
    "level",
    "service",
    "pid",
    "event",
    "text",
    "fields",
  ]);
});
