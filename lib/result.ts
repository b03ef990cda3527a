/**
 * Errors that a user can cause, as values: what is wrong, where, and what to
 * do about it.
 *
 * @module
 */

/** Exit codes, named as in sysexits(3). */
export const EX = {
  OK: 0,
  USAGE: 64,
  NOUSER: 67,
  NOHOST: 68,
  SOFTWARE: 70,
  OSERR: 71,
  NOPERM: 77,
  CONFIG: 78,
} as const;

/** One of the exit codes above. */
export type ExitCode = typeof EX[keyof typeof EX];

/** Something that the user is to mend. */
export interface Mistake {
  /** What is wrong. Log watchers match on it: nothing is appended to it. */
  readonly text: string;
  /** Where it is, as the user would look for it. */
  readonly place?: string | undefined;
  /** What to do about it, as one phrase. */
  readonly mend?: string | undefined;
  /** The exit code of a daemon that cannot start because of it. */
  readonly exitCode: ExitCode;
}

/** A value, or the mistake, or the mistakes, for which there is none. */
export type Result<T, M = Mistake> =
  | { ok: true; value: T }
  | { ok: false; mistake: M };

/**
 * Wraps a value.
 *
 * @param value The value.
 * @returns The result.
 */
export function success<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

/**
 * Wraps a mistake.
 *
 * @param mistake The mistake.
 * @returns The result.
 */
export function failure(mistake: Mistake): { ok: false; mistake: Mistake } {
  return { ok: false, mistake };
}

/**
 * Writes a mistake on one line.
 *
 * @param mistake The mistake.
 * @returns `PLACE: TEXT (MEND)`, as far as there is any.
 */
export function formatMistake(
  { place, text, mend }: Pick<Mistake, "text"> & Partial<Mistake>,
): string {
  return `${place === undefined ? "" : `${place}: `}${text}` +
    (mend === undefined ? "" : ` (${mend})`);
}

/**
 * Gives what was thrown in words.
 *
 * @param error What was thrown, which can be anything.
 * @returns The error's message, without its kind.
 */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A mistake where no result can be handed back: in the midst of looking
 * something up, or before there is anything to look at. Whoever started that
 * tells it.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";

  /** @param mistake The mistake. */
  constructor(readonly mistake: Mistake) {
    super(formatMistake(mistake));
  }
}
