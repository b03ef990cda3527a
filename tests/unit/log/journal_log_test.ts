import { assert, assertEquals } from "@std/assert";
import type { Entry } from "../../../lib/log/formats.ts";
import { journalFormat, JournalLog } from "../../../lib/log/journal_log.ts";
import { DatagramReader } from "../datagram_reader.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

const ENTRY: Entry = {
  time: new Date(),
  level: "warning",
  service: "policy",
  event: "failed",
  text: "command /bin/false exit status 1",
  fields: { pid: 42, code: 1, kind: "exited", peer: "192.0.2.1:25" },
};

Deno.test("journalFormat() gives each thing a field of its own", () => {
  assertEquals(journalFormat(ENTRY).trimEnd().split("\n"), [
    "MESSAGE=command /bin/false exit status 1",
    "PRIORITY=4",
    "SYSLOG_IDENTIFIER=spawnd",
    "SYSLOG_FACILITY=3",
    "EVENT=failed",
    "SERVICE=policy",
    "COMMAND_PID=42",
    "EXIT_STATUS=1",
    "EXIT_KIND=exited",
    "PEER=192.0.2.1:25",
  ]);
});

Deno.test("journalFormat() makes names that journald takes, and leaves out what is not there", () => {
  const fields = {
    timeLimitSeconds: 3,
    "__odd name!": true,
    place: undefined,
    pids: [1, 2],
  };
  const lines = journalFormat({ ...ENTRY, service: "", fields }).split("\n");
  assertEquals(lines.slice(5), [
    "TIME_LIMIT_SECONDS=3",
    "ODD_NAME_=true",
    "PIDS=[1,2]",
    "",
  ]);
});

Deno.test("journalFormat() lets no value begin a field of its own", () => {
  const text = "a\nPRIORITY=0\n_UID=0\0";
  const peer = "\n\nMESSAGE=forged";
  const datagram = journalFormat({ ...ENTRY, text, fields: { peer } });
  assertEquals(
    datagram.trimEnd().split("\n").map((line) => line.replace(/=.*/, "")),
    [
      ...["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY"],
      ...["EVENT", "SERVICE", "PEER"],
    ],
  );
  assert(datagram.startsWith("MESSAGE=a\\x0aPRIORITY=0\\x0a_UID=0\\x00\n"));
});

Deno.test("JournalLog sends a record as one datagram", async () => {
  using scratch = new Scratch();
  const path = scratch.path("journal");
  await using reader = await DatagramReader.bind(path);
  using log = new JournalLog(libc, path);
  log.write(ENTRY);
  const lines = journalFormat(ENTRY).split("\n");
  // The reader ends each datagram with a line's end of its own.
  assertEquals(await reader.take(1, lines.length), lines);
});
