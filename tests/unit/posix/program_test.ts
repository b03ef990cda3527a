import { assertEquals } from "@std/assert";
import { checked } from "../../../lib/posix/errno.ts";
import { cString } from "../../../lib/posix/libc.ts";
import {
  type StartedProgram,
  startProgram,
} from "../../../lib/posix/program.ts";
import { statusFields } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { OpenFile } from "./descriptors.ts";
import { collectDying } from "./start_command.ts";

function started(program: StartedProgram | number): StartedProgram {
  if (typeof program === "number") throw new Error(`error ${-program}`);
  libc.c.close(program.pidFd);
  return program;
}

/**
 * Starts a script as the program anew, with a file.
 *
 * @returns What it prints, and the file's descriptor in both processes.
 */
function fromProgram(
  script: string,
  environment: readonly string[] = [],
): { text: string; fd: number } {
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("output"));
  using directory = new Directory("/usr");
  const { fd } = file;
  const program = started(startProgram(libc, {
    path: "/bin/sh",
    argv: ["sh", "-c", `{ ${script}; } >/dev/fd/${fd}`],
    environment: ["PATH=/usr/bin:/bin", ...environment],
    directoryFd: directory.fd,
    fds: [{ fd, as: fd }],
    asRoot: false,
  }));
  assertEquals(collectDying(program.pid), 0);
  assertEquals(program.failure(), undefined);
  return { text: Deno.readTextFileSync(scratch.path("output")), fd };
}

/** A directory, opened. Goes with the scope: `using`. */
class Directory implements Disposable {
  readonly fd: number;

  constructor(path: string) {
    // O_PATH and O_CLOEXEC of fcntl.h.
    const fd = libc.c.open(cString(path), 0o12000000, 0);
    this.fd = checked(libc, path, fd);
  }

  [Symbol.dispose](): void {
    libc.c.close(this.fd);
  }
}

Deno.test("startProgram() hands descriptors on under their numbers, and no others", () => {
  using scratch = new Scratch();
  using _other = new OpenFile(scratch.file("other"));
  const { text, fd } = fromProgram("exec ls /proc/self/fd");
  const fds = new Set(text.trim().split("\n").map(Number));
  for (const expected of [0, 1, 2, fd]) {
    assertEquals(fds.delete(expected), true, text);
  }
  // What is left is the folder that ls(1) itself reads.
  assertEquals(fds.size, 1, text);
});

Deno.test("startProgram() gives the environment as listed and no signal set aside", () => {
  const { text } = fromProgram(
    'echo "$GREETING"; cat /proc/self/status',
    ["GREETING=hello world"],
  );
  assertEquals(text.slice(0, text.indexOf("\n")), "hello world");
  const fields = statusFields(text);
  for (const name of ["SigBlk", "SigIgn"]) {
    assertEquals(fields.get(name), "0".repeat(16), name);
  }
});

Deno.test("startProgram() starts the program where it is told to", () => {
  assertEquals(fromProgram("pwd").text, "/usr\n");
});

Deno.test("startProgram() keeps the session, so that who waits for the daemon goes on to", () => {
  const session = (pid: string): string =>
    fromProgram(`cut -d" " -f6 /proc/${pid}/stat`).text;
  assertEquals(session("self"), session(String(Deno.pid)));
});

Deno.test("startProgram() tells why the program cannot be started", () => {
  const start = (path: string, directoryFd: number): string | undefined => {
    const program = started(startProgram(libc, {
      ...{ path, directoryFd },
      argv: ["program"],
      environment: [],
      fds: [],
      asRoot: false,
    }));
    collectDying(program.pid);
    return program.failure();
  };
  using directory = new Directory("/");
  assertEquals(
    start("/no/such/program", directory.fd),
    "No such file or directory",
  );
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("file"));
  assertEquals(start("/bin/sh", file.fd), "fchdir: Not a directory");
});
