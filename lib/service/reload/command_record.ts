/**
 * A command as a plan that was written down has it.
 *
 * @module
 */

import type { ServiceSettings } from "../../config/service_settings.ts";
import { surroundingsOf } from "../../config/surroundings/surroundings_of.ts";
import type { Command } from "../../engine/engine.ts";
import { CONNECTION_ENVIRONMENTS } from "../../posix/connection_environment.ts";
import type { Identity } from "../../posix/credentials.ts";
import type { Shape } from "./shape.ts";

/**
 * Reads a command.
 *
 * @param shape The JSON value.
 * @param settings The settings of its service.
 * @returns The command.
 * @throws {TypeError} If it is none.
 */
export function commandOf(
  shape: Shape,
  settings: ServiceSettings,
): Command {
  const [name, ...args] = shape.field("argv").list().map((word) => word.text());
  if (name === undefined) throw new TypeError("no command");
  return {
    argv: [name, ...args],
    environment: shape.field("environment").list().map((word) => word.text()),
    identity: identityOf(shape.field("identity")),
    rootDirectory: shape.field("rootDirectory").optional((path) => path.text()),
    surroundings: surroundingsOf(
      settings,
      shape.field("surroundings").optional((asked) => asked.field("groups"))
        ?.optional((groups) => groups.list().map((gid) => gid.count())),
    ),
    connectionEnvironment: CONNECTION_ENVIRONMENTS.find((known) =>
      known === shape.field("connectionEnvironment").text()
    ),
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
