/**
 * What is compared between Postfix's spawn(8) and spawnd: the rows of a table,
 * each with the service that shows it, and, where the two differ on purpose,
 * what each shows and why.
 *
 * @module
 */

import { readAll } from "../e2e/daemon.ts";
import { readBytes } from "../e2e/load.ts";
import { isAlive, proc, statusFields, until } from "../e2e/machine.ts";
import type { Postfix } from "./postfix.ts";

/** The programs, by the names under which master(8) runs them. */
export const SIDES = ["spawn", "spawnd"] as const;

/** One of the programs. */
export type Side = typeof SIDES[number];

/** A row of the table. */
export interface Row {
  readonly what: string;
  readonly service: ServiceLine;
  readonly sight: Sight;
  readonly explained?: Explanation;
}

/**
 * The service on each side. In its attributes, NAME stands for its name and
 * FOLDER for the instance's folder. Rows with the same attributes share it.
 */
export interface ServiceLine {
  readonly attributes: string;
  /** A service of the loopback instead of a private one. */
  readonly isInet?: boolean;
  readonly isUnprivileged?: boolean;
  readonly isChrooted?: boolean;
  /** Its sixth field, how often master(8) is to wake it up. */
  readonly wakeup?: string;
}

/** Where the two differ on purpose: what each shows, and the reason. */
export type Explanation =
  & { readonly why: string }
  & Readonly<Record<Side, RegExp>>;

/** How a row comes to be seen. */
export type Sight = Answer | Records | Look;

/** By what a client reads. */
export interface Answer {
  readonly kind: "answer";
  readonly input: string;
  /** What of it counts. */
  readonly pick: (text: string) => string;
}

/** By what comes into the mail log after a client. */
export interface Records {
  readonly kind: "records";
  /** What the client sends before it goes. */
  readonly input: string;
  readonly pattern: RegExp | Readonly<Record<Side, RegExp>>;
  /** Who logs: the service's own processes unless master(8) does. */
  readonly by?: "master";
  /** Whether nothing is to come. */
  readonly isSilent?: boolean;
  /** Whether the record's ident counts as well. */
  readonly withIdent?: boolean;
}

/** By a closer look. */
export interface Look {
  readonly kind: "look";
  readonly look: (
    postfix: Postfix,
    at: { readonly side: Side; readonly name: string },
  ) => Promise<string>;
}

/** The commands that are scripts, by their names in the instance's folder. */
export const SCRIPTS = {
  "not-executable": "echo never\n",
  "no-interpreter": 'echo "$0 $*" | sed "s,.*/,,"\n',
  // Three processes that read the connection: the command, a child in its
  // group, and one in a session of its own.
  family: `#!/bin/sh
exec 3<&0
cat <&3 >/dev/null &
echo $$ $!
setsid cat <&3 >/dev/null &
echo $!
wait
`,
  reader: "#!/bin/sh\nread -r line\nread -r line || exit 7\n",
  writer: "#!/bin/sh\nread -r line\nexec yes\n",
  quiet: "#!/bin/sh\nexit 0\n",
  // Its exit status is the byte that came, 0 for none.
  woken: "#!/usr/bin/perl\nsysread(STDIN, $byte, 2);\nexit ord($byte);\n",
  socket: `#!/usr/bin/perl
use Socket qw(:all);
for my $name (qw(SO_KEEPALIVE SO_LINGER SO_OOBINLINE SO_REUSEADDR SO_SNDBUF)) {
  my $value = getsockopt(STDIN, SOL_SOCKET, eval $name);
  print "$name ", unpack("H*", $value), "\\n";
}
for my $name (qw(TCP_NODELAY TCP_DEFER_ACCEPT TCP_KEEPIDLE)) {
  my $value = getsockopt(STDIN, IPPROTO_TCP, eval $name);
  print "$name ", unpack("H*", $value), "\\n";
}
for my $address (getsockname(STDIN), getpeername(STDIN)) {
  my ($port, $host) = sockaddr_in($address);
  print inet_ntoa($host), "\\n";
}
`,
} as const;

function asNobody(argv: string): ServiceLine {
  return { attributes: `user=nobody argv=${argv}` };
}

/**
 * Of a command that shows itself: no shell, which for a moment blocks signals
 * and opens pipes whenever it starts something.
 */
