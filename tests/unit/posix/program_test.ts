import { assertEquals } from "@std/assert";
import { openPipe, readOnce } from "../../../lib/posix/process.ts";
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
 * Starts a script as the program anew, with a pipe.
 *
 * @returns What it prints, and the pipe's descriptor in both processes.
 */
function fromProgram(
  script: string,
  environment: readonly string[] = [],
): { text: string; fd: number } {
  const { readFd, writeFd } = openPipe(libc);
  try {
    const program = started(startProgram(libc, {
      path: "/bin/sh",
      argv: ["sh", "-c", `{ ${script}; } >/dev/fd/${writeFd}`],
      environment: ["PATH=/usr/bin:/bin", ...environment],
      directory: "/usr",
      fds: [{ fd: writeFd, as: writeFd }],
      asRoot: false,
    }));
    libc.c.close(writeFd);
    assertEquals(collectDying(program.pid), 0);
    assertEquals(program.failure(), undefined);
    const text = new TextDecoder().decode(readOnce(libc, readFd, 65536));
    return { text, fd: writeFd };
  } finally {
    libc.c.close(readFd);
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

for (
  const [path, directory, failure] of [
    ["/no/such/program", "/", "/no/such/program: No such file or directory"],
    [
      "/bin/sh",
      "/no/such/folder",
      "/no/such/folder: No such file or directory",
    ],
  ] as const
) {
  Deno.test(`startProgram() tells why ${path} cannot be started in ${directory}`, () => {
    const program = started(startProgram(libc, {
      path,
      argv: ["program"],
      environment: [],
      directory,
      fds: [],
      asRoot: false,
    }));
    collectDying(program.pid);
    assertEquals(program.failure(), failure);
  });
}
