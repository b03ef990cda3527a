import { assert, assertEquals } from "@std/assert";
import {
  type InetEndpoints,
  type Lookup,
  parseInetName,
} from "../../../lib/net/inet_endpoint.ts";
import { EX, formatMistake } from "../../../lib/result.ts";

/** What getent(1) prints for a few names. */
const DATABASES: Record<string, Record<string, string[]>> = {
  ahosts: {
    "two.example": [
      "2001:db8::1     STREAM two.example",
      "2001:db8::1     DGRAM  ",
      "2001:db8::1     RAW    ",
      "192.0.2.1       STREAM ",
      "192.0.2.1       DGRAM  ",
    ],
    "1.2.3.400": [],
  },
  services: {
    "smtp/tcp": ["smtp                  25/tcp mail"],
    "odd/tcp": ["odd                   99999/tcp"],
  },
};

const lookup: Lookup = (database, key) => DATABASES[database]?.[key] ?? [];

/** For names that need no looking up. */
const noLookup: Lookup = (database, key) => {
  throw new Error(`${key} was looked up in ${database}`);
};

function parsed(name: string, by: Lookup = lookup): InetEndpoints {
  const result = parseInetName(name, by);
  if (!result.ok) throw new Error(formatMistake(result.mistake));
  return result.value;
}

function refused(name: string, by: Lookup = lookup): [string, number] {
  const result = parseInetName(name, by);
  assert(!result.ok, `${name} was taken`);
  return result.ok ? ["", 0] : [result.mistake.text, result.mistake.exitCode];
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

Deno.test("parseInetName() refuses what is no inet name", () => {
  for (
    const name of ["", ":", "::1:7007", "[::1]", "[::1]7007", "a:b:c", "[]:25"]
  ) {
    assertEquals(
      refused(name),
      [`bad inet address: ${name}`, EX.USAGE],
    );
  }
});

Deno.test("parseInetName() refuses ports that there are not", () => {
  assertEquals(refused("65536"), ["bad port: 65536", EX.USAGE]);
  assertEquals(refused("127.0.0.1:99999999999999999999"), [
    "bad port: 99999999999999999999",
    EX.USAGE,
  ]);
  assertEquals(refused("nothing"), ["unknown service: nothing", EX.USAGE]);
  assertEquals(refused("127.0.0.1:-1"), ["unknown service: -1", EX.USAGE]);
  assertEquals(refused("odd"), ["unknown service: odd", EX.USAGE]);
});

Deno.test("parseInetName() refuses hosts that there are not", () => {
  assertEquals(refused("no.example:25"), [
    "unknown host: no.example",
    EX.NOHOST,
  ]);
  assertEquals(refused("1.2.3.400:25"), ["unknown host: 1.2.3.400", EX.NOHOST]);
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
