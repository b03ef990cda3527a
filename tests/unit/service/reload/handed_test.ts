import { assertEquals, assertThrows } from "@std/assert";
import { sealedFile } from "../../../../lib/posix/memory_file.ts";
import {
  type Handed,
  HANDED_VARIABLE,
  readHanded,
  takeHanded,
  writeHanded,
} from "../../../../lib/service/reload/handed.ts";
import { isOpen } from "../../posix/descriptors.ts";
import { libc } from "../../real_libc.ts";

const HANDED: Handed = {
  sockets: [
    {
      fd: 9,
      address: "[::1]:25",
      asked: "[::1%1]:25",
      name: "smtp",
      file: undefined,
    },
    {
      fd: 10,
      address: "/run/socket",
      asked: undefined,
      file: { device: 2049n, inode: 2n ** 64n - 1n },
    },
  ],
  services: [{
    id: "inet - policy",
    name: "policy",
    memory: {
      startFailures: 3,
      acceptFailures: 0,
      counters: {
        sinceMs: 1e12,
        connections: 9,
        refused: { clients: 2 },
        notStarted: 3,
        failed: 4,
        timedOut: 1,
        endedByHand: 1,
        processorMs: 1.5,
        recent: [0, 3, 1],
        durations: { sumMs: 17.5, counts: [[20, 3], [200, 1]] },
      },
      commands: [{
        running: {
          pid: 4711,
          peer: "192.0.2.1:1024",
          origin: "192.0.2.1:1024",
          startedMs: -5000,
          command: {
            argv: ["/bin/cat"],
            environment: [],
            identity: { uid: 1000, gid: 1001 },
          },
          client: { kind: "inet", address: [0xc0000201], port: 1024 },
        },
        limitMs: 1500,
        isKilled: true,
      }],
      waiting: [
        {
          fd: 20,
          proxy: { kind: "inet", address: [1, 2, 3, 4], port: 5 },
          sinceMs: -7000,
        },
        {
          fd: 21,
          proxy: { kind: "unix", pid: 1, uid: 2, gids: [3, 4] },
          sinceMs: -8000,
        },
      ],
    },
  }],
  plan: {
    text: "{}",
    passed: [{ fd: 11, address: "a", asked: undefined, file: undefined }],
  },
  descriptorLimit: { soft: 1024n, hard: 2n ** 64n - 1n },
  pidFileFd: 12,
  masterPid: 13,
  sinceMs: 1e12,
  isReloadWanted: true,
  pausedMs: 0.5,
};

/** Reads a text as if it had been handed on. */
function readText(text: string): Handed {
  return readHanded(libc, sealedFile(libc, new TextEncoder().encode(text)));
}

Deno.test("what is handed on is read as it was written, start times by the machine's clock", () => {
  const fd = writeHanded(libc, HANDED);
  const read = readHanded(libc, fd);
  const [command] = read.services[0]?.memory.commands ?? [];
  const startedMs = command?.running.startedMs ?? 0;
  // Both ways lead over the clock, which has moved on by less than that.
  assertEquals(Math.abs(startedMs + 5000) < 50, true, `${startedMs}`);
  const text = (handed: Handed): string =>
    JSON.stringify(
      handed,
      (key, value) =>
        key === "startedMs" || key === "sinceMs"
          ? 0
          : typeof value === "bigint"
          ? `${value}`
          : value,
    );
  assertEquals(text(read), text(HANDED));
  assertEquals(isOpen(fd), false);
});

Deno.test("readHanded() refuses whatever else there is", () => {
  const good = {
    version: 2,
    sockets: [],
    services: [],
    isReloadWanted: false,
    pausedMs: 0,
  };
  assertEquals(readText(JSON.stringify(good)).services, []);
  const command = {
    pid: 1,
    peer: "",
    startedMs: 0,
    name: "x",
    uid: 1,
    gid: 1,
    limitMs: 1,
    isKilled: false,
  };
  const service = {
    id: "x",
    name: "x",
    startFailures: 0,
    acceptFailures: 0,
    commands: [command],
    waiting: [],
  };
  const bad: [unknown, string][] = [
    [[], "handed is not an object"],
    [{ ...good, version: 1 }, "handed.version is 1, not 2"],
    [{ ...good, sockets: [{ fd: "9" }] }, "sockets[0].fd is not a number"],
    [{ ...good, services: [service] }, "no command has the process id 1"],
    [{ ...good, isReloadWanted: 1 }, "isReloadWanted is not true or false"],
  ];
  for (const [value, reason] of bad) {
    assertThrows(() => readText(JSON.stringify(value)), TypeError, reason);
  }
  assertThrows(() => readText("{"), SyntaxError);
});

Deno.test("takeHanded() leaves no trace in the environment", () => {
  assertEquals(takeHanded(libc), undefined);
  Deno.env.set(HANDED_VARIABLE, String(writeHanded(libc, HANDED)));
  assertEquals(takeHanded(libc)?.handed.pidFileFd, 12);
  assertEquals(Deno.env.get(HANDED_VARIABLE), undefined);
  Deno.env.set(HANDED_VARIABLE, "2x");
  assertThrows(
    () => takeHanded(libc),
    Error,
    "SPAWND_HANDED_FD was not set by a spawnd: it names no descriptor",
  );
});