function fact(
  what: string,
  argv: string,
  pick: (text: string) => string = (text) => text,
): Row {
  return {
    what: `command: ${what}`,
    service: asNobody(argv),
    sight: { kind: "answer", input: "", pick },
  };
}

function statusFact(what: string, ...names: string[]): Row {
  return fact(what, "/bin/cat /proc/self/status", (text) => {
    const fields = statusFields(text);
    return names.map((name) => `${name} ${fields.get(name)}`).join("\n");
  });
}

function answer(what: string, argv: string, input = ""): Row {
  return {
    what,
    service: asNobody(argv),
    sight: { kind: "answer", input, pick: (text) => text },
  };
}

function records(
  what: string,
  attributes: string,
  pattern: Records["pattern"],
  others: Partial<Records> = {},
): Row {
  return {
    what,
    service: { attributes },
    sight: { kind: "records", input: "", pattern, ...others },
  };
}

function refusal(
  what: string,
  attributes: string,
  pattern: Records["pattern"],
): Row {
  return records(`refusal: ${what}`, attributes, pattern);
}

/** Of a command that has the queue directory as its root. */
function inRoot(what: string, attributes: string): Row {
  return {
    what: `chroot: ${what}`,
    service: { attributes, isChrooted: true },
    sight: { kind: "answer", input: "", pick: (text) => text },
  };
}

function looks(what: string, attributes: string, look: Look["look"]): Row {
  return { what, service: { attributes }, sight: { kind: "look", look } };
}

const LIMITS = "/bin/cat /proc/self/limits";
const VERBOSE = "-v -o max_idle=1s user=nobody argv=/bin/cat";
const SLOW = "-o NAME_time_limit=3s user=nobody argv=FOLDER/family";

