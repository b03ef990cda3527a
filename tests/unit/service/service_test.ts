import { assertEquals } from "@std/assert";
import type { Command, RunningCommand } from "../../../lib/engine/engine.ts";
import { Service, type ServiceMemory } from "../../../lib/service/service.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeEngine } from "./fake_engine.ts";
import { RecordedLog } from "./recorded_log.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const OWN_PEAK_BYTES = 60 * 2 ** 20;
const SIGTERM = 15;
const SIGKILL = 9;

interface TestOptions {
  readonly timeLimitMs?: number;
  readonly maxProcesses?: number;
  readonly verbose?: boolean;
  readonly isThrottled?: boolean;
  readonly started?: () => void;
  readonly observedRoom?: number;
  readonly logsConnections?: boolean;
}

/** A started service, and all that it touches. Goes with the scope: `using`. */
class TestService implements Disposable {
  readonly clock = new FakeClock();
  readonly engine = new FakeEngine();
  readonly log = new RecordedLog();
  readonly service: Service;

  constructor(
    {
      timeLimitMs = 1000 * SECOND_MS,
      maxProcesses = 0,
      verbose = false,
      isThrottled = false,
      started = () => {},
      observedRoom = Infinity,
      logsConnections = false,
    }: TestOptions = {},
  ) {
    this.service = new Service({
      name: "echo",
      sockets: [],
      command: {
        argv: ["/bin/cat", "-u"],
        environment: [],
        identity: { uid: 1000, gid: 1000 },
      },
      timeLimitMs,
      maxProcesses,
      engine: this.engine,
      log: this.log,
      ...{ verbose, logsConnections },
      ownPeakMemoryBytes: () => OWN_PEAK_BYTES,
      isThrottled,
      observer: { room: observedRoom, started, ended: () => {} },
    });
    this.service.start();
    this.engine.takeAsked();
  }

  /** Starts that many commands. */
  start(count: number): RunningCommand[] {
    return Array.from({ length: count }, () => this.engine.start());
  }

  /** A connection was closed again, since its command cannot be started. */
  notStarted(isShortage = false): void {
    const reason = isShortage
      ? "Resource temporarily unavailable"
      : "No such file or directory";
    this.engine.options.events.notStarted({ reason, isShortage });
  }

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]();
  }
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

Deno.test("a service accepts nothing before it is started", () => {
  using _clock = new FakeClock();
  const engine = new FakeEngine();
  const service = new Service({
    name: "echo",
    sockets: [],
    command: {
      argv: ["/bin/cat"],
      environment: [],
      identity: { uid: 1000, gid: 1000 },
    },
    timeLimitMs: SECOND_MS,
    maxProcesses: 1,
    engine,
    log: new RecordedLog(),
    verbose: false,
    isThrottled: false,
  });
  assertEquals(engine.takeAsked(), []);
  service.start();
  assertEquals(engine.takeAsked(), ["accept"]);
});

Deno.test("a service asks for peers only where it is to report connections", () => {
  using quiet = new TestService();
  assertEquals(quiet.engine.options.peers, false);
  using verbose = new TestService({ verbose: true });
  assertEquals(verbose.engine.options.peers, true);
});

Deno.test("a service leaves clients waiting at its limit, until a command ends", () => {
  using test = new TestService({ maxProcesses: 2 });
  const [first] = test.start(1);
  assertEquals(test.engine.takeAsked(), []);
  const [second] = test.start(1);
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
  assertEquals(test.service.count, 2);
  if (first === undefined || second === undefined) throw new Error("two");
  test.engine.end(second);
  assertEquals(test.engine.takeAsked(), ["accept"]);
  assertEquals(test.service.count, 1);
  test.start(1);
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
});

Deno.test("a service has room for as many commands as its limit leaves", () => {
  using test = new TestService({ maxProcesses: 3, timeLimitMs: SECOND_MS });
  assertEquals(test.service.room, 3);
  const [first] = test.start(2);
  if (first === undefined) throw new Error("two");
  assertEquals(test.service.room, 1);
  test.start(1);
  assertEquals(test.service.room, 0);
  // One whose time is up has its place until it is collected.
  test.clock.advance(SECOND_MS);
  assertEquals(test.service.room, 0);
  test.engine.end(first);
  assertEquals(test.service.room, 1);
});

