import { assertEquals } from "@std/assert";
import type { ListeningSocket } from "../../../lib/net/listening.ts";
import { partsOf } from "../../../lib/service/parts.ts";

const SOCKETS: readonly ListeningSocket[] = ["[::1]:69", "127.0.0.1:69"]
  .map((address) => ({ address, source: { fd: -1 }, close: () => {} }));

Deno.test("a service is one part with all its sockets", () => {
  assertEquals(partsOf({ id: "a", waits: false }, SOCKETS), [
    { id: "a", sockets: SOCKETS },
  ]);
});

Deno.test("a service whose command waits is a part for each socket", () => {
  const parts = partsOf({ id: "a", waits: true }, SOCKETS);
  assertEquals(parts.map(({ id }) => id), ["a [::1]:69", "a 127.0.0.1:69"]);
  assertEquals(parts.flatMap(({ sockets }) => sockets), SOCKETS);
});
