/**
 * The manual page spawnd(8).
 *
 * @module
 */

import type { OptionSpec } from "../lib/cli/shared/options.ts";
import { type Subcommand, SUBCOMMANDS } from "../lib/cli/subcommands.ts";
import { EX } from "../lib/result.ts";
import { ManPage } from "./man_page.ts";

/** What is to be known of a subcommand beside its options. */
const ABOUT: Readonly<Record<string, readonly string[]>> = {
  run: [
    "Serves one service until it is told to stop. For the type `inet` the " +
    "<NAME> is <HOST>:<PORT>, [<ADDRESS>]:<PORT>, or <PORT> for every " +
    "address; names are looked up once, and port 0 takes a free one and says " +
    "which. For `unix` it is the path of a socket: a stale one is replaced, one " +
    "that somebody listens on is respected, and ours is removed at the end.",
    "--time-limit takes 90, 90s, 5m, 2h or 1d. Beyond --max-processes, clients " +
    "wait in the kernel's queue, which --backlog and sysctl net.core.somaxconn " +
    "limit. --export-environment is what the command's environment has, between " +
    "commas and white space: names to pass on from the daemon's own, " +
    "<NAME>=<VALUE> words, and { <NAME> = <VALUE> } groups, in which white " +
    "space is the value's. PATH is always /usr/bin:/bin. --socket-mode holds " +
    "from a socket's first instant. On --ready-fd one newline is written, and " +
    "it is closed, when connections are accepted.",
  ],
  serve: [
    "Serves the entries of master.cf whose command is `spawn` or `spawnd`, " +
    "and leaves the others alone. With one error anywhere, nothing is served " +
    "and every error is told.",
  ],
  reload: [
    "Makes a running `spawnd serve` take its configuration, and its binary, " +
    "anew, in the same process, and waits until the new one serves. No " +
    "connection is lost and no command cut short; commands that run stay " +
    "counted and keep their time limit. If the new one would not serve, the " +
    "old one goes on, its log says why, and the exit code is 78.",
  ],
  check: [
    "Prints every error and warning there is about a configuration, one a " +
    "line, as <FILE>:<LINE>:<COLUMN>: level: text (mend). On a terminal the " +
    "line and a caret are below. Beside mistakes it warns of commands that " +
    "are missing, that the user cannot execute, or that others than root can " +
    "replace; of configuration files that others than root can write; of " +
    "services without a limit; of two services on one address; and of a time " +
    "limit shorter than smtpd keeps its connection to a policy service. It " +
    "should be run by root, who sees all that there is to judge. `--json` " +
    "prints one array of objects with level, file, line, column, length, " +
    "text and mend; line and column are 0 where a file as a whole is meant.",
  ],
  config: [
    "Prints parameters in the format of postconf(1): those named, or all that " +
    "spawnd knows, and of those that main.cf sets Postfix's and the ones that " +
    "some value refers to. `-C` selects by class: builtin parameters, those of " +
    "a service, those that main.cf makes (user). Letters can be joined: `-nx`. " +
    "A line of `--origin` begins with <FILE>:<LINE>, with default, or with " +
    "spawnd for what the program sets itself. With `--json` each line is an " +
    'object, {"NAME":"VALUE"}.',
  ],
  services: [
    "Prints the services as `spawnd serve` would run them: name and type, " +
    "addresses, user, how many commands at once, how long each may run, and " +
    "the command. `--json` prints one array of objects with service, type, " +
    "addresses, user, uid, gid, maxProcesses (0 for no limit), " +
    "timeLimitSeconds, argv, file and line.",
  ],
  "install-postfix": [
    "Puts spawnd in the place of spawn(8) below Postfix's master(8): copies " +
    "this program into daemon_directory, and makes the entries of master.cf " +
    "that are named, or all whose command is `spawn`, run it. Without `--yes` " +
    "it shows that, with the call of postconf(1) for each entry, and changes " +
    "nothing. It never reloads Postfix: that is for `postfix reload`.",
    "It keeps master.cf as master.cf.before-spawnd, a program that was there " +
    "before with .before-install at the end of its name, and what it changed " +
    "in spawnd-install.json, beside master.cf. `--undo` needs these. It puts " +
    "master.cf back to the byte, unless others have changed it since: then it " +
    "puts back the entries that are as they were left, and tells of the " +
    "others. The program stays where services are named, and while an entry " +
    "runs it. An entry that cannot run spawnd, or that postconf(1) would " +
    "damage, is left as it is, and told with what to do about it.",
    "The exit code is 1 where an entry was left. With `--check` it is 1 where " +
    "this program, or a service that was named, is not in place, and 78 for " +
    "an error in the configuration.",
  ],
  completion: ["Prints the script with which the shell completes words."],
};

