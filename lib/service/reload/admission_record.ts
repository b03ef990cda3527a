/**
 * What had to be looked up for a service's rules of admission, as a plan that
 * was written down has it.
 *
 * @module
 */

import type { AdmissionLookups } from "../../admission/admission_rules.ts";
import type { ClientTable, RangeTable } from "../../admission/client_table.ts";
import type { Shape } from "./shape.ts";

/**
 * Reads what was looked up.
 *
 * @param shape The JSON value.
 * @returns It.
 * @throws {TypeError} If it is none.
 */
export function lookupsOf(shape: Shape): AdmissionLookups {
  return {
    clients: shape.field("clients").optional(tableOf),
    proxies: shape.field("proxies").optional(tableOf),
    peers: shape.field("peers").optional((peers) => ({
      uids: peers.field("uids").integers(),
      gids: peers.field("gids").integers(),
    })),
  };
}

function tableOf(shape: Shape): ClientTable {
  return {
    inet4: rangesOf(shape.field("inet4")),
    inet6: rangesOf(shape.field("inet6")),
    verdicts: shape.field("verdicts").list().map((verdict) => ({
      isAllowed: verdict.field("isAllowed").flag(),
      variables: verdict.field("variables").list().map((each) => each.text()),
    })),
  };
}

function rangesOf(shape: Shape): RangeTable {
  return {
    starts: shape.field("starts").integers(),
    verdicts: shape.field("verdicts").integers(),
  };
}
