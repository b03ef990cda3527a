import { assert, assertEquals } from "@std/assert";
import {
  type InetEndpoints,
  type InetScope,
  type Lookup,
  parseInetName,
} from "../../../lib/net/inet_endpoint.ts";
import { EX, formatMistake } from "../../../lib/result.ts";

/** What the resolver says of a few names. */
const ADDRESSES: Record<string, string[]> = {
  "two.example": ["2001:db8::1", "2001:db8::1", "192.0.2.1"],
  "127.1": ["127.0.0.1"],
  localhost: ["127.0.0.1"],
};

const PORTS: Record<string, number> = { smtp: 25 };

const lookup: Lookup = {
  addresses: (host) => ADDRESSES[host] ?? [],
  port: (name) => PORTS[name],
};

/** For names that need no looking up. */
const noLookup: Lookup = {
  addresses: (host) => {
    throw new Error(`${host} was looked up`);
  },
  port: (name) => {
    throw new Error(`${name} was looked up`);
  },
};

const EVERYWHERE: InetScope = {
  interfaces: ["all"],
  protocols: ["all"],
  ports: new Map(),
};

function parsed(
  name: string,
  by: Lookup = lookup,
  scope: Partial<InetScope> = {},
): InetEndpoints {
  const result = parseInetName(name, { ...EVERYWHERE, ...scope }, by);
  if (!result.ok) throw new Error(formatMistake(result.mistake));
  return result.value;
}

function refused(
  name: string,
  scope: Partial<InetScope> = {},
): [string, number] {
  const result = parseInetName(name, { ...EVERYWHERE, ...scope }, lookup);
  assert(!result.ok, `${name} was taken`);
  return result.ok
    ? ["", 0]
    : [formatMistake(result.mistake), result.mistake.exitCode];
}

Deno.test("parseInetName() takes addresses as they are", () => {
  const one = (host: string, port: number): InetEndpoints => ({
    endpoints: [{ host, port }],
    everywhere: false,
  });
  assertEquals(parsed("127.0.0.1:7007", noLookup), one("127.0.0.1", 7007));
  assertEquals(parsed("[::1]:7007", noLookup), one("::1", 7007));
  assertEquals(parsed("[2001:db8::1]:0", noLookup), one("2001:db8::1", 0));
  assertEquals(parsed("[192.0.2.1]:65535", noLookup), one("192.0.2.1", 65535));
  assertEquals(parsed("0.0.0.0:1", noLookup), one("0.0.0.0", 1));
});

Deno.test("parseInetName() takes a port alone for every address of the machine", () => {
  const everywhere = {
    endpoints: [{ host: "::", port: 873 }, { host: "0.0.0.0", port: 873 }],
    everywhere: true,
  };
  assertEquals(parsed("873", noLookup), everywhere);
  assertEquals(parsed(":873", noLookup), everywhere);
});

Deno.test("parseInetName() looks services up", () => {
  assertEquals(parsed("127.0.0.1:smtp").endpoints, [
    { host: "127.0.0.1", port: 25 },
  ]);
  assertEquals(parsed("smtp").everywhere, true);
});

Deno.test("parseInetName() looks hosts up, each address once and in order", () => {
  assertEquals(parsed("two.example:smtp"), {
    endpoints: [
      { host: "2001:db8::1", port: 25 },
      { host: "192.0.2.1", port: 25 },
    ],
    everywhere: false,
  });
});

Deno.test("parseInetName() asks known_tcp_ports before the system", () => {
  const ports = new Map([["lmtp", 24], ["smtp", 2525]]);
  assertEquals(parsed("127.0.0.1:lmtp", noLookup, { ports }).endpoints, [
    { host: "127.0.0.1", port: 24 },
  ]);
  assertEquals(parsed("smtp", noLookup, { ports }).endpoints[0]?.port, 2525);
});

Deno.test("parseInetName() takes hosts of inet_interfaces as the resolver does", () => {
  const interfaces = ["127.1", "[::1]", "localhost"];
  assertEquals(parsed("22", lookup, { interfaces }), {
    endpoints: [{ host: "127.0.0.1", port: 22 }, { host: "::1", port: 22 }],
    everywhere: false,
  });
});

