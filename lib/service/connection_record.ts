/**
 * What is told of a connection when its command has ended, for who asks for it
 * with `spawnd_log_connections`.
 *
 * The bytes that went over it are not among it: the daemon never reads them,
 * and the kernel forgets its own count with the connection.
 *
 * @module
 */

import { clientOf, type RunningCommand } from "../engine/engine.ts";
import { formatWaitStatus, type WaitStatus } from "../engine/wait_status.ts";
import type { Fields } from "../log/log.ts";

const MS_PER_SECOND = 1000;
const BYTES_PER_KIB = 1024;

/** What there is to tell beside the command. */
export interface ConnectionEnd {
  readonly status: WaitStatus;
  readonly durationMs: number;
  /** What every command's peak memory is at least: then it is not its own. */
  readonly leastPeakBytes: number;
}

/**
 * Makes the record.
 *
 * @param command The command.
 * @param end How it ended.
 * @returns Its text and its fields.
 */
export function connectionRecord(
  command: RunningCommand,
  { status, durationMs, leastPeakBytes }: ConnectionEnd,
): { text: string; fields: Fields } {
  const { pid, usage } = command;
  const client = clientOf(command);
  const seconds = durationMs / MS_PER_SECOND;
  const parts = [formatWaitStatus(status), `${seconds.toFixed(3)} s`];
  const fields: Record<string, unknown> = {
    ...{ peer: client, pid, seconds },
    ...status,
  };
  if (usage !== undefined) {
    const processorSeconds = usage.processorMs / MS_PER_SECOND;
    fields["processorSeconds"] = processorSeconds;
    parts.push(`processor ${processorSeconds.toFixed(3)} s`);
    if (usage.peakMemoryBytes > leastPeakBytes) {
      fields["peakMemoryBytes"] = usage.peakMemoryBytes;
      const kib = Math.round(usage.peakMemoryBytes / BYTES_PER_KIB);
      parts.push(`memory ${kib} KiB`);
    }
  }
  const from = client === "" ? "" : ` from ${client}`;
  return {
    text: `connection${from}: process id ${pid}, ${parts.join(", ")}`,
    fields,
  };
}
