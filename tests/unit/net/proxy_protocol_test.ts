import { assertEquals } from "@std/assert";
import { formatAddress } from "../../../lib/posix/sockets.ts";
import { formatIpAddress } from "../../../lib/posix/ip_address.ts";
import {
  crc32c,
  type Endpoint,
  parseProxyHeader,
  PROXY_HEADER_BYTES_MAX,
} from "../../../lib/net/proxy_protocol.ts";

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

function bytes(
  ...parts: (string | readonly number[])[]
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? [...new TextEncoder().encode(part)] : [...part]
    ),
  );
}

/** A header of version 2 with all that follows its length. */
function binary(
  { command = 0x21, kind = 0x11 }: { command?: number; kind?: number },
  ...rest: (string | readonly number[])[]
): Uint8Array<ArrayBuffer> {
  const block = bytes(...rest);
  return bytes(
    SIGNATURE,
    [command, kind, block.length >> 8, block.length & 0xff],
    [...block],
  );
}

const TCP4 = [192, 0, 2, 1, 192, 0, 2, 2, 0x12, 0x67, 0, 25];

/** In short: `LENGTH SOURCE>DESTINATION`, what is missing, or what is wrong. */
function shown(header: Uint8Array<ArrayBuffer>): string {
  const parsed = parseProxyHeader(header);
  if (parsed.kind === "wrong") return parsed.reason;
  if (parsed.kind === "incomplete") return "incomplete";
  const { lengthBytes, connection } = parsed;
  if (connection === undefined) return `${lengthBytes} local`;
  const { source, destination } = connection;
  return `${lengthBytes} ${endpoint(source)}>${endpoint(destination)}`;
}

function endpoint({ address, port }: Endpoint): string {
  return formatAddress({ kind: "inet", host: formatIpAddress(address), port });
}

const HEADERS = {
  "TCP4 line": [
    bytes("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n"),
    "40 192.0.2.1:4711>192.0.2.2:25",
  ],
  "TCP6 line": [
    bytes("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n"),
    "36 [2001:db8::1]:65535>[::1]:0",
  ],
  "UNKNOWN line": [bytes("PROXY UNKNOWN ffff::1 x y\r\n"), "27 local"],
  "shortest line": [bytes("PROXY UNKNOWN\r\n"), "15 local"],
  "TCP4": [binary({}, TCP4), "28 192.0.2.1:4711>192.0.2.2:25"],
  "TCP6": [
    binary(
      { kind: 0x21 },
      [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      [0x12, 0x67, 0, 25],
    ),
    "52 [2001:db8::1]:4711>[::1]:25",
  ],
  "TCP4 in TCP6": [
    binary(
      { kind: 0x21 },
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1],
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2],
      [0x12, 0x67, 0, 25],
    ),
    "52 192.0.2.1:4711>192.0.2.2:25",
  ],
  "LOCAL": [binary({ command: 0x20, kind: 0 }), "16 local"],
  "LOCAL with whatever": [binary({ command: 0x20 }, "\0\0xyz"), "21 local"],
  "UNSPEC": [binary({ kind: 0 }, [3, 9, 9]), "19 local"],
  "a unix socket": [
    binary({ kind: 0x31 }, new Array<number>(216).fill(0)),
    "232 local",
  ],
  "additions": [
    binary({}, TCP4, [0x04, 0, 2, 0, 0], [0xe0, 0, 0], [0x20, 0, 1, 7]),
    "40 192.0.2.1:4711>192.0.2.2:25",
  ],
} as const;

for (const [name, [header, expected]] of Object.entries(HEADERS)) {
  Deno.test(`parseProxyHeader() reads ${name}, and no byte of what follows`, () => {
    assertEquals(shown(header), expected);
    assertEquals(shown(bytes([...header], "EHLO\r\n")), expected);
  });

  Deno.test(`parseProxyHeader() waits for the rest of ${name}, wherever it is cut`, () => {
    for (let end = 0; end < header.length; end++) {
      assertEquals(shown(header.slice(0, end)), "incomplete", `${end}`);
    }
  });
}