Deno.test("a service counts a command from its start on, until it ends or does not start", () => {
  using test = new TestService({ maxProcesses: 2 });
  const { command: configured } = test.engine.options;
  const on = (pid: number): RunningCommand => {
    const startedMs = performance.now();
    return { pid, peer: "", startedMs, command: configured };
  };
  const command = on(7);
  test.service.starting(command);
  assertEquals([test.service.count, test.service.room], [1, 1]);
  test.service.started(command);
  assertEquals([test.service.count, test.service.room], [1, 1]);
  const other = on(8);
  test.service.starting(other);
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
  const reason = "No such file or directory";
  test.service.notStarted({ reason, isShortage: false, command: other });
  assertEquals([test.service.count, test.service.room], [1, 1]);
  assertEquals(test.engine.takeAsked(), ["accept"]);
});

Deno.test("a service kills a command that is on its way when its time is up", () => {
  using test = new TestService({ timeLimitMs: SECOND_MS });
  const { command } = test.engine.options;
  const startedMs = performance.now();
  test.service.starting({ pid: 7, peer: "", startedMs, command });
  test.clock.advance(SECOND_MS);
  assertEquals(test.engine.takeAsked(), [`signal 7 ${SIGKILL}`]);
});

Deno.test("a service has no more room than its observer leaves", () => {
  using test = new TestService({ maxProcesses: 10, observedRoom: 2 });
  assertEquals(test.service.room, 2);
  test.start(9);
  assertEquals(test.service.room, 1);
});

Deno.test("a service ended by its observer counts the commands that come with the last", async () => {
  using test = new TestService({
    maxProcesses: 3,
    started: () => void test.service.drain(),
  });
  const commands = test.start(3);
  assertEquals(test.log.lines, []);
  for (const command of commands) {
    assertEquals(await isSettled(test.service.drain()), false);
    test.engine.end(command);
  }
  await test.service.drain();
  assertEquals(test.clock.timers, 0);
});

Deno.test("a service without a limit accepts always", () => {
  using test = new TestService({ maxProcesses: 0 });
  test.start(1000);
  assertEquals(test.service.room, Infinity);
  assertEquals(test.engine.takeAsked(), []);
  assertEquals(test.log.lines, []);
  assertEquals(test.service.count, 1000);
});

const LIMIT_WARNING = 'warning: service echo reached its process limit "2": ' +
  "new clients may experience noticeable delays";

/** For so long a service has to stand at its limit before it warns. */
const NOTICE_MS = 100;

Deno.test("a service warns when it stays at its limit, and once a minute while it does", () => {
  using test = new TestService({ maxProcesses: 2 });
  test.start(2);
  test.clock.advance(NOTICE_MS - 1);
  assertEquals(test.log.lines, []);
  test.clock.advance(1);
  assertEquals(test.log.lines, [LIMIT_WARNING]);
  test.clock.advance(MINUTE_MS - 1);
  assertEquals(test.log.lines.length, 1);
  test.clock.advance(1);
  assertEquals(test.log.lines, [LIMIT_WARNING, LIMIT_WARNING]);
  test.clock.advance(10 * MINUTE_MS);
  assertEquals(test.log.lines.length, 12);
});

Deno.test("a service that goes to its limit and back warns once a minute", () => {
  using test = new TestService({ maxProcesses: 2 });
  test.start(1);
  for (let count = 0; count < 50; count++) {
    const command = test.engine.start();
    test.clock.advance(SECOND_MS);
    test.engine.end(command);
  }
  assertEquals(test.log.lines, [LIMIT_WARNING]);
});

Deno.test("a service whose last command ends at once has nothing to warn of", () => {
  using test = new TestService({ maxProcesses: 2 });
  test.start(1);
  for (let count = 0; count < 50; count++) {
    test.engine.end(test.engine.start());
    test.clock.advance(SECOND_MS);
  }
  assertEquals(test.log.lines, []);
});

Deno.test("a service that has left its limit does not warn until it is there again", () => {
  using test = new TestService({ maxProcesses: 2 });
  test.start(1);
  const command = test.engine.start();
  test.clock.advance(NOTICE_MS);
  test.engine.end(command);
  test.clock.advance(10 * MINUTE_MS);
  assertEquals(test.log.lines, [LIMIT_WARNING]);
  test.start(1);
  test.clock.advance(NOTICE_MS);
  assertEquals(test.log.lines, [LIMIT_WARNING, LIMIT_WARNING]);
});

