import { assertEquals } from "@std/assert";
import { splitInetName } from "../../../lib/config/inet_name.ts";

/** The host and the port, or what is wrong. */
function split(name: string): string {
  const result = splitInetName(name);
  if (!result.ok) return result.wrong;
  const { host, port } = result.value;
  const shown = host?.kind === "name" ? `name ${host.name}` : host?.address;
  return `${shown ?? "anywhere"} ${port}`;
}

Deno.test("splitInetName() reads host:port, [host]:port, :port and port", () => {
  const rows: Record<string, string> = {
    "127.0.0.1:22": "127.0.0.1 22",
    "[127.0.0.1]:22": "127.0.0.1 22",
    "localhost:smtp": "name localhost smtp",
    "[localhost]:smtp": "name localhost smtp",
    "[::1]:22": "::1 22",
    "::1:22": "::1 22",
    ":::22": ":: 22",
    "[ipv6:::1]:22": "::1 22",
    "[IPv6:0:0::1]:22": "::1 22",
    "22": "anywhere 22",
    ":22": "anywhere 22",
    "smtp": "anywhere smtp",
    "a_b.c-d:22": "name a_b.c-d 22",
    "[fe80:0::1%eth0.5]:22": "fe80::1%eth0.5 22",
    "[::ffff:7f00:1]:22": "::ffff:127.0.0.1 22",
  };
  for (const [name, expected] of Object.entries(rows)) {
    assertEquals(split(name), expected, name);
  }
});

Deno.test("splitInetName() reads IPv4 numbers as the C library does", () => {
  assertEquals(split("127.010.00.0001:22"), "127.8.0.1 22");
  assertEquals(split("00.0.0.0:22"), "0.0.0.0 22");
  assertEquals(split("127.0.0.08:22"), "name 127.0.0.08 22");
});

Deno.test("splitInetName() refuses in Postfix's words", () => {
  const host = "valid hostname or network address required";
  const rows: Record<string, string> = {
    "": "missing service information",
    ":": "missing service information",
    "127.0.0.1:": "missing service information",
    "[::1]": "missing service information",
    "[::1:22": 'missing "]"',
    "[::1]x:22": 'garbage after "]"',
    "[::1]7007": 'garbage after "]"',
    "[ipv6:127.0.0.1]:22": "malformed IPv6 address",
    "127.0.0.1": "garbage after numerical service",
    "127.0.0.1:22x": "garbage after numerical service",
    "[]:22": host,
    "0:22": host,
    "127.1:22": host,
    "1.2.3:22": host,
    "0.1.2.3:22": host,
    "256.0.0.1:22": host,
    "1.2.3.4.5:22": host,
    "-a:22": host,
    "a-:22": host,
    "a..b:22": host,
    "a.:22": host,
    "a b:22": host,
    "1-2:22": host,
    "é:22": host,
    "[::1%]:22": host,
    "[::1%l o]:22": host,
    "[1:]:22": host,
    "[::00001]:22": host,
    "a:b:22": host,
    [`${"a".repeat(64)}:22`]: host,
    [`${"a.".repeat(128)}b:22`]: host,
  };
  for (const [name, expected] of Object.entries(rows)) {
    assertEquals(split(name), expected, name);
  }
});
