import { assertEquals, assertFalse } from "@std/assert";
import { toText } from "../../../../lib/config/bytes.ts";
import {
  isMasterRequest,
  type MasterRequest,
  parseMasterRequest,
} from "../../../../lib/cli/master/request.ts";
import { formatMistake } from "../../../../lib/result.ts";

/** What the words ask for. */
function asked(...words: string[]): MasterRequest {
  const result = parseMasterRequest(words);
  if (!result.ok) throw new Error(formatMistake(result.mistake));
  return result.value;
}

/** Why the words are refused. */
function refused(...words: string[]): string | undefined {
  const result = parseMasterRequest(words);
  return result.ok ? undefined : formatMistake(result.mistake);
}

/** The settings that came with the words. */
function settings(...words: string[]): string[] {
  return [...asked(...words).overrides].map(([name, { value }]) =>
    `${name}=${toText(value.text)}`
  );
}

Deno.test("isMasterRequest() knows master(8)'s words from all others", () => {
  assertEquals(isMasterRequest(["-n", "policy", "-t", "unix"]), true);
  assertEquals(isMasterRequest(["-t"]), true);
  for (const words of [[], ["serve"], ["--help"], ["-"], [""], ["run", "-v"]]) {
    assertFalse(isMasterRequest(words), words.join(" "));
  }
});

Deno.test("parseMasterRequest() reads a line as master(8) makes it", () => {
  const { overrides: _, ...request } = asked(
    ..."-n policy -t unix -cu -v -o max_use=3 -s 2 user=nobody argv=/bin/cat -x"
      .split(" "),
  );
  assertEquals(request, {
    serviceName: "policy",
    transport: "unix",
    sockets: 2,
    retireSeconds: undefined,
    isUnprivileged: true,
    isChrooted: true,
    verbose: true,
    isDebugged: false,
    attributes: ["user=nobody", "argv=/bin/cat", "-x"],
  });
});

Deno.test("parseMasterRequest() takes a service without -n, -s and -v", () => {
  const request = asked("-t", "inet", "argv=x");
  assertEquals(request.serviceName, undefined);
  assertEquals(request.sockets, 1);
  assertEquals(request.verbose, false);
  assertEquals(request.isUnprivileged, false);
  assertEquals(request.isChrooted, false);
});

Deno.test("parseMasterRequest() takes letters in a group, and values attached or apart", () => {
  const request = asked("-lzvDtunix", "-nx", "-r5", "argv=-v");
  assertEquals(request.transport, "unix");
  assertEquals(request.serviceName, "x");
  assertEquals(request.retireSeconds, 5);
  assertEquals(asked("-tunix", "-r", " 012s").retireSeconds, 12);
  assertEquals(request.verbose, true);
  assertEquals(request.attributes, ["argv=-v"]);
  assertEquals(asked("-dt", "pass", "-v").transport, "pass");
  assertEquals(asked("-dt", "pass", "-v").isDebugged, true);
});

Deno.test("parseMasterRequest() ends the options at -- and at the first other word", () => {
  assertEquals(asked("-t", "unix", "--", "-v").attributes, ["-v"]);
  assertEquals(asked("-t", "unix", "--", "-v").verbose, false);
  assertEquals(asked("-t", "unix", "-", "-v").attributes, ["-", "-v"]);
});

Deno.test("parseMasterRequest() reads settings, of which the last counts", () => {
  assertEquals(settings("-t", "unix"), []);
  assertEquals(
    settings("-tunix", "-oa=b c", "-o", "{ d = e }", "-o", "a=", "-o{f=g}"),
    ["a=", "d=e", "f=g"],
  );
  assertEquals(settings("-t", "unix", "-i", "5m", "-m7"), [
    "max_idle=5m",
    "max_use=7",
  ]);
});

Deno.test("parseMasterRequest() takes -S in the place of a transport", () => {
  assertEquals(asked("-S", "argv=x").transport, "stdin");
});

Deno.test("parseMasterRequest() refuses in Postfix's words", () => {
  assertEquals(refused("-x"), "invalid option: x");
  assertEquals(refused("-vé"), "invalid option: é");
  assertEquals(refused("-t", "unix", "-n"), "invalid option: n");
  assertEquals(refused("-v", "argv=x"), "no transport type specified");
  assertEquals(refused("-t", "fifo"), "unsupported transport type: fifo");
  for (const count of ["0", "-1", "x", "x1", "", "1000000000"]) {
    assertEquals(
      refused("-t", "inet", "-s", count),
      `invalid socket_count: ${count}`,
    );
    assertEquals(
      refused("-t", "inet", "-r", count),
      `invalid retirement time: ${count}`,
    );
  }
  assertEquals(
    refused("-t", "inet", "-o", "x"),
    `invalid "-o x" option value: missing '=' after attribute name`,
  );
});
