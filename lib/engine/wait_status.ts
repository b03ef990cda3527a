/**
 * How a command ended, decoded from the status word of waitpid(2).
 *
 * @module
 */

/**
 * A command's end: an exit code of its own, or the signal that killed it, or
 * neither where another part of the process has collected it.
 */
export type WaitStatus =
  | { kind: "exited"; code: number }
  | { kind: "signaled"; signal: number }
  | { kind: "unknown" };

/**
 * Decodes a status word as the kernel packs it: the low seven bits are the
 * signal, zero for a normal exit; the next byte is the exit code.
 *
 * @param word The word that waitpid(2) stored.
 * @returns How the command ended.
 */
export function decodeWaitStatus(word: number): WaitStatus {
  const signal = word & 0x7f;
  return signal === 0
    ? { kind: "exited", code: (word >> 8) & 0xff }
    : { kind: "signaled", signal };
}

/**
 * Writes a status as a log has it.
 *
 * @param status How a command ended.
 * @returns `exit status 1`, `killed by signal 9` or `exit status unknown`.
 */
export function formatWaitStatus(status: WaitStatus): string {
  switch (status.kind) {
    case "exited":
      return `exit status ${status.code}`;
    case "signaled":
      return `killed by signal ${status.signal}`;
    case "unknown":
      return "exit status unknown";
  }
}
