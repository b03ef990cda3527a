/**
 * A command as a plan that was written down has it.
 *
 * @module
 */

import type { Command } from "../../engine/engine.ts";
import type { Identity } from "../../posix/credentials.ts";
import type { Shape } from "./shape.ts";

/**
 * Reads a command.
 *
 * @param shape The JSON value.
 * @returns The command.
 * @throws {TypeError} If it is none.
 */
export function commandOf(shape: Shape): Command {
  const [name, ...args] = shape.field("argv").list().map((word) => word.text());
  if (name === undefined) throw new TypeError("no command");
  return {
    argv: [name, ...args],
    environment: shape.field("environment").list().map((word) => word.text()),
    identity: identityOf(shape.field("identity")),
    rootDirectory: shape.field("rootDirectory").optional((path) => path.text()),
  };
}

/**
 * Reads ids.
 *
 * @param shape The JSON value.
 * @returns The ids.
 * @throws {TypeError} If it has none.
 */
export function identityOf(shape: Shape): Identity {
  return { uid: shape.field("uid").count(), gid: shape.field("gid").count() };
}
