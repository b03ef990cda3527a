import { assertEquals } from "@std/assert";
import {
  findBusy,
  loadIn,
  pressureIn,
} from "../../../../lib/admission/machine_pressure.ts";
import {
  parseLoadLimit,
  parsePressureLimits,
} from "../../../../lib/config/admission/pressure_limits.ts";

Deno.test("parseLoadLimit() takes a number that something can stand above", () => {
  assertEquals(parseLoadLimit("4.5"), { ok: true, value: 4.5 });
  assertEquals(parseLoadLimit("12"), { ok: true, value: 12 });
  assertEquals(parseLoadLimit(""), { ok: true, value: undefined });
  for (const text of ["0", "-1", "1e3", "four", "1.", "Infinity"]) {
    const wrong = `bad load: ${text}`;
    const mend = "write a number, as 4.5";
    assertEquals(parseLoadLimit(text), { ok: false, wrong, mend });
  }
});

Deno.test("parsePressureLimits() takes percent of what the kernel tells", () => {
  assertEquals(parsePressureLimits("cpu=40, memory=10 io=0.5"), {
    ok: true,
    value: { cpu: 40, memory: 10, io: 0.5 },
  });
  assertEquals(parsePressureLimits(""), { ok: true, value: {} });
  const mend = "write cpu=40 memory=10 io=50, in percent";
  for (const text of ["irq=1", "cpu", "cpu=", "cpu=0", "cpu=101", "cpu=1=2"]) {
    const wrong = `bad pressure: ${text}`;
    assertEquals(parsePressureLimits(text), { ok: false, wrong, mend });
  }
});

Deno.test("loadIn() and pressureIn() read what the kernel writes", () => {
  assertEquals(loadIn("17.63 5.94 3.00 2/165 19111\n"), 17.63);
  assertEquals(
    pressureIn(
      "some avg10=59.04 avg60=48.78 avg300=27.37 total=3566402947\n" +
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    ),
    59.04,
  );
  assertEquals([loadIn(""), pressureIn("")], [undefined, undefined]);
});

Deno.test("findBusy() finds what stands above its limit, and asks for nothing else", () => {
  const asked: string[] = [];
  const values = { load: 3, cpu: 40, memory: 11, io: 0 };
  const find = (limits: Parameters<typeof findBusy>[0]): unknown =>
    findBusy(limits, (what) => {
      asked.push(what);
      return values[what];
    });
  assertEquals(find({ load: 3, pressures: { cpu: 40 } }), undefined);
  assertEquals(asked, ["load", "cpu"]);
  assertEquals(find({ load: undefined, pressures: { cpu: 40, memory: 10 } }), {
    what: "memory",
    value: 11,
    limit: 10,
  });
  assertEquals(
    findBusy({ load: 1, pressures: {} }, () => undefined),
    undefined,
  );
});