/** When a program ends with each exit code. */
const ENDS: Readonly<Record<keyof typeof EX, string>> = {
  OK: "Stopped as asked; or the answer is printed.",
  USAGE: "Wrong words on the command line.",
  NOUSER: "No such user or group.",
  NOHOST: "No such host.",
  SOFTWARE: "An error of spawnd's own, to be reported.",
  OSERR: "The system refused something.",
  NOPERM: "Only root may do that.",
  CONFIG: "A refused or bad setting.",
};

/**
 * Makes the page.
 *
 * @returns It, as man(1) reads it.
 */
export function spawnd8(): string {
  const page = new ManPage({
    name: "spawnd",
    section: 8,
    summary: "run a command for every connection",
    date: "2026-11-23",
  });
  page.section("SYNOPSIS");
  for (const { name, synopsis, options } of SUBCOMMANDS) {
    const some = options.length > 1 ? " [<OPTIONS>]" : "";
    page.call(`\`spawnd ${name}\`${some} ${italics(synopsis)}`.trimEnd());
  }
  page
    .call("`spawnd -t` <TRANSPORT> [`-n` <NAME>] [<OPTIONS>] <ATTRIBUTES>")
    .call("`spawnd --version`")
    .call("`spawnd --help`")
    .section("DESCRIPTION")
    .paragraph(
      "spawnd listens, and runs a command for every connection, as an " +
        "unprivileged user: Postfix's spawn(8) as one program that needs no " +
        "Postfix. The accepted socket itself becomes the command's standard " +
        "input, output and error; the daemon never reads or writes it. It is " +
        "started by root, and gives up all that it can before the first " +
        "connection.",
    )
    .section("ATTRIBUTES")
    .paragraph(
      "Attributes end the definition of a service, on the command line as in " +
        "master.cf. Their names are of letters of any size.",
    )
    .item(
      "`user=`<USER>, `user=`<USER>`:`<GROUP>",
      "Whose rights the command has, by name. Without a group it is the " +
        "account's own. Root, the daemon's own account and their groups are " +
        "refused. Where root did not start the daemon, it can be left out, or " +
        "name nobody but who did; `spawnd check` judges as root would.",
    )
    .item(
      "`argv=`<COMMAND> [<ARG>...]",
      "The command, and all words after it. No shell comes between. A " +
        "command without a slash is looked for in /usr/bin:/bin. `spawnd run` " +
        "warns of one that is not there, or that the user cannot execute.",
    )
    .section("COMMANDS");
  for (const subcommand of SUBCOMMANDS) addSubcommand(page, subcommand);
  addMaster(page);
  page
    .section("THE COMMAND")
    .paragraph(
      "It has: the user's uid and gid and no other group; no capabilities; a " +
        "session of its own; default signal dispositions and an empty signal " +
        "mask; descriptors 0, 1 and 2 and no other; umask 077; queue_directory " +
        "as its working directory, or / where there is none; and an " +
        "environment of what export_environment lists (of `serve`, as far as " +
        "import_environment has it), with PATH always " +
        "/usr/bin:/bin. When its time is over, its whole process group is " +
        "killed. What it leaves running when it ends before goes on, with its " +
        "conversation if it has that, and counts for nothing; after a SIGINT " +
        "all of its process group is killed with it. What is in a session of " +
        "its own by then goes on in any case.",
    )
    .paragraph(
      "While it cannot be started, as it is missing or the system lacks " +
        "something, one client a second is tried and its connection closed, " +
        "and the others wait in the kernel's queue. The log has the reason " +
        "once, then once a minute, and says when it is over.",
    )
    .section("SIGNALS")
    .item(
      "SIGTERM",
      "No more connections are accepted; spawnd ends when the running " +
        "commands have. Every ten seconds, on a terminal every second, the " +
        "log has the services that still have commands, and how many. After " +
        "--stop-timeout or `spawnd_stop_timeout`, if there is one, the rest " +
        "are ended as by SIGINT; so they are by a second SIGTERM.",
    )
    .item(
      "SIGINT, SIGQUIT",
      "Every command's process group gets SIGTERM and, after five seconds, " +
        "SIGKILL. One that is not gone three seconds later is told in the log " +
        "with its process id and left.",
    )
    .item(
      "SIGHUP",
      "`spawnd serve` takes a new configuration, as by reload, and stays the " +
        "same process.",
    )
    .item(
      "SIGUSR1, SIGUSR2, SIGALRM and others",
      "So, too, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGXCPU, " +
        "SIGXFSZ and the real-time signals: ignored, and told in the log, once " +
        "each. Below master(8), SIGALRM is the watchdog's of `daemon_timeout`. " +
        "With the relay engine, real-time signals end the daemon.",
    )
    .section("LOG")
    .paragraph(
      "Records go to standard error: as text, with a priority in front where " +
        "journald reads them and in colours on a terminal; or with --log-format " +
        "json as an object a line, with time, level, service, pid, event, text " +
        "and fields. A reader that stops reading stalls nothing: 256 KiB wait " +
        "for it, and what comes then is dropped and counted.",
    )
    .section("ENGINES")
    .paragraph(
      "`direct`, the default, needs Linux 5.11 and glibc. `relay` is for where " +
        "the C library cannot be called: the runtime starts the command and " +
        "carries the bytes. There standard input, output and error are pipes, " +
        "the supplementary groups are empty, argv[0] is the path, the daemon " +
        "keeps root's effective ids, and SIGHUP reloads nothing.",
    )
    .section("ENVIRONMENT")
    .item("`MAIL_CONFIG`", "The directory of main.cf and master.cf.")
    .item("`NO_COLOR`", "Where it is set, terminals get no colours.")
    .section("FILES")
    .item(
      "/etc/spawnd/main.cf, /etc/spawnd/master.cf",
      "The configuration, unless -c or MAIL_CONFIG names another directory. " +
        "See spawnd.cf(5).",
    )
    .item(
      "/etc/postfix/main.cf, /etc/postfix/master.cf",
      "The configuration below master(8), and for `spawnd install-postfix`, " +
        "unless MAIL_CONFIG or -c says otherwise.",
    )
    .item(
      "the file of --pid-file",
      "The process id, from when the daemon is ready until it ends. It is " +
        "locked meanwhile, fcntl(2): two daemons never share one, and " +
        "`spawnd reload` signals the process that has the lock, or none. " +
        "Nobody but root, or who starts the daemon, may be able to change the " +
        "way to it. `.new` is added to its name until it appears.",
    )
    .section("EXIT STATUS");
  for (const [name, code] of Object.entries(EX)) {
    // The entries of a constant have its keys.
    page.item(`${code}`, ENDS[name as keyof typeof EX]);
  }
  return page
    .section("DIAGNOSTICS")
    .paragraph("Of a command that ends abnormally, the log has one of:")
    .example(
      "warning: COMMAND: process id PID: command time limit exceeded",
      "warning: command COMMAND exit status N",
      "warning: command COMMAND killed by signal N",
    )
    .section("EXAMPLES")
    .paragraph("An echo service, as nobody:")
    .example("spawnd run inet 127.0.0.1:7007 user=nobody argv=/bin/cat")
    .paragraph("Look before serving:")
    .example(
      "spawnd check -c /etc/spawnd && spawnd serve -c /etc/spawnd",
    )
    .section("SEE ALSO")
    .paragraph(
      "spawnd.cf(5), spawn(8), master(5), postconf(1), postconf(5), postfix(1)",
    )
    .text;
}

