import { assertEquals } from "@std/assert";
import { Fault } from "../../../lib/service/fault.ts";
import { RecordedLog } from "./recorded_log.ts";

/** A fault of a test, with a clock that stands at the time of starting up. */
class TestFault {
  readonly #log = new RecordedLog();
  nowMs = 0;
  readonly fault = new Fault({
    log: this.#log,
    event: "start-failed",
    text: (reason) => `cannot: ${reason}`,
    over: (count) => `can again, after ${count}`,
    now: () => this.nowMs,
  });

  /** What was logged since the last call. */
  told(): string[] {
    return this.#log.records.splice(0).map(({ level, event, text }) =>
      `${level} ${event}: ${text}`
    );
  }
}

const SECOND_MS = 1000;

Deno.test("Fault.met() tells a fault when it begins", () => {
  const test = new TestFault();
  test.fault.met("missing");
  assertEquals(test.told(), ["warning start-failed: cannot: missing"]);
});

Deno.test("Fault.met() tells a fault when it begins, also without words for it", () => {
  const test = new TestFault();
  test.fault.met("");
  assertEquals(test.told(), ["warning start-failed: cannot: "]);
});

Deno.test("Fault.met() tells a fault that lasts once a minute, however often it is met", () => {
  const test = new TestFault();
  test.fault.met("missing");
  test.told();
  for (let count = 0; count < 59; count++) {
    test.nowMs += SECOND_MS;
    test.fault.met("missing");
    test.fault.met("missing");
  }
  assertEquals(test.told(), []);
  test.nowMs += SECOND_MS;
  test.fault.met("missing");
  test.fault.met("missing");
  assertEquals(test.told(), ["warning start-failed: cannot: missing"]);
  test.nowMs += 59 * SECOND_MS;
  test.fault.met("missing");
  assertEquals(test.told(), []);
});

Deno.test("Fault.met() tells a new reason at once", () => {
  const test = new TestFault();
  test.fault.met("missing");
  test.fault.met("not executable");
  assertEquals(test.told(), [
    "warning start-failed: cannot: missing",
    "warning start-failed: cannot: not executable",
  ]);
});

Deno.test("Fault.over() tells how often the fault was met", () => {
  const test = new TestFault();
  for (let count = 0; count < 3; count++) test.fault.met("missing");
  test.told();
  test.fault.over();
  assertEquals(test.told(), [
    "info start-failed-over: can again, after 3",
  ]);
});

Deno.test("Fault.over() tells nothing where there was no fault, and nothing twice", () => {
  const test = new TestFault();
  test.fault.over();
  assertEquals(test.told(), []);
  test.fault.met("missing");
  test.fault.over();
  test.told();
  test.fault.over();
  assertEquals(test.told(), []);
});

Deno.test("Fault.met() keeps quiet of a fault that comes and goes within a minute", () => {
  const test = new TestFault();
  for (let time = 0; time < 3; time++) {
    test.fault.met("missing");
    test.fault.over();
  }
  assertEquals(test.told(), [
    "warning start-failed: cannot: missing",
    "info start-failed-over: can again, after 1",
  ]);
});

Deno.test("Fault.met() tells a fault anew, and counts it anew, a minute later", () => {
  const test = new TestFault();
  test.fault.met("missing");
  test.fault.over();
  test.told();
  test.nowMs += 60 * SECOND_MS;
  test.fault.met("missing");
  test.fault.over();
  assertEquals(test.told(), [
    "warning start-failed: cannot: missing",
    "info start-failed-over: can again, after 1",
  ]);
});
