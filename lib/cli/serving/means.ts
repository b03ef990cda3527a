/**
 * What a process serves with: whether what it was started with will do.
 *
 * @module
 */

import type { EngineName } from "../../engine/engine.ts";
import { missingCapabilities, startedAs } from "../../posix/credentials.ts";
import { MORE_DESCRIPTORS } from "../../posix/errno.ts";
import type { Libc } from "../../posix/libc.ts";
import {
  descriptorLimit,
  wasInheritedForWriting,
} from "../../posix/process.ts";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import type { StartContext } from "./start.ts";

/** Those below are the daemon's own, or come to be a connection's. */
const FIRST_FD_TO_GIVE = 3;

/**
 * What the runtime and a daemon of one service have open: with less, the
 * runtime fails in ways of its own.
 */
const DESCRIPTORS_MIN = 32n;

/** What a process can serve with, checked. */
export interface Means {
  readonly engine: EngineName;
  /** Where to write a newline when it accepts. */
  readonly readyFd: number | undefined;
}

/**
 * Checks what the process was started with.
 *
 * @param wanted The engine and the descriptor asked for, if they were.
 * @param context What the process has.
 * @returns What it serves with.
 */
export function checkMeans(
  { engine, readyFd }: {
    readonly engine: EngineName | undefined;
    readonly readyFd: number | undefined;
  },
  context: StartContext,
): Result<Means> {
  const { libc, unavailable } = context;
  if (engine === "direct" && unavailable !== "") {
    return failure({
      text: `the direct engine cannot run: ${unavailable}`,
      mend: "leave --engine out to run with relay",
      exitCode: EX.OSERR,
    });
  }
  const mistake =
    (readyFd === undefined ? undefined : refuseReadyFd(libc, readyFd)) ??
      (libc === undefined ? undefined : refuseProcess(libc, context));
  if (mistake !== undefined) return failure(mistake);
  const byDefault = unavailable === "" ? "direct" : "relay";
  return success({ engine: engine ?? byDefault, readyFd });
}

function refuseReadyFd(
  libc: Libc | undefined,
  readyFd: number,
): Mistake | undefined {
  if (readyFd < FIRST_FD_TO_GIVE) {
    return {
      text: `--ready-fd ${readyFd}: standard input, output and error are taken`,
      mend: `open another for the daemon: spawnd run ... --ready-fd 3 3>FILE`,
      exitCode: EX.USAGE,
    };
  }
  if (libc !== undefined && wasInheritedForWriting(libc, readyFd)) {
    return undefined;
  }
  return {
    text: `--ready-fd ${readyFd}: no descriptor that can be written to`,
    mend: `open it for the daemon: spawnd run ... ${readyFd}>FILE`,
    exitCode: EX.USAGE,
  };
}

/** Tells what is wrong with the limits and the rights of the process. */
function refuseProcess(
  libc: Libc,
  { self }: StartContext,
): Mistake | undefined {
  const { hard } = descriptorLimit(libc);
  if (hard < DESCRIPTORS_MIN) {
    return {
      text: `too few descriptors: ${hard}, and ${DESCRIPTORS_MIN} are needed`,
      mend: MORE_DESCRIPTORS,
      exitCode: EX.OSERR,
    };
  }
  if (!isPlainProcess(libc)) {
    return {
      text: "real and effective ids differ",
      mend: "spawnd must not be installed set-user-id",
      exitCode: EX.NOPERM,
    };
  }
  const missing = self.uid === 0 ? missingCapabilities(libc) : [];
  return missing.length === 0 ? undefined : {
    text: `root without ${missing.join(" and ")} cannot run commands as ` +
      "their users",
    mend: "let the container or the service manager keep it, or start as " +
      "the user itself",
    exitCode: EX.NOPERM,
  };
}

function isPlainProcess(libc: Libc): boolean {
  const { real, effective } = startedAs(libc);
  return real.uid === effective.uid && real.gid === effective.gid;
}