Deno.test("a service kills a command when its time is up, and counts it until it is collected", () => {
  using test = new TestService({ timeLimitMs: 10 * SECOND_MS });
  const command = test.engine.start();
  test.clock.advance(10 * SECOND_MS - 1);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(1);
  assertEquals(test.engine.takeAsked(), [`signal ${command.pid} ${SIGKILL}`]);
  assertEquals(test.log.lines, [
    `warning: /bin/cat: process id ${command.pid}: ` +
    "command time limit exceeded",
  ]);
  assertEquals(test.service.count, 1);
  test.clock.advance(MINUTE_MS);
  assertEquals(test.engine.takeAsked(), []);

  test.engine.end(command, { kind: "signaled", signal: SIGKILL });
  assertEquals(test.service.count, 0);
  assertEquals(test.log.lines.slice(1), [
    "warning: command /bin/cat killed by signal 9",
  ]);
});

Deno.test("a service kills commands in the order of their starts, each in its time, with one timer", () => {
  using test = new TestService({ timeLimitMs: 10 * SECOND_MS });
  const started: RunningCommand[] = [];
  for (let count = 0; count < 5; count++) {
    started.push(test.engine.start());
    assertEquals(test.clock.timers, 1);
    test.clock.advance(SECOND_MS);
  }
  const [first, second, third, fourth, fifth] = started;
  if (second === undefined) throw new Error("five");
  test.engine.end(second);
  test.engine.takeAsked();

  test.clock.advance(5 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), [`signal ${first?.pid} 9`]);
  assertEquals(test.clock.timers, 1);
  test.clock.advance(SECOND_MS);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(SECOND_MS);
  assertEquals(test.engine.takeAsked(), [`signal ${third?.pid} 9`]);
  test.clock.advance(2 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), [
    `signal ${fourth?.pid} 9`,
    `signal ${fifth?.pid} 9`,
  ]);
  assertEquals(test.clock.timers, 0);
});

Deno.test("a service limits the time of a command that comes after an idle time", () => {
  using test = new TestService({ timeLimitMs: 10 * SECOND_MS });
  test.engine.end(test.engine.start());
  test.clock.advance(MINUTE_MS);
  const late = test.engine.start();
  test.engine.takeAsked();
  test.clock.advance(10 * SECOND_MS - 1);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(1);
  assertEquals(test.engine.takeAsked(), [`signal ${late.pid} 9`]);
});

Deno.test("a service keeps a time limit that is longer than any timer", () => {
  const limitMs = 3000 * 7 * 24 * 60 * MINUTE_MS;
  using test = new TestService({ timeLimitMs: limitMs });
  const command = test.engine.start();
  test.clock.advance(limitMs - 1);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(1);
  assertEquals(test.engine.takeAsked(), [`signal ${command.pid} 9`]);
});

Deno.test("a service reports abnormal ends, and normal ones not at all", () => {
  using test = new TestService();
  const [one, two, three, four] = test.start(4);
  if (!one || !two || !three || !four) throw new Error("four");
  test.engine.end(one);
  assertEquals(test.log.lines, []);
  test.engine.end(two, { kind: "exited", code: 75 });
  test.engine.end(three, { kind: "signaled", signal: 11 });
  test.engine.end(four, { kind: "signaled", signal: 64 });
  assertEquals(test.log.lines, [
    "warning: command /bin/cat exit status 75",
    "warning: command /bin/cat killed by signal 11",
    "warning: command /bin/cat killed by signal 64",
  ]);
});

Deno.test("a verbose service reports each connection, and how it ended", () => {
  using test = new TestService({ verbose: true });
  const one = test.engine.start({ peer: "192.0.2.1:1024" });
  test.clock.advance(1234);
  test.engine.end(one);
  const two = test.engine.start({ peer: "[::1]:2048" });
  test.engine.end(two, { kind: "signaled", signal: 15 });
  assertEquals(test.log.lines, [
    `info: connect from 192.0.2.1:1024: process id ${one.pid}`,
    `info: disconnect from 192.0.2.1:1024: process id ${one.pid}, ` +
    "exit status 0, 1.234 s",
    `info: connect from [::1]:2048: process id ${two.pid}`,
    "warning: command /bin/cat killed by signal 15",
    `info: disconnect from [::1]:2048: process id ${two.pid}, ` +
    "killed by signal 15, 0.000 s",
  ]);
});

