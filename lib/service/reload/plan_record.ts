/**
 * A plan as a trial writes it down and the next image of the daemon reads it:
 * what was looked up once, addresses and accounts among it, is not asked for
 * again while nobody accepts. No other edition of the program reads it.
 *
 * @module
 */

import { settingsFromTexts } from "../../config/service_settings.ts";
import type { LogDestination } from "../../log/destination.ts";
import type { EventName } from "../../log/events.ts";
import type { LogRecord } from "../../log/recorder.ts";
import { handOn, type InheritedSockets } from "../../net/inherited_sockets.ts";
import type { ListeningSocket } from "../../net/listening.ts";
import { success } from "../../result.ts";
import type { OwnSockets } from "../own_sockets.ts";
import type {
  DaemonPlan,
  OpenSockets,
  OwnListener,
  ServicePlan,
} from "../plan.ts";
import { lookupsOf } from "./admission_record.ts";
import { commandOf, identityOf } from "./command_record.ts";
import { Shape } from "./shape.ts";

/** What goes with the plan. */
export interface PlanRecordOptions {
  /** The edition of the program. */
  readonly program: string;
  /** What the trial had to say beside its verdict. */
  readonly records: readonly LogRecord[];
  /** The sockets of its services. */
  readonly sockets: OpenSockets;
  /** Those on which it tells of itself. */
  readonly own: OwnSockets;
  /** Tells whether a socket was handed on to the trial. */
  readonly isInherited: (socket: ListeningSocket) => boolean;
}

/**
 * Writes a plan down.
 *
 * @param plan The plan, which the direct engine is to run.
 * @param options What goes with it.
 * @returns The text.
 */
export function writePlan(
  plan: DaemonPlan,
  { program, records, sockets, own, isInherited }: PlanRecordOptions,
): string {
  let passed = 0;
  // In the order in which they were opened, and passed on.
  const places = (opened: readonly ListeningSocket[]): unknown =>
    opened.map((socket) => {
      const [handed] = handOn([socket]);
      return isInherited(socket)
        ? { inherited: handed?.fd }
        : { passed: passed++ };
    });
  return JSON.stringify({
    program,
    records,
    services: plan.services.map((service) => ({
      ...service,
      settings: service.settings.texts,
      sockets: places(sockets.get(service) ?? []),
    })),
    own: [...own].map(([role, opened]) => ({ role, sockets: places(opened) })),
    log: plan.log,
    owner: plan.owner,
    directory: plan.directory,
    pidFile: plan.pidFile,
    stopTimeoutMs: plan.stopTimeoutMs,
    about: plan.about,
  });
}

/** A plan as it was read. */
export interface ReadPlan {
  /** Its services listen on the sockets that were handed on. */
  readonly plan: Omit<DaemonPlan, "announce">;
  readonly records: readonly LogRecord[];
}

/** What there is to read a plan by. */
export interface ReadPlanOptions {
  /** This edition of the program. */
  readonly program: string;
  /** The descriptors that the trial has passed on. */
  readonly passed: readonly number[];
  /** The sockets that were handed on, those passed on among them. */
  readonly inherited: InheritedSockets;
}

/**
 * Reads a plan.
 *
 * @param text The text.
 * @param options What there is to read it by.
 * @returns The plan; `undefined` if another edition has written it.
 * @throws {TypeError} If it is none.
 */
export function readPlan(
  text: string,
  options: ReadPlanOptions,
): ReadPlan | undefined {
  const all = new Shape(JSON.parse(text), "plan");
  if (all.field("program").text() !== options.program) return undefined;
  const services = all.field("services").list()
    .map((shape) => serviceOf(shape, options));
  return {
    plan: {
      services,
      engine: "direct",
      owner: all.field("owner").optional(identityOf),
      directory: all.field("directory").text(),
      readyFd: undefined,
      reloads: true,
      pidFile: all.field("pidFile").optional((path) => path.text()),
      stopTimeoutMs: all.field("stopTimeoutMs").count(),
      about: all.field("about").object(),
      log: all.field("log").optional(destinationOf),
      own: all.field("own").list().map((shape) => ownOf(shape, options)),
    },
    records: all.field("records").list().map(recordOf),
  };
}

function serviceOf(shape: Shape, options: ReadPlanOptions): ServicePlan {
  const settings = settingsFromTexts(shape.field("settings").object());
  const waits = shape.field("waits").flag();
  return {
    id: shape.field("id").text(),
    name: shape.field("name").text(),
    command: commandOf(shape.field("command"), settings),
    ...{ settings, waits },
    admission: lookupsOf(shape.field("admission")),
    // JSON has no word for it.
    timeLimitMs:
      shape.field("timeLimitMs").optional((limit) => limit.count()) ??
        Infinity,
    maxProcesses: shape.field("maxProcesses").count(),
    isThrottled: shape.field("isThrottled").flag(),
    verbose: shape.field("verbose").flag(),
    listen: () => success(socketsOf(shape, { ...options, waits })),
  };
}

function ownOf(shape: Shape, options: ReadPlanOptions): OwnListener {
  const role = shape.field("role").text();
  if (role !== "status" && role !== "metrics") {
    throw new TypeError(`no socket is for ${role}`);
  }
  return {
    role,
    isOptional: true,
    listen: () => success(socketsOf(shape, options)),
  };
}

function socketsOf(
  shape: Shape,
  { passed, inherited, waits = false }: ReadPlanOptions & {
    readonly waits?: boolean;
  },
): ListeningSocket[] {
  return shape.field("sockets").list().map((socket) => {
    const fd = socket.field("inherited").optional((fd) => fd.count()) ??
      passed[socket.field("passed").count()] ?? -1;
    const taken = inherited.takeDescriptor(fd, waits);
    if (taken === undefined) {
      throw new TypeError(`descriptor ${fd} was not handed on`);
    }
    return taken;
  });
}

function destinationOf(shape: Shape): LogDestination {
  const kind = shape.field("kind").text();
  switch (kind) {
    case "stderr":
    case "journal":
      return { kind };
    case "syslog":
      return {
        kind,
        ident: shape.field("ident").text(),
        facility: shape.field("facility").count(),
      };
    default:
      throw new TypeError(`no log goes to ${kind}`);
  }
}

function recordOf(shape: Shape): LogRecord {
  const level = shape.field("level").text();
  return {
    level: level === "info" ? "info" : "warning",
    event: shape.field("event").text() as EventName, // the same edition wrote it
    text: shape.field("text").text(),
    fields: shape.field("fields").object(),
  };
}
