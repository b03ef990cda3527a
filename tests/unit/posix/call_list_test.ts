import { assert, assertEquals } from "@std/assert";
import { inCMemory, stringInCMemory } from "../../../lib/posix/c_memory.ts";
import { type Call, CallList } from "../../../lib/posix/call_list.ts";
import { Cloner, Slot } from "../../../lib/posix/clone.ts";
import type { Identity } from "../../../lib/posix/credentials.ts";
import { commandCalls } from "../../../lib/posix/command_calls.ts";
import { surroundingCalls } from "../../../lib/posix/surroundings/calls.ts";
import type { Surroundings } from "../../../lib/posix/surroundings/surroundings.ts";
import { IS_ROOT } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { collectDying } from "./start_command.ts";

const EBADF = 9;

/** The status word of a child whose list has failed. */
const EXIT_FAILED = 127 << 8;

const cloner = new Cloner(libc);

/** Runs a list in a child, to its failure. */
function run(slot: Slot): number | undefined {
  let pid = -1;
  cloner.withoutSignals(() => {
    pid = cloner.clone(slot, false);
  });
  assert(pid > 0);
  libc.c.close(cloner.pidFd);
  return collectDying(pid);
}

const EVERY_SURROUNDING: Surroundings = {
  limits: [{ resource: "nofile", soft: 64, hard: 64 }],
  nice: 5,
  umask: 0o22,
  directory: "/",
  ioPriority: { class: "idle", level: 0 },
  cpus: [0],
  noNewPrivileges: true,
};

/** All calls that a command's process can make. */
function everyCall(): Call[] {
  const zeroes = inCMemory(libc, new Uint8Array(32));
  const { calls, connectionRows, aboveRow } = commandCalls({
    identity: IS_ROOT ? { uid: 65534, gid: 65534 } : undefined,
    signals: [1, 13, 15, 17],
    addresses: {
      zeroes,
      groups: inCMemory(libc, new Uint8Array(new Uint32Array([65534]).buffer)),
      slash: stringInCMemory(libc, "/"),
      root: IS_ROOT
        ? { address: stringInCMemory(libc, "/"), path: "/" }
        : undefined,
    },
    groupCount: 1,
    errorFd: undefined,
    surroundings: surroundingCalls(libc, EVERY_SURROUNDING, {
      network: undefined,
      ruleset: undefined,
      errorOutput: undefined,
    }),
  });
  const fd = libc.c.fcntl(0, 1030, 3n);
  return calls.map(({ call, args, ...rest }, row) => {
    const first = connectionRows.includes(row)
      ? fd
      : row === aboveRow
      ? fd + 1
      : undefined;
    const set = first === undefined ? args : [first, ...args.slice(1)];
    return { call, args: set, ...rest };
  });
}

const FAILING: Call = { call: "dup3", args: [0xffffffff, 0, 0] };

for (const [row, { call }] of everyCall().entries()) {
  Deno.test(`a failure in row ${row} of a command's list, ${call}, is told as that row's`, () => {
    const calls = everyCall();
    const failing = { ...FAILING, what: `in the place of row ${row}` };
    calls[row] = failing;
    const slot = new Slot(libc, calls);
    assertEquals(slot.list.hasFailed, false);
    assertEquals(run(slot), EXIT_FAILED);
    assertEquals([slot.isInUse, slot.list.hasFailed], [false, true]);
    const failure = slot.list.takeFailure(libc);
    assertEquals(failure, { code: EBADF, call: failing });
    // The slot serves again.
    assertEquals(slot.list.hasFailed, false);
    assertEquals(run(slot), EXIT_FAILED);
    assertEquals(slot.list.takeFailure(libc).call, failing);
  });
}

Deno.test("a list's arguments are laid out behind the number, in a row of seven words", () => {
  const list = new CallList(libc.abi, [
    { call: "setsid", args: [] },
    { call: "prctl", args: [1, 2n, 3, 2 ** 40, 5, 6] },
  ]);
  const words = new BigUint64Array(list.bytes.buffer);
  const { setsid, prctl } = libc.abi.systemCalls;
  assertEquals([...words], [
    ...[0n, 0n],
    ...[setsid, 0n, 0n, 0n, 0n, 0n, 0n],
    ...[prctl, 1n, 2n, 3n, 1n << 40n, 5n, 6n],
  ]);
  list.setDescriptor(0, 2, 7);
  list.setArgument(1, 0, 1n << 63n);
  assertEquals(words[5], 7n);
  assertEquals(words[10], 1n << 63n);
});

/** The names of a command's calls, with each thing asked for in its place. */
function namesOf(identity: Identity | undefined): string[] {
  const { calls } = commandCalls({
    identity,
    signals: [15],
    addresses: {
      zeroes: 0n,
      groups: 0n,
      slash: 0n,
      root: { address: 0n, path: "/srv" },
    },
    groupCount: 1,
    errorFd: 9,
    surroundings: {
      first: [
        { call: "setns", args: [8, 0] },
        { call: "landlock_restrict_self", args: [7, 0] },
      ],
      asRoot: [{ call: "umask", args: [0] }],
      lastAsRoot: [
        { call: "setpriority", args: [0, 0, 5] },
        { call: "prlimit64", args: [0, 6, 0n, 0] },
      ],
      asUser: [{ call: "chdir", args: [0n] }],
    },
  });
  return calls.map(({ call }) => call);
}

Deno.test("the calls of a command close descriptors as root, take ids next, and execute last", () => {
  assertEquals(namesOf({ uid: 1000, gid: 1000 }), [
    "setresuid",
    ...["setns", "landlock_restrict_self"],
    "close_range",
    "setsid",
    ...["dup3", "dup3", "dup3"],
    "close_range",
    "umask",
    ...["chroot", "chdir"],
    ...["setgroups", "setresgid"],
    ...["setpriority", "prlimit64"],
    ...["setresuid", "prctl"],
    "chdir",
    ...["rt_sigaction", "rt_sigprocmask"],
    "execve",
  ]);
});

Deno.test("the calls of a command that stays the daemon's user take no ids", () => {
  const names = namesOf(undefined);
  assertEquals(names.filter((name) => /^set(?:res|groups)/.test(name)), []);
  assertEquals(names.slice(-6), [
    ...["setpriority", "prlimit64"],
    "chdir",
    ...["rt_sigaction", "rt_sigprocmask"],
    "execve",
  ]);
});
