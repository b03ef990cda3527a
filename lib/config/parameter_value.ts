/**
 * The value that a parameter has by its text, in Postfix's words where there is
 * none.
 *
 * @module
 */

import type { Parameter } from "./parameters.ts";
import type { Finding } from "./problems.ts";
import { parseBoolean, parseConfiguredTime, parseInteger } from "./values.ts";

/** A value, with a warning if there is one; or what is wrong with the text. */
export type Taken =
  | { readonly value: unknown; readonly warning?: Finding }
  | { readonly wrong: Finding };

/**
 * Takes an expanded text for the value of a parameter.
 *
 * @param parameter The parameter.
 * @param text A binary string.
 * @returns The value: of a time in seconds; of a string as a binary string,
 * unless the parameter has a way of its own to read it; none of an integer that
 * is empty and may be. What is wrong is told in binary strings.
 */
export function takeValue(parameter: Parameter, text: string): Taken {
  switch (parameter.type) {
    case "string":
      return takeString(parameter, text);
    case "time":
      return takeTime(parameter, text);
    case "integer":
      return takeInteger(parameter, text);
    case "boolean": {
      const value = parseBoolean(text);
      return value === undefined
        ? wrong(
          `bad boolean configuration: ${parameter.name} = ${text}`,
          "write yes or no",
        )
        : { value };
    }
  }
}

function takeString(
  parameter: Parameter & { type: "string" },
  text: string,
): Taken {
  const { name, choices, parse } = parameter;
  if (text === "" && !parameter.mayBeEmpty) {
    return wrong(`bad string length 0 < 1: ${name} = `);
  }
  if (parameter.isAbsolutePath && !text.startsWith("/")) {
    return wrong(
      `parameter ${name}: no absolute path: ${text}`,
      "begin it with /",
    );
  }
  if (choices !== undefined && text !== "" && !choices.includes(text)) {
    return wrong(
      `parameter ${name}: unrecognized value: ${text}`,
      `it is one of ${choices.join(", ")}`,
    );
  }
  const parsed = parse?.(text) ?? { ok: true, value: text };
  return parsed.ok
    ? { value: parsed.value }
    : wrong(`${name}: ${parsed.wrong}`, parsed.mend);
}

function takeTime(
  { name, unit, min }: Parameter & { type: "time" },
  text: string,
): Taken {
  const time = parseConfiguredTime(text, unit);
  if (time === undefined) {
    return wrong(
      `parameter ${name}: bad time value or unit: ${text}`,
      "write 90s, 5m, 2h, 1d or 1w",
    );
  }
  const { seconds: value, passedOver } = time;
  if (value < min) return wrong(`invalid ${name}: ${value} (min ${min})`);
  if (passedOver === "") return { value };
  return {
    value,
    warning: {
      level: "warning",
      text: `parameter ${name}: text after the unit: ${passedOver}`,
      mend: `it is ignored: the time is ${value} seconds`,
    },
  };
}

function takeInteger(
  parameter: Parameter & { type: "integer" },
  text: string,
): Taken {
  const { name, min, max = Infinity, mayBeEmpty } = parameter;
  if (text === "" && mayBeEmpty) return { value: undefined };
  const value = parseInteger(text);
  if (value === undefined) {
    return wrong(
      `bad numerical configuration: ${name} = ${text}`,
      "write a whole number",
    );
  }
  if (value < min) {
    return wrong(`invalid ${name} parameter value ${value} < ${min}`);
  }
  return value > max
    ? wrong(`invalid ${name} parameter value ${value} > ${max}`)
    : { value };
}

function wrong(text: string, mend?: string): Taken {
  return { wrong: { text, mend } };
}
