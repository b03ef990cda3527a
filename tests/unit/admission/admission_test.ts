import { assertEquals } from "@std/assert";
import {
  Admission,
  type AdmissionRules,
  type Decision,
} from "../../../lib/admission/admission.ts";
import { compileClientTable } from "../../../lib/admission/client_table.ts";
import { parseClientList } from "../../../lib/config/admission/client_list.ts";
import { parseAccessTimes } from "../../../lib/config/admission/access_times.ts";
import type { ClientTable } from "../../../lib/admission/client_table.ts";
import type { Client } from "../../../lib/posix/client.ts";
import { parseIpAddress } from "../../../lib/posix/ip_address.ts";

const UNIT_MS = 60_000;

const NO_RULES: AdmissionRules = {
  clients: undefined,
  clientConnections: 0,
  clientRate: 0,
  serviceRate: 0,
  rateUnitMs: UNIT_MS,
  clientsRemembered: 100,
  prefixLengths: { inet4: 32, inet6: 64 },
  accessTimes: [],
  busyLimits: { load: undefined, pressures: {} },
  peers: undefined,
  proxies: undefined,
};

function tableOf(list: string): ClientTable {
  const read = parseClientList(list);
  if (!read.ok) throw new Error(read.wrong);
  return compileClientTable(
    read.value.flatMap((item) => item.kind === "rule" ? [item.rule] : []),
  );
}

function admission(rules: Partial<AdmissionRules>): Admission {
  return new Admission({ ...NO_RULES, ...rules });
}

function inet(text: string): Client {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(text);
  return { kind: "inet", address, port: 4711 };
}

function unix(uid: number, ...gids: number[]): Client {
  return { kind: "unix", pid: 1, uid, gids };
}

/** What is decided on clients one after the other, `+` for admitted. */
function decisions(
  decided: Admission,
  clients: readonly Client[],
  nowMs = 0,
): string[] {
  return clients.map((client) => shown(decided.decide(client, nowMs)));
}

function shown(decision: Decision): string {
  return "refused" in decision ? decision.refused : "+";
}

Deno.test("Admission admits everybody where nothing is said", () => {
  const clients = [inet("192.0.2.1"), unix(0), { kind: "unknown" }] as const;
  assertEquals(decisions(admission({}), clients), ["+", "+", "+"]);
});

Deno.test("Admission admits whom the list has, and nobody else", () => {
  const decided = admission({ clients: tableOf("!10.0.0.1 10.0.0.0/8") });
  const clients = ["10.0.0.2", "10.0.0.1", "11.0.0.1", "::1"].map(inet);
  assertEquals(decisions(decided, clients), [
    "+",
    "not-allowed",
    "not-allowed",
    "not-allowed",
  ]);
  // The list is about addresses.
  assertEquals(decisions(decided, [unix(5)]), ["+"]);
});

Deno.test("Admission keeps each client to its number of connections, and gives them back", () => {
  const decided = admission({ clientConnections: 2 });
  const [one, other] = [inet("192.0.2.1"), inet("192.0.2.2")];
  const many = "connections";
  assertEquals(decisions(decided, [one, one, one, other]), [
    "+",
    "+",
    many,
    "+",
  ]);
  decided.giveBack(one);
  assertEquals(decisions(decided, [one, one]), ["+", many]);
  for (let round = 0; round < 1_000; round++) {
    decided.giveBack(one);
    assertEquals(decisions(decided, [one]), ["+"]);
  }
});

Deno.test("Admission counts what runs since before a reload", () => {
  const decided = admission({ clientConnections: 2 });
  decided.resume(inet("192.0.2.1"));
  const clients = [inet("192.0.2.1"), inet("192.0.2.1")];
  assertEquals(decisions(decided, clients), ["+", "connections"]);
});

Deno.test("Admission takes a network for one client", () => {
  const decided = admission({
    clientConnections: 1,
    prefixLengths: { inet4: 24, inet6: 48 },
  });
  const many = "connections";
  assertEquals(
    decisions(decided, ["192.0.2.1", "192.0.2.255", "192.0.3.0"].map(inet)),
    ["+", many, "+"],
  );
  assertEquals(
    decisions(
      decided,
      ["2001:db8:1::1", "2001:db8:1:2::1", "2001:db8:2::1"].map(inet),
    ),
    ["+", many, "+"],
  );
});

