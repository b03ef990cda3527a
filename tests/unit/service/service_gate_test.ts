import { assertEquals } from "@std/assert";
import type { AdmissionRules } from "../../../lib/admission/admission.ts";
import { compileClientTable } from "../../../lib/admission/client_table.ts";
import type { Client } from "../../../lib/posix/client.ts";
import { MachineReadings } from "../../../lib/service/machine_readings.ts";
import { Service } from "../../../lib/service/service.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeEngine } from "./fake_engine.ts";
import { RecordedLog } from "./recorded_log.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

const NO_RULES: AdmissionRules = {
  clients: undefined,
  clientConnections: 0,
  clientRate: 0,
  serviceRate: 0,
  rateUnitMs: MINUTE_MS,
  clientsRemembered: 100,
  prefixLengths: { inet4: 32, inet6: 64 },
  accessTimes: [],
  busyLimits: { load: undefined, pressures: {} },
  peers: undefined,
  proxies: undefined,
};

/** Readings that a test makes up. */
class FakeReadings extends MachineReadings {
  load = 0;

  override valueOf(): number {
    return this.load;
  }
}

/** A started service behind a gate. Goes with the scope: `using`. */
class Guarded implements Disposable {
  readonly clock = new FakeClock();
  readonly engine = new FakeEngine();
  readonly log = new RecordedLog();
  readonly readings = new FakeReadings();
  readonly service: Service;

  constructor(rules: Partial<AdmissionRules>) {
    this.service = new Service({
      name: "echo",
      sockets: [],
      command: {
        argv: ["/bin/cat"],
        environment: [],
        identity: { uid: 1000, gid: 1000 },
      },
      timeLimitMs: 1000 * SECOND_MS,
      maxProcesses: 0,
      engine: this.engine,
      log: this.log,
      verbose: false,
      isThrottled: false,
      rules: { ...NO_RULES, ...rules },
      readings: this.readings,
    });
    this.service.start();
    this.engine.takeAsked();
  }

  get gate(): NonNullable<FakeEngine["options"]["gate"]> {
    const { gate } = this.engine.options;
    if (gate === undefined) throw new Error("there is no gate");
    return gate;
  }

  /** Whether a client is admitted. */
  admits(client: Client): boolean {
    return this.gate.admit(client) !== undefined;
  }

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]();
  }
}

function inet(last: number): Client {
  return { kind: "inet", address: [0xc0000200 + last], port: 4711 };
}

Deno.test("a service gives a client's count back however its command ends", () => {
  using test = new Guarded({ clientConnections: 1 });
  const client = inet(1);
  assertEquals([test.admits(client), test.admits(client)], [true, false]);
  const first = test.engine.start({ client });
  assertEquals(test.admits(client), false);
  test.engine.end(first, { kind: "signaled", signal: 9 });
  assertEquals([test.admits(client), test.admits(client)], [true, false]);

  const { events } = test.engine.options;
  const reason = "No such file or directory";
  // It was not even begun to be started.
  events.notStarted({ reason, isShortage: false, client });
  assertEquals([test.admits(client), test.admits(client)], [true, false]);
  // It has come to be a child, but no command.
  const command = { ...first, pid: 4711 };
  events.starting(command);
  events.notStarted({ reason, isShortage: true, command });
  assertEquals([test.admits(client), test.admits(client)], [true, false]);
});

Deno.test("a service gives a count back when its command is killed for its time", () => {
  using test = new Guarded({ clientConnections: 1 });
  assertEquals(test.admits(inet(1)), true);
  const command = test.engine.start({ client: inet(1) });
  test.clock.advance(1000 * SECOND_MS);
  assertEquals(
    test.engine.takeAsked().includes(`signal ${command.pid} 9`),
    true,
  );
  assertEquals(test.admits(inet(1)), false);
  test.engine.end(command, { kind: "signaled", signal: 9 });
  assertEquals(test.admits(inet(1)), true);
});

Deno.test("a service counts the clients of commands that it takes over", () => {
  using former = new Guarded({ clientConnections: 2 });
  former.admits(inet(1));
  former.engine.start({ client: inet(1) });
  former.engine.waiting = [{ fd: 9, proxy: inet(7), sinceMs: 1 }];
  using test = new Guarded({ clientConnections: 2 });
  test.service.resume(former.service.memory);
  assertEquals(test.engine.takeAsked(), ["adopt 101", "adopt waiting 9"]);
  assertEquals([test.admits(inet(1)), test.admits(inet(1))], [true, false]);
});

