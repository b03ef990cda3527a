/**
 * What was counted, as it is handed on.
 *
 * @module
 */

import type { CountersRecord } from "../../observe/service_counters.ts";
import type { Shape } from "./shape.ts";

/**
 * Reads what was counted of a service.
 *
 * @param shape The JSON value.
 * @returns It.
 * @throws {TypeError} If it is none.
 */
export function countersOf(shape: Shape): CountersRecord {
  const durations = shape.field("durations");
  const refused = shape.field("refused");
  return {
    sinceMs: shape.field("sinceMs").number(),
    connections: shape.field("connections").count(),
    refused: Object.fromEntries(
      Object.keys(refused.object())
        .map((reason) => [reason, refused.field(reason).count()]),
    ),
    notStarted: shape.field("notStarted").count(),
    failed: shape.field("failed").count(),
    timedOut: shape.field("timedOut").count(),
    endedByHand: shape.field("endedByHand").count(),
    processorMs: shape.field("processorMs").number(),
    recent: shape.field("recent").list().map((count) => count.count()),
    durations: {
      sumMs: durations.field("sumMs").number(),
      counts: durations.field("counts").list().map((pair) => {
        const [index, count] = pair.list().map((number) => number.count());
        if (index === undefined || count === undefined) {
          throw new TypeError("no count of durations");
        }
        return [index, count];
      }),
    },
  };
}
