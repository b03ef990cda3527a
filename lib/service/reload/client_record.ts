/**
 * Clients as they are handed on.
 *
 * @module
 */

import type { WaitingConnection } from "../../engine/engine.ts";
import type { Client } from "../../posix/client.ts";
import type { Shape } from "./shape.ts";

/**
 * Reads a client.
 *
 * @param shape The JSON value.
 * @returns The client.
 * @throws {TypeError} If it is none.
 */
export function clientIn(shape: Shape): Client {
  const counts = (name: string): number[] =>
    shape.field(name).list().map((each) => each.count());
  switch (shape.field("kind").text()) {
    case "inet":
      return {
        kind: "inet",
        address: counts("address"),
        port: shape.field("port").count(),
      };
    case "unix":
      return {
        kind: "unix",
        pid: shape.field("pid").count(),
        uid: shape.field("uid").count(),
        gids: counts("gids"),
      };
    default:
      return { kind: "unknown" };
  }
}

/**
 * Reads a connection of which a proxy is yet to say who its client is.
 *
 * @param shape The JSON value.
 * @param offsetMs How far this process's clock is behind the machine's.
 * @returns The connection.
 * @throws {TypeError} If it is none.
 */
export function waitingOf(shape: Shape, offsetMs: number): WaitingConnection {
  return {
    fd: shape.field("fd").count(),
    proxy: clientIn(shape.field("proxy")),
    sinceMs: shape.field("sinceMs").number() - offsetMs,
  };
}