Deno.test("a service tells once a minute of a client and a reason that it was refused", () => {
  using test = new Guarded({ clients: compileClientTable([]), clientRate: 1 });
  for (let count = 0; count < 5; count++) test.admits(inet(1));
  test.admits(inet(2));
  test.clock.advance(MINUTE_MS);
  assertEquals(test.log.lines, [
    "warning: refused 192.0.2.1: not in spawnd_clients",
    "warning: refused 192.0.2.2: not in spawnd_clients",
    "warning: refused 192.0.2.1 4 more times: not in spawnd_clients",
  ]);
  assertEquals(test.log.records[2]?.fields, {
    reason: "not-allowed",
    client: "192.0.2.1",
    count: 4,
  });
  assertEquals(test.service.counters.record.refused, { "not-allowed": 6 });
  test.clock.advance(10 * MINUTE_MS);
  assertEquals([test.log.lines.length, test.clock.timers], [3, 0]);
});

Deno.test("a service tells at its end whom it has refused and not told of", () => {
  using test = new Guarded({ clientConnections: 1 });
  for (let count = 0; count < 3; count++) test.admits(inet(1));
  void test.service.drain();
  assertEquals(test.log.lines, [
    "warning: refused 192.0.2.1: more than 1 connections at once",
    "warning: refused 192.0.2.1 once more: more than 1 connections at once",
  ]);
  assertEquals(test.clock.timers, 0);
});

Deno.test("a service above its rate leaves its queue alone, and goes on by itself", () => {
  using test = new Guarded({ serviceRate: 2 });
  assertEquals(test.gate.room(), 2);
  test.admits(inet(1));
  assertEquals(test.gate.room(), 1);
  test.admits(inet(2));
  assertEquals(test.engine.takeAsked(), []);
  assertEquals(test.gate.room(), 0);
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
  test.clock.advance(MINUTE_MS - SECOND_MS);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(4 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), ["accept"]);
  assertEquals(test.gate.room(), 2);
  assertEquals(test.log.lines, [
    "warning: connections wait: 2 were taken within 60 s, " +
    "as many as spawnd_connection_rate_limit allows",
    "info: connections are taken again",
  ]);
  assertEquals(test.clock.timers, 0);
});

Deno.test("a service rests while the machine is busy, and looks again each second", () => {
  using test = new Guarded({ busyLimits: { load: 4, pressures: {} } });
  assertEquals(test.gate.room(), Infinity);
  test.readings.load = 4.5;
  test.clock.advance(SECOND_MS);
  assertEquals(test.gate.room(), 0);
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
  test.clock.advance(90 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), []);
  test.readings.load = 4;
  test.clock.advance(SECOND_MS);
  assertEquals(test.engine.takeAsked(), ["accept"]);
  const wait = "warning: connections wait: the load is above 4, " +
    "which is spawnd_load_limit";
  assertEquals(test.log.lines, [
    wait,
    wait,
    "info: connections are taken again",
  ]);
});

Deno.test("a service out of its hours rests until they begin", () => {
  using test = new Guarded({
    accessTimes: [{ days: [3], startMinute: 8 * 60, endMinute: 9 * 60 }],
  });
  const { now } = Date;
  // A Wednesday, in whatever time zone the tests run.
  const noonMs = new Date(2026, 10, 25, 7, 58, 30).getTime();
  const start = performance.now();
  Date.now = () => noonMs + performance.now() - start;
  try {
    assertEquals(test.gate.room(), 0);
    assertEquals(test.engine.takeAsked(), ["leave waiting"]);
    test.clock.advance(89 * SECOND_MS);
    assertEquals(test.engine.takeAsked(), []);
    test.clock.advance(SECOND_MS);
    assertEquals(test.engine.takeAsked(), ["accept"]);
    assertEquals(test.gate.room(), Infinity);
    test.clock.advance(60 * MINUTE_MS);
    assertEquals(test.gate.room(), 0);
  } finally {
    Date.now = now;
  }
});

Deno.test("a service that rests does not accept since a command has ended", () => {
  using test = new Guarded({ serviceRate: 1 });
  test.admits(inet(1));
  const command = test.engine.start({ client: inet(1) });
  assertEquals(test.gate.room(), 0);
  test.engine.takeAsked();
  test.engine.end(command);
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
});

Deno.test("a service that drains waits for those whose proxy has said nothing yet", async () => {
  using test = new Guarded({});
  test.engine.waiting = [{ fd: 9, proxy: inet(1), sinceMs: 0 }];
  let isOver = false;
  const over = test.service.drain().then(() => isOver = true);
  await Promise.resolve();
  assertEquals(isOver, false);
  test.engine.waiting = [];
  test.engine.options.events.noneWaiting();
  await over;
  assertEquals(isOver, true);
});
