/**
 * The help texts, each on one screen, examples first.
 *
 * @module
 */

import { optionLines, type OptionSpec } from "./options.ts";

/** The help of the program as a whole. */
export const MAIN_HELP = `\
spawnd runs a command for every connection, as an unprivileged user.

  spawnd run inet 127.0.0.1:7007 user=nobody argv=/bin/cat
  spawnd serve -c /etc/spawnd

Usage:
  spawnd run TYPE NAME [options] user=NAME[:GROUP] argv=COMMAND [ARG...]
                    serve one service until SIGTERM
  spawnd run --help tell about types, names and options
  spawnd serve [options]
                    serve all spawn services of main.cf and master.cf
  spawnd reload     make a daemon take its configuration anew
  spawnd check      tell what is wrong with main.cf and master.cf
  spawnd config     print values of parameters, as postconf does
  spawnd services   print the table of services
  spawnd install-postfix  serve below Postfix, in the place of spawn(8)
  spawnd completion bash|zsh|fish
  spawnd --version  tell version, revision, runtime and engine
  spawnd --help     show this

Exit codes: 0 stopped as asked, 64 wrong words, 67 no such user or group,
68 no such host, 71 refused by the system, 77 root is needed, 78 a bad setting.
`;

/**
 * Makes the help of `spawnd run`.
 *
 * @param specs Its options.
 * @returns The text.
 */
export function runHelp(specs: readonly OptionSpec[]): string {
  return `\
  spawnd run inet 127.0.0.1:7007 user=nobody argv=/bin/cat
  spawnd run inet 873 --max-processes 20 user=backup argv=rsync --daemon

Usage: spawnd run TYPE NAME [options] user=NAME[:GROUP] argv=COMMAND [ARG...]
  inet  host:port, [v6]:port or port (every address); port 0 takes a free one
  unix  the path of a socket, made anew and removed at the end
The command gets the connection as standard input, output and error. No shell
comes between, and all words after argv= are the command's.

${optionLines(specs)}
`;
}

/**
 * Makes the help of `spawnd serve`.
 *
 * @param specs Its options.
 * @returns The text.
 */
export function serveHelp(specs: readonly OptionSpec[]): string {
  return `\
  spawnd serve
  spawnd serve -c /etc/postfix --pid-file /run/spawnd/pid

Usage: spawnd serve [options]
Serves the entries of master.cf whose command is spawn or spawnd, and leaves
the others alone. SIGHUP takes a new configuration, or a new binary, and cuts
no connection. SIGTERM lets commands finish.

${optionLines(specs)}
`;
}

/**
 * Makes the help of `spawnd reload`.
 *
 * @param specs Its options.
 * @returns The text.
 */
export function reloadHelp(specs: readonly OptionSpec[]): string {
  return `\
  spawnd reload --pid-file /run/spawnd/pid

Usage: spawnd reload --pid-file FILE
Makes the daemon take its configuration, and its binary, anew, and waits until
the new one serves. If it cannot, the old one goes on, and the exit code is 78.

${optionLines(specs)}
`;
}
