/**
 * The services of a configuration, checked: what is here can be served.
 *
 * A parsed entry is another type than a checked service, so that a value that
 * nobody has looked at cannot reach a listening socket.
 *
 * @module
 */

import { commandEnvironment } from "../engine/environment.ts";
import type { Identity } from "../posix/credentials.ts";
import type { Mistake } from "../result.ts";
import {
  type Accounts,
  type CommandAttributes,
  parseAttributes,
} from "./attributes.ts";
import { splitWords, withoutBraces } from "./braces.ts";
import { isUtf8, toText } from "./bytes.ts";
import type { Configuration } from "./load.ts";
import { PlacedText } from "./logical_lines.ts";
import type { MasterEntry, ServiceType } from "./master_cf.ts";
import {
  inOrder,
  type Place,
  type Problem,
  problemAt,
  type Report,
} from "./problems.ts";
import type { Scope } from "./settings.ts";

/** Where a service is reached. */
export type ServiceAddress =
  /** `host:port`, `[v6]:port` or `port`; names are not yet looked up. */
  | { readonly kind: "inet"; readonly name: string }
  | { readonly kind: "unix"; readonly path: string };

/** The parts of a line that a later problem may point at. */
export interface ServicePlaces {
  readonly name: Place;
  readonly maxProcesses: Place;
  readonly timeLimit: Place;
  /** The `user=` attribute. */
  readonly user: Place;
  /** The `argv=` attribute. */
  readonly command: Place;
}

/** A service that can be served. */
export interface CheckedService {
  readonly name: string;
  readonly type: Exclude<ServiceType, "fifo">;
  readonly isPrivate: boolean;
  readonly address: ServiceAddress;
  /** Commands at once; 0 for no limit. */
  readonly maxProcesses: number;
  /** Commands of one process at once; 0 for no limit. */
  readonly concurrency: number;
  readonly timeLimitSeconds: number;
  /** The list, as `commandEnvironment` takes it. */
  readonly exportEnvironment: string;
  readonly attributes: CommandAttributes;
  /** The attributes as they were written. */
  readonly attributeWords: readonly string[];
  readonly isVerbose: boolean;
  readonly daemonTimeoutSeconds: number;
  readonly maxIdleSeconds: number;
  readonly maxUses: number;
  readonly syslogName: string;
  readonly places: ServicePlaces;
  /** All its other parameters. */
  readonly scope: Scope;
}

/** What looking at the services came to. */
export interface CheckedServices {
  /** Those that can be served. */
  readonly services: readonly CheckedService[];
  /** Problems of the services alone, in the order of the file. */
  readonly problems: readonly Problem[];
}

/** What checking needs beside the configuration. */
export interface CheckContext {
  readonly accounts: Accounts;
  /** Whose ids the daemon itself has: no command may have them. */
  readonly owner: Identity | undefined;
}

/**
 * Checks every entry that spawnd serves.
 *
 * @param configuration The configuration.
 * @param context The accounts, and the daemon's owner.
 * @returns The services, and everything wrong with the others.
 */
export function checkServices(
  configuration: Configuration,
  context: CheckContext,
): CheckedServices {
  const problems: Problem[] = [];
  const services = configuration.entries.flatMap((entry) => {
    const checker = new ServiceChecker(configuration, entry);
    const service = checker.check(context);
    problems.push(...checker.problems);
    return service === undefined ? [] : [service];
  });
  return { services, problems: inOrder(problems) };
}

/** What is between the entries of `export_environment`. */
const ENTRY_SEPARATORS = ", \t\r\n";

/** Options that a line may have beside `-o`: verbose, and under a debugger. */
const FLAGS = "vD";

class ServiceChecker {
  readonly problems: Problem[] = [];
  readonly #entry: MasterEntry;
  readonly #scope: Scope;
  readonly #file: string;
  readonly #report: Report = (problem) => this.problems.push(problem);

