import { assertEquals } from "@std/assert";
import { loadConfiguration } from "../../../../lib/config/load_configuration.ts";
import { ANY_MACHINE } from "../../../../lib/config/machine.ts";
import {
  type CheckedService,
  checkServices,
} from "../../../../lib/config/services.ts";
import { accounts, owner, told } from "../configuration.ts";

/** What is made of a service on a line, with main.cf beside it. */
function check(
  line: string,
  main = "",
): { service: CheckedService | undefined; told: string[] } {
  const files: Record<string, string> = {
    "./main.cf": `${main}\n`,
    "./master.cf": `${line} user=alice argv=/bin/cat\n`,
  };
  const read = (path: string): Uint8Array => {
    const text = { ...files, "/clients": "10.0.0.1 maybe\n" }[path];
    if (text === undefined) throw new Deno.errors.NotFound(path);
    return new TextEncoder().encode(text);
  };
  const configuration = loadConfiguration(".", read, {
    machine: { ...ANY_MACHINE, readFile: read },
  });
  assertEquals(told(configuration.problems), []);
  const checked = checkServices(configuration, { accounts, owner });
  return { service: checked.services[0], told: told(checked.problems) };
}

const INET = "127.0.0.1:7 inet n n n - - spawn";
const UNIX = "here unix - n n - - spawn";

Deno.test("whoever may say who clients are has to be named, but not on a unix socket", () => {
  const proxied = "-o spawnd_proxy_protocol=yes";
  assertEquals(check(`${INET} ${proxied}`).told, [
    "./master.cf:1:59: error: spawnd_proxy_protocol: " +
    "anybody could say to be anyone " +
    "(name the proxies in spawnd_proxy_clients)",
  ]);
  assertEquals(
    check(`${INET} ${proxied}`, "spawnd_proxy_clients = 10.0.0.1").told,
    [],
  );
  assertEquals(check(`${UNIX} ${proxied}`).service?.admission.proxies, []);
  // Proxies that nobody asks for are no mistake.
  assertEquals(check(INET, "spawnd_proxy_clients = 10.0.0.1").told, []);
});

Deno.test("users and groups are those of the machine, and for unix services", () => {
  const peers = "spawnd_peer_users = alice\nspawnd_peer_groups = users";
  assertEquals(check(UNIX, peers).service?.admission.peers, {
    uids: [1000],
    gids: [100],
  });
  assertEquals(check(INET, peers).service?.admission.peers, undefined);
  assertEquals(check(INET, peers).told, []);
  assertEquals(check(`${INET} -o spawnd_peer_users=alice`).told, [
    "./master.cf:1:55: error: spawnd_peer_users: only for unix services " +
    "(leave it out: spawnd_clients is for this one)",
  ]);
  assertEquals(check(UNIX, "spawnd_peer_users = nosuch").told, [
    "./main.cf:1:21: error: spawnd_peer_users: unknown user name: nosuch " +
    "(name one that getent(1) knows)",
  ]);
});

Deno.test("a table's mistakes are pointed at in the table", () => {
  assertEquals(check(INET, "spawnd_clients = cidr:/clients").told, [
    "/clients:1:10: error: unknown result: maybe " +
    "(write allow, allow NAME=value, or deny)",
  ]);
  assertEquals(check(INET, "spawnd_clients = cidr:/none").told, [
    "./main.cf:1:18: error: spawnd_clients: open /none: " +
    "No such file or directory (make it, or correct its name)",
  ]);
});

Deno.test("postscreen(8) passes its clients' own connections", () => {
  const pass = "smtpd pass - n n - - spawn";
  assertEquals(check(pass, "spawnd_proxy_protocol = yes").told, []);
  assertEquals(check(`${pass} -o spawnd_proxy_protocol=yes`).told, [
    "./master.cf:1:53: error: spawnd_proxy_protocol: " +
    "postscreen(8) passes its clients' own connections (leave it out)",
  ]);
});
