/**
 * For the tests that reload a daemon: clients that hold on to their commands
 * or come again and again, and programs that are replaced or keep a trial
 * waiting.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { connectTo, type Server } from "./configuration.ts";
import { programWords, readAll, writeAll } from "./daemon.ts";
import { finish, readBytes } from "./load.ts";
import { childrenOf, type Folder, NEVER_MS, output, until } from "./machine.ts";

/** What each client sends and has back, over and over. */
const MESSAGE_BYTES = 4096;

/**
 * Talks to an address, one connection after the other, until a file appears.
 * Then says how many went well, how many were lost and how many were cut.
 */
const CLOSED_LOOP = `
  my ($address, $stop, $size, $seconds) = @ARGV;
  my ($host, $port) = $address =~ /^(.*):(\\d+)$/;
  my ($whole, $lost, $cut) = (0, 0, 0);
  my $name = defined $port
    ? pack_sockaddr_in($port, inet_aton($host)) : pack_sockaddr_un($address);
  $SIG{PIPE} = "IGNORE";
  $SIG{ALRM} = sub { die "no answer\\n" };
  my $random = join "", map { chr(97 + rand 26) } 9 .. $size;
  for (my $turn = 0; !-e $stop; $turn++) {
    my $message = sprintf("%08d", $turn) . $random;
    my $answer = "";
    eval {
      alarm($seconds);
      socket(my $s, sockaddr_family($name), SOCK_STREAM, 0) or die $!;
      connect($s, $name) or die "connect: $!\\n";
      syswrite($s, $message) == $size or die "write: $!\\n";
      shutdown($s, 1) or die "shutdown: $!\\n";
      1 while sysread($s, $answer, $size, length $answer);
    };
    print STDERR $@ if $@;
    if ($answer eq $message) { $whole++ }
    elsif ($answer eq "") { $lost++ }
    else { $cut++ }
  }
  print "$whole $lost $cut";
`;

/** What came of the conversations of one client. */
export interface Figures {
  readonly whole: number;
  readonly lost: number;
  readonly cut: number;
}

/** A client in a process of its own, until `stop` exists. */
export async function closedLoop(
  address: string,
  stop: string,
): Promise<Figures> {
  const text = await output(
    "/usr/bin/perl",
    "-MSocket=:all",
    "-e",
    CLOSED_LOOP,
    address,
    stop,
    String(MESSAGE_BYTES),
    String(NEVER_MS / 1000),
  );
  const [whole = NaN, lost = NaN, cut = NaN] = text.split(" ").map(Number);
  return { whole, lost, cut };
}

/** A connection to /bin/cat that is held. Ends with the scope: `using`. */
export class Conversation implements Disposable {
  readonly #connection: Deno.Conn;
  #said = 0;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Connects, and waits for a first answer. */
  static async start(address: string): Promise<Conversation> {
    const conversation = new Conversation(await connectTo(address));
    await conversation.goOn();
    return conversation;
  }

  /** Says something and has it back. */
  async goOn(): Promise<void> {
    const line = `line ${this.#said++}\n`;
    await writeAll(this.#connection, new TextEncoder().encode(line));
    assertEquals(await readBytes(this.#connection, line.length), line);
  }

  /** Reads to the end: that of the command, or after having said enough. */
  async end({ speak = true }: { speak?: boolean } = {}): Promise<string> {
    if (speak) return await finish(this.#connection);
    return new TextDecoder().decode(await readAll(this.#connection));
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** Puts a copy of the binary into a folder, in place of one that is there. */
export async function copyBinary(folder: Folder): Promise<string> {
  const [binary = ""] = programWords();
  const path = folder.join("spawnd");
  await Deno.copyFile(binary, `${path}.new`);
  await Deno.rename(`${path}.new`, path);
  return path;
}

/** The inode of the file that a process runs. */
export async function inodeOfProgram(pid: number): Promise<number> {
  return Number(await output("stat", "-L", "-c", "%i", `/proc/${pid}/exe`));
}

/** Waits for the file that is named first, and is then what is named next. */
const WAITS = `
  my $go = shift @ARGV;
  select undef, undef, undef, 0.02 until -e $go;
  exec { $ARGV[0] } @ARGV or die;
`;

/**
 * The program behind a link, in whose place another can be put. A daemon that
 * was started by the link is started anew by it.
 */
export class LinkedProgram {
  readonly #folder: Folder;
  readonly #binary: string;
  /** The link. */
  readonly path: string;
  /** The link, and the words before the program's own. */
  readonly words: readonly string[];

  private constructor(folder: Folder, [binary = "", ...rest]: string[]) {
    this.#folder = folder;
    this.#binary = binary;
    this.path = folder.join("program");
    this.words = [this.path, ...rest];
  }

  /** What the one that waits waits for. */
  get #go(): string {
    return this.#folder.join("go");
  }

  static async create(folder: Folder): Promise<LinkedProgram> {
    const program = new LinkedProgram(folder, programWords());
    await program.restore();
    return program;
  }

  /** Makes the link lead to the program again, or to another file. */
  async restore(target: string = this.#binary): Promise<void> {
    await Deno.symlink(target, `${this.path}.new`);
    await Deno.rename(`${this.path}.new`, this.path);
  }

  /** Puts a script in its place. */
  async replace(script: string): Promise<void> {
    const path = await this.#folder.file(
      crypto.randomUUID(),
      `#!/bin/sh\n${script}\n`,
      0o755,
    );
    await Deno.rename(path, this.path);
  }

  /**
   * Puts one in its place that waits, before it is the program after all. It has
   * no child, who would keep what it was given for a while after its end.
   */
  async hold(): Promise<void> {
    await this.replace(
      `exec perl -e '${WAITS}' ${this.#go} ${this.#binary} "$@"`,
    );
  }

  /** Has the one that waits go on. */
  async release(): Promise<void> {
    await this.#folder.file("go", "");
  }

  /** Waits until the daemon tries the one that waits, and returns its id. */
  async isTried(server: Server): Promise<number> {
    let trial = 0;
    await until(`${this.path} is tried`, async () => {
      for (const pid of await childrenOf(server.pid)) {
        const script = 'tr "\\0" " " </proc/"$0"/cmdline 2>&1 || :';
        const line = await output("sh", "-c", script, String(pid));
        if (line.includes(` ${this.#go} `)) trial = pid;
      }
      return trial !== 0;
    });
    return trial;
  }
}
