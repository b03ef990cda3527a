import { assert, assertEquals } from "@std/assert";
import { launch, runToEnd } from "./daemon.ts";
import { Folder, output } from "./machine.ts";

const INETD = `\
127.0.0.1:7 stream tcp nowait nobody /bin/cat cat
discard stream tcp nowait root internal
`;

const XINETD = `\
service greeting
{
  type        = UNLISTED
  flags       = NOLIBWRAP
  socket_type = stream
  protocol    = tcp
  wait        = no
  bind        = 127.0.0.1
  port        = 7007
  user        = nobody
  server      = /bin/echo
  server_args = hello
  passenv     = EDITOR
}
`;

Deno.test("import prints entries, tells what is left, and exits with 1", async () => {
  await using folder = await Folder.create();
  const file = await folder.file("inetd.conf", INETD);
  assertEquals(await runToEnd(["import", "inetd", file]), {
    code: 1,
    signal: null,
    stdout: `\
# master.cf
# ${file}:1: 127.0.0.1:7
127.0.0.1:7 inet n n n - - spawnd
    -o command_time_limit=3549w -o spawnd_connection_environment=none
    -o spawnd_directory=/ -o spawnd_groups=all -o spawnd_umask=022 user=nobody
    argv=/bin/cat
`,
    stderr: `${file}:2: discard: is within inetd itself: not translated ` +
      "(argv=/usr/bin/socat -u STDIN OPEN:/dev/null does the same)\n",
  });
});

Deno.test("import prints each part alone, and both are the configuration", async () => {
  await using folder = await Folder.create();
  const file = await folder.file("xinetd.conf", XINETD);
  const both = await runToEnd(["import", "xinetd", file]);
  const main = await runToEnd(["import", "--main", "xinetd", file]);
  const master = await runToEnd(["import", "--master", "xinetd", file]);
  assertEquals([both.code, both.stderr], [0, ""]);
  assertEquals(`${main.stdout}\n${master.stdout}`, both.stdout);
  assert(/^import_environment = .* EDITOR$/m.test(main.stdout), main.stdout);
  await folder.file("main.cf", main.stdout);
  await folder.file("master.cf", master.stdout);
  const services = await runToEnd(["services", "-c", folder.path, "--json"]);
  const [service] = JSON.parse(services.stdout);
  assertEquals(service.service, "127.0.0.1:7007");
  assertEquals(service.argv, ["/bin/echo", "hello"]);
});

Deno.test("import exits with 78 where nothing can be translated", async () => {
  await using folder = await Folder.create();
  await output("mkfifo", folder.join("fifo"));
  const binary = await folder.file("binary", "\x7fELF\0");
  const files = [folder.join("fifo"), folder.path, binary, "/dev/zero"];
  for (const format of ["inetd", "tcprules", "systemd"]) {
    for (const file of [...files, folder.join("missing")]) {
      const { code, stdout, stderr } = await runToEnd(["import", format, file]);
      assertEquals({ code, stdout }, { code: 78, stdout: "" }, stderr);
      assertEquals(stderr.split("\n").length, 2, stderr);
      assert(stderr.startsWith(`${file}: `), stderr);
    }
  }
});

Deno.test("import refuses wrong words on one line", async () => {
  for (
    const [words, text] of [
      [["xinet", "x"], "unknown format: xinet (did you mean xinetd?)"],
      [["inetd"], "no file given (write spawnd import inetd FILE...)"],
    ] as const
  ) {
    const { code, stderr } = await runToEnd(["import", ...words]);
    assertEquals({ code, stderr }, {
      code: 64,
      stderr: `spawnd import: ${text}\n`,
    });
  }
});

Deno.test("import shows nothing of a file that could steer a terminal", async () => {
  await using folder = await Folder.create();
  const file = await folder.file(
    "inetd.conf",
    "\x1b[2Jx stream tcp nowait nobody /bin/cat \x9b31m\n" +
      "7 stream tcp nowait nobody /bin/cat cat \x1b[2J\n" +
      "8 stream tcp nowait stranger\u202e /bin/cat cat \u202e\n",
  );
  const { code, stdout, stderr } = await runToEnd(["import", "inetd", file]);
  assertEquals(code, 1);
  // deno-lint-ignore no-control-regex -- these are what it is about
  const steering = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/;
  assert(!steering.test(stdout), stdout);
  assert(!steering.test(stderr), stderr);
});

Deno.test("import ends where nobody reads on", async () => {
  await using folder = await Folder.create();
  const line = "7 stream tcp nowait nobody /bin/cat cat\n";
  const file = await folder.file("inetd.conf", line.repeat(5000));
  const child = launch(["import", "inetd", file]);
  await child.stdout.cancel();
  await child.stderr.cancel();
  const { signal } = await child.status;
  assertEquals(signal, null);
});