Deno.test("Admission takes a user of a unix socket for one client", () => {
  const decided = admission({ clientConnections: 1 });
  assertEquals(decided.asksForUsers, true);
  assertEquals(decisions(decided, [unix(5), unix(5), unix(6)]), [
    "+",
    "connections",
    "+",
  ]);
  assertEquals(admission({}).asksForUsers, false);
});

Deno.test("Admission keeps each client to its rate; who was refused has not used it up", () => {
  const decided = admission({ clientRate: 2, clientConnections: 100 });
  const one = inet("192.0.2.1");
  const fast = "rate";
  assertEquals(decisions(decided, [one, one, one, one]), [
    "+",
    "+",
    fast,
    fast,
  ]);
  assertEquals(decisions(decided, [inet("192.0.2.2")]), ["+"]);
  assertEquals(decisions(decided, [one, one, one], 2 * UNIT_MS), [
    "+",
    "+",
    fast,
  ]);
  // A refusal for a rate is not a connection.
  for (let count = 0; count < 4; count++) decided.giveBack(one);
  assertEquals(decisions(decided, [one], 4 * UNIT_MS), ["+"]);
});

Deno.test("Admission rests while the service is above its rate, and says until when", () => {
  const decided = admission({ serviceRate: 2 });
  const moment = (nowMs: number): Parameters<Admission["restAt"]>[0] => ({
    nowMs,
    weekTime: () => ({ day: 0, minute: 0 }),
    valueOf: () => undefined,
  });
  assertEquals(decided.roomAt(0), 2);
  decisions(decided, [inet("192.0.2.1"), inet("192.0.2.2")]);
  assertEquals(decided.roomAt(0), 0);
  const rest = decided.restAt(moment(0));
  if (rest?.kind !== "rate") throw new Error("it does not rest");
  assertEquals(decided.restAt(moment(rest.againMs - 1))?.kind, "rate");
  assertEquals(decided.restAt(moment(rest.againMs)), undefined);
});

Deno.test("Admission takes no refused client for one of the service's rate", () => {
  const decided = admission({ serviceRate: 1, clients: tableOf("10.0.0.1") });
  decisions(decided, Array.from({ length: 10 }, () => inet("192.0.2.1")));
  assertEquals(decided.roomAt(0), 1);
});

Deno.test("Admission rests out of its hours and while the machine is busy", () => {
  const read = parseAccessTimes("08:00-18:00 Mon-Fri");
  if (!read.ok) throw new Error(read.wrong);
  const decided = admission({
    accessTimes: read.value,
    busyLimits: { load: 2, pressures: {} },
  });
  const rest = (hour: number, load: number): string | undefined =>
    decided.restAt({
      nowMs: 0,
      weekTime: () => ({ day: 1, minute: hour * 60 }),
      valueOf: () => load,
    })?.kind;
  assertEquals(
    [rest(9, 1), rest(7, 1), rest(9, 3)],
    [undefined, "hours", "busy"],
  );
});

Deno.test("Admission asks a unix socket's clients for their user or one of their groups", () => {
  const decided = admission({ peers: { uids: [5], gids: [50, 60] } });
  const out = "user";
  assertEquals(
    decisions(decided, [unix(5, 1), unix(6, 1, 60), unix(6, 1), unix(0, 0)]),
    ["+", "+", out, out],
  );
  assertEquals(decisions(decided, [{ kind: "unknown" }]), [out]);
  assertEquals(decisions(decided, [inet("192.0.2.1")]), ["+"]);
});

Deno.test("Admission takes nobody for a proxy but those named", () => {
  const decided = admission({
    proxies: { clients: tableOf("10.0.0.0/8"), timeoutMs: 1 },
    peers: { uids: [5], gids: [] },
    clients: tableOf("192.0.2.0/24"),
  });
  assertEquals(decided.refuseProxy(inet("10.0.0.1")), undefined);
  assertEquals(decided.refuseProxy(inet("192.0.2.1")), "proxy");
  assertEquals(decided.refuseProxy(unix(5)), undefined);
  assertEquals(decided.refuseProxy(unix(6)), "user");
  // What it says of its client is decided on as of any other.
  assertEquals(decisions(decided, [inet("192.0.2.1"), inet("10.0.0.1")]), [
    "+",
    "not-allowed",
  ]);
});
