import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../lib/posix/errno.ts";
import { FdReceiver } from "../../../lib/posix/passed_fd.ts";
import { Acceptor } from "../../../lib/posix/sockets.ts";
import { output, until } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { isOpen, OpenFile } from "./descriptors.ts";
import { compilerTest } from "./header.ts";
import { ListeningUnix } from "./listening_unix.ts";

/** fcntl.h */
const F_GETFD = 1;
const FD_CLOEXEC = 1;

/**
 * Connects to a unix socket and sends a text with as many copies of its
 * standard input, as sendmsg(2) does; compiled, as no script can.
 */
const SENDER = `
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
int main(int argc, char **argv) {
  int copies = atoi(argv[2]);
  struct sockaddr_un to = { .sun_family = AF_UNIX };
  strncpy(to.sun_path, argv[1], sizeof to.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) return 1;
  union { struct cmsghdr header; char bytes[256]; } control;
  struct iovec data = { argv[3], strlen(argv[3]) };
  struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
  if (copies > 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(copies * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(copies * sizeof(int));
    for (int i = 0; i < copies; i++) ((int *)CMSG_DATA(&control.header))[i] = 0;
  }
  return sendmsg(fd, &message, 0) < 0;
}
`;

/** Receives what the sender sends. */
async function received(
  scratch: Scratch,
  copies: number,
  text: string,
): Promise<
  { data: string; fds: readonly number[]; receiver: FdReceiver; from: number }
> {
  const program = scratch.path("sender");
  await Deno.writeTextFile(scratch.path("sender.c"), SENDER);
  await output("gcc", "-o", program, scratch.path("sender.c"));
  const path = scratch.path("socket");
  using listening = new ListeningUnix(path);
  await output(program, path, String(copies), text);
  let from = -1;
  await until("it has connected", () => {
    from = new Acceptor(libc).accept(listening.fd);
    return from >= 0;
  });
  const receiver = new FdReceiver(libc);
  const { data, fds } = receiver.receive(from) ??
    { data: new Uint8Array(), fds: [] };
  return { data: new TextDecoder().decode(data), fds, receiver, from };
}

compilerTest(
  "/usr/bin/gcc",
  "a descriptor is received with the bytes it came with, closed on exec",
  async () => {
    using scratch = new Scratch();
    const { data, fds: [fd = -1, ...others], receiver, from } = await received(
      scratch,
      1,
      "hello",
    );
    assertEquals(data, "hello");
    assertEquals(others, []);
    assert(isOpen(fd));
    assertEquals(libc.c.fcntl(fd, F_GETFD, 0n), FD_CLOEXEC);
    libc.c.close(fd);
    // The sender has ended.
    assertEquals(receiver.receive(from)?.data.length, 0);
    libc.c.close(from);
  },
);

compilerTest(
  "/usr/bin/gcc",
  "bytes without a descriptor, and several with, are told as they are",
  async () => {
    using scratch = new Scratch();
    for (const copies of [0, 3]) {
      const { fds, from } = await received(scratch, copies, "x");
      assertEquals(fds.length, copies);
      for (const fd of fds) {
        assert(isOpen(fd));
        libc.c.close(fd);
      }
      libc.c.close(from);
    }
  },
);

Deno.test("what cannot be received from is told", () => {
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("no socket"));
  const receiver = new FdReceiver(libc);
  assertThrows(
    () => receiver.receive(file.fd),
    SystemError,
    "recvmsg: Socket operation on non-socket",
  );
});
