import { assertEquals } from "@std/assert";
import { listenQueue } from "../../../lib/posix/listen_queue.ts";
import { setBacklog, withDescriptor } from "../../../lib/posix/sockets.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

const LIMIT = 5;

Deno.test("listenQueue() tells how many wait for a TCP socket, and how many may", async () => {
  const { opened: listener, fd } = withDescriptor(
    libc,
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  setBacklog(libc, fd, LIMIT);
  assertEquals(listenQueue(libc, fd), { waiting: 0, limit: LIMIT });
  const { port } = listener.addr;
  const clients = await Promise.all(
    [1, 2, 3].map(() => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  assertEquals(listenQueue(libc, fd), { waiting: 3, limit: LIMIT });
  (await listener.accept()).close();
  assertEquals(listenQueue(libc, fd)?.waiting, 2);
  for (const client of clients) client.close();
  listener.close();
});

Deno.test("listenQueue() tells it of a unix socket as well", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  const { opened: listener, fd } = withDescriptor(
    libc,
    () => Deno.listen({ transport: "unix", path }),
  );
  setBacklog(libc, fd, LIMIT);
  const clients = await Promise.all(
    [1, 2].map(() => Deno.connect({ transport: "unix", path })),
  );
  assertEquals(listenQueue(libc, fd), { waiting: 2, limit: LIMIT });
  for (const client of clients) client.close();
  listener.close();
});

Deno.test("listenQueue() tells nothing of what does not listen", () => {
  using scratch = new Scratch();
  using file = Deno.openSync(scratch.file("file"));
  file.statSync();
  assertEquals(listenQueue(libc, 0), undefined);
  assertEquals(listenQueue(libc, 0x7fffffff), undefined);
});
