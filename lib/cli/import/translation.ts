/**
 * What a foreign configuration comes to: services as master.cf has them, and
 * everything that could not be translated, with its place.
 *
 * All texts are binary strings, as the files are.
 *
 * @module
 */

import { formatMistake } from "../../result.ts";

/** Something that could not be translated. */
export interface Note {
  /** As `FILE:LINE`, or a file alone. */
  readonly place: string;
  readonly text: string;
  /** What to do about it, as one phrase. */
  readonly mend?: string | undefined;
}

/** Other super-servers have no time limit; this one is of 68 years, the most. */
export const NO_TIME_LIMIT = "3549w";

/** The parameters that translations may set for a service. */
export type ServiceParameter =
  | "command_time_limit"
  | "export_environment"
  | "spawnd_access_times"
  | "spawnd_backlog"
  | "spawnd_bind_to_device"
  | "spawnd_client_connection_count_limit"
  | "spawnd_clients"
  | "spawnd_connection_environment"
  | "spawnd_connection_rate_limit"
  | "spawnd_cpu_affinity"
  | "spawnd_defer_accept"
  | "spawnd_directory"
  | "spawnd_free_bind"
  | "spawnd_groups"
  | "spawnd_io_priority"
  | "spawnd_keepalive"
  | "spawnd_keepalive_count"
  | "spawnd_keepalive_idle"
  | "spawnd_keepalive_interval"
  | "spawnd_limits"
  | "spawnd_load_limit"
  | "spawnd_login_environment"
  | "spawnd_nice"
  | "spawnd_no_new_privileges"
  | "spawnd_nodelay"
  | "spawnd_private_network"
  | "spawnd_rate_time_unit"
  | "spawnd_reuse_port"
  | "spawnd_socket_mode"
  | "spawnd_socket_owner"
  | "spawnd_standard_error"
  | "spawnd_umask"
  | "spawnd_v6only"
  | "spawnd_wait";

const COUNT = /^\d{1,9}$/;
const TIME = /^\d{1,10}[smhdw]?$/;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/** What values look like that are taken over from a file as they are. */
const SHAPES: Readonly<Partial<Record<ServiceParameter, RegExp>>> = {
  spawnd_access_times:
    /^(?:(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d(?:, (?!$)|$))+$/,
  spawnd_backlog: COUNT,
  spawnd_bind_to_device: NAME,
  spawnd_client_connection_count_limit: COUNT,
  spawnd_connection_rate_limit: COUNT,
  spawnd_cpu_affinity: /^\d{1,4}(?:[-, ]+\d{1,4})*$/,
  spawnd_directory: /^\//,
  spawnd_groups: /^[A-Za-z0-9_.-]+(?: [A-Za-z0-9_.-]+)*$/,
  spawnd_io_priority: /^(?:idle|(?:best-effort|realtime)(?::[0-7])?)$/,
  spawnd_keepalive_count: COUNT,
  spawnd_limits:
    /^[a-z]+=(?:\d+[KMGT]?|infinity)(?::(?:\d+[KMGT]?|infinity))?$/,
  spawnd_load_limit: /^\d{1,6}(?:\.\d{1,6})?$/,
  spawnd_nice: /^[+-]?1?\d$|^-20$/,
  spawnd_rate_time_unit: TIME,
  spawnd_socket_mode: /^0?[0-7]{3}$/,
  spawnd_socket_owner: /^[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)?$/,
  spawnd_umask: /^0?[0-7]{3}$/,
};

/** How clients reach a service. */
export type ImportedType = "inet" | "unix" | "udp";

/** A service, as far as it could be translated. */
export interface ImportedService {
  /** Where it stands, as `FILE:LINE`. */
  readonly place: string;
  /** What it is called there. */
  readonly title: string;
  readonly type: ImportedType;
  /** The first field of its entry. */
  readonly name: string;
  /** 0 for no limit; the default, if nothing is said. */
  readonly maxProcesses: number | undefined;
  readonly isVerbose: boolean;
  readonly parameters: ReadonlyMap<ServiceParameter, string>;
  /** `NAME` or `NAME:GROUP`. */
  readonly user: string;
  readonly argv: readonly string[];
  /**
   * Whether it must not be served as it stands: it would be refused, or let in
   * more clients than before.
   */
  readonly isHeld: boolean;
}

/** All of it. */
export interface Translation {
  readonly services: readonly ImportedService[];
  /** Variables of the daemon's own environment that services pass on. */
  readonly importedNames: ReadonlySet<string>;
  /** Remarks on what needs no translation, for comments. */
  readonly remarks: readonly Note[];
  readonly notes: readonly Note[];
}

/** As many as anybody reads. */
const NOTES_MAX = 1000;

/** Collects what could not be translated, until that is hopeless. */
export class Notes {
  readonly #notes: Note[] = [];
  #more = 0;

  /**
   * Takes note of something.
   *
   * @param place Where it stands.
   * @param text What it is, and that it is not translated.
   * @param mend What to do about it.
   */
  readonly tell: Tell = (place, text, mend) => {
    if (this.#notes.length < NOTES_MAX) {
      this.#notes.push({ place, text: text.replaceAll("\n", " "), mend });
    } else this.#more++;
  };

  /** All of them, and how many more there were. */
  get all(): readonly Note[] {
    return this.#more === 0 ? this.#notes : [...this.#notes, {
      place: "spawnd import",
      text: `${this.#more} more are not shown`,
      mend: "mend the first ones",
    }];
  }
}

