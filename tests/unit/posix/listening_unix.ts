/**
 * A unix socket that listens, with its descriptor.
 *
 * @module
 */

import { withDescriptor } from "../../../lib/posix/sockets.ts";
import { libc } from "../real_libc.ts";

/** One that is the runtime's. Goes with the scope: `using`. */
export class ListeningUnix implements Disposable {
  readonly fd: number;
  readonly #listener: Deno.Listener;

  constructor(path: string) {
    const { opened, fd } = withDescriptor(
      libc,
      () => Deno.listen({ transport: "unix", path }),
    );
    this.#listener = opened;
    this.fd = fd;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}
