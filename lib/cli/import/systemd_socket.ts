/**
 * The settings of [Socket] in systemd.socket(5), one by one.
 *
 * @module
 */

import {
  quoted,
  type ServiceDraft,
  type ServiceParameter,
} from "./translation.ts";
import { readBoolean, readSeconds, type UnitSetting } from "./unit_file.ts";

/** Settings that a parameter takes over as they are. */
const SAME: Readonly<Record<string, ServiceParameter>> = {
  Backlog: "spawnd_backlog",
  BindToDevice: "spawnd_bind_to_device",
  KeepAliveProbes: "spawnd_keepalive_count",
  MaxConnectionsPerSource: "spawnd_client_connection_count_limit",
  SocketMode: "spawnd_socket_mode",
};

const BOOLEANS: Readonly<Record<string, ServiceParameter>> = {
  FreeBind: "spawnd_free_bind",
  KeepAlive: "spawnd_keepalive",
  NoDelay: "spawnd_nodelay",
  ReusePort: "spawnd_reuse_port",
};

const TIMES: Readonly<Record<string, ServiceParameter>> = {
  DeferAcceptSec: "spawnd_defer_accept",
  KeepAliveIntervalSec: "spawnd_keepalive_interval",
  KeepAliveTimeSec: "spawnd_keepalive_idle",
  TriggerLimitIntervalSec: "spawnd_rate_time_unit",
};

/** Read with the addresses, or of no effect here. */
const READ_ELSEWHERE =
  /^(?:Accept|BindIPv6Only|FileDescriptorName|IPAddressAllow|IPAddressDeny|ListenStream|ListenDatagram|RemoveOnStop|Service|SocketGroup|SocketUser)$/;

/** What to do where there is nothing that does the same. */
const MENDS: Readonly<Record<string, string>> = {
  DirectoryMode: "make the directory before spawnd starts: tmpfiles.d(5)",
  Symlinks: "make the link once: ln -s",
  IPTOS: "let the firewall mark the packets of the port",
  Mark: "let the firewall mark the packets of the port",
  Priority: "let the firewall mark the packets of the port",
  ReceiveBuffer: "the kernel sizes buffers itself: sysctl net.ipv4.tcp_rmem",
  SendBuffer: "the kernel sizes buffers itself: sysctl net.ipv4.tcp_wmem",
  TCPCongestion: "set it for all: sysctl net.ipv4.tcp_congestion_control",
};

const OF_SPAWNDS_UNIT = "put it into the unit that starts spawnd";

/** As many times as systemd lets a socket start something, in as long. */
const TRIGGER_SECONDS = 2;

/** Takes over one setting. */
export type SetSocketSetting = (name: string, setting: UnitSetting) => void;

/**
 * Makes what takes over settings of a socket, one by one.
 *
 * @param draft The service.
 * @param accepts Whether each connection has a command.
 * @returns What to call with each setting and its last assignment.
 */
export function socketSetter(
  draft: ServiceDraft,
  accepts: boolean,
): SetSocketSetting {
  return (name, { place, value }) => {
    if (READ_ELSEWHERE.test(name)) return;
    const leave = (): void => {
      const mend = MENDS[name] ??
        (/^Exec|^Timeout/.test(name) ? OF_SPAWNDS_UNIT : undefined);
      draft.tell(place, `${quoted(name)}= is not translated`, mend);
    };
    const [same, boolean, time] = [SAME[name], BOOLEANS[name], TIMES[name]];
    const isTrue = readBoolean(value);
    const seconds = readSeconds(value);
    if (same !== undefined) draft.take(same, value, place);
    else if (boolean !== undefined && isTrue !== undefined) {
      draft.set(boolean, isTrue ? "yes" : "no");
    } else if (time !== undefined && seconds !== undefined) {
      draft.set(time, `${seconds}s`);
    } else if (name === "MaxConnections") {
      if (accepts) draft.takeMaxProcesses(value, place);
    } else if (name === "TriggerLimitBurst") {
      draft.take("spawnd_connection_rate_limit", value, place);
      if (!draft.parameters.has("spawnd_rate_time_unit")) {
        draft.set("spawnd_rate_time_unit", `${TRIGGER_SECONDS}s`);
      }
    } else if (isTrue !== false || BOOLEANS[name] !== undefined) leave();
  };
}
