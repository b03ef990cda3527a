/**
 * Records in which everything is there.
 *
 * @module
 */

/** A record, with any of it left out. */
export type Incomplete<T> = { readonly [Name in keyof T]: T[Name] | undefined };

/**
 * Tells whether nothing is left out of a record.
 *
 * @param values The record.
 * @returns Whether every value is there.
 */
export function isComplete<T extends object>(
  values: Incomplete<T>,
): values is T & Incomplete<T> {
  return Object.values(values).every((value) => value !== undefined);
}
