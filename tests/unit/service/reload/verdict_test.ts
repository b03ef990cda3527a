import { assertEquals } from "@std/assert";
import type { ListeningSocket } from "../../../../lib/net/listening.ts";
import { lookAtDescriptor } from "../../../../lib/posix/files.ts";
import { FdReceiver, socketPair } from "../../../../lib/posix/passed_fd.ts";
import {
  type Verdict,
  VerdictReceiver,
  VerdictSender,
} from "../../../../lib/service/reload/verdict.ts";
import { EX } from "../../../../lib/result.ts";
import { isOpen, OpenFile } from "../../posix/descriptors.ts";
import { libc } from "../../real_libc.ts";
import { Scratch } from "../../scratch.ts";

/** What the daemon has of a trial that gives a verdict, and ends. */
function received(
  give: (sender: VerdictSender, read: () => boolean) => void,
): VerdictReceiver {
  const [ours, theirs] = socketPair(libc);
  const receiver = new VerdictReceiver(libc, ours, new FdReceiver(libc));
  give(new VerdictSender(libc, theirs), () => receiver.read());
  libc.c.close(theirs);
  assertEquals(receiver.read(), true);
  libc.c.close(ours);
  return receiver;
}

Deno.test("a verdict arrives whole, however long", () => {
  const verdicts: Verdict[] = [
    { plan: "" },
    { plan: `ü${"x".repeat(100_000)}` },
    {
      mistakes: [
        {
          place: "/etc/spawnd/master.cf:1:2",
          text: "unknown user name: x",
          mend: "name another",
          exitCode: EX.NOUSER,
        },
        {
          place: undefined,
          text: "y",
          mend: undefined,
          exitCode: EX.CONFIG,
        },
      ],
    },
  ];
  for (const verdict of verdicts) {
    const { verdict: got, fault } = received((sender, read) => {
      assertEquals(read(), false);
      sender.give(verdict);
    });
    assertEquals([got, fault], [verdict, undefined]);
  }
});

Deno.test("sockets are passed on in their order, and those of the trial may be closed", () => {
  using scratch = new Scratch();
  const facts = ["one", "two"].map((name) => scratch.file(name, name));
  const inodes: (bigint | undefined)[] = [];
  const { passed, verdict } = received((sender) => {
    for (const path of facts) {
      using file = new OpenFile(path);
      inodes.push(lookAtDescriptor(libc, file.fd)?.inode);
      const socket: ListeningSocket = {
        address: path,
        file: { device: 1n, inode: 2n ** 63n },
        source: { fd: file.fd },
        close: () => {},
      };
      sender.pass(socket);
    }
    sender.give({ plan: "plan" });
  });
  assertEquals(verdict, { plan: "plan" });
  assertEquals(
    passed.map(({ address, file }) => [address, file?.inode]),
    facts.map((path) => [path, 2n ** 63n]),
  );
  assertEquals(
    passed.map(({ fd }) => lookAtDescriptor(libc, fd)?.inode),
    inodes,
  );
  for (const { fd } of passed) {
    assertEquals(isOpen(fd), true);
    libc.c.close(fd);
  }
});

Deno.test("a trial that ends before has given no verdict", () => {
  assertEquals(received(() => {}).verdict, undefined);
});
