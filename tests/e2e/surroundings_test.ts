/**
 * Surroundings in which no daemon can serve: what is said is one line for each
 * thing with its mend, with the right exit code, and nothing stays behind.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  exists,
  freeAddresses,
  inet,
  IS_FROM_SOURCE,
  queueOf,
  unix,
  writeConfiguration,
} from "./configuration.ts";
import { type Ended, runToEnd } from "./daemon.ts";
import { BOUNDED, Folder, rootTest } from "./machine.ts";

/** Where a daemon is started. */
interface Surroundings {
  readonly name: string;
  /** Words before the program. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The inet service's name, if it matters. */
  readonly service?: string;
  /** What each line says, but for time and level. */
  readonly says: readonly RegExp[];
  readonly code: number;
}

const MORE = "\\(let the daemon have more descriptors: ulimit -n, or .*\\)";

/** memfd_create(2), as perl calls it: by its number. */
const MEMFD_CREATE = Deno.build.arch === "x86_64" ? 319 : 279;

/**
 * Words that start a program with a sealed file in memory, as a spawnd hands it
 * on, that holds a text.
 */
function handing(text: string): string[] {
  const script = `
    my $name = "forged";
    my $fd = syscall ${MEMFD_CREATE}, $name, 2;
    open my $file, "+<&=", $fd or die;
    syswrite $file, shift @ARGV;
    sysseek $file, 0, 0;
    fcntl $file, 1033, 0xf or die;
    fcntl $file, 2, 0;
    $ENV{SPAWND_HANDED_FD} = $fd;
    exec @ARGV;
  `;
  return ["perl", "-e", script, text];
}

/** Words that change what is mounted for the program alone. */
function mounting(command: string): string[] {
  return ["unshare", "--mount", "sh", "-c", `${command}; exec "$@"`, "sh"];
}

const NO_LISTENER = JSON.stringify({
  version: 2,
  sockets: [{ fd: 0, address: "127.0.0.1:7007" }],
  services: [],
  isReloadWanted: false,
  pausedMs: 0,
});

const FOREIGN = "the variable SPAWND_(?:HANDED|TRIAL)_FD was not set by a " +
  "spawnd:";

