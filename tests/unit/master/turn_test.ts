import { assertEquals } from "@std/assert";
import {
  Turn,
  type TurnEnd,
  type TurnOptions,
} from "../../../lib/master/turn.ts";
import { FakeClock } from "../service/fake_clock.ts";

const SECOND_MS = 1000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;

/** A turn and why it is over, once it is. Goes with the scope: `using`. */
class TestTurn implements Disposable {
  readonly clock = new FakeClock();
  readonly ends: TurnEnd[] = [];
  readonly turn: Turn;

  constructor(options: Partial<TurnOptions> = {}) {
    this.turn = new Turn({
      connections: 0,
      idleMs: 0,
      retireMs: undefined,
      over: (why) => this.ends.push(why),
      now: () => this.clock.nowMs,
      ...options,
    });
  }

  /** Connections that come and go, for as long each. */
  serve(count: number, durationMs = 0): void {
    for (; count > 0; count--) {
      this.turn.started();
      this.clock.advance(durationMs);
      this.turn.ended();
    }
  }

  [Symbol.dispose](): void {
    this.clock[Symbol.dispose]();
  }
}

Deno.test("a turn without limits is never over", () => {
  using test = new TestTurn();
  test.serve(1000);
  assertEquals(test.turn.room, Infinity);
  test.clock.advance(100 * DAY_MS);
  assertEquals(test.ends, []);
  assertEquals(test.clock.timers, 0);
});

Deno.test("a turn is over after a time without a connection", () => {
  using test = new TestTurn({ idleMs: 100 * SECOND_MS });
  test.clock.advance(99 * SECOND_MS);
  test.serve(1);
  test.clock.advance(99 * SECOND_MS);
  assertEquals(test.ends, []);
  test.clock.advance(SECOND_MS);
  assertEquals(test.ends, ["idle"]);
  test.clock.advance(DAY_MS);
  assertEquals(test.ends, ["idle"]);
});

Deno.test("a turn is not idle while a command runs, however long", () => {
  using test = new TestTurn({ idleMs: 100 * SECOND_MS });
  test.turn.started();
  test.clock.advance(DAY_MS);
  assertEquals(test.ends, []);
  test.turn.ended();
  test.clock.advance(99 * SECOND_MS);
  assertEquals(test.ends, []);
  test.clock.advance(101 * SECOND_MS);
  assertEquals(test.ends, ["idle"]);
});

Deno.test("a turn that has served enough is over when no command runs", () => {
  using test = new TestTurn({ connections: 4 });
  test.serve(3);
  assertEquals(test.ends, []);
  test.turn.started();
  test.serve(2);
  assertEquals(test.ends, []);
  test.turn.ended();
  assertEquals(test.ends, ["served"]);
});

Deno.test("a turn that has served twice as many is over at once", () => {
  using test = new TestTurn({ connections: 4 });
  test.turn.started();
  test.serve(6);
  assertEquals([test.turn.room, test.ends], [1, []]);
  test.turn.started();
  assertEquals([test.turn.room, test.ends], [0, ["overdue"]]);
  test.turn.ended();
  test.turn.ended();
  assertEquals(test.ends, ["overdue"]);
});

Deno.test("a turn retires after a time, when no command runs", () => {
  using idle = new TestTurn({ retireMs: 10 * SECOND_MS });
  idle.clock.advance(10 * SECOND_MS);
  assertEquals(idle.ends, ["retired"]);
  using busy = new TestTurn({ retireMs: 10 * SECOND_MS, idleMs: DAY_MS });
  busy.serve(3, 3 * SECOND_MS);
  assertEquals(busy.ends, []);
  busy.turn.started();
  busy.clock.advance(DAY_MS);
  assertEquals(busy.ends, []);
  busy.turn.ended();
  assertEquals(busy.ends, ["retired"]);
});

Deno.test("a turn that is left is over at the first moment without a command", () => {
  using idle = new TestTurn();
  idle.turn.leave();
  assertEquals(idle.ends, ["disconnect"]);
  using busy = new TestTurn({ connections: 2 });
  busy.turn.started();
  busy.turn.leave();
  busy.serve(10);
  assertEquals(busy.ends, []);
  busy.turn.ended();
  assertEquals(busy.ends, ["disconnect"]);
});

Deno.test("a turn keeps a time that is longer than any timer", () => {
  using test = new TestTurn({ idleMs: 50 * DAY_MS });
  test.clock.advance(49 * DAY_MS);
  assertEquals(test.ends, []);
  test.clock.advance(DAY_MS);
  assertEquals(test.ends, ["idle"]);
});
