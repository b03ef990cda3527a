import { assert, assertEquals, assertMatch } from "@std/assert";
import { writeConfiguration } from "./configuration.ts";
import { Daemon, runToEnd, type StartOptions } from "./daemon.ts";
import { traceTest } from "./load.ts";
import {
  Account,
  ENGINES,
  Folder,
  output,
  rootTest,
  traced,
  tracedCalls,
} from "./machine.ts";

type Engine = typeof ENGINES[number];

const SERVICE = ["user=nobody", "argv=/bin/cat"];

async function serve(
  engine: Engine,
  path: string,
  options: readonly string[] = [],
  start: StartOptions = {},
): Promise<Daemon> {
  return await Daemon.start(
    ["unix", path, "--engine", engine, ...options, ...SERVICE],
    start,
  );
}

/** Asserts that a path is refused, and what the log says of it. */
async function assertRefused(
  engine: Engine,
  path: string,
  text: string,
): Promise<void> {
  const { code, stderr } = await runToEnd(
    ["run", "unix", path, "--engine", engine, ...SERVICE],
  );
  const [line = "", ...more] = stderr.split("\n");
  assertEquals(more, [""]);
  assertEquals(/: fatal: (.*) \(.*\)$/.exec(line)?.[1], text);
  assertEquals(code, 71);
}

/** Stops a daemon that has closed its socket long before it ends. */
async function stopWhileServing(
  daemon: Daemon,
  connection: Deno.Conn,
): Promise<void> {
  daemon.kill("SIGTERM");
  await daemon.event("stopping");
  connection.close();
  assertEquals((await daemon.ended()).code, 0);
}

/** Type, mode and owner of a file, as stat(1) writes them. */
async function stat(path: string): Promise<string> {
  return (await output("stat", "--format=%F %a %u:%g", path)).trim();
}

/** Whether a path names anything, a link without a target included. */
function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    assert(error instanceof Deno.errors.NotFound, String(error));
    return false;
  }
}

/** What an account gets from /bin/cat on a socket. */
async function talkAs(account: Account, path: string): Promise<string> {
  return await output(
    "setpriv",
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--clear-groups",
    "perl",
    "-MIO::Socket::UNIX",
    "-e",
    `my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or do { print "$!"; exit };
     print $socket "hello"; $socket->flush; $socket->shutdown(1); print <$socket>;`,
    path,
  );
}

