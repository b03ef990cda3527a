import { assert, assertEquals } from "@std/assert";
import type { Entry } from "../../../lib/log/formats.ts";
import {
  facilityNumber,
  systemFormat,
  SystemLog,
} from "../../../lib/log/system_log.ts";
import { output } from "../../e2e/machine.ts";
import { DatagramReader } from "../datagram_reader.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

const ENTRY: Entry = {
  time: new Date(2026, 0, 2, 3, 4, 5),
  level: "warning",
  service: "private/policy",
  event: "failed",
  text: "command /bin/false exit status 1",
  fields: {},
};

const AT = "Jan  2 03:04:05";

const LEVELS = ["info", "warning", "error", "fatal"] as const;

/** Facilities of syslog.conf(5) that every system has. */
const FACILITIES =
  "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp " +
  "local0 local1 local2 local3 local4 local5 local6 local7";

/** More than any test takes. */
const LONG_MS = 60_000;

/** How many records SystemLog keeps for a reader that has no room. */
const KEPT = 1000;

/** A log whose records are their texts and nothing else that changes. */
function logTo(path: string): SystemLog {
  return new SystemLog(libc, { ident: "x", path, origin: { facility: 2 } });
}

function entry(text: string): Entry {
  return { ...ENTRY, level: "info", text };
}

function textOf(datagram: string): string {
  return datagram.replace(/^.*?\]: /, "");
}

Deno.test("systemFormat() writes what syslogd reads: priority, time, ident, process id, text", () => {
  assertEquals(
    systemFormat(ENTRY, {
      ident: "postfix/spawnd",
      path: "",
      origin: { facility: 2 },
    }),
    `<20>${AT} postfix/spawnd[${Deno.pid}]: ` +
      "warning: command /bin/false exit status 1",
  );
});

Deno.test("systemFormat() writes for postlogd the line as it is in its file", () => {
  assertEquals(
    systemFormat(ENTRY, {
      ident: "postfix/spawnd",
      path: "",
      origin: { host: "mail" },
    }),
    `${AT} mail postfix/spawnd[${Deno.pid}]: ` +
      "warning: command /bin/false exit status 1",
  );
});

Deno.test("systemFormat() gives each level its priority and its label", () => {
  const options = { ident: "x", path: "", origin: { facility: 19 } };
  assertEquals(
    LEVELS.map((level) =>
      systemFormat({ ...ENTRY, level, text: "T" }, options)
    ),
    [
      `<158>${AT} x[${Deno.pid}]: T`,
      `<156>${AT} x[${Deno.pid}]: warning: T`,
      `<155>${AT} x[${Deno.pid}]: error: T`,
      `<154>${AT} x[${Deno.pid}]: fatal: T`,
    ],
  );
});

Deno.test("systemFormat() pads the day with a space and times with zeros", () => {
  const options = { ident: "x", path: "", origin: { host: "h" } };
  const at = (...when: [number, number, number, number, number, number]) =>
    systemFormat({ ...ENTRY, time: new Date(...when) }, options).slice(0, 15);
  assertEquals(at(2026, 11, 31, 23, 59, 59), "Dec 31 23:59:59");
  assertEquals(at(2026, 8, 1, 0, 0, 0), "Sep  1 00:00:00");
});

Deno.test("systemFormat() lets nothing in a text end the record or begin another", () => {
  for (const origin of [{ facility: 2 }, { host: "h" }]) {
    const record = systemFormat(
      { ...ENTRY, level: "info", text: "a\n<2>b\r\0\x1b[2J\u2028c" },
      { ident: "x", path: "", origin },
    );
    assertEquals(textOf(record), "a\\x0a<2>b\\x0d\\x00\\x1b[2J\\u{2028}c");
  }
});

Deno.test("facilityNumber() has the numbers of syslog.h", async () => {
  const names = FACILITIES.split(" ");
  const printed = await output(
    "perl",
    "-MSys::Syslog=:macros",
    "-e",
    'print join " ", map { &{"LOG_" . uc}() >> 3 } @ARGV',
    ...names,
  );
  assertEquals(names.map(facilityNumber), printed.split(" ").map(Number));
});

Deno.test("facilityNumber() knows no other name", () => {
  for (
    const name of ["", "local8", "Mail", "security", "mail ", "constructor"]
  ) {
    assertEquals(facilityNumber(name), undefined);
  }
});

Deno.test("SystemLog sends records under the name that it has by then", async () => {
  using scratch = new Scratch();
  const path = scratch.path("log");
  await using reader = await DatagramReader.bind(path);
  const log = logTo(path);
  log.write(ENTRY);
  log.rename("other/spawnd", 19);
  log.write(ENTRY);
  const text = "warning: command /bin/false exit status 1";
  assertEquals(await reader.take(2), [
    `<20>${AT} x[${Deno.pid}]: ${text}`,
    `<156>${AT} other/spawnd[${Deno.pid}]: ${text}`,
  ]);
});