/** Takes note of something: where, what, and what to do. */
export type Tell = (place: string, text: string, mend?: string) => void;

/** A service while it is translated. */
export class ServiceDraft {
  readonly parameters = new Map<ServiceParameter, string>();
  maxProcesses: number | undefined;
  isVerbose = false;
  user = "";
  argv: readonly string[] = [];
  isHeld = false;
  readonly #tell: Tell;

  /**
   * @param place Where it stands.
   * @param title What it is called there.
   * @param tell Where goes what cannot be translated.
   */
  constructor(readonly place: string, readonly title: string, tell: Tell) {
    this.#tell = tell;
  }

  /** Sets a parameter. */
  set(name: ServiceParameter, value: string | number): void {
    this.parameters.set(name, `${value}`);
  }

  /**
   * Sets a parameter to what a file says. What is no such value was a limit,
   * perhaps: the service is held.
   */
  take(name: ServiceParameter, value: string, place: string): void {
    const words = name === "spawnd_limits" ? value.split(" ") : [value];
    const shape = SHAPES[name];
    if (words.some((word) => shape?.test(word) === false)) {
      this.hold(place, `${quoted(value)} is no value`, `mend ${name}`);
    }
    this.set(name, value);
  }

  /** Sets how many commands run at once; `0` is no limit. */
  takeMaxProcesses(value: string, place: string): void {
    if (COUNT.test(value)) this.maxProcesses = Number(value);
    else this.hold(place, `${quoted(value)} is no number`, "mend maxproc");
  }

  /** Tells what is not translated, without which the service still serves. */
  tell(place: string, text: string, mend?: string): void {
    this.#tell(place, `${this.title}: ${text}`, mend);
  }

  /** Tells what must be mended before the service is served. */
  hold(place: string, text: string, mend?: string): void {
    this.isHeld = true;
    this.tell(place, text, mend);
  }

  /** It as a service, on one of its addresses. */
  at(type: ImportedType, name: string): ImportedService {
    const { place, title, maxProcesses, isVerbose, user, argv } = this;
    return {
      place,
      title,
      type,
      name,
      maxProcesses,
      isVerbose,
      parameters: new Map(this.parameters),
      user,
      argv,
      isHeld: this.isHeld,
    };
  }
}

/** How much of a word is quoted at most, in bytes. */
const QUOTE_BYTES = 60;

/**
 * Shortens what may be as long as a file.
 *
 * @param text A binary string.
 * @returns It, or its beginning.
 */
export function quoted(text: string): string {
  return text.length > QUOTE_BYTES ? `${text.slice(0, QUOTE_BYTES)}...` : text;
}

/**
 * Writes a note on one line.
 *
 * @param note The note.
 * @returns `FILE:LINE: TEXT (MEND)`.
 */
export function formatNote(note: Note): string {
  return formatMistake(note);
}