Deno.test("parseInetName() has only addresses of the protocols", () => {
  assertEquals(parsed("two.example:1", lookup, { protocols: ["ipv4"] }), {
    endpoints: [{ host: "192.0.2.1", port: 1 }],
    everywhere: false,
  });
  assertEquals(refused("[::1]:1", { protocols: ["ipv4"] }), [
    "no address of inet_protocols for [::1]:1 " +
    "(name another host, or set inet_protocols = all)",
    EX.CONFIG,
  ]);
});

Deno.test("parseInetName() says where a port is missing", () => {
  assertEquals(refused("127.0.0.1"), [
    'garbage after numerical service in "127.0.0.1" ' +
    "(write its port, too: 127.0.0.1:PORT)",
    EX.USAGE,
  ]);
  assertEquals(refused("[::1]"), [
    'missing service information in "[::1]" ' +
    "(write its port, too: [::1]:PORT)",
    EX.USAGE,
  ]);
  assertEquals(refused("localhost"), [
    "unknown service: localhost " +
    "(localhost is a host: write its port, too: localhost:PORT)",
    EX.USAGE,
  ]);
  assertEquals(refused("[::1]7007"), [
    'garbage after "]" in "[::1]7007" ' +
    "(write host:port, [address]:port or port)",
    EX.USAGE,
  ]);
});

Deno.test("parseInetName() refuses ports that there are not", () => {
  const bad = "(use a number up to 65535, or a tcp name of /etc/services)";
  assertEquals(refused("65536"), [`bad port: 65536 ${bad}`, EX.USAGE]);
  assertEquals(refused("127.0.0.1:99999999999999999999"), [
    `bad port: 99999999999999999999 ${bad}`,
    EX.USAGE,
  ]);
  assertEquals(refused("nothing"), [`unknown service: nothing ${bad}`, 64]);
  assertEquals(refused("127.0.0.1:-1"), [`unknown service: -1 ${bad}`, 64]);
});

Deno.test("parseInetName() refuses hosts that there are not", () => {
  const mend = "(use an address of this machine, or a name of /etc/hosts)";
  assertEquals(refused("no.example:25"), [
    `unknown host: no.example ${mend}`,
    EX.NOHOST,
  ]);
  assertEquals(refused("127.0.0.08:25"), [
    `unknown host: 127.0.0.08 ${mend}`,
    EX.NOHOST,
  ]);
  assertEquals(refused("25", { interfaces: ["ALL"] }), [
    "unknown host: ALL (did you mean all?)",
    EX.NOHOST,
  ]);
  assertEquals(refused("25", { interfaces: ["all", "localhost"] }), [
    "unknown host: all (all stands alone: leave the others out)",
    EX.NOHOST,
  ]);
  assertEquals(refused("25", { interfaces: ["toString"] }), [
    `unknown host: toString ${mend}`,
    EX.NOHOST,
  ]);
});

Deno.test("parseInetName() refuses IPv4 in IPv6's form, which the kernel does", () => {
  assertEquals(refused("[::ffff:127.0.0.1]:25"), [
    "an IPv4 address in IPv6's form: ::ffff:127.0.0.1 (write 127.0.0.1)",
    EX.USAGE,
  ]);
});

Deno.test("parseInetName() asks the system by default", () => {
  const result = parseInetName("localhost:smtp");
  assert(result.ok);
  if (!result.ok) return;
  assert(result.value.endpoints.length > 0);
  for (const { host, port } of result.value.endpoints) {
    assert(host === "127.0.0.1" || host === "::1", host);
    assertEquals(port, 25);
  }
});

Deno.test("parseInetName() finds no host and no service that the system does not know", () => {
  const text = (name: string): string => {
    const result = parseInetName(name);
    return result.ok ? "" : result.mistake.text;
  };
  assertEquals(
    text("no-such-host.invalid:25"),
    "unknown host: no-such-host.invalid",
  );
  assertEquals(text("no-such-service"), "unknown service: no-such-service");
});
