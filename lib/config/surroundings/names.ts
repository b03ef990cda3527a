/**
 * Names of groups and of network interfaces, as a user writes them.
 *
 * @module
 */

import { toWord } from "../bytes.ts";
import type { Parsed } from "../values.ts";
import { wordsOf } from "./words.ts";

/** Supplementary groups: by a word for all, or by their names. */
export type GroupList = "primary" | "all" | readonly string[];

/** IFNAMSIZ of net/if.h, without the zero byte. */
const DEVICE_BYTES_MAX = 15;

/**
 * Reads supplementary groups.
 *
 * @param binary `primary`, `all`, or names.
 * @returns The groups, or what is wrong with the text.
 */
export function parseGroups(binary: string): Parsed<GroupList> {
  const words = wordsOf(binary).map(toWord);
  const [first] = words;
  if (words.length === 1 && (first === "primary" || first === "all")) {
    return { ok: true, value: first };
  }
  const alone = words.find((word) => word === "primary" || word === "all");
  if (alone === undefined && first !== undefined) {
    return { ok: true, value: words };
  }
  return {
    ok: false,
    wrong: alone === undefined ? "no groups" : `${alone} stands alone`,
    mend: "write primary, all, or names of groups",
  };
}

/**
 * Reads the name of a network interface.
 *
 * @param binary The name, or nothing.
 * @returns It, or what is wrong with the text.
 */
export function parseDevice(binary: string): Parsed<string> {
  if (binary.length <= DEVICE_BYTES_MAX && !/[\s/:]/.test(binary)) {
    return { ok: true, value: toWord(binary) };
  }
  return {
    ok: false,
    wrong: `no name of a network interface: ${binary}`,
    mend: `"ip link" shows those there are`,
  };
}
