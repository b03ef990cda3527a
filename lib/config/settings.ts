/**
 * The value of a parameter for one reader of the configuration: a service with
 * overrides of its own, or the daemon as a whole.
 *
 * @module
 */

import { expand, type Expansion, type KnownValues } from "./expand.ts";
import { PlacedText } from "./logical_lines.ts";
import { type Machine, NO_DOMAIN } from "./machine.ts";
import type { MainCf, Setting, Settings } from "./main_cf.ts";
import {
  findParameter,
  type NameOf,
  type Parameter,
  type Row,
  TIME_LIMIT_SUFFIX,
  timeLimitParameter,
  type ValueOf,
} from "./parameters.ts";
import { type Place, problemAt, type Report } from "./problems.ts";
import { fromText, toText } from "./bytes.ts";
import { takeValue } from "./parameter_value.ts";

/** What the program itself says about the parameters that are its own. */
export interface OwnValues {
  readonly process_id: string;
  readonly process_name: string;
  readonly service_name: string;
}

/** What a scope is made of. */
export interface ScopeOptions {
  readonly main: MainCf;
  /** The services that have a time limit of their own. */
  readonly services: ReadonlySet<string>;
  readonly own: OwnValues;
  readonly machine: Machine;
  /** Settings of a line in master.cf; none for the daemon as a whole. */
  readonly overrides?: Settings;
}

/** The values that one reader sees. */
export class Scope {
  readonly #main: MainCf;
  readonly #services: ReadonlySet<string>;
  readonly #own: ReadonlyMap<string, string>;
  readonly #overrides: Settings;
  readonly #machine: Machine;
  readonly #known: KnownValues = new Map();
  /** Whether the machine's domain is being found: its name may refer to it. */
  #findsDomain = false;

  constructor({ main, services, own, machine, overrides }: ScopeOptions) {
    this.#main = main;
    this.#services = services;
    this.#own = new Map(Object.entries(own));
    this.#machine = machine;
    this.#overrides = overrides ?? new Map();
  }

  /**
   * Finds a parameter, those of services with a name of their own among them.
   *
   * @param name A binary string.
   * @returns The parameter, unless there is none of that name.
   */
  parameter(name: string): Parameter | undefined {
    const parameter = findParameter(name);
    if (parameter !== undefined) return parameter;
    if (!name.endsWith(TIME_LIMIT_SUFFIX)) return undefined;
    const service = name.slice(0, -TIME_LIMIT_SUFFIX.length);
    return this.#services.has(service)
      ? timeLimitParameter(service)
      : undefined;
  }

  /**
   * Finds what sets a parameter.
   *
   * @param name A binary string.
   * @returns The setting that counts; `undefined` where it has its default.
   */
  setting(name: string): Setting | undefined {
    if (this.parameter(name)?.readOnly) return undefined;
    return this.#overrides.get(name) ?? this.#main.settings.get(name);
  }

  /**
   * Finds a parameter's value as it was written.
   *
   * @param name A binary string.
   * @returns The value or the default; `undefined` for a name that nothing sets
   * and nothing defines.
   */
  written(name: string): PlacedText | undefined {
    const setting = this.setting(name);
    if (setting !== undefined) return setting.value;
    const text = this.#own.get(name) ?? this.#ofMachine(name) ??
      this.parameter(name)?.default;
    return text === undefined ? undefined : new PlacedText(text);
  }

  /** The defaults that no table can have. */
  #ofMachine(name: string): string | undefined {
    if (name === "mail_version") return this.#machine.mailVersion();
    if (name === "mydomain") return this.#domain();
    if (name !== "myhostname") return undefined;
    const hostname = fromText(this.#machine.hostname());
    if (hostname.includes(".")) return hostname;
    const hasDomain = this.setting("mydomain") !== undefined;
    return `${hostname}.${hasDomain ? "$mydomain" : NO_DOMAIN}`;
  }

  #domain(): string {
    if (this.#findsDomain) return "";
    this.#findsDomain = true;
    const hostname = this.expanded("myhostname");
    this.#findsDomain = false;
    // What is wrong with the name is told where that is used.
    const [, domain] = hostname?.ok
      ? /^[^.]*\.(.*)$/s.exec(hostname.text) ?? []
      : [];
    return domain ?? NO_DOMAIN;
  }

  /**
   * Expands a parameter's value.
   *
   * @param name A binary string.
   * @returns The expansion, as a binary string; `undefined` as for
   * {@linkcode Scope.written}.
   */
  expanded(name: string): Expansion | undefined {
    const value = this.written(name);
    return value && this.expand(value);
  }

