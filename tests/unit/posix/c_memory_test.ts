import { assertEquals } from "@std/assert";
import { vectorInCMemory } from "../../../lib/posix/c_memory.ts";
import { libc } from "../real_libc.ts";

/** The words of a vector in C memory. */
function pointersAt(address: bigint, count: number): BigUint64Array {
  const pointers = new BigUint64Array(count);
  const bytes = new Uint8Array(pointers.buffer);
  libc.c.memcpy(bytes, address, BigInt(bytes.length));
  return pointers;
}

/** The string at an address in C memory. */
function stringAt(address: bigint, bytes: number): string {
  const copy = new Uint8Array(bytes);
  libc.c.memcpy(copy, address, BigInt(bytes));
  return new TextDecoder().decode(copy);
}

Deno.test("vectorInCMemory() lays out pointers to the strings, and a null pointer", () => {
  const words = ["/bin/écho", "", "-n"];
  const pointers = pointersAt(vectorInCMemory(libc, words), 4);
  assertEquals(pointers[3], 0n);
  for (const [index, word] of words.entries()) {
    const bytes = new TextEncoder().encode(word).length + 1;
    assertEquals(stringAt(pointers[index] ?? 0n, bytes), `${word}\0`);
  }
});

Deno.test("vectorInCMemory() of no words is a null pointer alone", () => {
  assertEquals([...pointersAt(vectorInCMemory(libc, []), 1)], [0n]);
});
