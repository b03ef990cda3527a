import { assertEquals } from "@std/assert";
import {
  decodeWaitStatus,
  type WaitStatus,
} from "../../../lib/engine/wait_status.ts";
import { collectDying, startCommand } from "../posix/start_command.ts";
import { Scratch } from "../scratch.ts";

const CORE_DUMPED = 0x80;

const WORDS: [number, WaitStatus][] = [
  [0x0000, { kind: "exited", code: 0 }],
  [0x0100, { kind: "exited", code: 1 }],
  [0xff00, { kind: "exited", code: 255 }],
  [0x0009, { kind: "signaled", signal: 9 }],
  [0x0040, { kind: "signaled", signal: 64 }],
  [0x000b | CORE_DUMPED, { kind: "signaled", signal: 11 }],
];

for (const [word, status] of WORDS) {
  const hex = word.toString(16).padStart(4, "0");
  Deno.test(`decodeWaitStatus() reads 0x${hex} as ${Object.values(status).join(" ")}`, () => {
    assertEquals(decodeWaitStatus(word), status);
  });
}

Deno.test("decodeWaitStatus() reads how real commands have ended", () => {
  using scratch = new Scratch();
  const endOf = (script: string): WaitStatus | undefined => {
    const pid = startCommand(scratch, ["/bin/sh", "-c", script]);
    const word = collectDying(pid);
    return word === undefined ? undefined : decodeWaitStatus(word);
  };
  assertEquals(endOf("exit 0"), { kind: "exited", code: 0 });
  assertEquals(endOf("exit 75"), { kind: "exited", code: 75 });
  assertEquals(endOf("kill -TERM $$"), { kind: "signaled", signal: 15 });
  assertEquals(endOf("kill -34 $$"), { kind: "signaled", signal: 34 });
});