  constructor(configuration: Configuration, entry: MasterEntry) {
    this.#entry = entry;
    this.#scope = configuration.scopeOf(entry);
    this.#file = configuration.master.file;
  }

  /** The service; `undefined` where there is an error. */
  check(context: CheckContext): CheckedService | undefined {
    const { name, isPrivate, words } = this.#entry;
    const scope = this.#scope;
    const report = this.#report;
    const type = this.#type();
    this.#privileges();
    const flags = this.#flags();
    const attributeWords = this.#textOf(
      words[0]?.text === "--" ? words.slice(1) : words,
    );
    const attributes = this.#attributes(attributeWords, context);
    const queueDirectory = scope.string("queue_directory", report);
    const maxProcesses = this.#entry.maxProcesses ??
      scope.integer("default_process_limit", report);
    const concurrency = scope.integer("spawnd_concurrency", report) ??
      maxProcesses;
    const timeLimitSeconds = scope.timeLimitSeconds(name.text, report);
    const exportEnvironment = this.#exportEnvironment();
    const daemonTimeoutSeconds = scope.seconds("daemon_timeout", report);
    const maxIdleSeconds = scope.seconds("max_idle", report);
    const maxUses = scope.integer("max_use", report);
    const syslogName = scope.string("syslog_name", report);
    if (
      this.problems.some(({ level }) => level === "error") ||
      type === undefined || attributes === undefined ||
      queueDirectory === undefined || maxProcesses === undefined ||
      concurrency === undefined || timeLimitSeconds === undefined ||
      exportEnvironment === undefined || daemonTimeoutSeconds === undefined ||
      maxIdleSeconds === undefined || maxUses === undefined ||
      syslogName === undefined
    ) return undefined;
    return {
      name: toText(name.text),
      type,
      isPrivate,
      address: this.#address(queueDirectory),
      maxProcesses,
      concurrency,
      timeLimitSeconds,
      exportEnvironment,
      attributes,
      attributeWords: attributeWords.map(({ text }) => text),
      isVerbose: flags.includes("v"),
      daemonTimeoutSeconds,
      maxIdleSeconds,
      maxUses,
      syslogName,
      places: this.#places(beforeCommand(attributeWords)),
      scope,
    };
  }

  #type(): CheckedService["type"] | undefined {
    const { type, fields } = this.#entry;
    if (type !== "fifo") return type;
    const text = `unsupported transport type: ${type}`;
    this.#wrong(fields[1], text, "a command needs a connection");
    return undefined;
  }

  /** spawn(8) itself must be able to become the command's user. */
  #privileges(): void {
    const { name, fields, isUnprivileged, isChrooted } = this.#entry;
    const text = `service ${name.text} requires privileged operation`;
    if (isUnprivileged) {
      this.#wrong(
        fields[3],
        text,
        "write n for unprivileged, its fourth field",
      );
    }
    if (isChrooted) {
      this.#wrong(fields[4], text, "write n for chroot, its fifth field");
    }
  }

  #flags(): string {
    let flags = "";
    for (const option of this.#entry.options) {
      if (option.kind !== "flags") continue;
      const { word } = option;
      flags += word.text.slice(1);
      const at = word.text.search(new RegExp(`[^-${FLAGS}]`));
      if (at < 0) continue;
      const text = `invalid option: ${word.text.charAt(at)}`;
      this.#wrong(word, text, "a service's line may have -o and -v");
    }
    return flags;
  }

  /** Words that are not UTF-8 would reach the command as other bytes. */
  #textOf(words: readonly PlacedText[]): AttributeWord[] {
    for (const word of words) {
      if (isUtf8(word.text)) continue;
      this.#wrong(word, `not UTF-8: ${word.text}`, "save the file as UTF-8");
    }
    return words.map((word) => ({ text: toText(word.text), word }));
  }

  #attributes(
    words: readonly AttributeWord[],
    context: CheckContext,
  ): CommandAttributes | undefined {
    const texts = words.map(({ text }) => text);
    const attributes = parseAttributes(texts, context);
    if (attributes.ok) return attributes.value;
    const { mistake } = attributes;
    const { text, mend } = mistake;
    // The mistake's text is a text already.
    this.problems.push({
      ...problemAt(this.#placeOf(mistake, words), { text: "", mend }),
      text,
    });
    return undefined;
  }

  /** The attribute that a mistake is about; the command where one is missing. */
  #placeOf({ text }: Mistake, all: readonly AttributeWord[]): Place {
    const words = beforeCommand(all);
    const about = words.find((each) => text.endsWith(`name: ${each.text}`)) ??
      words.find((each) =>
        valueOf("user", each)?.split(":").some((part) =>
          part !== "" && text.endsWith(` name: ${part}`)
        )
      ) ??
      words.findLast((each) => valueOf("user", each) !== undefined);
    const { command } = this.#entry;
    const isMissing = text.startsWith("missing ");
    return (isMissing ? command : about?.word ?? command).placeIn(this.#file);
  }

  #exportEnvironment(): string | undefined {
    const list = this.#scope.string("export_environment", this.#report);
    if (list === undefined) return undefined;
    const wrong = wrongEnvironment(list);
    if (wrong === undefined) return list;
    this.problems.push({
      ...problemAt(this.#scope.place("export_environment"), { text: "" }),
      text: `export_environment: ${wrong}`,
      mend: "write names, name=value words and { name = value } groups",
    });
    return undefined;
  }

  #address(queueDirectory: string): ServiceAddress {
    const { type, isPrivate } = this.#entry;
    const name = toText(this.#entry.name.text);
    if (type === "inet") return { kind: "inet", name };
    if (name.startsWith("/")) return { kind: "unix", path: name };
    const folder = isPrivate ? "private" : "public";
    return { kind: "unix", path: `${queueDirectory}/${folder}/${name}` };
  }

  #places(words: readonly AttributeWord[]): ServicePlaces {
    const { name, fields, command } = this.#entry;
    const place = (text: PlacedText | undefined): Place =>
      (text ?? command).placeIn(this.#file);
    const attribute = (key: "user" | "argv"): Place =>
      place(
        words.findLast((each) => valueOf(key, each) !== undefined)?.word,
      );
    const limit = this.#scope.place(`${name.text}_time_limit`);
    return {
      name: place(name),
      maxProcesses: place(fields[6]),
      timeLimit: limit.line > 0 ? limit : place(name),
      user: attribute("user"),
      command: attribute("argv"),
    };
  }

  #wrong(word: PlacedText | undefined, text: string, mend: string): void {
    const place = (word ?? this.#entry.name).placeIn(this.#file);
    this.#report(problemAt(place, { text, mend }));
  }
}

/** What is wrong with an `export_environment`, in Postfix's words if it has any. */
function wrongEnvironment(list: string): string | undefined {
  for (const word of splitWords(new PlacedText(list), ENTRY_SEPARATORS)) {
    const { wrong } = withoutBraces(word);
    if (wrong !== undefined) return wrong;
  }
  try {
    commandEnvironment(list, () => undefined);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return error.message;
  }
}

/** An attribute as text, and where it stands. */
interface AttributeWord {
  readonly text: string;
  readonly word: PlacedText;
}

/** The words up to `argv=`; those after it are the command's. */
function beforeCommand(words: readonly AttributeWord[]): AttributeWord[] {
  const at = words.findIndex((each) => valueOf("argv", each) !== undefined);
  return words.slice(0, at < 0 ? undefined : at + 1);
}

function valueOf(
  key: "user" | "argv",
  { text }: AttributeWord,
): string | undefined {
  return text.toLowerCase().startsWith(`${key}=`)
    ? text.slice(key.length + 1)
    : undefined;
}
