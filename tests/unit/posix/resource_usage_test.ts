import { assert, assertEquals } from "@std/assert";
import { Children } from "../../../lib/posix/process.ts";
import { ownUsage, processorMsOf } from "../../../lib/posix/resource_usage.ts";
import { until } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { startCommand } from "./start_command.ts";

const SIGKILL = 9;
const MEBIBYTE = 2 ** 20;

Deno.test("Children.usage is what the child that was collected last has used", async () => {
  const children = new Children(libc);
  using scratch = new Scratch();
  // Its own clock tells when it has used some.
  const busy = startCommand(scratch, ["/bin/sh", "-c", "while :; do :; done"]);
  await until("it has used some", () => (processorMsOf(libc, busy) ?? 0) > 50);
  children.signalGroup(busy, SIGKILL);
  await until("it has ended", () => children.collect(busy) !== undefined);
  const { processorMs, peakMemoryBytes } = children.usage;
  assert(processorMs > 50 && processorMs < 60_000, `${processorMs}`);
  assert(peakMemoryBytes > MEBIBYTE, `${peakMemoryBytes}`);
});

Deno.test("ownUsage() tells what this process has used", () => {
  const before = ownUsage(libc);
  const until = before.processorMs + 20;
  while (ownUsage(libc).processorMs < until);
  const { peakMemoryBytes } = ownUsage(libc);
  assert(peakMemoryBytes >= before.peakMemoryBytes);
  assert(peakMemoryBytes >= Deno.memoryUsage().rss / 2);
});

Deno.test("processorMsOf() knows nothing of a process that is not there", () => {
  assertEquals(processorMsOf(libc, 0x7ffffffe), undefined);
});
