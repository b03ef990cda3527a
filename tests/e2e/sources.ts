/**
 * For the tests of admission: clients that connect from addresses of their
 * own, of which the loopback has millions, and hold what they were given.
 *
 * @module
 */

import { output } from "./machine.ts";

/**
 * Connects that many times from an address, and waits until each connection
 * has said something or has ended. Says how many have said something, and holds
 * them until there is an end to standard input.
 */
const HELD = `
  my ($from, $port, $count) = @ARGV;
  $| = 1;
  my $name = pack_sockaddr_in($port, inet_aton("127.0.0.1"));
  my @all = map {
    socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!;
    bind($s, pack_sockaddr_in(0, inet_aton($from))) or die $!;
    connect($s, $name) or die $!;
    $s;
  } 1 .. $count;
  my $served = grep { sysread($_, my $said, 100) } @all;
  print "$served\\n";
  1 while <STDIN>;
`;

/** A command that says something first, as {@linkcode HeldClients} wants it. */
export const GREETER = ["argv=/bin/sh", "-c", "echo hello; exec cat"];

/** Clients of one address in a process of their own. `await using`. */
export class HeldClients implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, readonly served: number) {
    this.#child = child;
  }

  /** Connects; {@linkcode served} is how many are held by then. */
  static async connect(
    from: string,
    port: number,
    count = 1,
  ): Promise<HeldClients> {
    const child = new Deno.Command("/usr/bin/perl", {
      args: ["-MSocket", "-e", HELD, from, String(port), String(count)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    const served = Number(new TextDecoder().decode(value));
    return new HeldClients(child, served);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}

/**
 * Reads from an address all that a service says by itself. The client's own
 * direction stays open: a proxy may take its end for a client that has gone.
 */
export async function answerTo(from: string, port: number): Promise<string> {
  const address = `TCP:127.0.0.1:${port},bind=${from}`;
  return await output("sh", "-c", 'exec socat -u "$0" - 2>&1', address);
}