Deno.test("a service tells that its command cannot be started, and when it can again", () => {
  using test = new TestService();
  for (let count = 0; count < 100; count++) {
    test.notStarted();
  }
  assertEquals(test.log.lines, [
    "warning: command /bin/cat cannot be started: No such file or directory",
  ]);
  test.engine.start();
  assertEquals(test.log.lines.slice(1), [
    "info: command /bin/cat is started again, after 100 failures",
  ]);
  assertEquals(test.engine.takeAsked(), []);
});

Deno.test("a service goes on after a command that cannot be started, where it is not to throttle", () => {
  using test = new TestService({ isThrottled: false });
  test.notStarted();
  assertEquals(test.engine.takeAsked(), []);
  assertEquals(test.clock.timers, 0);
});

Deno.test("a service that throttles tries one client a second while its command cannot be started", () => {
  using test = new TestService({ isThrottled: true });
  test.notStarted();
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
  test.clock.advance(SECOND_MS - 1);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(1);
  assertEquals(test.engine.takeAsked(), ["accept"]);
  test.notStarted();
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
});

Deno.test("a service that throttles accepts nothing before its time because a command ends", () => {
  using test = new TestService({ isThrottled: true });
  const command = test.engine.start();
  test.notStarted();
  test.engine.takeAsked();
  test.engine.end(command);
  assertEquals(test.engine.takeAsked().filter((word) => word === "accept"), []);
  test.clock.advance(SECOND_MS);
  assertEquals(test.engine.takeAsked(), ["accept"]);
});

Deno.test("a service throttles on while commands start that were accepted before", () => {
  using test = new TestService({ isThrottled: true });
  test.start(1);
  test.notStarted();
  test.start(2);
  assertEquals(test.engine.takeAsked(), ["leave waiting"]);
  test.clock.advance(SECOND_MS);
  assertEquals(test.engine.takeAsked(), ["accept"]);
});

Deno.test("a service at its limit accepts nothing because it no longer throttles", () => {
  using test = new TestService({ isThrottled: true, maxProcesses: 1 });
  test.notStarted();
  const command = test.engine.start();
  test.engine.takeAsked();
  test.clock.advance(SECOND_MS);
  assertEquals(test.engine.takeAsked().filter((word) => word === "accept"), []);
  test.engine.end(command);
  assertEquals(test.engine.takeAsked(), ["accept"]);
});

Deno.test("a service that lacks a process is tried again after a second, whether it throttles or not", () => {
  for (const isThrottled of [false, true]) {
    using test = new TestService({ isThrottled });
    test.notStarted(true);
    assertEquals(test.engine.takeAsked(), ["leave waiting"]);
    test.clock.advance(SECOND_MS - 1);
    assertEquals(test.engine.takeAsked(), []);
    test.clock.advance(1);
    assertEquals(test.engine.takeAsked(), ["accept"]);
  }
});

Deno.test("drain() ends the throttling as well", async () => {
  using test = new TestService({ isThrottled: true });
  test.notStarted();
  test.engine.takeAsked();
  await test.service.drain();
  assertEquals(test.engine.takeAsked(), ["stop listening"]);
  assertEquals(test.clock.timers, 0);
});

Deno.test("a service tells that connections cannot be accepted, and when they can again", () => {
  using test = new TestService();
  for (let count = 0; count < 61; count++) {
    test.engine.options.events.notAccepted("Too many open files");
    test.clock.advance(SECOND_MS);
  }
  const line = "warning: connections cannot be accepted and wait: " +
    "Too many open files";
  assertEquals(test.log.lines, [line, line]);
  test.engine.start();
  assertEquals(test.log.lines.slice(2), [
    "info: connections are accepted again, after 61 failures",
  ]);
});

Deno.test("drain() stops listening and waits for the last command", async () => {
  using test = new TestService({ maxProcesses: 2 });
  const [one, two] = test.start(2);
  if (!one || !two) throw new Error("two");
  test.clock.advance(NOTICE_MS);
  test.engine.takeAsked();
  const drained = test.service.drain();
  assertEquals(test.engine.takeAsked(), ["stop listening"]);
  test.engine.end(one);
  assertEquals(await isSettled(drained), false);
  test.engine.end(two);
  await drained;
  // A free place is for nobody any more, and nobody is warned of the limit.
  assertEquals(test.engine.takeAsked(), []);
  assertEquals(test.log.lines, [LIMIT_WARNING]);
  assertEquals(test.clock.timers, 0);
});

