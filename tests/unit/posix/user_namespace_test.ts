import { assertEquals } from "@std/assert";
import type { Libc } from "../../../lib/posix/libc.ts";
import { unmappedIds } from "../../../lib/posix/user_namespace.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

/** A C library that opens other files in the place of the kernel's maps. */
function withMaps(scratch: Scratch, maps: Record<string, string>): Libc {
  const open: Libc["c"]["open"] = (path, ...rest) => {
    const name = new TextDecoder().decode(path as Uint8Array).slice(0, -1);
    const map = maps[name];
    if (map === undefined) return -1;
    const file = scratch.file(name.replaceAll("/", "-"), map);
    return libc.c.open(new TextEncoder().encode(`${file}\0`), ...rest);
  };
  return { ...libc, c: { ...libc.c, open } };
}

Deno.test("unmappedIds() finds every id where the tests run", () => {
  assertEquals(unmappedIds(libc, { uid: 0, gid: 65534 }), undefined);
});

Deno.test("unmappedIds() names the ids that are in no row of the maps", () => {
  using scratch = new Scratch();
  const small = withMaps(scratch, {
    "/proc/self/uid_map":
      "         0       1000          1\n        10     100000          5\n",
    "/proc/self/gid_map": "         0       1000          1\n",
  });
  for (
    const [uid, gid, unmapped] of [
      [0, 0, undefined],
      [10, 0, undefined],
      [14, 0, undefined],
      [9, 0, "user id 9"],
      [15, 0, "user id 15"],
      [0, 1, "group id 1"],
      [1, 1, "user id 1 and group id 1"],
    ] as const
  ) assertEquals(unmappedIds(small, { uid, gid }), unmapped, `${uid}:${gid}`);
});

Deno.test("unmappedIds() finds every id where the kernel does not tell", () => {
  using scratch = new Scratch();
  const silent = withMaps(scratch, {});
  assertEquals(unmappedIds(silent, { uid: 9, gid: 9 }), undefined);
});
