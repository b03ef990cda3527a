import { assert, assertEquals } from "@std/assert";
import {
  MachineReadings,
  refuseLimits,
} from "../../../lib/service/machine_readings.ts";
import { libc } from "../real_libc.ts";

const LOAD = { load: 1, pressures: {} };

Deno.test("MachineReadings gives what the kernel tells, and nothing else", () => {
  const readings = new MachineReadings();
  assertEquals(readings.valueOf("load", 0), undefined);
  readings.open(libc, LOAD);
  const load = readings.valueOf("load", 0);
  assert(load !== undefined && load >= 0, `${load}`);
  // A second has not passed.
  assertEquals(readings.valueOf("load", 999), load);
  assertEquals(readings.valueOf("cpu", 0), undefined);
});

Deno.test("refuseLimits() refuses what there is nothing to tell by", () => {
  assertEquals(refuseLimits(libc, LOAD), undefined);
  assertEquals(
    refuseLimits(undefined, { load: undefined, pressures: {} }),
    undefined,
  );
  assertEquals(refuseLimits(undefined, LOAD), {
    text:
      "the kernel does not tell how busy it is: the C library cannot be called",
    mend: "let the daemon have /proc, or leave spawnd_load_limit empty",
    exitCode: 78,
  });
});
