/**
 * How the kernel treats the connections of a service: said once to the
 * listening socket, from which connections inherit it.
 *
 * @module
 */

import type { ServiceSettings } from "../config/service_settings.ts";
import { O_CLOEXEC } from "../posix/headers.ts";
import { cString, type Libc } from "../posix/libc.ts";
import { readToEnd } from "../posix/process.ts";
import {
  type BindOptions,
  connectionOptionList,
  type ConnectionOptions,
  deferAccept,
  everyOption,
  setConnectionOptions,
} from "../posix/socket_options.ts";

/** How connections are treated. */
export interface ConnectionTuning extends ConnectionOptions {
  /** How long they wait with the kernel for a client's first word; 0: not. */
  readonly deferAcceptSeconds: number;
}

/**
 * As it is where nobody says anything: a client that has vanished would keep
 * its command for as long as that may run.
 */
export const DEFAULT_TUNING: ConnectionTuning = {
  keepAlive: true,
  keepAliveIdleSeconds: 0,
  keepAliveIntervalSeconds: 0,
  keepAliveCount: 0,
  noDelay: false,
  deferAcceptSeconds: 0,
};

/**
 * Takes it out of a service's settings.
 *
 * @param settings The settings.
 * @returns How its connections are treated.
 */
export function tuningOf(settings: ServiceSettings): ConnectionTuning {
  return {
    keepAlive: settings.spawnd_keepalive,
    keepAliveIdleSeconds: settings.spawnd_keepalive_idle,
    keepAliveIntervalSeconds: settings.spawnd_keepalive_interval,
    keepAliveCount: settings.spawnd_keepalive_count,
    noDelay: settings.spawnd_nodelay,
    deferAcceptSeconds: settings.spawnd_defer_accept,
  };
}

/**
 * Takes out of a service's settings what is to be said to a socket before it
 * has its address.
 *
 * @param settings The settings.
 * @returns It.
 */
export function bindOptionsOf(settings: ServiceSettings): BindOptions {
  return {
    reusePort: settings.spawnd_reuse_port,
    freeBind: settings.spawnd_free_bind,
    v6Only: settings.spawnd_v6only,
    device: settings.spawnd_bind_to_device,
  };
}

/**
 * Says it to a new socket.
 *
 * @param libc The C library.
 * @param fd The listening socket.
 * @param tuning How.
 * @throws {SystemError} If the kernel refuses.
 */
export function tuneConnections(
  libc: Libc,
  fd: number,
  tuning: ConnectionTuning,
): void {
  setConnectionOptions(libc, fd, connectionOptionList(tuning));
  if (tuning.deferAcceptSeconds > 0) {
    deferAccept(libc, fd, tuning.deferAcceptSeconds);
  }
}

/**
 * Says it to a socket that was told something else before, perhaps: what is
 * left to the system is set to what the system has.
 *
 * @param libc The C library.
 * @param fd The listening socket.
 * @param tuning How.
 * @throws {SystemError} If the kernel refuses.
 */
export function retuneConnections(
  libc: Libc,
  fd: number,
  tuning: ConnectionTuning,
): void {
  const { keepAliveIdleSeconds, keepAliveIntervalSeconds, keepAliveCount } =
    tuning;
  const orSystems = (value: number, name: string): number =>
    value === 0 ? systemsNumber(libc, name) : value;
  const options = {
    ...tuning,
    keepAliveIdleSeconds: orSystems(keepAliveIdleSeconds, "tcp_keepalive_time"),
    keepAliveIntervalSeconds: orSystems(
      keepAliveIntervalSeconds,
      "tcp_keepalive_intvl",
    ),
    keepAliveCount: orSystems(keepAliveCount, "tcp_keepalive_probes"),
  };
  setConnectionOptions(libc, fd, everyOption(options));
  deferAccept(libc, fd, tuning.deferAcceptSeconds);
}

/** A sysctl of tcp(7); 0 where it cannot be read. */
function systemsNumber(libc: Libc, name: string): number {
  const path = `/proc/sys/net/ipv4/${name}`;
  const fd = libc.c.open(cString(path), O_CLOEXEC, 0);
  if (fd < 0) return 0;
  try {
    return Number(new TextDecoder().decode(readToEnd(libc, fd)));
  } finally {
    libc.c.close(fd);
  }
}
