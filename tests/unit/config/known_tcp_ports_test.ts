import { assertEquals } from "@std/assert";
import { parseKnownPorts } from "../../../lib/config/known_tcp_ports.ts";

function read(list: string): [ports: string, warnings: string[]] {
  const warnings: string[] = [];
  const ports = parseKnownPorts(list, (text) => warnings.push(text));
  return [[...ports].map((each) => each.join(" ")).join(", "), warnings];
}

Deno.test("parseKnownPorts() gives several names one port", () => {
  assertEquals(read(" , lmtp=24, smtps = submissions=465,,"), [
    "lmtp 24, smtps 465, submissions 465",
    [],
  ]);
  assertEquals(read(""), ["", []]);
});

Deno.test("parseKnownPorts() passes over what is no entry, in Postfix's words", () => {
  const rows: Record<string, string> = {
    "lmtp": ' is not in "name = value" form',
    "foo=": ': missing port value after "="',
    "=26": ': missing service name before "="',
    "foo==1": ': missing service name before "="',
    "a b=1": ": whitespace in service name",
    "foo=1 2": ": whitespace in port number",
    "25=24": ": numerical service name",
    "foo=24x": ": non-numerical service port",
    "foo=-1": ": non-numerical service port",
    "foo=65536": ": port number out of range",
    "a=2": ": duplicate service name",
  };
  for (const [entry, wrong] of Object.entries(rows)) {
    assertEquals(read(`a=1, ${entry}`), [
      "a 1",
      [`known_tcp_ports: in "${entry}"${wrong}`],
    ]);
  }
});
