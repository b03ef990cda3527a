/**
 * `spawnd run stdin`: the one connection that this process was started for, by
 * inetd(8) or by a unit of systemd's with Accept=yes.
 *
 * @module
 */

import { SYSLOG_SOCKET } from "../../log/system_log.ts";
import { isSameFile, lookAt, lookAtDescriptor } from "../../posix/files.ts";
import { O_CLOEXEC, O_RDWR } from "../../posix/headers.ts";
import { cString, isLibc, openLibc } from "../../posix/libc.ts";
import { duplicate } from "../../posix/process.ts";
import { EX, type Mistake, type Result, success } from "../../result.ts";
import { serveUntilStopped } from "../../service/daemon.ts";
import type { DaemonPlan } from "../../service/plan.ts";
import type { StartContext } from "../serving/start.ts";

const STANDARD_INPUT = 0;
const STANDARD_ERROR = 2;

/** LOG_DAEMON of syslog(3). */
const FACILITY = 3;

/**
 * Turns standard error away from the connection, where it is that: no client is
 * to read the log.
 */
export function keepLogFromClient(): void {
  const libc = openLibc();
  if (!isLibc(libc)) return;
  const client = lookAtDescriptor(libc, STANDARD_INPUT);
  if (!isSameFile(client, lookAtDescriptor(libc, STANDARD_ERROR))) return;
  const nothing = libc.c.open(cString("/dev/null"), O_RDWR | O_CLOEXEC, 0);
  if (nothing < 0) return;
  libc.c.dup3(nothing, STANDARD_ERROR, 0);
  libc.c.close(nothing);
}

/**
 * Serves standard input.
 *
 * @param plan The plan of its service, which does not come to listen.
 * @param context What the process has.
 * @returns When the command has ended.
 */
export async function serveStandardInput(
  plan: DaemonPlan,
  context: StartContext,
): Promise<Result<void, readonly Mistake[]>> {
  const { libc } = context;
  const refusal = libc === undefined || plan.engine !== "direct"
    ? mistake("only the direct engine serves standard input")
    : lookAtDescriptor(libc, STANDARD_INPUT)?.kind !== "socket"
    ? mistake("standard input is no connection")
    : undefined;
  if (libc === undefined || refusal !== undefined) {
    return { ok: false, mistake: refusal === undefined ? [] : [refusal] };
  }
  const isLogNowhere = plan.log?.kind === "stderr" &&
    isSameFile(
      lookAtDescriptor(libc, STANDARD_ERROR),
      lookAt(libc, "/dev/null"),
    ) && lookAt(libc, SYSLOG_SOCKET) !== undefined;
  return await serveUntilStopped({
    ...plan,
    services: plan.services.map((service) => ({
      ...service,
      listen: () => success([]),
    })),
    connectionFd: duplicate(libc, STANDARD_INPUT),
    announce: () => {},
    ...isLogNowhere &&
      { log: { kind: "syslog", ident: "spawnd", facility: FACILITY } },
  }, context);
}

function mistake(text: string): Mistake {
  return {
    text,
    mend: "have inetd, or a unit with Accept=yes and StandardInput=socket, " +
      "start it",
    exitCode: EX.USAGE,
  };
}
