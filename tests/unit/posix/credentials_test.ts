import { assert, assertEquals, assertMatch } from "@std/assert";
import { findUser } from "../../../lib/posix/accounts.ts";
import {
  type Identity,
  startedAs,
  unchangingCredentials,
} from "../../../lib/posix/credentials.ts";
import { Account, output, rootTest } from "../../e2e/machine.ts";
import { ALLOW_LIBC, reportOf, runFixture } from "../fixture.ts";
import type { Snapshot, ThreadFacts } from "../fixtures/snapshot.ts";
import { libc } from "../real_libc.ts";

const ALLOW = [...ALLOW_LIBC, "--allow-run=/bin/sh"];

function daemonAccount(): Identity {
  const owner = findUser(libc, "daemon");
  if (owner === undefined) throw new Error("no account daemon");
  return owner;
}

/** The report of fixtures/credentials.ts. */
interface CredentialsReport {
  readonly atRest: Snapshot;
  readonly asSender: Snapshot;
  readonly afterSender: Snapshot;
  readonly asRoot: Snapshot;
  readonly afterRoot: Snapshot;
  readonly thrown: string;
  readonly afterThrown: Snapshot;
}

/** What a thread is to be; ids are real, effective, saved, file system's. */
type Expected = Pick<ThreadFacts, "Uid" | "Gid" | "Groups">;

function assertThread(found: ThreadFacts, expected: Expected): void {
  const { Uid, Gid, Groups } = found;
  assertEquals({ Uid, Gid, Groups }, expected);
}

function assertThreads(
  { main, others }: Snapshot,
  ofMain: Expected,
  ofOthers: Expected,
): void {
  assertThread(main, ofMain);
  assert(others.length > 0);
  for (const other of others) assertThread(other, ofOthers);
}

rootTest(
  "restAs() and its credentials give each thread the ids that it is to have",
  async () => {
    await using account = await Account.create();
    const owner = daemonAccount();
    const { uid, gid } = account;
    const report = await reportOf<CredentialsReport>("credentials.ts", {
      args: [JSON.stringify(owner), JSON.stringify({ uid, gid })],
      allow: ALLOW,
    });

    const resting = {
      Uid: `0 ${owner.uid} 0 ${owner.uid}`,
      Gid: `0 ${owner.gid} 0 ${owner.gid}`,
      Groups: `${owner.gid}`,
    };
    assertThreads(report.atRest, resting, resting);
    assertThreads(report.asSender, {
      ...resting,
      Uid: `0 ${uid} 0 ${uid}`,
    }, resting);
    assertThreads(report.afterSender, resting, resting);
    assertThreads(report.asRoot, { ...resting, Uid: "0 0 0 0" }, resting);
    assertThreads(report.afterRoot, resting, resting);

    assertEquals(report.thrown, "Error: from within");
    assertThreads(report.afterThrown, resting, resting);
  },
);

rootTest(
  "restAs() leaves no thread a capability in effect, nor does a sender have one",
  async () => {
    const owner = daemonAccount();
    const { atRest, asSender } = await reportOf<CredentialsReport>(
      "credentials.ts",
      {
        args: [
          JSON.stringify(owner),
          JSON.stringify({ uid: 65534, gid: 65534 }),
        ],
        allow: ALLOW,
      },
    );
    const NONE = "0".repeat(16);
    for (const thread of [atRest.main, ...atRest.others, asSender.main]) {
      assertEquals(thread.CapEff, NONE);
      assertEquals([thread.CapInh, thread.CapAmb], [NONE, NONE]);
    }
  },
);

rootTest("restAs() throws where the kernel refuses to change ids", async () => {
  const bounded = (bounding: string): Promise<string> =>
    reportOf("rest_as.ts", {
      prefix: ["setpriv", "--bounding-set", bounding],
    });
  assertEquals(
    await bounded("-setgid"),
    "SystemError: setgroups: Operation not permitted",
  );
  assertEquals(
    await bounded("-setuid"),
    "SystemError: seteuid: Operation not permitted",
  );
  assertEquals(await bounded("-net_raw"), "rests");
});

rootTest(
  "a daemon that cannot come back to its own identity ends at once",
  async () => {
    const { code, stdout, stderr } = await runFixture("credentials_lost.ts");
    assertEquals([code, stdout], [71, ""]);
    assertMatch(
      stderr,
      /^spawnd: panic: .*setresuid: Operation not permitted\n$/,
    );
  },
);

rootTest(
  "dropInheritableCapabilities() drops what a service manager started it with",
  async () => {
    const { before, after } = await reportOf<Record<string, ThreadFacts>>(
      "capabilities.ts",
      {
        prefix: [
          "setpriv",
          "--inh-caps",
          "+net_raw,+setuid",
          "--ambient-caps",
          "+net_raw",
        ],
        allow: ALLOW,
      },
    );
    const bits = (text: string | undefined): bigint => BigInt(`0x${text}`);
    const NET_RAW = 1n << 13n;
    const SETUID = 1n << 7n;
    assertEquals(bits(before?.CapInh), NET_RAW | SETUID);
    assertEquals(bits(before?.CapAmb), NET_RAW);
    assertEquals(bits(after?.CapInh), 0n);
    assertEquals(bits(after?.CapAmb), 0n);
    // What the daemon itself needs is kept.
    assertEquals(after?.CapPrm, before?.CapPrm);
    assertEquals(after?.CapEff, before?.CapEff);
  },
);

Deno.test("startedAs() gives the ids that id(1) shows", async () => {
  const uid = Number(await output("id", "-u"));
  const gid = Number(await output("id", "-g"));
  assertEquals(startedAs(libc), {
    real: {
      uid: Number(await output("id", "-ru")),
      gid: Number(await output("id", "-rg")),
    },
    effective: { uid, gid },
  });
});

Deno.test("unchangingCredentials() run actions as they are", () => {
  const credentials = unchangingCredentials();
  const before = startedAs(libc);
  const nobody = { uid: 65534, gid: 65534 };
  const look = (): unknown => startedAs(libc);
  assertEquals(credentials.asSender(nobody, look), before);
  assertEquals(credentials.asRoot(look), before);
});
