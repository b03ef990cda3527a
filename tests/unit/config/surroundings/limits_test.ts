import { assertEquals } from "@std/assert";
import { parseLimits } from "../../../../lib/config/surroundings/limits.ts";

Deno.test("parseLimits() reads what an administrator of xinetd or systemd would write", () => {
  const text = "nofile=64 nproc=20, as=256M cpu=60\tcore=0 fsize=1G stack=8M " +
    "memlock=64K";
  assertEquals(parseLimits(text), {
    ok: true,
    value: [
      { resource: "nofile", soft: 64, hard: 64 },
      { resource: "nproc", soft: 20, hard: 20 },
      { resource: "as", soft: 268435456, hard: 268435456 },
      { resource: "cpu", soft: 60, hard: 60 },
      { resource: "core", soft: 0, hard: 0 },
      { resource: "fsize", soft: 1073741824, hard: 1073741824 },
      { resource: "stack", soft: 8388608, hard: 8388608 },
      { resource: "memlock", soft: 65536, hard: 65536 },
    ],
  });
});

Deno.test("parseLimits() reads soft and hard limits, and none at all", () => {
  assertEquals(parseLimits("cpu=1m:infinity core=0:unlimited"), {
    ok: true,
    value: [
      { resource: "cpu", soft: 60, hard: "infinity" },
      { resource: "core", soft: 0, hard: "infinity" },
    ],
  });
  assertEquals(parseLimits(" "), { ok: true, value: [] });
});

const WRONG: readonly (readonly [text: string, wrong: string, mend: RegExp])[] =
  [
    ["nofiles=1", "unknown limit: nofiles", /^did you mean nofile\?$/],
    ["xyzzy=1G", "unknown limit: xyzzy", /^there are cpu, fsize, /],
    ["nofile", "bad limit: nofile", /^write nofile=LIMIT or nofile=SOFT:HARD/],
    ["nofile=", "bad limit: nofile=", /whole number, or infinity$/],
    ["nofile=64K", "bad limit: nofile=64K", /whole number, or infinity$/],
    ["as=1X", "bad limit: as=1X", /with K, M, G, T or none, or infinity$/],
    ["as=1MB", "bad limit: as=1MB", /with K, M, G, T/],
    ["as=-1", "bad limit: as=-1", /whole number/],
    ["as=99999999T", "bad limit: as=99999999T", /whole number/],
    ["cpu=1:2:3", "bad limit: cpu=1:2:3", /with s, m, h, d or none/],
    ["cpu=:5", "bad limit: cpu=:5", /SOFT:HARD/],
    ["cpu=9:5", "bad limit: cpu=9:5", /^the soft limit comes first/],
    ["cpu=infinity:5", "bad limit: cpu=infinity:5", /not above the hard one/],
    ["nofile=2", "bad limit: nofile=2", /3 descriptors to begin with/],
    ["cpu=1 cpu=2", "cpu is limited twice", /leave one out/],
    ["constructor=1", "unknown limit: constructor", /./],
  ];

for (const [text, wrong, mend] of WRONG) {
  Deno.test(`parseLimits() refuses ${text}, and says what to write`, () => {
    const taken = parseLimits(text);
    if (taken.ok) throw new Error("it was taken");
    assertEquals(taken.wrong, wrong);
    assertEquals(mend.test(taken.mend), true, taken.mend);
  });
}
