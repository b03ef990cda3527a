/**
 * What is to become of each entry of a Postfix's master.cf that runs spawn or
 * spawnd: switched, in place already, or left as it is, and why.
 *
 * @module
 */

import { fromText, toText, toWord } from "../../config/bytes.ts";
import type { Configuration } from "../../config/configuration.ts";
import {
  type MasterCf,
  type MasterEntry,
  parseMasterCf,
} from "../../config/master_cf.ts";
import { strangeWord } from "../../config/service_attributes.ts";
import { type CheckContext, checkServices } from "../../config/services.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import { isError } from "../inspect/inspect.ts";
import { TRANSPORTS } from "../../master/transport.ts";
import { didYouMean } from "../../did_you_mean.ts";
import type { MasterLine } from "./postconf.ts";

/** What is to become of an entry. */
export type EntryPlan =
  /** The same command but for the program's name. */
  | {
    kind: "switch";
    service: string;
    /** Those before the command. */
    fields: string;
    before: string;
    after: string;
  }
  | { kind: "in place"; service: string }
  | {
    kind: "left";
    service: string;
    /** Whether it runs spawnd already. */
    isOurs: boolean;
    text: string;
    mend?: string | undefined;
  };

/** What planning needs beside the configuration. */
export interface PlanContext extends CheckContext {
  /** The entries as postconf writes them, by `NAME/TYPE`. */
  readonly lines: ReadonlyMap<string, MasterLine>;
}

/** Why an entry is left as it is. */
interface Obstacle {
  readonly text: string;
  readonly mend?: string | undefined;
}

/** postconf takes these for its own, wherever they stand in a name. */
const STRANGE_NAME = /^-|[/*=]/;

/** Which of the fields of an entry it is. */
const COMMAND = 7;

/**
 * Plans for every entry that runs spawn or spawnd.
 *
 * @param configuration Postfix's configuration.
 * @param context What planning needs beside it.
 * @returns A plan for each, in the order of the file.
 */
export function planEntries(
  configuration: Configuration,
  context: PlanContext,
): EntryPlan[] {
  return configuration.entries.map((entry) => {
    const service = serviceOf(entry);
    const isOurs = entry.command.text === "spawnd";
    const { fields = "", command: before = "" } = context.lines.get(service) ??
      {};
    const after = before.replace(/^spawn(?= |$)/, "spawnd");
    const obstacle = failureOf(entry, configuration, context) ??
      (isOurs ? undefined : editObstacleOf(entry, configuration, after));
    if (obstacle !== undefined) {
      const { text, mend } = obstacle;
      return { kind: "left", service, isOurs, text, mend };
    }
    return isOurs
      ? { kind: "in place", service }
      : { kind: "switch", service, fields, before, after };
  });
}

/**
 * Picks the entries that were asked for.
 *
 * @param plans All plans.
 * @param services Services as `NAME/TYPE`; none for all.
 * @param configuration The configuration, for what other services there are.
 * @returns Their plans, or which service is none of them.
 */
export function selectPlans(
  plans: readonly EntryPlan[],
  services: readonly string[],
  { master }: Pick<Configuration, "master">,
): Result<readonly EntryPlan[]> {
  if (services.length === 0) return success(plans);
  const known = plans.map(({ service }) => service);
  for (const service of services) {
    if (known.includes(service)) continue;
    const other = master.services.find((entry) => serviceOf(entry) === service);
    return failure({
      text: other === undefined
        ? `no such service in ${master.file}: ${service}`
        : `${service} runs ${toText(other.command.text)}, not spawn`,
      mend: didYouMean(service, known) ??
        (known.length === 0
          ? "no entry runs spawn"
          : `those that run spawn: ${known.join(", ")}`),
      exitCode: EX.USAGE,
    });
  }
  return success(plans.filter(({ service }) => services.includes(service)));
}

function serviceOf({ name, type }: MasterEntry): string {
  return `${toText(name.text)}/${type}`;
}

/** Why an entry fails with spawnd below master(8). */
function failureOf(
  entry: MasterEntry,
  configuration: Configuration,
  context: PlanContext,
): Obstacle | undefined {
  if (!TRANSPORTS.some((transport) => transport === entry.type)) {
    return {
      text: `unsupported transport type: ${entry.type}`,
      mend: `below master(8) spawnd serves ${TRANSPORTS.join(" and ")}`,
    };
  }
  const strange = strangeWord(entry);
  if (strange !== undefined) {
    return {
      text: `not UTF-8: ${toWord(strange.text)}`,
      mend: "spawnd cannot be started with it: save master.cf as UTF-8",
    };
  }
  const { problems } = checkServices(
    // What a daemon of its own would refuse serves below master(8).
    { ...configuration, entries: [{ ...entry, isChrooted: false }] },
    context,
  );
  return problems.find(isError);
}

/** Why postconf cannot make an entry run the command. */
function editObstacleOf(
  entry: MasterEntry,
  { master }: Configuration,
  command: string,
): Obstacle | undefined {
  const service = serviceOf(entry);
  const mend = "write spawnd for spawn in master.cf by hand";
  if (STRANGE_NAME.test(entry.name.text)) {
    return { text: "postconf cannot edit a service of that name", mend };
  }
  const namesakes = master.entries.filter((other) =>
    serviceOf(other) === service
  );
  if (namesakes.length > 1) {
    return {
      text: "postconf would make all entries of that name and type alike",
      mend: "leave one of them, or write spawnd for spawn by hand",
    };
  }
  return isSameCommand(entry, command)
    ? undefined
    : { text: "postconf would change its arguments", mend };
}

/** Whether a command as postconf writes it says the same to master(8). */
function isSameCommand(entry: MasterEntry, command: string): boolean {
  const line = `x unix - n n - - ${command}`;
  const binary = fromText(line);
  const [written] = parseMasterCf("", binary).entries;
  return written?.command.text === "spawnd" &&
    JSON.stringify(argumentsOf(written)) === JSON.stringify(argumentsOf(entry));
}

/**
 * Tells whether an edit did what it was to do, and nothing else.
 *
 * @param before master.cf before the edit.
 * @param after The same since.
 * @param services Those that were to run another program, as `NAME/TYPE`.
 * @returns Whether that is so.
 */
export function isOnlySwitched(
  before: MasterCf,
  after: MasterCf,
  services: readonly string[],
): boolean {
  const facts = ({ entries }: MasterCf): string =>
    JSON.stringify(entries.map((entry) => [
      entry.fields.slice(0, COMMAND).map(({ text }) => text),
      services.includes(serviceOf(entry)) ? "" : entry.command.text,
      argumentsOf(entry),
    ]));
  return facts(before) === facts(after);
}

function argumentsOf({ options, words }: MasterEntry): unknown {
  return [
    options.map((option) =>
      option.kind === "override"
        ? [option.setting?.name.text, option.setting?.value.text]
        : option.word.text
    ),
    words.map(({ text }) => text),
  ];
}
