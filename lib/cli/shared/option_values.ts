/**
 * Values of options, read and checked.
 *
 * @module
 */

import { parseTime } from "../../config/values.ts";
import { EX, type Mistake } from "../../result.ts";
import { didYouMean } from "../../did_you_mean.ts";

/** Reads values and keeps the first mistake; what it returns then is unused. */
export class ValueReader {
  readonly #values: ReadonlyMap<string, string>;
  mistake: Mistake | undefined;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  time(option: string, { min = 1 } = {}): number | undefined {
    const text = this.#values.get(option);
    if (text === undefined) return undefined;
    const seconds = parseTime(text, "s");
    if (seconds === undefined) {
      this.bad(option, "bad time value or unit", "write 90, 90s, 5m or 2h");
    } else if (seconds < min) {
      this.bad(option, "invalid time", `the minimum is ${min}s`);
    }
    return seconds;
  }

  count(option: string, max: number, min = 0): number | undefined {
    const text = this.#values.get(option);
    if (text === undefined) return undefined;
    const count = /^-?\d+$/.test(text) ? Number(text) : undefined;
    if (count !== undefined && count >= min && count <= max) return count;
    this.bad(option, "bad number", `write a whole number, ${min} to ${max}`);
    return undefined;
  }

  text(option: string): string {
    return this.#values.get(option) ?? "";
  }

  choice<T extends string>(
    option: string,
    choices: readonly T[],
  ): T | undefined {
    const text = this.#values.get(option);
    if (text === undefined) return undefined;
    const choice = choices.find((known) => known === text);
    if (choice === undefined) {
      this.bad(
        option,
        "unknown value",
        didYouMean(text, choices) ?? `write ${choices.join(" or ")}`,
      );
    }
    return choice;
  }

  bad(option: string, text: string, mend: string): void {
    this.wrong(`--${option} ${this.#values.get(option)}: ${text}`, mend);
  }

  wrong(text: string, mend: string): void {
    this.mistake ??= { text, mend, exitCode: EX.USAGE };
  }
}
