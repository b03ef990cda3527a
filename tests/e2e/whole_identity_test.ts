import { assertEquals } from "@std/assert";
import { Daemon } from "./daemon.ts";
import { Account, Folder, proc, rootTest, statusFields } from "./machine.ts";
import {
  freeAddress,
  inet,
  IS_FROM_SOURCE,
  queueOf,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";

const NO_CAPABILITIES = "0".repeat(16);

const NO_SIGNALS = "0".repeat(16);

/** From source the runtime raises its soft limit to the hard one by itself. */
const SOFT_NOFILE = IS_FROM_SOURCE ? 2000 : 1000;

/** Some that every root process has, also in a container. */
const CAPABILITIES = "+chown,+kill,+setuid,+net_bind_service";

/** What commands of one service each are asked to tell of themselves. */
const QUESTIONS = {
  status: ["/bin/cat", "/proc/self/status"],
  stat: ["/bin/cat", "/proc/self/stat"],
  limits: ["/bin/cat", "/proc/self/limits"],
  descriptors: ["/bin/ls", "/proc/self/fd"],
  directory: ["/bin/pwd"],
  umask: ["/bin/sh", "-c", "umask"],
} as const;

/** What a daemon is started with and its commands must not have, but for the limits. */
const SURROUNDINGS = [
  "prlimit",
  `--nofile=${SOFT_NOFILE}:2000`,
  "setpriv",
  "--inh-caps",
  CAPABILITIES,
  "--ambient-caps",
  CAPABILITIES,
  "env",
  "--ignore-signal=HUP,USR1,ALRM,PIPE,TSTP",
  "--block-signal=USR2,CHLD,TERM",
  "sh",
  "-c",
  'umask 0002; exec "$@" 7</etc/passwd 8>/dev/null 9>&1',
  "sh",
];

for (const subcommand of ["run", "serve"] as const) {
  rootTest(
    `a command of ${subcommand} is its user's to the letter, whatever the daemon was started with`,
    async () => {
      await using group = await Account.create();
      await using account = await Account.create(`--groups=${group.name}`);
      await using folder = await Folder.create();
      const { answers, bounding } = await answersOf(
        subcommand,
        account,
        folder,
      );
      const fields = statusFields(answers.status);
      assertEquals(
        Object.fromEntries(
          Object.keys(STATUS_OF_A_COMMAND).map((
            name,
          ) => [name, fields.get(name)]),
        ),
        {
          ...STATUS_OF_A_COMMAND,
          Uid: fourTimes(account.uid),
          Gid: fourTimes(account.gid),
          Groups: String(account.gid),
          CapBnd: bounding,
        },
      );
      const [pid, , , , processGroup, session, terminal] = answers.stat
        .split(" ");
      assertEquals({ processGroup, session, terminal }, {
        processGroup: pid,
        session: pid,
        terminal: "0",
      });
      const [nofile = ""] = /^Max open files.*$/m.exec(answers.limits) ?? [];
      assertEquals(nofile.split(/ {2,}/).slice(1, 3), [
        String(SOFT_NOFILE),
        "2000",
      ]);
      assertEquals(answers.descriptors, "0\n1\n2\n3\n");
      assertEquals(answers.umask, "0077\n");
      if (subcommand === "serve") {
        assertEquals(answers.directory, `${queueOf(folder)}\n`);
      }
    },
  );
}

/** The fields of /proc/PID/status that are settled; what differs is to be set. */
const STATUS_OF_A_COMMAND = {
  Uid: "",
  Gid: "",
  Groups: "",
  CapInh: NO_CAPABILITIES,
  CapPrm: NO_CAPABILITIES,
  CapEff: NO_CAPABILITIES,
  CapBnd: "",
  CapAmb: NO_CAPABILITIES,
  NoNewPrivs: "0",
  SigBlk: NO_SIGNALS,
  SigIgn: NO_SIGNALS,
  SigCgt: NO_SIGNALS,
  SigPnd: NO_SIGNALS,
  ShdPnd: NO_SIGNALS,
  Threads: "1",
} as const;

/** Asks one command after the other, and the daemon for its bounding set. */
async function answersOf(
  subcommand: "run" | "serve",
  account: Account,
  folder: Folder,
): Promise<{
  answers: Record<keyof typeof QUESTIONS, string>;
  bounding: string | undefined;
}> {
  const questions = Object.entries(QUESTIONS);
  const start = { prefix: SURROUNDINGS };
  const user = `user=${account.name}`;
  const found: [string, string][] = [];
  let bounding: string | undefined;
  const boundingOf = async (daemon: Daemon): Promise<string | undefined> =>
    statusFields(await proc(`${daemon.pid}/status`)).get("CapBnd");
  if (subcommand === "run") {
    for (const [name, [program, ...words]] of questions) {
      await using daemon = await Daemon.start(
        ["inet", "127.0.0.1:0", user, `argv=${program}`, ...words],
        start,
      );
      found.push([name, await daemon.talk()]);
      bounding = await boundingOf(daemon);
    }
  } else {
    const services = questions.map(([name, words]) => ({
      name,
      address: freeAddress(),
      words: words.join(" "),
    }));
    const directory = await writeConfiguration(folder, {
      master: services.map(({ address, words }) =>
        inet(address, `${user} argv=${words}`)
      ),
    });
    await using daemon = await Daemon.serve(["-c", directory], start);
    for (const { name, address } of services) {
      found.push([name, await talkTo(address)]);
    }
    bounding = await boundingOf(daemon);
  }
  return {
    answers: Object.fromEntries(found) as Record<
      keyof typeof QUESTIONS,
      string
    >, // one for each question
    bounding,
  };
}

/** An id: real, effective, saved, and of the file system. */
function fourTimes(id: number): string {
  return `${id} ${id} ${id} ${id}`;
}
