/**
 * Lock 2: the daemon gives back every permission that it needed to start.
 * Whatever goes wrong in it later cannot open a file or a socket, bind a
 * library, read the environment or start a program through the runtime.
 *
 * @module
 */

import type { EngineName } from "../engine/engine.ts";

/** The runtime's permissions, all of them. */
const PERMISSIONS: readonly Deno.PermissionName[] = [
  "env",
  "ffi",
  "import" as Deno.PermissionName, // known at run time, missing in the types
  "net",
  "read",
  "run",
  "sys",
  "write",
];

/** What an engine goes on to need. */
const NEEDED: Readonly<Record<EngineName, readonly Deno.PermissionName[]>> = {
  // Bound symbols need no permission, and the C library starts the commands.
  direct: [],
  relay: ["run"],
};

/**
 * Gives back what the daemon needs no longer. Files must have been read,
 * sockets opened and libraries bound before.
 *
 * @param engine The engine that is going to run.
 * @throws {Error} If the runtime kept a permission nevertheless.
 */
export function lockDown(engine: EngineName): void {
  for (const name of PERMISSIONS) {
    if (NEEDED[engine].includes(name)) continue;
    const { state } = Deno.permissions.revokeSync({ name });
    if (state === "granted") {
      throw new Error(`the runtime did not revoke the ${name} permission`);
    }
  }
}
