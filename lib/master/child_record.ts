/**
 * The plan of a child of master(8) as a trial writes it down and the next image
 * of the child reads it. No other edition of the program reads it.
 *
 * @module
 */

import { settingsFromTexts } from "../config/service_settings.ts";
import { lookupsOf } from "../service/reload/admission_record.ts";
import { commandOf, identityOf } from "../service/reload/command_record.ts";
import { tuningOf } from "../net/connection_tuning.ts";
import { Shape } from "../service/reload/shape.ts";
import type { ChildPlan } from "./child.ts";
import { TRANSPORTS } from "./transport.ts";

/** A plan, and under what name it logs, and where. */
export interface NamedPlan {
  readonly plan: ChildPlan;
  readonly syslogName: string;
  readonly facility: number;
}

/**
 * Writes a plan down. Its sockets keep their descriptors, which master(8) has
 * numbered.
 *
 * @param named The plan.
 * @param program The edition of the program.
 * @returns The text.
 */
export function writeChildPlan(named: NamedPlan, program: string): string {
  const { service: { sockets, settings, ...others } } = named.plan;
  const service = { ...others, settings: settings.texts };
  return JSON.stringify({
    program,
    ...named,
    plan: { ...named.plan, service },
    sockets: sockets.length,
  });
}

/**
 * Reads a plan.
 *
 * @param text The text.
 * @param program This edition of the program.
 * @param listening Gives as many listening sockets.
 * @returns The plan; `undefined` if another edition has written it.
 * @throws {TypeError} If it is none.
 */
export function readChildPlan(
  text: string,
  { program, listening }: {
    readonly program: string;
    readonly listening: (count: number) => ChildPlan["service"]["sockets"];
  },
): NamedPlan | undefined {
  const all = new Shape(JSON.parse(text), "plan");
  if (all.field("program").text() !== program) return undefined;
  const plan = all.field("plan");
  const turn = plan.field("turn");
  const retireMs = turn.field("retireMs").optional((time) => time.count());
  const transport = TRANSPORTS.find((known) =>
    known === plan.field("transport").text()
  );
  if (transport === undefined) throw new TypeError("no known transport");
  return {
    syslogName: all.field("syslogName").text(),
    facility: all.field("facility").count(),
    plan: {
      service: serviceOf(
        plan.field("service"),
        listening(all.field("sockets").count()),
      ),
      transport,
      owner: identityOf(plan.field("owner")),
      queueDirectory: plan.field("queueDirectory").text(),
      generation: plan.field("generation").count(),
      isClassic: plan.field("isClassic").flag(),
      backlogConnections: plan.field("backlogConnections").count(),
      daemonTimeoutSeconds: plan.field("daemonTimeoutSeconds").count(),
      turn: {
        connections: turn.field("connections").count(),
        idleMs: turn.field("idleMs").count(),
        ...retireMs === undefined ? {} : { retireMs },
      },
      isVerbose: plan.field("isVerbose").flag(),
      warnings: plan.field("warnings").list().map((text) => text.text()),
    },
  };
}

function serviceOf(
  shape: Shape,
  sockets: ChildPlan["service"]["sockets"],
): ChildPlan["service"] {
  const settings = settingsFromTexts(shape.field("settings").object());
  return {
    name: shape.field("name").text(),
    ...{ sockets, settings },
    waits: shape.field("waits").flag(),
    command: commandOf(shape.field("command"), settings),
    admission: lookupsOf(shape.field("admission")),
    timeLimitMs: shape.field("timeLimitMs").count(),
    maxProcesses: shape.field("maxProcesses").count(),
    verbose: shape.field("verbose").flag(),
    isThrottled: shape.field("isThrottled").flag(),
    connectionOptions: shape.field("connectionOptions")
      .optional(() => tuningOf(settings)),
    isQuietAtLimit: shape.field("isQuietAtLimit").flag(),
  };
}
