import { assertEquals } from "@std/assert";
import { parsePathAccess } from "../../../../lib/config/surroundings/paths.ts";
import {
  parseCpus,
  parseIoPriority,
  parseNice,
} from "../../../../lib/config/surroundings/scheduling.ts";

function wrong(taken: object): string | undefined {
  return "wrong" in taken ? String(taken.wrong) : undefined;
}

Deno.test("parseNice() reads what nice(1) takes and nothing else", () => {
  assertEquals(parseNice("-20"), { ok: true, value: -20 });
  assertEquals(parseNice("+19"), { ok: true, value: 19 });
  assertEquals(parseNice("-0"), { ok: true, value: 0 });
  for (const text of ["20", "-21", "", "5.5", "x", "1e1"]) {
    assertEquals(wrong(parseNice(text)), `bad nice value: ${text}`);
  }
});

Deno.test("parseIoPriority() reads ionice(1)'s classes and nothing else", () => {
  assertEquals(parseIoPriority("idle"), {
    ok: true,
    value: { class: "idle", level: 0 },
  });
  assertEquals(parseIoPriority("best-effort"), {
    ok: true,
    value: { class: "best-effort", level: 4 },
  });
  assertEquals(parseIoPriority("realtime:0"), {
    ok: true,
    value: { class: "realtime", level: 0 },
  });
  for (
    const text of ["", "fast", "idle:1", "realtime:8", "realtime:", "idle:"]
  ) {
    assertEquals(
      wrong(parseIoPriority(text)),
      `bad priority of input and output: ${text}`,
    );
  }
});

Deno.test("parseCpus() reads taskset(1)'s lists and nothing else", () => {
  assertEquals(parseCpus("0-2,5 1"), { ok: true, value: [0, 1, 2, 5] });
  for (const text of ["a", "3-1", "1-", "-1", "9999", "0-8192", "0:2"]) {
    assertEquals(wrong(parseCpus(text)), `bad list of processors: ${text}`);
  }
});

Deno.test("parsePathAccess() reads what may be read and what may be written", () => {
  assertEquals(parsePathAccess("read=/usr, write=/srv/a=b"), {
    ok: true,
    value: [
      { access: "read", path: "/usr" },
      { access: "write", path: "/srv/a=b" },
    ],
  });
  for (const text of ["/usr", "read=usr", "exec=/usr", "read=", "READ=/"]) {
    assertEquals(
      wrong(parsePathAccess(text)),
      `bad path to read or write: ${text}`,
    );
  }
});