function addSubcommand(page: ManPage, { name, options }: Subcommand): void {
  const about = ABOUT[name];
  if (about === undefined) throw new Error(`nothing is said about ${name}`);
  page.part(`spawnd ${name}`);
  for (const text of about) page.paragraph(text);
  for (const option of options) page.item(term(option), option.help);
}

function term({ name, alias, value }: OptionSpec): string {
  const given = value === undefined ? "" : ` <${value}>`;
  return (alias === undefined ? "" : `\`-${alias}\`${given}, `) +
    `\`--${name}\`${given}`;
}

/** Words in capitals stand for others. */
function italics(synopsis: string): string {
  return synopsis.replaceAll(/[A-Z]+/g, "<$&>")
    .replaceAll(/[a-z]+=?/g, "`$&`");
}

/** What master(8) passes, and what a process does below it. */
function addMaster(page: ManPage): void {
  page
    .section("BELOW MASTER(8)")
    .paragraph(
      "Where the first word is a letter behind a dash, spawnd was started by " +
        "Postfix's master(8), from an entry of master.cf that names it in the " +
        "place of spawn(8). It reads main.cf and master.cf in `MAIL_CONFIG`, or " +
        "/etc/postfix, rests as `mail_owner`, and logs as Postfix's daemons " +
        "do. A fatal error waits a second and ends the process with 1; who has " +
        "typed such words by hand is told so at once.",
    )
    .paragraph(
      "One process runs all commands of its service, as many at once as " +
        "maxproc on the service's line says, or `spawnd_concurrency`. With 1 " +
        "it is a process for one command at a time, as spawn(8) is. It ends " +
        "after `max_idle` without a connection, or after `max_use` for each of " +
        "the commands at once, at the first moment without one; after twice as " +
        "many it takes no more. After a reload it goes on with the new " +
        "configuration in the same process, its commands counted as before, " +
        "and ends at the first moment without one.",
    )
    .item(
      "`-t` <TRANSPORT>",
      "How connections arrive: `inet`, `unix`, or `pass` where another " +
        "program, such as postscreen(8), passes them on.",
    )
    .item("`-n` <NAME>", "The service's name, if it is not the program's.")
    .item("`-o` <NAME>=<VALUE>", "A setting for this service alone.")
    .item(
      "`-i` <TIME>, `-m` <COUNT>",
      "The same as -o max_idle=<TIME> and -o max_use=<COUNT>.",
    )
    .item(
      "`-r` <SECONDS>",
      "How long to serve at all; a command that runs then is not cut short.",
    )
    .item("`-s` <COUNT>", "How many listening sockets there are; 1 by default.")
    .item(
      "`-S`",
      "Serve the one connection on standard input, and end: for inetd(8) and " +
        "its like.",
    )
    .item("`-v`", "Tell each connection.")
    .item("`-d`", "Allow a terminal on standard input.")
    .item(
      "`-c`",
      "chroot of master.cf: commands have queue_directory as their root, and " +
        "start in `/`.",
    )
    .item(
      "`-u`",
      "unprivileged of master.cf: refused, as only root can become the " +
        "command's user.",
    )
    .item("`-D`, `-l`, `-V`, `-z`", "Without effect.");
}