const ALL: readonly Surroundings[] = [
  {
    name: "a variable of a reload's that is no number",
    env: { SPAWND_HANDED_FD: "seven" },
    says: [RegExp(`^${FOREIGN} it names no descriptor \\(unset it\\)$`)],
    code: 78,
  },
  {
    name: "a variable of a reload's that names a descriptor which is not open",
    env: { SPAWND_HANDED_FD: "77" },
    says: [RegExp(`^${FOREIGN} descriptor 77: Bad file descriptor \\(unset`)],
    code: 78,
  },
  {
    name: "a variable of a reload's that names another file",
    env: { SPAWND_HANDED_FD: "0" },
    says: [RegExp(`^${FOREIGN} descriptor 0: Invalid argument \\(unset it`)],
    code: 78,
  },
  {
    name: "a sealed file that holds something else",
    prefix: handing("[1"),
    says: [RegExp(`^${FOREIGN} .*JSON.* \\(unset it\\)$`)],
    code: 78,
  },
  {
    name: "a sealed file of another edition",
    prefix: handing('{"version":99}'),
    says: [RegExp(`^${FOREIGN} handed.version is 99, not \\d+ \\(unset it`)],
    code: 78,
  },
  {
    name: "a forged state with a listening socket that is none",
    prefix: handing(NO_LISTENER),
    says: [RegExp(`^${FOREIGN} no listening socket: descriptor 0 \\(unset it`)],
    code: 78,
  },
  {
    name: "a trial's variable that names no socket",
    env: { SPAWND_TRIAL_FD: "0" },
    says: [RegExp(`^${FOREIGN} 0 is no socket \\(unset it\\)$`)],
    code: 78,
  },
  {
    name: "a user namespace with root alone",
    prefix: ["unshare", "--user", "--map-root-user"],
    says: [
      /^not in this user namespace: user id 1 and group id 1 \(map it there, or/,
      /^not in this user namespace: user id \d+ and group id \d+ \(map it/,
      /^nothing is served: 2 errors$/,
    ],
    code: 71,
  },
  {
    name: "no getent",
    prefix: mounting("mount --bind /dev/null /usr/bin/getent"),
    service: "localhost:http",
    says: [
      /^cannot look up names with \/usr\/bin\/getent: .*\(install it, Debian's package libc-bin; or write numbers\)$/,
    ],
    code: 71,
  },
  {
    name: "20 descriptors",
    prefix: ["prlimit", "--nofile=20"],
    says: [
      RegExp(`^too few descriptors: 20, and 32 are needed ${MORE}$`),
      /^nothing is served: 1 error$/,
    ],
    code: 71,
  },
  {
    name: "as few descriptors as the runtime itself starts with",
    prefix: ["prlimit", "--nofile=14"],
    says: [
      RegExp(`^too few descriptors: 14, and 32 are needed ${MORE}$`),
      /^nothing is served: 1 error$/,
    ],
    code: 71,
  },
  {
    name: "too few descriptors for its services",
    prefix: ["prlimit", "--nofile=34"],
    says: [
      RegExp(`: Too many open files ${MORE}$`),
      /^nothing is served: 1 error$/,
    ],
    code: 71,
  },
];

async function serveIn(
  folder: Folder,
  { service, prefix = [], env = {} }: Omit<Surroundings, "name" | "says">,
): Promise<Ended> {
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(service ?? address), unix("policy")],
  });
  await Deno.mkdir(`${queueOf(folder)}/private`);
  await Deno.mkdir(folder.join("run"));
  const pidFile = folder.join("run/spawnd.pid");
  return await runToEnd(["serve", "-c", directory, "--pid-file", pidFile], {
    prefix: [...BOUNDED, ...prefix],
    env,
    cwd: folder.path,
  });
}

async function assertNothingLeft(folder: Folder): Promise<void> {
  for (const path of [folder.join("run"), `${queueOf(folder)}/private`]) {
    if (!await exists(path)) continue;
    assertEquals(await Array.fromAsync(Deno.readDir(path)), [], path);
  }
}

if (!IS_FROM_SOURCE) {
  for (const { says, code, ...surroundings } of ALL) {
    rootTest(
      `no stack trace, and nothing left: ${surroundings.name}`,
      async () => {
        await using folder = await Folder.create();
        const ended = await serveIn(folder, { code, ...surroundings });
        const lines = ended.stderr.trimEnd().split("\n").map((line) =>
          line.replace(/^\S+ spawnd\[\d+\]: (?:error|fatal): |^spawnd: /, "")
        );
        assertEquals(lines.length, says.length, ended.stderr);
        for (const [index, line] of lines.entries()) {
          assertMatch(line, says[index] ?? /$./);
        }
        assertEquals([ended.code, ended.stdout], [code, ""]);
        await assertNothingLeft(folder);
      },
    );
  }

  // There the runtime ends before it has read the first line of the program.
  for (
    const [name, prefix, says] of [
      [
        "no /proc",
        mounting("mount -t tmpfs none /proc"),
        /no \/proc\/self\/exe available\. Is \/proc mounted\?/,
      ],
      [
        "a start directory that was removed",
        ["sh", "-c", 'mkdir gone; cd gone; rmdir ../gone; exec "$@"', "sh"],
        /No such file or directory/,
      ],
      [
        "fewer descriptors than the runtime starts with",
        ["prlimit", "--nofile=10"],
        /Too many open files/,
      ],
    ] as const
  ) {
    rootTest(`the runtime refuses, and nothing is left: ${name}`, async () => {
      await using folder = await Folder.create();
      const { code, stderr } = await serveIn(folder, { prefix, code: 1 });
      assert([1, 101].includes(code), `${code}`);
      assertMatch(stderr, says);
      await assertNothingLeft(folder);
    });
  }
}
