/**
 * Limits of processes as a user writes them: `nofile=64 as=256M cpu=1m:2m`.
 *
 * @module
 */

import {
  type LimitValue,
  type ResourceLimit,
  type ResourceName,
  RESOURCES,
} from "../../posix/surroundings/surroundings.ts";
import { didYouMean } from "../../did_you_mean.ts";
import type { Parsed } from "../values.ts";
import { wordsOf } from "./words.ts";

const KIB = 1024;

const SIZE_UNITS = {
  K: KIB,
  M: KIB ** 2,
  G: KIB ** 3,
  T: KIB ** 4,
} as const;

const TIME_UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** What may stand behind a number, by resource. */
const UNITS: Readonly<
  Partial<Record<ResourceName, Readonly<Record<string, number>>>>
> = {
  as: SIZE_UNITS,
  core: SIZE_UNITS,
  cpu: TIME_UNITS,
  data: SIZE_UNITS,
  fsize: SIZE_UNITS,
  memlock: SIZE_UNITS,
  msgqueue: SIZE_UNITS,
  rss: SIZE_UNITS,
  stack: SIZE_UNITS,
};

/** With fewer, a command has not even the connection on its descriptors. */
const DESCRIPTORS_MIN = 3;

const NAMES = Object.keys(RESOURCES) as ResourceName[]; // its own keys

/**
 * Reads limits.
 *
 * @param text Words of a resource, an equals sign and a limit, or a soft and a
 * hard one with a colon between; a limit is a number with a unit, or
 * `infinity`.
 * @returns The limits, or what is wrong with the text.
 *
 * @example
 * ```ts
 * parseLimits("nofile=64:128 as=256M");
 * ```
 */
export function parseLimits(text: string): Parsed<readonly ResourceLimit[]> {
  const limits: ResourceLimit[] = [];
  for (const word of wordsOf(text)) {
    const limit = parseLimit(word);
    if (!limit.ok) return limit;
    const { resource } = limit.value;
    if (limits.some((other) => other.resource === resource)) {
      return refused(`${resource} is limited twice`, "leave one out");
    }
    limits.push(limit.value);
  }
  return { ok: true, value: limits };
}

function parseLimit(word: string): Parsed<ResourceLimit> {
  const at = word.indexOf("=");
  const name = at < 0 ? word : word.slice(0, at);
  const resource = NAMES.find((known) => known === name);
  if (resource === undefined) {
    return refused(
      `unknown limit: ${name}`,
      didYouMean(name, NAMES) ?? `there are ${NAMES.join(", ")}`,
    );
  }
  const parts = at < 0 ? [] : word.slice(at + 1).split(":");
  const [soft, hard = soft] = parts.map((part) => parseValue(part, resource));
  if (parts.length > 2 || soft === undefined || hard === undefined) {
    return refused(`bad limit: ${word}`, mendOf(resource));
  }
  if (numberOf(soft) > numberOf(hard)) {
    return refused(
      `bad limit: ${word}`,
      "the soft limit comes first, and is not above the hard one",
    );
  }
  if (resource === "nofile" && numberOf(soft) < DESCRIPTORS_MIN) {
    return refused(
      `bad limit: ${word}`,
      `a command has ${DESCRIPTORS_MIN} descriptors to begin with`,
    );
  }
  return { ok: true, value: { resource, soft, hard } };
}

function refused(
  wrong: string,
  mend: string,
): { ok: false; wrong: string; mend: string } {
  return { ok: false, wrong, mend };
}

function parseValue(
  text: string,
  resource: ResourceName,
): LimitValue | undefined {
  if (text === "infinity" || text === "unlimited") return "infinity";
  const match = /^(\d+)([A-Za-z]?)$/.exec(text);
  if (match === null) return undefined;
  const [, digits = "", unit = ""] = match;
  const factor = unit === "" ? 1 : UNITS[resource]?.[unit];
  const value = factor === undefined ? NaN : Number(digits) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function numberOf(value: LimitValue): number {
  return value === "infinity" ? Infinity : value;
}

function mendOf(resource: ResourceName): string {
  const units = Object.keys(UNITS[resource] ?? {});
  const shown = units.length === 0 ? "" : `, with ${units.join(", ")} or none`;
  return `write ${resource}=LIMIT or ${resource}=SOFT:HARD, each a whole ` +
    `number${shown}, or infinity`;
}
