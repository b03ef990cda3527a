import { assertEquals } from "@std/assert";
import {
  type ConfigRequest,
  configRequest,
} from "../../../../lib/cli/config/request.ts";
import { CONFIG } from "../../../../lib/cli/config/subcommand.ts";
import { EX, formatMistake } from "../../../../lib/result.ts";
import { asked } from "../asked.ts";

const parseConfigRequest = asked(CONFIG, configRequest);

function requestOf(...args: string[]): ConfigRequest {
  const result = parseConfigRequest(args);
  if (!result.ok) throw new Error(formatMistake(result.mistake));
  if (result.value === "help") throw new Error("help was asked for");
  return result.value;
}

function refusalOf(...args: string[]): string {
  const result = parseConfigRequest(args);
  if (result.ok) throw new Error(`taken: ${args.join(" ")}`);
  assertEquals(result.mistake.exitCode, EX.USAGE);
  return formatMistake(result.mistake);
}

Deno.test("spawnd config asks for all actual values unless told otherwise", () => {
  assertEquals(requestOf("-c", "/etc/postfix"), {
    directory: "/etc/postfix",
    names: [],
    which: "actual",
    classes: ["builtin", "service", "user"],
    expanded: false,
    json: false,
    valuesAlone: false,
    origin: false,
  });
});

Deno.test("spawnd config keeps names in their order, each as often as it is given", () => {
  assertEquals(requestOf("max_use", "-n", "owner", "max_use").names, [
    "max_use",
    "owner",
    "max_use",
  ]);
});

Deno.test("spawnd config takes letters joined, as postconf does", () => {
  assertEquals(requestOf("-nxh"), requestOf("-n", "-x", "-h"));
  assertEquals(requestOf("-xd"), requestOf("--defaults", "--expand"));
});

Deno.test("spawnd config does not take a word for joined letters that has others", () => {
  assertEquals(
    refusalOf("-nq"),
    "bad option: -nq: --set takes no value (write --set alone)",
  );
});

Deno.test("spawnd config refuses what defaults have no use for", () => {
  assertEquals(
    refusalOf("-d", "-n"),
    "specify one of -d -n (defaults are set nowhere)",
  );
  assertEquals(
    refusalOf("--origin", "-d"),
    "specify one of -d --origin (defaults are set nowhere)",
  );
});

Deno.test("spawnd config takes classes as postconf does", () => {
  assertEquals(requestOf("-C", "user, builtin").classes, ["builtin", "user"]);
  assertEquals(requestOf("-C", "all,user").classes.length, 3);
  assertEquals(
    refusalOf("-C", "mine"),
    'unknown -C option value "mine" in "mine" ' +
      "(it is all, or of builtin, service, user)",
  );
});

Deno.test("spawnd config refuses what JSON has no place for", () => {
  assertEquals(requestOf("-nj").json, true);
  assertEquals(
    refusalOf("-jh"),
    "specify one of -j -h (objects have names)",
  );
  assertEquals(
    refusalOf("--json", "--origin"),
    "specify one of -j --origin (objects have names and values alone)",
  );
});

Deno.test("spawnd config tells that help was asked for, whatever else is wrong", () => {
  const result = parseConfigRequest(["-dn", "--help"]);
  assertEquals(result.ok && result.value, "help");
});
