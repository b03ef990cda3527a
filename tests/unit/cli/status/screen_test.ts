import { assert, assertEquals } from "@std/assert";
import { history } from "../../../../lib/cli/status/history.ts";
import { humanCount, humanSeconds } from "../../../../lib/cli/status/human.ts";
import { statusScreen } from "../../../../lib/cli/status/screen.ts";
import type {
  CommandStatus,
  ServiceStatus,
  StatusRecord,
} from "../../../../lib/observe/status_record.ts";

const SERVICE: ServiceStatus = {
  kind: "service",
  service: "policy",
  id: "unix - policy",
  addresses: ["/run/policy"],
  active: 3,
  limit: 50,
  waiting: 2,
  waitingLimit: 1024,
  since: "2026-01-02T03:04:05.000Z",
  connections: 12_345,
  refused: { clients: 4, address: 3 },
  notStarted: 1,
  failed: 6,
  timedOut: 5,
  endedByHand: 0,
  perSecond: 2.25,
  recent: Array.from({ length: 60 }, (_, index) => index % 4),
  medianSeconds: 0.0112,
  p99Seconds: 65,
  processorSeconds: 1,
};

const COMMAND: CommandStatus = {
  kind: "command",
  service: "policy",
  id: "unix - policy",
  pid: 4711,
  client: "192.0.2.1:1024",
  ageSeconds: 4000,
  processorSeconds: 0.5,
  isKilled: false,
};

const RECORDS: readonly StatusRecord[] = [
  {
    kind: "daemon",
    version: "0.1.0",
    pid: 99,
    state: "serving",
    since: "2026-01-02T03:04:05.678Z",
    uptimeSeconds: 90_000,
  },
  SERVICE,
  { ...COMMAND, pid: 4712, ageSeconds: 1, processorSeconds: null, client: "" },
  COMMAND,
];

const WIDE = {
  columns: Infinity,
  lines: Infinity,
  hasHistory: false,
  isUnicode: true,
};

Deno.test("statusScreen() shows services, and commands by their age", () => {
  assertEquals(statusScreen(RECORDS, WIDE), [
    "spawnd 0.1.0, process id 99, serving, 2 commands, up 1.0 d since 2026-01-02 03:04:05 UTC",
    "",
    "SERVICE  ACTIVE  WAITING  TOTAL  PER S  MEDIAN      P99  FAILED  TIMED OUT  REFUSED  NOT STARTED",
    "policy     3/50        2    12k    2.3   11 ms  1.1 min       6          5        7            1",
    "",
    "COMMAND OF   PID    AGE  PROCESSOR          CLIENT",
    "policy      4711  1.1 h     500 ms  192.0.2.1:1024",
    "policy      4712  1.0 s          -               -",
  ]);
});

Deno.test("statusScreen() has no line longer than the screen, and keeps what matters", () => {
  for (let columns = 1; columns < 130; columns++) {
    for (const hasHistory of [false, true]) {
      const lines = statusScreen(RECORDS, { ...WIDE, columns, hasHistory });
      for (const line of lines) {
        assert([...line].length <= columns, `${columns}: ${line}`);
      }
      if (columns > 20) {
        assert(lines.some((line) => line.startsWith("policy     3/50")));
      }
    }
  }
});

Deno.test("statusScreen() counts the lines for which there is no room", () => {
  const commands = Array.from({ length: 100 }, (_, pid) => ({
    ...COMMAND,
    pid,
  }));
  const lines = statusScreen([...RECORDS, ...commands], { ...WIDE, lines: 10 });
  assertEquals(lines.length, 10);
  assertEquals(lines.at(-1), "... 99 more lines");
});

Deno.test("statusScreen() lets no name or client move the cursor", () => {
  const evil = "\x1b[2J\n\u202e";
  const lines = statusScreen([
    { ...SERVICE, service: evil },
    { ...COMMAND, service: evil, client: evil },
  ], WIDE);
  for (const line of lines) assert(/^[\x20-\x7e]*$/.test(line), line);
});

Deno.test("statusScreen() tells what cannot be known, and no limit", () => {
  const [, row = ""] = statusScreen([{
    ...SERVICE,
    ...{ limit: 0, waiting: null, medianSeconds: null, p99Seconds: null },
  }], WIDE);
  assertEquals(row.split(/ +/).slice(0, 7), [
    ...["policy", "3", "-", "12k", "2.3", "-", "-"],
  ]);
});

Deno.test("history() draws the last seconds, and one of many is not nothing", () => {
  const counts = [...Array.from({ length: 57 }, () => 0), 1, 100, 50];
  const options = { width: 80, isUnicode: true };
  assertEquals(
    history(counts, options),
    `|${" ".repeat(57)}▁█▄ 100/s at most`,
  );
  assertEquals(history(counts, { width: 5, isUnicode: false }), "| .@=");
  assertEquals(history([], options), "| 0/s at most");
});

Deno.test("humanSeconds() and humanCount() write few characters", () => {
  assertEquals(
    [0, 0.0001, 0.00112, 0.25, 1, 9.94, 59.9, 60, 3600, 1e6, Infinity]
      .map(humanSeconds),
    [
      ...["0.0 ms", "0.1 ms", "1.1 ms", "250 ms", "1.0 s", "9.9 s", "59 s"],
      ...["1.0 min", "1.0 h", "11 d", "Infinity d"],
    ],
  );
  assertEquals(
    [0, 9999, 10_000, 999_999, 1e6, 12_345_678, 2e9].map(humanCount),
    ["0", "9999", "10k", "999k", "1.0M", "12M", "2.0G"],
  );
});
