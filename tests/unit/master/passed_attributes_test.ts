import { assertEquals } from "@std/assert";
import { PassedAttributes } from "../../../lib/master/passed_attributes.ts";

/** The byte with the descriptor, three pairs, and the end. */
const ALL = ["", "client_address", "192.0.2.1", "client_port", "4711"]
  .concat(["empty", "", "", ""]).join("\0");

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("passed attributes end behind the last pair", () => {
  assertEquals(new PassedAttributes().add(bytes(ALL)), "complete");
  assertEquals(new PassedAttributes().add(bytes("\0\0")), "complete");
});

Deno.test("passed attributes may arrive in any pieces", () => {
  const attributes = new PassedAttributes();
  const states = [...bytes(ALL)].map((byte) =>
    attributes.add(new Uint8Array([byte]))
  );
  assertEquals(states.pop(), "complete");
  assertEquals(new Set(states), new Set(["incomplete"]));
});

Deno.test("passed attributes have no value for an end", () => {
  const attributes = new PassedAttributes();
  assertEquals(attributes.add(bytes("\0name\0\0")), "incomplete");
  assertEquals(attributes.add(bytes("\0")), "complete");
});

Deno.test("passed attributes of no end are refused", () => {
  const attributes = new PassedAttributes();
  assertEquals(attributes.add(new Uint8Array(4096).fill(65)), "incomplete");
  assertEquals(attributes.add(new Uint8Array(1)), "wrong");
});
