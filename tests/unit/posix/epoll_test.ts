import { assertEquals, assertThrows } from "@std/assert";
import { Epoll } from "../../../lib/posix/epoll.ts";
import { SystemError } from "../../../lib/posix/errno.ts";
import { duplicate } from "../../../lib/posix/process.ts";
import { withDescriptor } from "../../../lib/posix/sockets.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { OpenFile, Pipe } from "./descriptors.ts";

/** The descriptors that a wait of no length finds. */
function readable(epoll: Epoll): number[] {
  return [...epoll.ready.subarray(0, epoll.waitHere(0))];
}

Deno.test("Epoll.waitHere() finds the descriptors that can be read, and no others", async () => {
  using scratch = new Scratch();
  using full = await Pipe.create(scratch);
  using empty = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.add(full.fd);
  epoll.add(empty.fd);
  assertEquals(readable(epoll), []);
  full.fill();
  assertEquals(readable(epoll), [full.fd]);
  full.empty();
  assertEquals(readable(epoll), []);
});

Deno.test("Epoll.waitHere() tells several descriptors apart", async () => {
  using scratch = new Scratch();
  using first = await Pipe.create(scratch);
  using second = await Pipe.create(scratch);
  using third = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  for (const { fd } of [first, second, third]) epoll.add(fd);
  first.fill();
  third.fill();
  assertEquals(readable(epoll).sort(), [first.fd, third.fd].sort());
});

Deno.test("Epoll.watch() ends and resumes the watch of a descriptor", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.add(pipe.fd);
  pipe.fill();
  epoll.watch(pipe.fd, false);
  assertEquals(readable(epoll), []);
  epoll.watch(pipe.fd, true);
  assertEquals(readable(epoll), [pipe.fd]);
});

Deno.test("Epoll.add() can take a descriptor in without watching it yet", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.add(pipe.fd, false);
  pipe.fill();
  assertEquals(readable(epoll), []);
  epoll.watch(pipe.fd, true);
  assertEquals(readable(epoll), [pipe.fd]);
});

Deno.test("Epoll.remove() takes a descriptor out, and it may come back", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.add(pipe.fd);
  pipe.fill();
  epoll.remove(pipe.fd);
  assertEquals(readable(epoll), []);
  epoll.add(pipe.fd);
  assertEquals(readable(epoll), [pipe.fd]);
});

Deno.test("Epoll.addOnce() finds a descriptor once", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.addOnce(pipe.fd);
  assertEquals(readable(epoll), []);
  pipe.fill();
  assertEquals(readable(epoll), [pipe.fd]);
  assertEquals(readable(epoll), []);
});

Deno.test("what Epoll.addOnce() has found reports no more when it is closed, whoever has a copy", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  const fd = duplicate(libc, pipe.fd);
  epoll.addOnce(fd);
  pipe.fill();
  assertEquals(readable(epoll), [fd]);
  libc.c.close(fd);
  assertEquals(readable(epoll), []);
  // The number may be another one's by then.
  using other = await Pipe.create(scratch);
  assertEquals(other.fd, fd);
  epoll.addOnce(other.fd);
  assertEquals(readable(epoll), []);
  other.fill();
  assertEquals(readable(epoll), [other.fd]);
});

Deno.test("Epoll.add() throws what the kernel says against a descriptor", () => {
  using scratch = new Scratch();
  const epoll = new Epoll(libc);
  assertThrows(
    () => epoll.add(-1),
    SystemError,
    "epoll_ctl: Bad file descriptor",
  );
  // A plain file can be read at any time, so there is nothing to wait for.
  using file = new OpenFile(scratch.file("plain"));
  assertThrows(
    () => epoll.add(file.fd),
    SystemError,
    "epoll_ctl: Operation not permitted",
  );
});

Deno.test("Epoll.waitElsewhere() sees a client come to a listening socket", async () => {
  const { opened: listener, fd } = withDescriptor(
    libc,
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  using _listener = listener;
  const epoll = new Epoll(libc);
  epoll.add(fd);
  const waiting = epoll.waitElsewhere();
  const { port } = listener.addr as Deno.NetAddr;
  using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
  assertEquals(await waiting, 1);
  assertEquals(epoll.ready[0], fd);
  epoll.remove(fd);
});

Deno.test("Epoll.waitElsewhere() leaves the event loop free", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.add(pipe.fd);
  const waiting = epoll.waitElsewhere();
  setTimeout(() => pipe.fill());
  assertEquals(await waiting, 1);
  assertEquals(epoll.ready[0], pipe.fd);
});

Deno.test("Epoll.wake() ends a wait elsewhere without a descriptor", async () => {
  const epoll = new Epoll(libc);
  const waiting = epoll.waitElsewhere();
  epoll.wake();
  assertEquals(await waiting, 0);
});

Deno.test("Epoll.wake() ends the wait that begins after it, and that one alone", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.add(pipe.fd);
  epoll.wake();
  epoll.wake();
  assertEquals(await epoll.waitElsewhere(), 0);
  const waiting = epoll.waitElsewhere();
  setTimeout(() => pipe.fill());
  assertEquals(await waiting, 1);
});

Deno.test("Epoll.wake() does not hide a descriptor that can be read", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const epoll = new Epoll(libc);
  epoll.add(pipe.fd);
  pipe.fill();
  epoll.wake();
  assertEquals(readable(epoll), [pipe.fd]);
});