Deno.test("parseProxyHeader() knows at the first byte that there is none", () => {
  const none = "no PROXY header";
  for (
    const text of [
      "E",
      "GET / HTTP/1.0\r\n",
      "PROXZ",
      "proxy ",
      "\r\n\r\n\0\rX",
    ]
  ) {
    assertEquals(shown(bytes(text)), none, text);
  }
});

Deno.test("parseProxyHeader() says what is broken", () => {
  const rows: [Uint8Array<ArrayBuffer>, string][] = [
    [
      bytes("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\n"),
      "it does not end with CR LF",
    ],
    [bytes(`PROXY UNKNOWN ${"x".repeat(107)}`), "no end within 107 bytes"],
    [
      bytes("PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n"),
      "it is for neither TCP4, TCP6 nor UNKNOWN",
    ],
    [bytes("PROXY \r\n"), "it is for neither TCP4, TCP6 nor UNKNOWN"],
    [bytes("PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n"), "its addresses are none"],
    [bytes("PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n"), "its addresses are none"],
    [bytes("PROXY TCP4 ::1 ::1 1 1\r\n"), "its addresses are none"],
    [bytes("PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n"), "its addresses are none"],
    [bytes("PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n"), "its addresses are none"],
    [bytes("PROXY TCP4 1.1.1.1 1.1.1.1 1 -1\r\n"), "its addresses are none"],
    [bytes("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n"), "its addresses are none"],
    [bytes("PROXY TCP4 1.1.1.999 1.1.1.1 1 1\r\n"), "its addresses are none"],
    [binary({ command: 0x22 }), "neither LOCAL nor PROXY of version 2"],
    [binary({ command: 0x11 }, TCP4), "neither LOCAL nor PROXY of version 2"],
    [binary({ kind: 0x12 }, TCP4), "an unknown kind of connection"],
    [binary({ kind: 0xff }, TCP4), "an unknown kind of connection"],
    [binary({}, TCP4.slice(1)), "its addresses are cut off"],
    [binary({ kind: 0x21 }, TCP4), "its addresses are cut off"],
    [binary({}, TCP4, [4, 0]), "an addition is cut off"],
    [binary({}, TCP4, [4, 0, 2, 1]), "an addition is cut off"],
    [binary({}, TCP4, [3, 0, 3, 0, 0, 0]), "its checksum is none"],
    [binary({}, TCP4, [3, 0, 4, 0, 0, 0, 0]), "its checksum is wrong"],
  ];
  for (const [header, reason] of rows) {
    assertEquals(shown(header), `a broken PROXY header: ${reason}`);
  }
});

Deno.test("parseProxyHeader() takes no header that is longer than it has room for", () => {
  const fits = PROXY_HEADER_BYTES_MAX - 16 - TCP4.length - 3;
  const header = (length: number): Uint8Array<ArrayBuffer> =>
    binary(
      {},
      TCP4,
      [4, length >> 8, length & 0xff],
      new Array<number>(length).fill(0),
    );
  assertEquals(
    shown(header(fits)),
    `${PROXY_HEADER_BYTES_MAX} 192.0.2.1:4711>192.0.2.2:25`,
  );
  // It is known by its first bytes.
  assertEquals(
    shown(header(fits + 1).slice(0, 16)),
    `a broken PROXY header: longer than ${PROXY_HEADER_BYTES_MAX} bytes`,
  );
});

Deno.test("parseProxyHeader() sums a checksum up where there is one", () => {
  const header = binary({}, TCP4, [3, 0, 4, 0, 0, 0, 0], [0xe0, 0, 1, 5]);
  const sum = crc32c(header);
  new DataView(header.buffer).setUint32(16 + TCP4.length + 3, sum);
  assertEquals(shown(header), "39 192.0.2.1:4711>192.0.2.2:25");
  header[16] = 193;
  assertEquals(shown(header), "a broken PROXY header: its checksum is wrong");
});

Deno.test("crc32c() sums up as RFC 3720 has it", () => {
  assertEquals(crc32c(bytes("123456789")), 0xe3069283);
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
});
