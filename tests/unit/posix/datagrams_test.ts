import { assert, assertEquals } from "@std/assert";
import { DatagramSender } from "../../../lib/posix/sockets.ts";
import { DatagramReader } from "../datagram_reader.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

/** More than any system lets wait. */
const MANY = 100_000;

/** Sends until the reader has no room, and returns what was taken. */
function fill(sender: DatagramSender): string[] {
  const sent: string[] = [];
  while (sent.length < MANY) {
    const text = `datagram ${sent.length}`;
    if (sender.send(text) === "full") return sent;
    sent.push(text);
  }
  throw new Error("the reader always has room");
}

Deno.test("DatagramSender sends a text as one datagram", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  await using reader = await DatagramReader.bind(path);
  const sender = new DatagramSender(libc, path);
  assertEquals([sender.send("first é 漢字"), sender.send("second")], [
    "sent",
    "sent",
  ]);
  assertEquals(await reader.take(2), ["first é 漢字", "second"]);
});

Deno.test("DatagramSender tells that a reader has no room, without waiting", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  await using reader = await DatagramReader.bind(path);
  const sender = new DatagramSender(libc, path);
  const sent = fill(sender);
  assert(sent.length > 0);
  assertEquals(sender.send("one more"), "full");
  assertEquals(await reader.take(sent.length), sent);
  assertEquals(sender.send("there is room"), "sent");
  assertEquals(await reader.take(1), ["there is room"]);
});

Deno.test("DatagramSender tells that nobody reads", async () => {
  using scratch = new Scratch();
  const none = new DatagramSender(libc, scratch.path("none"));
  assertEquals(none.send("x"), "absent");
  const file = new DatagramSender(libc, scratch.file("file"));
  assertEquals(file.send("x"), "absent");
  const path = scratch.path("socket");
  const sender = new DatagramSender(libc, path);
  {
    await using reader = await DatagramReader.bind(path);
    sender.send("heard");
    await reader.take(1);
  }
  assertEquals(sender.send("not heard"), "absent");
});

Deno.test("DatagramSender finds a reader that was started anew", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  const sender = new DatagramSender(libc, path);
  for (const text of ["first", "second"]) {
    await using reader = await DatagramReader.bind(path);
    sender.send(text);
    assertEquals(await reader.take(1), [text]);
    Deno.removeSync(path);
  }
});

Deno.test("DatagramSender tells that a datagram is larger than any may be", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  await using reader = await DatagramReader.bind(path);
  const sender = new DatagramSender(libc, path);
  assertEquals(sender.send("x".repeat(64 * 1024 * 1024)), "too large");
  assertEquals(sender.send("small"), "sent");
  assertEquals(await reader.take(1), ["small"]);
});

Deno.test("DatagramSender finds a socket that has no file by a name with @", async () => {
  const name = `@spawnd-${crypto.randomUUID()}`;
  await using reader = await DatagramReader.bind(name);
  assertEquals(new DatagramSender(libc, name).send("heard"), "sent");
  assertEquals(await reader.take(1), ["heard"]);
});
