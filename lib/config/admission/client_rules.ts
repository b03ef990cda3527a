/**
 * What a list or a table says about clients: rules, of which the first one
 * that an address matches counts.
 *
 * @module
 */

import type { AddressRange } from "./networks.ts";

/** What becomes of a client. */
export interface ClientVerdict {
  readonly isAllowed: boolean;
  /** Variables for its command, as `NAME=VALUE` words. */
  readonly variables: readonly string[];
}

/** A rule: these addresses have this verdict. */
export interface ClientRule {
  /** None of them touches another. */
  readonly ranges: readonly AddressRange[];
  readonly verdict: ClientVerdict;
}

/** What a rule says that has no variables. */
export const ALLOWED: ClientVerdict = { isAllowed: true, variables: [] };

/** What a rule says that keeps clients out. */
export const DENIED: ClientVerdict = { isAllowed: false, variables: [] };
