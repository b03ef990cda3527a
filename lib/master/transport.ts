/**
 * How connections arrive at a child of master(8).
 *
 * @module
 */

/** The transports that are served. */
export const TRANSPORTS = ["inet", "unix", "pass"] as const;

/**
 * At listening sockets, of which those for `pass` are where another process
 * passes connections on that it has accepted; or `stdin`, the one that is there
 * already.
 */
export type Transport = typeof TRANSPORTS[number] | "stdin";