  /**
   * Expands any text with the values of this scope.
   *
   * @param value The text.
   * @returns The expansion, as a binary string.
   */
  expand(value: PlacedText): Expansion {
    return this.#expand(value, false);
  }

  /**
   * Expands the value of a parameter that may be any of Postfix's: names for
   * which spawnd has no value are taken for empty.
   *
   * @param name A binary string.
   * @returns The expansion, as a binary string; none if nothing sets it.
   */
  expandedForeign(name: string): string | undefined {
    const setting = this.setting(name);
    const expansion = setting && this.#expand(setting.value, true);
    return expansion?.ok ? expansion.text : undefined;
  }

  #expand(value: PlacedText, isLenient: boolean): Expansion {
    if (!value.text.includes("$")) return { ok: true, text: value.text };
    return expand(value, {
      lookup: (name) => this.written(name),
      place: value.placeIn(this.#main.file),
      // Names that were taken for empty have other values.
      ...isLenient || this.#findsDomain ? {} : { known: this.#known },
      isLenient,
    });
  }

  /**
   * The place to point at when a parameter's value is wrong.
   *
   * @param name A binary string.
   * @returns That of the value; main.cf as a whole for a default.
   */
  place(name: string): Place {
    const setting = this.setting(name);
    if (setting === undefined) {
      return new PlacedText("").placeIn(this.#main.file);
    }
    const { value, name: written } = setting;
    return (value.text === "" ? written : value).placeIn(this.#main.file);
  }

  /**
   * Reads the value of a parameter.
   *
   * @param name The parameter.
   * @param report Where mistakes go.
   * @returns Its value; `undefined` if it was reported as wrong, or is an
   * integer that is empty and may be.
   */
  value<Name extends Row["name"]>(
    name: Name,
    report: Report,
  ): ValueOf<Extract<Row, { name: Name }>> | undefined {
    // As the row says that it is read.
    return this.read(name, report)?.value as
      | ValueOf<Extract<Row, { name: Name }>>
      | undefined;
  }

  /** The value of a string; `undefined` if it was reported as wrong. */
  string(name: NameOf<"string">, report: Report): string | undefined {
    const value = this.binary(name, report);
    return value === undefined ? undefined : toText(value);
  }

  /** The same, as a binary string. */
  binary(name: NameOf<"string">, report: Report): string | undefined {
    return this.read(name, report)?.text;
  }

  /** The value of a time in seconds; `undefined` if it was reported as wrong. */
  seconds(name: NameOf<"time">, report: Report): number | undefined {
    return this.value(name, report);
  }

  /**
   * The value of a whole number; `undefined` if it was reported as wrong, or
   * empty where that is allowed.
   */
  integer(name: NameOf<"integer">, report: Report): number | undefined {
    return this.value(name, report);
  }

  /** The value of a boolean; `undefined` if it was reported as wrong. */
  boolean(name: NameOf<"boolean">, report: Report): boolean | undefined {
    return this.value(name, report);
  }

  /**
   * Checks a parameter of whatever type.
   *
   * @param name A binary string; a name that is no parameter's is no mistake.
   * @param report Where mistakes go.
   */
  check(name: string, report: Report): void {
    const parameter = this.parameter(name);
    if (parameter === undefined || parameter.readOnly) return;
    this.read(name, report);
  }

  /**
   * Reads a parameter of whatever type.
   *
   * @param name A binary string; the time limits of services are parameters,
   * too.
   * @param report Where mistakes go.
   * @returns Its expanded text, and its value as `takeValue()` has it;
   * `undefined` if it was reported as wrong.
   * @throws {TypeError} If there is no such parameter.
   */
  read(
    name: string,
    report: Report,
  ): { readonly text: string; readonly value: unknown } | undefined {
    const expansion = this.expanded(name);
    const parameter = this.parameter(name);
    if (expansion === undefined || parameter === undefined) {
      throw new TypeError(`no such parameter: ${name}`);
    }
    if (!expansion.ok) {
      report(expansion.problem);
      return undefined;
    }
    const { text } = expansion;
    const taken = takeValue(parameter, text);
    if ("wrong" in taken) {
      report(problemAt(this.place(name), taken.wrong));
      return undefined;
    }
    if (taken.warning !== undefined) {
      report(problemAt(this.place(name), taken.warning));
    }
    return { text, value: taken.value };
  }
}