/** The table. */
export const ROWS: readonly Row[] = [
  statusFact("user and group ids, groups", "Uid", "Gid", "Groups"),
  statusFact(
    "capabilities and the like",
    ...["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"],
    ...["NoNewPrivs", "Seccomp"],
  ),
  fact("environment, in its order", "/bin/cat /proc/self/environ"),
  statusFact("umask", "Umask"),
  fact("working and root directory", `/bin/readlink ${links("cwd", "root")}`),
  fact("descriptors", "/bin/ls -l /proc/self/fd", descriptors),
  fact("flags of the connection", "/bin/grep flags /proc/self/fdinfo/0"),
  fact("session, group, terminal, nice", "/bin/cat /proc/self/stat", session),
  statusFact("blocked and pending signals", "SigBlk", "SigPnd", "ShdPnd"),
  {
    ...statusFact("ignored signals", "SigIgn"),
    explained: {
      why: "Postfix's daemons ignore SIGPIPE and SIGXFSZ, and spawn(8) " +
        "leaves that to its commands; spawnd's have the defaults",
      spawn: /^SigIgn [0-9a-f]{9}1[0-9a-f]{2}1[0-9a-f]{3}$/,
      spawnd: /^SigIgn 0{16}$/,
    },
  },
  fact("resource limits", LIMITS, (text) => limits(text, false)),
  fact("limit of open files", LIMITS, (text) => limits(text, true)),
  fact(
    "OOM score, core filter, personality, control groups",
    "/bin/cat " + links("oom_score_adj", "coredump_filter", "personality") +
      " /proc/self/cgroup",
  ),
  fact(
    "namespaces",
    "/bin/readlink " +
      links("ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid", "ns/user"),
  ),
  answer(
    "command: arguments with spaces, braces and what a shell would expand",
    `/bin/sh -c { tr '\\0' '\\n' </proc/$$/cmdline } { two words } $HOME ` +
      '*.c "q r" ; a=b {} { {x} }',
  ),
  {
    ...answer("TCP: the connection's options and addresses", ""),
    service: {
      attributes: "user=nobody argv=FOLDER/socket",
      isInet: true,
    },
  },
  answer("command without a slash: found in PATH", "id -u"),
  answer("file without an interpreter: run by sh", "FOLDER/no-interpreter x y"),
  answer("standard error: goes to the client", "/bin/sh -c { echo no >&2 }"),
  answer(
    "half-close: the command answers after it",
    "/bin/sh -c { cat; echo end }",
    "line\n",
  ),
  records(
    "a normal end: nothing in the log",
    "user=nobody argv=FOLDER/quiet",
    /quiet/,
    { isSilent: true },
  ),
  records(
    "exit status: text",
    "user=nobody argv=/bin/sh -c { exit 3 }",
    /status 3/,
  ),
  records(
    "killed by a signal: text",
    "user=nobody argv=/bin/sh -c { kill -15 $$ }",
    /signal 15/,
  ),
  records(
    "killed by a fault: text",
    "user=nobody argv=/bin/sh -c { kill -SEGV $$ }",
    /signal 11/,
  ),
  records(
    "-o syslog_name: ident of the records",
    "-o syslog_name=other user=nobody argv=/bin/sh -c { exit 5 }",
    /status 5/,
    { withIdent: true },
  ),
  records(
    "-o syslog_name: ident of a refusal",
    "-o syslog_name=other user=nobody:root argv=/bin/true",
    /group id 0/,
    { withIdent: true },
  ),
  {
    ...records("no such file", "user=nobody argv=/no/such", /\/no\/such/),
    explained: notStarted("/no/such", "No such file or directory"),
  },
  {
    ...records(
      "no such file in PATH",
      "user=nobody argv=no-such-command x",
      /no-such-command/,
    ),
    explained: notStarted("no-such-command", "No such file or directory"),
  },
  {
    ...records(
      "a file that is not executable",
      "user=nobody argv=FOLDER/not-executable",
      /not-executable/,
    ),
    explained: notStarted("FOLDER/not-executable", "Permission denied"),
  },
  {
    ...records(
      "wakeup: the byte W for the command",
      "user=nobody argv=FOLDER/woken",
      /woken/,
    ),
    service: { attributes: "user=nobody argv=FOLDER/woken", wakeup: "1" },
  },
  {
    ...looks(
      "no such file: its client",
      "user=nobody argv=/no/such waited-for",
      async (postfix, { name }) => {
        // The first one waits for the process, too.
        await postfix.ask(name);
        return await untilEnd(postfix, name);
      },
    ),
    explained: {
      why: "spawn(8)'s child waits a second before it ends; spawnd has no " +
        "child to wait for, and the client knows sooner",
      spawn: /^ended after a second$/,
      spawnd: /^ended at once$/,
    },
  },
  records("time limit: text", SLOW, /time limit exceeded/),
  {
    ...looks("time limit: command, its group, its others", SLOW, afterLimit),
    explained: {
      why: "spawn(8) signals with the mail owner's rights, which the kernel " +
        "refuses, and waits on; spawnd signals with those of the command's user",
      spawn: /^runs, runs, runs$/,
      spawnd: /^ended, ended, runs$/,
    },
  },
  records(
    "client that goes: a command that reads",
    "user=nobody argv=FOLDER/reader",
    /reader/,
    { input: "line\n" },
  ),
  {
    ...records(
      "client that goes: a command that writes",
      "user=nobody argv=FOLDER/writer",
      /writer/,
      { input: "line\n" },
    ),
    explained: {
      why: "as SIGPIPE is not ignored, it ends a command that would not look",
      spawn: /^warning: command FOLDER\/writer exit status 1$/,
      spawnd: /^warning: command FOLDER\/writer killed by signal 13$/,
    },
  },
  {
    ...looks(
      "two clients at once: processes",
      "user=nobody argv=/bin/cat",
      twoClients,
    ),
    explained: {
      why:
        "spawn(8) has a process for each running command, spawnd one for all",
      spawn: /^2$/,
      spawnd: /^1$/,
    },
  },
  looks(
    "daemon: ids, groups, capabilities",
    "user=nobody argv=/bin/cat -",
    daemonStatus,
  ),
  records("-v: each connection", VERBOSE, /^connection /),
  {
    ...records(
      "-v: the daemon itself",
      VERBOSE,
      /^(?!fatal|warning|connection|idle|time|master)/,
    ),
    explained: {
      why: "spawn(8) traces its libraries, spawnd has none of them",
      spawn: /^get_service_attr: uid \d+, gid \d+; time 1000$/m,
      spawnd: /^daemon started$/,
    },
  },
  records("-v: idle", VERBOSE, /^idle /),
  looks("-v: reload", "-v user=nobody argv=/bin/cat", afterReload),
  refusal(
    "unknown user",
    "user=nosuch argv=/bin/cat",
    /unknown user name: nosuch/,
  ),
  refusal("numeric user", "user=1234 argv=/bin/cat", /1234/),
  refusal("no user's name", "user= argv=/bin/cat", /user name: $/),
  refusal("unknown group", "user=nobody:nosuch argv=/bin/cat", /group name/),
  refusal("unknown attribute", "user=nobody foo=x argv=/bin/cat", /foo=x/),
  refusal("no user=", "argv=/bin/cat", /missing user/),
  refusal("no argv=", "user=nobody", /missing argv/),
  {
    ...refusal("an empty argv=", "user=nobody argv=", {
      spawn: /execvp : |command {2}/,
      spawnd: /argv=/,
    }),
    explained: {
      why: "spawn(8) finds out as it runs the command, spawnd at its start",
      spawn: /^fatal: spawn_comand: execvp : No such file or directory$/m,
      spawnd: /^fatal: missing argv= attribute$/,
    },
  },
  refusal("root", "user=root argv=/bin/cat", /as root/),
  refusal("mail owner", "user=postfix argv=/bin/cat", /as mail system owner/),
  refusal("group id 0", "user=bin:root argv=/bin/cat", /id 0/),
  refusal(
    "mail owner's group",
    "user=nobody:postfix argv=/bin/cat",
    /owner group id/,
  ),
  refusal("unknown option", "-x user=nobody argv=/bin/cat", /option: /),
  refusal("-r without a time", "-r 0 user=nobody argv=/bin/true", /retirement/),
  looks(
    "refusal: bad GENERATION",
    "user=nobody argv=/bin/true generation",
    ofBadGeneration,
  ),
  {
    ...records(
      "-D with debugger_command",
      "-D -o { debugger_command=echo $process_id } user=nobody argv=/bin/true",
      /running: /,
    ),
    explained: {
      why:
        "a debugger of compiled code sees nothing of spawnd's, and nothing " +
        "but a service's command is ever run",
      spawn: /^running: /,
      spawnd: /^$/,
    },
  },
  {
    ...refusal(
      "-D without debugger_command",
      "-D user=nobody argv=/bin/true",
      /debugger/,
    ),
    explained: {
      why: "as there is nothing to be run, nothing is missed",
      spawn: /^fatal: .*debugger_command/,
      spawnd: /^$/,
    },
  },
  {
    ...refusal(
      "a bad value of a parameter that is another program's",
      "-o fork_attempts=x user=nobody argv=/bin/true",
      /fork_attempts/,
    ),
    explained: {
      why:
        "spawn(8) reads what all programs of Postfix do, spawnd what it uses",
      spawn: /^fatal: bad numerical configuration: fork_attempts = x$/,
      spawnd: /^$/,
    },
  },
  refusal("-o that sets nothing", "-o odd user=nobody argv=/bin/cat", /odd/),
  refusal("bad time", "-o max_idle=x user=nobody argv=/bin/cat", /max_idle/),
  {
    ...refusal(
      "bad number",
      "-o max_use=-1 user=nobody argv=/bin/cat",
      /max_use/,
    ),
    explained: {
      why: "spawnd takes 0 as well, for no limit",
      spawn: /^fatal: invalid max_use parameter value -1 < 1$/,
      spawnd: /^fatal: invalid max_use parameter value -1 < 0$/,
    },
  },
  refusal(
    "time limit below 1",
    "-o NAME_time_limit=0 user=nobody argv=/bin/cat",
    /time_limit/,
  ),
  {
    ...refusal(
      "unknown mail owner",
      "-o mail_owner=nosuch user=nobody argv=/bin/cat",
      /mail_owner/,
    ),
    explained: {
      why: "spawn(8) blames main.cf, whatever set the value",
      spawn:
        /^fatal: file FOLDER\/etc\/main\.cf: parameter mail_owner: unknown user name value: nosuch$/,
      spawnd: /^fatal: parameter mail_owner: unknown user name value: nosuch$/,
    },
  },
  {
    ...refusal(
      "unknown facility",
      "-o syslog_facility=nosuch user=nobody argv=/bin/cat",
      /syslog_facility/,
    ),
    explained: {
      why: "spawn(8) blames main.cf, whatever set the value",
      spawn:
        /^fatal: file FOLDER\/etc\/main\.cf: parameter syslog_facility: unrecognized value: nosuch$/,
      spawnd: /^fatal: parameter syslog_facility: unrecognized value: nosuch$/,
    },
  },
  inRoot(
    "identity, root, directory, environment",
    "user=nobody argv=/usr/bin/facts",
  ),
  inRoot("found in PATH", "user=nobody argv=facts in-path"),
  inRoot("file without an interpreter", "user=nobody argv=/script x"),
  {
    ...inRoot("a file that is outside of it", ""),
    service: {
      attributes: "user=nobody argv=/bin/cat /facts-root",
      isChrooted: true,
    },
    sight: { kind: "records", input: "", pattern: /\/bin\/cat/ },
    explained: notStarted("/bin/cat", "No such file or directory"),
  },
  {
    ...inRoot(
      "an account that is outside of it",
      "user=daemon argv=/usr/bin/facts",
    ),
    explained: {
      why: "spawn(8) goes there itself, and finds no account; spawnd stays " +
        "outside, knows the machine's accounts and has the command go there",
      spawn: /^$/,
      spawnd: /^uid (\d+) \1 \1\n[^]*\nroot closed, has \/facts-root\n/,
    },
  },
  {
    ...refusal("unprivileged", "", /privileged op/),
    service: { attributes: "user=bin argv=/bin/cat", isUnprivileged: true },
  },
  {
    ...refusal(
      "a bad export_environment",
      "-o export_environment={=lost} user=nobody argv=/bin/cat",
      { spawn: /clean_env/, spawnd: /=lost/ },
    ),
    explained: {
      why: "spawn(8) finds out as it runs the command, spawnd at its start",
      spawn: /^fatal: clean_env: missing attribute name in: =lost$/,
      spawnd: /^fatal: export_environment: missing attribute name in: =lost$/,
    },
  },
  looks(
    "refusal of attributes: its client",
    "user=root argv=/bin/cat waited-for",
    (postfix, { name }) => untilEnd(postfix, name),
  ),
  {
    ...looks(
      "refusal of anything else: its client",
      "-o max_idle=x user=nobody argv=/bin/cat waited-for",
      afterRefusal,
    ),
    explained: {
      why: "spawn(8) ends before it accepts: the client waits for as long as " +
        "it will, and has a process started each minute; spawnd accepts first",
      spawn: /^waits$/,
      spawnd: /^ended$/,
    },
  },
  records(
    "refusal: what master makes of it",
    "user=root argv=/bin/cat",
    /exit status|bad command startup/,
    { by: "master" },
  ),
];

