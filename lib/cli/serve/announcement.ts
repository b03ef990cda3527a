/**
 * What is told of a configuration that is served.
 *
 * @module
 */

import type { DaemonLog } from "../../log/log.ts";
import type { OpenSockets } from "../../service/plan.ts";

/**
 * Makes what announces a configuration that is served.
 *
 * @param about What is to be known of the configuration.
 * @param log Where it is told.
 * @returns It.
 */
export function announcement(
  about: Readonly<Record<string, unknown>>,
  log: DaemonLog,
): (sockets: OpenSockets) => void {
  const { services, directory, otherEntries } = about;
  return (sockets) => {
    const addresses = [...sockets.values()].flat()
      .map(({ address }) => address);
    log.info(
      "listening",
      `serving ${services === 1 ? "1 service" : `${services} services`} of ` +
        `${directory}, addresses: ${addresses.length}, ` +
        `entries left alone: ${otherEntries}`,
      { ...about, addresses },
    );
  };
}