Deno.test("SystemLog tells postlogd no facility, whatever the name", async () => {
  using scratch = new Scratch();
  const path = scratch.path("log");
  await using reader = await DatagramReader.bind(path);
  const log = new SystemLog(libc, {
    ident: "x",
    path,
    origin: { host: "mail" },
  });
  log.rename("other/spawnd", 19);
  log.write(entry("T"));
  assertEquals(await reader.take(1), [
    `${AT} mail other/spawnd[${Deno.pid}]: T`,
  ]);
});

Deno.test("SystemLog keeps records in their order for a reader that has no room", async () => {
  using scratch = new Scratch();
  const path = scratch.path("log");
  await using reader = await DatagramReader.bind(path);
  const log = logTo(path);
  const texts = Array.from({ length: KEPT }, (_, index) => `record ${index}`);
  for (const text of texts) log.write(entry(text));
  const taken = await reader.take(KEPT);
  assertEquals(taken.map(textOf), texts);
  await log.flush(LONG_MS);
});

Deno.test("SystemLog counts what it drops, and tells it after what it kept", async () => {
  using scratch = new Scratch();
  const path = scratch.path("log");
  await using reader = await DatagramReader.bind(path);
  const log = logTo(path);
  // The kernel takes some as well: not more than that many.
  const limit = await output("cat", "/proc/sys/net/unix/max_dgram_qlen");
  const count = 2 * KEPT + Number(limit);
  for (let index = 0; index < count; index++) log.write(entry(`${index}`));
  const taken: string[] = [];
  let dropped: number | undefined;
  while (dropped === undefined) {
    const [text = ""] = (await reader.take(1)).map(textOf);
    const told = /^warning: (\d+) log records were dropped: /.exec(text)?.[1];
    if (told === undefined) taken.push(text);
    else dropped = Number(told);
  }
  assert(dropped > 0, "none were dropped");
  assertEquals(
    taken,
    Array.from({ length: count - dropped }, (_, index) => {
      return `${index}`;
    }),
  );
  log.write(entry("after"));
  assertEquals((await reader.take(1)).map(textOf), ["after"]);
});

Deno.test("SystemLog.flush() does not wait for a reader that has stopped", async () => {
  using scratch = new Scratch();
  const path = scratch.path("log");
  const log = logTo(path);
  {
    await using _reader = await DatagramReader.bind(path);
    for (let index = 0; index < KEPT; index++) log.write(entry(`${index}`));
    const begunMs = performance.now();
    await log.flush(1);
    assert(performance.now() - begunMs < LONG_MS / 10);
  }
  // Nobody reads any more: there is nobody to wait for.
  await log.flush(LONG_MS);
  log[Symbol.dispose]();
});

Deno.test("SystemLog goes on where nobody reads", async () => {
  using scratch = new Scratch();
  const path = scratch.path("log");
  const log = logTo(path);
  log.write(entry("to nobody"));
  const begunMs = performance.now();
  await log.flush(LONG_MS);
  assert(performance.now() - begunMs < LONG_MS, "it has waited for nobody");
  await using reader = await DatagramReader.bind(path);
  log.write(entry("to a reader"));
  assertEquals((await reader.take(2)).map(textOf), [
    "to nobody",
    "to a reader",
  ]);
});

Deno.test("SystemLog finds a reader that was started anew, and has lost nothing", async () => {
  using scratch = new Scratch();
  const path = scratch.path("log");
  const log = logTo(path);
  {
    await using reader = await DatagramReader.bind(path);
    log.write(entry("before"));
    await reader.take(1);
  }
  Deno.removeSync(path);
  for (const text of ["meanwhile", "as well"]) log.write(entry(text));
  await using reader = await DatagramReader.bind(path);
  const taken = await reader.take(2);
  assertEquals(taken.map(textOf), ["meanwhile", "as well"]);
});

Deno.test("systemFormat() says the service where there are several, before what is matched on", () => {
  const options = { ident: "x", path: "", origin: { facility: 2 } };
  const format = (service: string) =>
    textOf(
      systemFormat({ ...ENTRY, service }, { ...options, hasServices: true }),
    );
  const text = "warning: command /bin/false exit status 1";
  assertEquals(format(""), text);
  assertEquals(format("[::1]:7007"), `[::1]:7007: ${text}`);
  assertEquals(format("a\nb"), `a\\x0ab: ${text}`);
});