Deno.test("drain() is over at once where no command runs", async () => {
  using test = new TestService();
  await test.service.drain();
  assertEquals(test.engine.takeAsked(), ["stop listening"]);
  await test.service.drain();
  assertEquals(test.engine.takeAsked(), []);
});

Deno.test("drain() leaves the time limit in force", async () => {
  using test = new TestService({ timeLimitMs: 10 * SECOND_MS });
  const command = test.engine.start();
  const drained = test.service.drain();
  test.engine.takeAsked();
  test.clock.advance(10 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), [`signal ${command.pid} 9`]);
  assertEquals(await isSettled(drained), false);
  test.engine.end(command, { kind: "signaled", signal: SIGKILL });
  await drained;
});

Deno.test("drain() warns of the limit no more", () => {
  using test = new TestService({ maxProcesses: 2 });
  test.start(2);
  test.clock.advance(NOTICE_MS);
  void test.service.drain();
  test.clock.advance(2 * MINUTE_MS);
  assertEquals(test.log.lines, [LIMIT_WARNING]);
});

Deno.test("terminate() asks commands to end, and ends them for good after five seconds", async () => {
  using test = new TestService();
  const [one, two] = test.start(2);
  if (!one || !two) throw new Error("two");
  const terminated = test.service.terminate();
  assertEquals(test.engine.takeAsked(), [
    "stop listening",
    "end groups",
    `signal ${one.pid} ${SIGTERM}`,
    `signal ${two.pid} ${SIGTERM}`,
  ]);
  test.engine.end(one, { kind: "signaled", signal: SIGTERM });
  test.clock.advance(5 * SECOND_MS - 1);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(1);
  assertEquals(test.engine.takeAsked(), [`signal ${two.pid} ${SIGKILL}`]);
  assertEquals(await isSettled(terminated), false);
  test.engine.end(two, { kind: "signaled", signal: SIGKILL });
  await terminated;
});

Deno.test("terminate() ends what drain() waits for", async () => {
  using test = new TestService();
  const command = test.engine.start();
  const drained = test.service.drain();
  assertEquals(test.engine.takeAsked(), ["stop listening"]);
  const terminated = test.service.terminate();
  assertEquals(test.engine.takeAsked(), [
    "end groups",
    `signal ${command.pid} ${SIGTERM}`,
  ]);
  void test.service.terminate();
  assertEquals(test.engine.takeAsked(), []);
  test.engine.end(command);
  await Promise.all([drained, terminated]);
});

Deno.test("terminate() signals those as well whose time was up and who are still there", () => {
  using test = new TestService({ timeLimitMs: SECOND_MS });
  const command = test.engine.start();
  test.clock.advance(SECOND_MS);
  test.engine.takeAsked();
  void test.service.terminate();
  assertEquals(test.engine.takeAsked().slice(2), [
    `signal ${command.pid} ${SIGTERM}`,
  ]);
  test.clock.advance(5 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), [`signal ${command.pid} ${SIGKILL}`]);
  assertEquals(test.service.count, 1);
});

const LEFT_MS = 3 * SECOND_MS;

Deno.test("terminate() leaves commands that do not end although they were killed, and tells them", async () => {
  using test = new TestService();
  const [one, two, three] = test.start(3);
  if (!one || !two || !three) throw new Error("three");
  const terminated = test.service.terminate();
  test.clock.advance(5 * SECOND_MS);
  test.engine.end(one, { kind: "signaled", signal: SIGKILL });
  test.clock.advance(LEFT_MS - 1);
  assertEquals(await isSettled(terminated), false);
  test.clock.advance(1);
  await terminated;
  assertEquals(test.log.lines, [
    "warning: command /bin/cat killed by signal 9",
    "warning: killed, but not gone, and left: " +
    `process id ${two.pid}, ${three.pid}`,
  ]);
  assertEquals(test.clock.timers, 0);
});