function notStarted(command: string, reason: string): Explanation {
  return {
    why:
      "spawn(8) finds out in a child, which waits a second before it ends; " +
      "spawnd at once, by one record",
    spawn: new RegExp(
      `^fatal: spawn_comand: execvp ${command}: ${reason}\n` +
        `warning: command ${command} exit status 1$`,
    ),
    spawnd: new RegExp(
      `^warning: command ${command} cannot be started: ${reason}$`,
    ),
  };
}

function links(...names: string[]): string {
  return names.map((name) => `/proc/self/${name}`).join(" ");
}

/** The table of descriptors, with one letter for each socket. */
function descriptors(text: string): string {
  const sockets = new Map<string, string>();
  return text.replaceAll(/^.* (?=\d+ -> )/gm, "")
    .replaceAll(/\/proc\/\d+\/fd/g, "the folder itself")
    .replaceAll(/\[\d+\]/g, (inode) => {
      const letter = String.fromCharCode(65 + sockets.size);
      sockets.set(inode, sockets.get(inode) ?? letter);
      return ` ${sockets.get(inode)}`;
    });
}

/** The line about open files, or all the others. */
function limits(text: string, areOfFiles: boolean): string {
  return text.split("\n")
    .filter((line) => line.startsWith("Max open files") === areOfFiles)
    .join("\n");
}

