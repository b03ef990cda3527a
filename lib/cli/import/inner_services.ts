/**
 * The services that inetd and xinetd have within themselves, and TCP wrappers'
 * tcpd, which both of them start in the place of another program.
 *
 * @module
 */

/** Commands that do the same, where there is one. */
const INNER: Readonly<Record<string, string>> = {
  echo: "argv=/bin/cat does the same",
  discard: "argv=/usr/bin/socat -u STDIN OPEN:/dev/null does the same",
  daytime: "argv=/bin/date does the same",
  chargen: "argv=/usr/bin/yes does much the same",
  time: "there is no command for it: leave it out; ntp has taken its place",
  services: "spawnd services shows that",
  servers: "ps(1) shows the commands that run",
};

/**
 * Tells what can take the place of a service that a super-server has within
 * itself.
 *
 * @param name Its name.
 * @returns What to do, as one phrase.
 */
export function mendOfInner(name: string): string {
  return INNER[name] ?? "name a command that does it";
}

/**
 * Tells whether a program is tcpd.
 *
 * @param path Its path.
 * @returns Whether it is.
 */
export function isTcpd(path: string): boolean {
  return baseName(path) === "tcpd";
}

/**
 * Gives the last part of a path.
 *
 * @param path The path.
 * @returns The name behind the last slash.
 */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Where tcpd looks for a program that it knows by its name alone. */
export const TCPD_PROGRAMS = "/usr/sbin";

/** How a command gets another argv[0] than its path. */
export const ARGV0_MEND =
  `if it must: argv=/bin/bash -c { exec -a NAME PATH "$@" } NAME ARG...`;