Deno.test("drain() leaves commands that do not end although their time was up", async () => {
  using test = new TestService({ timeLimitMs: 10 * SECOND_MS });
  const command = test.engine.start();
  test.clock.advance(10 * SECOND_MS);
  const other = test.engine.start();
  const drained = test.service.drain();
  test.clock.advance(LEFT_MS);
  assertEquals(test.service.count, 1);
  test.clock.advance(10 * SECOND_MS - 1);
  assertEquals(await isSettled(drained), false);
  test.clock.advance(1);
  await drained;
  assertEquals(
    test.log.lines.filter((line) => line.includes("left")),
    [command, other].map(({ pid }) =>
      `warning: killed, but not gone, and left: process id ${pid}`
    ),
  );
});

const FORMER: Command = {
  argv: ["/bin/sleep"],
  environment: [],
  identity: { uid: 2000, gid: 2000 },
};

function former(pid: number, startedMs: number): RunningCommand {
  return { pid, peer: "192.0.2.1:1024", startedMs, command: FORMER };
}

/** A service, not started, that goes on where another was. */
function resumed(
  test: TestService,
  memory: Partial<ServiceMemory>,
): Service {
  const service = new Service({
    name: "echo",
    sockets: [],
    command: {
      argv: ["/bin/cat"],
      environment: [],
      identity: { uid: 1000, gid: 1000 },
    },
    timeLimitMs: 10 * SECOND_MS,
    maxProcesses: 2,
    engine: test.engine,
    log: test.log,
    verbose: true,
    isThrottled: false,
  });
  service.resume({
    commands: [],
    waiting: [],
    startFailures: 0,
    acceptFailures: 0,
    ...memory,
  });
  return service;
}

Deno.test("a service counts commands that it takes over, and reports them as what they are", () => {
  using test = new TestService();
  const running = former(7, test.clock.nowMs - 1500);
  const other = former(8, test.clock.nowMs);
  const service = resumed(test, {
    commands: [
      { running, limitMs: MINUTE_MS, isKilled: false },
      { running: other, limitMs: MINUTE_MS, isKilled: true },
    ],
  });
  assertEquals(service.count, 2);
  service.start();
  assertEquals(test.engine.takeAsked(), [
    "adopt 7",
    "adopt 8",
    "leave waiting",
  ]);
  test.engine.end(running, { kind: "exited", code: 3 });
  assertEquals(test.engine.takeAsked(), ["accept"]);
  assertEquals(test.log.lines, [
    "warning: command /bin/sleep exit status 3",
    "info: disconnect from 192.0.2.1:1024: process id 7, exit status 3, 1.500 s",
  ]);
  assertEquals(service.count, 1);
});

Deno.test("a service that has become verbose tells no end of a connection that it did not tell", () => {
  using test = new TestService();
  const running = { ...former(7, test.clock.nowMs), peer: "" };
  const service = resumed(test, {
    commands: [{ running, limitMs: MINUTE_MS, isKilled: false }],
  });
  test.engine.end(running, { kind: "exited", code: 3 });
  assertEquals(test.log.lines, ["warning: command /bin/sleep exit status 3"]);
  assertEquals(service.count, 0);
});

Deno.test("a command that was taken over keeps its own time limit, counted from its start", () => {
  using test = new TestService();
  const running = former(7, test.clock.nowMs - 55 * SECOND_MS);
  resumed(test, {
    commands: [{ running, limitMs: MINUTE_MS, isKilled: false }],
  }).start();
  const own = test.engine.start();
  test.engine.takeAsked();
  test.clock.advance(5 * SECOND_MS - 1);
  assertEquals(test.engine.takeAsked(), []);
  test.clock.advance(1);
  assertEquals(test.engine.takeAsked(), [`signal 7 ${SIGKILL}`]);
  test.clock.advance(5 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), [`signal ${own.pid} ${SIGKILL}`]);
});

Deno.test("a command whose time was up before it was taken over is not told of again", () => {
  using test = new TestService();
  const running = former(7, test.clock.nowMs - MINUTE_MS);
  const service = resumed(test, {
    commands: [{ running, limitMs: SECOND_MS, isKilled: true }],
  });
  service.start();
  test.clock.advance(MINUTE_MS);
  assertEquals(test.log.lines, []);
  assertEquals(service.count, 1);
});

