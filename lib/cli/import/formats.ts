/**
 * The formats that `spawnd import` reads.
 *
 * @module
 */

/** All of them. */
export const IMPORT_FORMATS = [
  "xinetd",
  "inetd",
  "systemd",
  "tcprules",
] as const;

/** One of them. */
export type ImportFormat = typeof IMPORT_FORMATS[number];
