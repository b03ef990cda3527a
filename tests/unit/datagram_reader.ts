/**
 * A reader of datagrams that takes them when it is told to. It is a process of
 * its own: the runtime's unix datagram sockets are behind a flag.
 *
 * @module
 */

import { LineReader } from "./line_reader.ts";

const READER = `
  use Socket;
  $| = 1;
  my ($path) = @ARGV;
  $path =~ s/^@/\\0/;
  socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die $!;
  bind($s, pack_sockaddr_un($path)) or die $!;
  print "ready\\n";
  while (my $count = <STDIN>) {
    for (1 .. $count) {
      defined recv($s, my $datagram, 65536, 0) or die $!;
      print "$datagram\\n";
    }
  }
`;

/** A datagram socket with somebody behind it. Goes with the scope. */
export class DatagramReader implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: LineReader;

  private constructor(path: string) {
    this.#child = new Deno.Command("perl", {
      args: ["-e", READER, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = new LineReader(this.#child.stdout);
  }

  /**
   * Binds a socket, and reads nothing yet.
   *
   * @param path Where; nothing is there.
   */
  static async bind(path: string): Promise<DatagramReader> {
    const reader = new DatagramReader(path);
    await reader.#line();
    return reader;
  }

  /**
   * Takes datagrams and waits until so many have come.
   *
   * @param count How many.
   * @param lineCount How many lines they have together: one each, if no more
   * is said.
   * @returns The lines.
   */
  async take(count: number, lineCount: number = count): Promise<string[]> {
    await this.#input.write(new TextEncoder().encode(`${count}\n`));
    const lines: string[] = [];
    while (lines.length < lineCount) lines.push(await this.#line());
    return lines;
  }

  async #line(): Promise<string> {
    const line = await this.#output.next();
    if (line === undefined) throw new Error("the reader has ended");
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }
}