Deno.test("a service remembers its commands with their limits, for who goes on in its place", () => {
  using test = new TestService({ timeLimitMs: SECOND_MS });
  const killed = test.engine.start();
  test.clock.advance(SECOND_MS);
  const running = test.engine.start();
  test.notStarted();
  const { counters: _, ...memory } = test.service.memory;
  assertEquals(memory, {
    commands: [
      { running, limitMs: SECOND_MS, isKilled: false },
      { running: killed, limitMs: SECOND_MS, isKilled: true },
    ],
    startFailures: 1,
    acceptFailures: 0,
    waiting: [],
  });
});

Deno.test("a service tells the end of a fault that began before it was taken over", () => {
  using test = new TestService();
  resumed(test, { startFailures: 3 }).start();
  test.engine.start();
  assertEquals(test.log.lines.slice(0, 1), [
    "info: command /bin/cat is started again, after 3 failures",
  ]);
});

Deno.test("a service counts what becomes of its connections, also of those before it was taken over", () => {
  using test = new TestService({ timeLimitMs: SECOND_MS });
  const counters = () => {
    const { sinceMs: _, ...counted } = test.service.counters.totals;
    return counted;
  };
  const [well, badly, late] = test.start(3);
  if (!well || !badly || !late) throw new Error("three were started");
  test.engine.end(
    Object.assign(well, { usage: { processorMs: 2, peakMemoryBytes: 0 } }),
  );
  test.engine.end(badly, { kind: "signaled", signal: 11 });
  test.clock.advance(SECOND_MS);
  test.engine.end(late, { kind: "signaled", signal: SIGKILL });
  test.notStarted();
  const counted = {
    ...{ connections: 3, notStarted: 1, failed: 2, timedOut: 1 },
    ...{ endedByHand: 0, processorMs: 2, refused: {} },
  };
  assertEquals(counters(), counted);
  const { counters: before } = test.service.memory;
  const next = resumed(test, { counters: before });
  assertEquals(next.counters.record, before);
});

Deno.test("a service ends by hand what is meant, politely and then for good", () => {
  using test = new TestService();
  const [first, second, third] = test.start(3);
  if (!first || !second || !third) throw new Error("three were started");
  test.engine.takeAsked();
  const meant = [first.pid, second.pid];
  const ended = test.service.endByHand(({ pid }) => meant.includes(pid));
  assertEquals(ended.map(({ pid }) => pid), meant);
  assertEquals(test.engine.takeAsked(), [
    `signal ${first.pid} ${SIGTERM}`,
    `signal ${second.pid} ${SIGTERM}`,
  ]);
  // It has ended, and its process id may be anybody's by then.
  test.engine.end(first);
  test.engine.takeAsked();
  test.clock.advance(5 * SECOND_MS);
  assertEquals(test.engine.takeAsked(), [`signal ${second.pid} ${SIGKILL}`]);
  assertEquals(test.service.count, 2);
  assertEquals(test.service.endByHand(() => false), []);
  assertEquals(test.service.counters.record.endedByHand, 2);
});

Deno.test("a service tells of each connection what it took, where that is wanted", () => {
  using test = new TestService({ logsConnections: true });
  const [small, large, unknown] = test.start(3);
  if (!small || !large || !unknown) throw new Error("three were started");
  const origin = "192.0.2.1:1024";
  test.clock.advance(1500);
  const used = (peakMemoryBytes: number) => ({
    usage: { processorMs: 12, peakMemoryBytes },
  });
  test.engine.end(Object.assign(small, { origin, ...used(OWN_PEAK_BYTES) }));
  test.engine.end(
    Object.assign(large, { origin, ...used(OWN_PEAK_BYTES + 1024) }),
  );
  test.engine.end(unknown, { kind: "unknown" });
  assertEquals(test.log.lines, [
    `info: connection from ${origin}: process id ${small.pid}, ` +
    "exit status 0, 1.500 s, processor 0.012 s",
    `info: connection from ${origin}: process id ${large.pid}, ` +
    "exit status 0, 1.500 s, processor 0.012 s, memory 61441 KiB",
    "warning: command /bin/cat exit status unknown",
    `info: connection: process id ${unknown.pid}, exit status unknown, 1.500 s`,
  ]);
  assertEquals(test.log.records[1]?.fields, {
    ...{ peer: origin, pid: large.pid, seconds: 1.5 },
    ...{ kind: "exited", code: 0, processorSeconds: 0.012 },
    peakMemoryBytes: OWN_PEAK_BYTES + 1024,
  });
});