for (const engine of ENGINES) {
  rootTest(`a stale socket is replaced with ${engine}`, async () => {
    await using folder = await Folder.create();
    const path = folder.join("stale.sock");
    {
      await using killed = await serve(engine, path);
      killed.kill("SIGKILL");
      await killed.ended();
    }
    assert(exists(path));
    await using daemon = await serve(engine, path);
    assertEquals(await daemon.talk("hello"), "hello");
  });

  rootTest(
    `a live socket is refused with who holds it with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("live.sock");
      await using holder = await serve(engine, path);
      await assertRefused(
        engine,
        path,
        `${path} is in use: process id ${holder.pid} of user id 0 listens on it`,
      );
      assertEquals(await holder.talk("hello"), "hello");
    },
  );

  rootTest(
    `a live socket of another program is refused with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("live.sock");
      using _holder = Deno.listen({ transport: "unix", path });
      await assertRefused(
        engine,
        path,
        `${path} is in use: process id ${Deno.pid} of user id 0 listens on it`,
      );
      assert(exists(path));
    },
  );

  rootTest(
    `what is not a socket is refused and left alone with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const file = await folder.file("file", "precious");
      await Deno.mkdir(folder.join("folder"));
      await Deno.symlink(file, folder.join("link"));
      await Deno.symlink(folder.join("nothing"), folder.join("dangling"));
      for (const name of ["file", "folder", "link", "dangling"]) {
        const path = folder.join(name);
        const before = await stat(path);
        await assertRefused(engine, path, `${path} exists and is not a socket`);
        assertEquals(await stat(path), before);
      }
      assertEquals(await Deno.readTextFile(file), "precious");
      assert(!exists(folder.join("nothing")));
    },
  );

  rootTest(`a link to a stale socket is refused with ${engine}`, async () => {
    await using folder = await Folder.create();
    const target = folder.join("stale.sock");
    {
      await using killed = await serve(engine, target);
      killed.kill("SIGKILL");
      await killed.ended();
    }
    const path = folder.join("link");
    await Deno.symlink(target, path);
    await assertRefused(engine, path, `${path} exists and is not a socket`);
    assert(exists(target));
  });

  rootTest(`a folder that is missing is told with ${engine}`, async () => {
    await using folder = await Folder.create();
    const path = folder.join("missing/x.sock");
    const { code, stderr } = await runToEnd(
      ["run", "unix", path, "--engine", engine, ...SERVICE],
    );
    assertEquals(code, 71);
    assertMatch(
      stderr,
      /fatal: cannot listen on .*\/missing\/x\.sock: No such file or directory/,
    );
  });

  for (
    const [option, mode] of [[[], "666"], [["--socket-mode", "0660"], "660"], [[
      "--socket-mode=600",
    ], "600"]] as const
  ) {
    traceTest(
      `the socket has the mode ${mode} from its first instant with ${engine}`,
      async () => {
        await using folder = await Folder.create();
        const path = folder.join("mode.sock");
        const trace = folder.join("trace");
        const prefix = traced("bind,chmod,fchmod,fchmodat", trace);
        const daemon = await serve(engine, path, option, { prefix });
        {
          await using _ending = daemon;
          assertEquals(await stat(path), `socket ${mode} 0:0`);
          assertEquals(await daemon.talk("hello"), "hello");
        }
        const calls = await tracedCalls(trace, daemon.pid);
        assertEquals(calls.length, 1, calls.join("\n"));
        assert(calls[0]?.includes(`sun_path="${path}"`), calls[0]);
      },
    );
  }

  traceTest(
    `--socket-owner has the socket before anybody may connect with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      await using owner = await Account.create();
      await using group = await Account.create();
      await using stranger = await Account.create();
      const path = folder.join("owned.sock");
      const trace = folder.join("trace");
      const prefix = traced(
        "bind,umask,chmod,fchmod,fchmodat,chown,fchownat",
        trace,
      );
      const daemon = await serve(engine, path, [
        "--socket-mode",
        "0600",
        "--socket-owner",
        `${owner.name}:${group.name}`,
      ], { prefix });
      {
        await using _ending = daemon;
        assertEquals(await stat(path), `socket 600 ${owner.uid}:${group.gid}`);
        assertEquals(await talkAs(owner, path), "hello");
        assertEquals(await talkAs(stranger, path), "Permission denied");
      }
      const calls = await tracedCalls(trace, daemon.pid);
      const at = calls.findIndex((call) => call.includes(path));
      // Bound without any permission, then given away, and only then opened up.
      const names = ["umask(0777)", "bind(", "umask(", "chown", "chmod"];
      names.forEach((name, index) => {
        const call = calls[at - 1 + index] ?? "";
        assert(call.includes(name), `${name} in ${calls.join("\n")}`);
      });
    },
  );

  rootTest(
    `--socket-owner alone gives the account's own group with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      await using owner = await Account.create();
      const path = folder.join("owned.sock");
      await using _daemon = await serve(
        engine,
        path,
        ["--socket-owner", owner.name],
      );
      assertEquals(await stat(path), `socket 666 ${owner.uid}:${owner.gid}`);
    },
  );

  rootTest(
    `an entry of master.cf gives its socket away as well with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      await using owner = await Account.create();
      const paths = ["one", "other"].map((name) => folder.join(name));
      const [one = "", other = ""] = paths;
      const directory = await writeConfiguration(folder, {
        main: [`spawnd_socket_owner = ${owner.name}`],
        master: [
          `${one} unix n n n - - spawn user=nobody argv=/bin/cat`,
          `${other} unix n n n - - spawn -o spawnd_socket_mode=0600 ` +
          "-o spawnd_socket_owner= user=nobody argv=/bin/cat",
        ],
      });
      await using _daemon = await Daemon.serve(
        ["-c", directory, "--engine", engine],
      );
      assertEquals(await stat(one), `socket 666 ${owner.uid}:${owner.gid}`);
      assertEquals(await stat(other), "socket 600 0:0");
    },
  );

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    rootTest(`the socket is removed at ${signal} with ${engine}`, async () => {
      await using folder = await Folder.create();
      const path = folder.join("removed.sock");
      await using daemon = await serve(engine, path);
      daemon.kill(signal);
      assertEquals((await daemon.ended()).code, 0);
      assert(!exists(path));
    });
  }

  rootTest(
    `the socket is removed in another user's folder with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      await using account = await Account.create();
      await Deno.chown(folder.path, account.uid, account.gid);
      await Deno.chmod(folder.path, 0o700);
      const path = folder.join("removed.sock");
      await using daemon = await serve(engine, path);
      daemon.kill("SIGTERM");
      assertEquals((await daemon.ended()).code, 0);
      assert(!exists(path));
    },
  );

  rootTest(
    `what has replaced the socket meanwhile is left alone with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("replaced.sock");
      await using daemon = await serve(engine, path);
      const connection = await daemon.connect();
      await Deno.remove(path);
      await folder.file("replaced.sock", "somebody else's");
      await stopWhileServing(daemon, connection);
      assertEquals(await Deno.readTextFile(path), "somebody else's");
    },
  );

  rootTest(
    `a daemon that has followed keeps its socket with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("followed.sock");
      await using daemon = await serve(engine, path);
      const connection = await daemon.connect();
      await Deno.remove(path);
      await using follower = await serve(engine, path);
      await stopWhileServing(daemon, connection);
      assertEquals(await follower.talk("hello"), "hello");
    },
  );

  rootTest(
    `a relative path begins where the daemon was started with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      await using daemon = await serve(engine, "relative.sock", [], {
        cwd: folder.path,
      });
      assertEquals(daemon.addresses, [folder.join("relative.sock")]);
      assertEquals(await daemon.talk("hello"), "hello");
      daemon.kill("SIGTERM");
      await daemon.ended();
      assert(!exists(folder.join("relative.sock")));
    },
  );

  rootTest(
    `the longest path is served and a longer one refused with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const longest = folder.join("x".repeat(107 - folder.join("").length));
      {
        await using daemon = await serve(engine, longest);
        assertEquals(await daemon.talk("hello"), "hello");
      }
      assert(!exists(longest));
      const { code, stderr } = await runToEnd(
        ["run", "unix", `${longest}x`, "--engine", engine, ...SERVICE],
      );
      assertEquals(code, 64);
      assertMatch(stderr, /fatal: bad socket path: /);
    },
  );
}
