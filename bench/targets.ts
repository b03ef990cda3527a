/**
 * Figures beside what they have to reach.
 *
 * @module
 */

import { formatTable } from "../lib/table.ts";

/** A figure beside what it has to reach. */
export interface Target {
  name: string;
  measured: number;
  bound: "at least" | "at most" | "below";
  target: number;
  verdict: "met" | "missed";
}

/**
 * Holds a figure against its target.
 *
 * @param figure The figure, its name, and what it has to reach.
 * @returns The same with the verdict.
 */
export function judge(figure: Omit<Target, "verdict">): Target {
  return { ...figure, verdict: isWithin(figure) ? "met" : "missed" };
}

function isWithin(
  { measured, bound, target }: Omit<Target, "verdict">,
): boolean {
  switch (bound) {
    case "at least":
      return measured >= target;
    case "at most":
      return measured <= target;
    case "below":
      return measured < target;
  }
}

/**
 * Lays the verdicts out for the screen.
 *
 * @param targets The targets.
 * @returns A table, and how many were met; nothing where there are none.
 */
export function formatTargets(targets: readonly Target[]): string {
  if (targets.length === 0) return "";
  const digits = (value: number): string =>
    Number.isInteger(value) ? `${value}` : value.toFixed(3);
  const rows = targets.map((one) => [
    one.name,
    digits(one.measured),
    `${one.bound} ${one.target}`,
    one.verdict,
  ]);
  const met = targets.filter((one) => one.verdict === "met").length;
  return [
    formatTable([["", "measured", "target", "verdict"], ...rows]),
    `${met} of ${targets.length} targets met`,
  ].join("\n");
}
