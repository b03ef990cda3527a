/**
 * Reading what a daemon says of itself. It is root's, and even so nothing is
 * taken unread.
 *
 * @module
 */

import {
  type CommandStatus,
  DAEMON_STATES,
  type DaemonStatus,
  type ServiceStatus,
  type StatusRecord,
} from "../../observe/status_record.ts";
import type { Shape } from "../../service/reload/shape.ts";

/**
 * Reads a record.
 *
 * @param shape The JSON value.
 * @returns The record.
 * @throws {TypeError} If it is none.
 */
export function statusRecordOf(shape: Shape): StatusRecord {
  const kind = shape.field("kind").text();
  switch (kind) {
    case "daemon":
      return daemonOf(shape);
    case "service":
      return serviceOf(shape);
    case "command":
      return commandOf(shape);
    case "refused":
      return { kind, text: shape.field("text").text() };
    case "end":
      return { kind };
    default:
      throw new TypeError(`no record is a ${kind}`);
  }
}

function daemonOf(shape: Shape): DaemonStatus {
  const state = shape.field("state").text();
  return {
    kind: "daemon",
    version: shape.field("version").text(),
    pid: shape.field("pid").count(),
    // Another edition may know of more.
    state: DAEMON_STATES.find((known) => known === state) ?? "serving",
    since: shape.field("since").text(),
    uptimeSeconds: shape.field("uptimeSeconds").number(),
  };
}

function serviceOf(shape: Shape): ServiceStatus {
  const refused = shape.field("refused");
  const text = (name: string): string => shape.field(name).text();
  const count = (name: string): number => shape.field(name).count();
  const perhaps = (name: string): number | null =>
    shape.field(name).optional((value) => value.number()) ?? null;
  return {
    kind: "service",
    service: text("service"),
    id: text("id"),
    addresses: shape.field("addresses").list().map((each) => each.text()),
    active: count("active"),
    limit: count("limit"),
    waiting: perhaps("waiting"),
    waitingLimit: perhaps("waitingLimit"),
    since: text("since"),
    connections: count("connections"),
    refused: Object.fromEntries(
      Object.keys(refused.object())
        .map((reason) => [reason, refused.field(reason).count()]),
    ),
    notStarted: count("notStarted"),
    failed: count("failed"),
    timedOut: count("timedOut"),
    endedByHand: count("endedByHand"),
    perSecond: shape.field("perSecond").number(),
    recent: shape.field("recent").list().map((each) => each.count()),
    medianSeconds: perhaps("medianSeconds"),
    p99Seconds: perhaps("p99Seconds"),
    processorSeconds: shape.field("processorSeconds").number(),
  };
}

function commandOf(shape: Shape): CommandStatus {
  return {
    kind: "command",
    service: shape.field("service").text(),
    id: shape.field("id").text(),
    pid: shape.field("pid").count(),
    client: shape.field("client").text(),
    ageSeconds: shape.field("ageSeconds").number(),
    processorSeconds: shape.field("processorSeconds")
      .optional((value) => value.number()) ?? null,
    isKilled: shape.field("isKilled").flag(),
  };
}
