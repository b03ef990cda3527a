import { assertEquals } from "@std/assert";
import { planUndo } from "../../../../lib/cli/install_postfix/undo.ts";
import type { MasterLine } from "../../../../lib/cli/install_postfix/postconf.ts";

const entry = (name: string): {
  service: string;
  before: string;
  after: string;
} => ({
  service: `${name}/unix`,
  before: `spawn user=nobody argv=/bin/${name}`,
  after: `spawnd user=nobody argv=/bin/${name}`,
});

const STATE = { entries: [entry("one"), entry("two")] };

/** An entry as it is put back. */
const back = (name: string): unknown => ({
  service: `${name}/unix`,
  fields: `${name} unix - n n - 7`,
  command: entry(name).before,
});

/** The entries now, one field changed since. */
function linesOf(one: string, two: string): ReadonlyMap<string, MasterLine> {
  const line = (name: string, command: string): [string, MasterLine] => [
    `${name}/unix`,
    { fields: `${name} unix - n n - 7`, command },
  ];
  return new Map([line("one", one), line("two", two), line("smtp", "smtpd")]);
}

Deno.test("planUndo() puts back what is as it was left", () => {
  const now = linesOf(entry("one").after, entry("two").after);
  assertEquals(planUndo(STATE, now, []), {
    ok: true,
    value: {
      back: [back("one"), back("two")],
      left: [],
      others: [],
      users: [],
    },
  });
});

Deno.test("planUndo() leaves what others have changed, and its program", () => {
  const changed = "spawnd user=nobody argv=/bin/three";
  assertEquals(planUndo(STATE, linesOf(entry("one").after, changed), []), {
    ok: true,
    value: {
      back: [back("one")],
      left: [{ service: "two/unix", now: changed }],
      others: [],
      users: ["two/unix"],
    },
  });
});

Deno.test("planUndo() has nothing to say of what is put back already", () => {
  const now = linesOf(entry("one").before, entry("two").before);
  assertEquals(planUndo(STATE, now, []), {
    ok: true,
    value: { back: [], left: [], others: [], users: [] },
  });
});

Deno.test("planUndo() leaves what has gone from master.cf", () => {
  assertEquals(planUndo({ entries: [entry("one")] }, new Map(), []), {
    ok: true,
    value: {
      back: [],
      left: [{ service: "one/unix", now: undefined }],
      others: [],
      users: [],
    },
  });
});

Deno.test("planUndo() takes services alone, and knows which were changed", () => {
  const now = linesOf(entry("one").after, entry("two").after);
  assertEquals(planUndo(STATE, now, ["two/unix"]), {
    ok: true,
    value: {
      back: [back("two")],
      left: [],
      others: [entry("one")],
      users: ["one/unix"],
    },
  });
  const unknown = planUndo(STATE, now, ["tow/unix"]);
  assertEquals(
    !unknown.ok && [unknown.mistake.text, unknown.mistake.mend],
    ["nothing was changed of tow/unix", "did you mean two/unix?"],
  );
});