/** From /proc/PID/stat: see proc(5). */
function session(text: string): string {
  const [pid] = text.split(" ");
  const fields = text.replace(/^.*\) /s, "").split(" ");
  const [, , group, session, terminal, foreground] = fields;
  const own = (id: string | undefined) => id === pid ? "its own" : `${id}`;
  return `session ${own(session)}, group ${own(group)}, ` +
    `terminal ${terminal}, foreground ${foreground}, nice ${fields[16]}`;
}

/** What is left of a command and its like that run for longer than they may. */
async function afterLimit(
  postfix: Postfix,
  { side, name }: { side: Side; name: string },
): Promise<string> {
  using connection = await postfix.connect(name);
  let text = "";
  while (text.split("\n").length < 3) text += await readBytes(connection, 1);
  const pids = text.trim().split(/\s/).map(Number);
  const [command = 0] = pids;
  await postfix.logged(`process id ${command}: command time limit exceeded`);
  if (side === "spawnd") {
    await postfix.logged(/family killed by signal 9$/m);
    // What is killed is gone when it has had the processor once more.
    await until("its group is gone", async () => {
      return !(await Promise.all(pids.slice(0, 2).map(isAlive))).includes(true);
    });
  }
  const alive = await Promise.all(pids.map(isAlive));
  return alive.map((runs) => runs ? "runs" : "ended").join(", ");
}

