/**
 * What a record of the log can be about, for programs to match on. The manual
 * page is made from this table.
 *
 * @module
 */

/** When there is a record of each event. */
export const EVENTS = {
  "accept-failed": "Connections cannot be accepted, and wait.",
  "accept-failed-over": "They can be accepted again.",
  "cannot-go-on": "A process below master(8) ends by an error.",
  "cannot-start": "Nothing is served.",
  "client-refused": "A client was refused, or others as it was before.",
  command: "The command is missing, or its user cannot execute it.",
  configuration: "A warning about the configuration.",
  connected: "A connection came, where connections are reported.",
  connection: "A connection has ended, by spawnd_log_connections.",
  disconnected: "A connection that was reported has ended.",
  drain: "Somebody has the daemon drain.",
  "ended-by-hand": "Somebody has a command ended.",
  failed: "A command has ended with an exit status of its own.",
  hangup: "SIGHUP came, and there is nothing to reload.",
  killed: "A signal has ended a command.",
  left: "Commands that were killed are not gone, and are left.",
  listening: "A service accepts connections.",
  "log-dropped": "Records were dropped, as their reader is too slow.",
  "pid-file": "The pid file could not be written by a daemon that goes on.",
  "process-limit": "A service stands at its limit.",
  "ready-not-told": "The descriptor of --ready-fd could not be written to.",
  refused: "One reason why nothing is served, or a reload was not taken.",
  "reload-failed": "A reload has changed nothing.",
  reloaded: "A new configuration serves.",
  resting: "A service leaves clients in the queue for a while.",
  "resting-over": "It takes them again.",
  restarts: "A command that is given the socket ends again and again.",
  "restarts-over": "It is started as before.",
  "signal-ignored": "A signal came that means nothing here.",
  "start-failed": "A command cannot be started.",
  "start-failed-over": "It can be started again.",
  started: "A process below master(8) serves, where that is reported.",
  "status-unavailable": "Nobody can ask for the daemon's status.",
  "stop-timeout": "A stop takes longer than it may.",
  stopped: "The daemon ends.",
  stopping: "No more connections are accepted.",
  "time-limit": "A command's time is over.",
  waiting: "A stop waits for commands.",
} as const satisfies Readonly<Record<string, string>>;

/** One of the events above. */
export type EventName = keyof typeof EVENTS;