/** How long a client's connection lasts that says nothing. */
async function untilEnd(postfix: Postfix, name: string): Promise<string> {
  const begunMs = performance.now();
  using connection = await postfix.connect(name);
  const { length } = await readAll(connection);
  const isSecond = performance.now() - begunMs >= 1000;
  return `${length > 0 ? "answered, and " : ""}ended ` +
    (isSecond ? "after a second" : "at once");
}

/** Whether a client still waits when the process that refuses has ended. */
async function afterRefusal(
  postfix: Postfix,
  { name }: { name: string },
): Promise<string> {
  const connection = await postfix.connect(name);
  const end = readAll(connection).then(() => "ended", () => "waits");
  let pid: number | undefined;
  await until(`${name} has a process`, async () => {
    [pid] = await postfix.daemons(name);
    return pid !== undefined;
  });
  await postfix.logged(`pid ${pid} exit status 1`);
  // The end of the process was that of the connection, if it had accepted it.
  const closing = setTimeout(() => connection.close(), 100);
  const state = await end;
  clearTimeout(closing);
  if (state === "ended") connection.close();
  return state;
}

/** Connects, and waits until the command answers. */
async function established(
  postfix: Postfix,
  name: string,
): Promise<Deno.Conn> {
  const connection = await postfix.connect(name);
  await connection.write(new TextEncoder().encode("x"));
  await readBytes(connection, 1);
  return connection;
}

/** What comes of a variable of master(8)'s that is none of its numbers. */
async function ofBadGeneration(
  postfix: Postfix,
  { side }: { side: Side },
): Promise<string> {
  const { code } = await new Deno.Command(postfix.join(`sbin/${side}`), {
    args: ["-S", "user=nobody", "argv=/bin/true"],
    env: {
      GENERATION: "odd",
      MAIL_CONFIG: postfix.join("etc"),
      POSTLOG_SERVICE: postfix.join("queue/public/postlog"),
      POSTLOG_HOSTNAME: "test",
    },
    stdin: "null",
  }).output();
  await postfix.logged(`/${side}\\[\\d+\\]: fatal: bad generation: odd\n`);
  return `exit status ${code}`;
}

async function twoClients(
  postfix: Postfix,
  { name }: { name: string },
): Promise<string> {
  using _first = await established(postfix, name);
  using _second = await established(postfix, name);
  return `${(await postfix.daemons(name)).length}`;
}

async function daemonStatus(
  postfix: Postfix,
  { name }: { name: string },
): Promise<string> {
  using _ = await established(postfix, name);
  const [pid] = await postfix.daemons(name);
  const fields = statusFields(await proc(`${pid}/status`));
  return ["Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapInh"]
    .map((field) => `${field} ${fields.get(field)}`).join(", ");
}

async function afterReload(
  postfix: Postfix,
  { name }: { name: string },
): Promise<string> {
  const connection = await established(postfix, name);
  const [pid] = await postfix.daemons(name);
  connection.close();
  await postfix.logged(`\\[${pid}\\]: connection closed`);
  await postfix.control("reload");
  await postfix.logged(new RegExp(`\\[${pid}\\]: (?!conn).* -- exiting$`, "m"));
  const records = (await postfix.log()).split("\n");
  return records.findLast((record) => record.includes(`[${pid}]: `))
    ?.replace(/^.*?\]: /, "") ?? "";
}
