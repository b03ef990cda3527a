import { assertEquals } from "@std/assert";
import { CHECK } from "../../../../lib/cli/check/subcommand.ts";
import { inspectRequest } from "../../../../lib/cli/inspect/request.ts";
import { formatMistake } from "../../../../lib/result.ts";
import { asked as askedOf } from "../asked.ts";

const parseInspectRequest = askedOf(CHECK, inspectRequest);

/** What the words ask for, or why they are refused. */
function asked(...args: string[]): unknown {
  const result = parseInspectRequest(args);
  return result.ok ? result.value : formatMistake(result.mistake);
}

/** Calls with a value of MAIL_CONFIG, or none. */
function withMailConfig(value: string | undefined, call: () => void): void {
  const before = Deno.env.get("MAIL_CONFIG");
  const set = (to: string | undefined): void =>
    to === undefined
      ? Deno.env.delete("MAIL_CONFIG")
      : Deno.env.set("MAIL_CONFIG", to);
  set(value);
  try {
    call();
  } finally {
    set(before);
  }
}

Deno.test("spawnd check takes -c before MAIL_CONFIG before /etc/spawnd", () => {
  withMailConfig("/etc/other", () => {
    assertEquals(asked("-c", "/etc/postfix"), {
      directory: "/etc/postfix",
      json: false,
    });
    assertEquals(asked(), { directory: "/etc/other", json: false });
  });
  withMailConfig(undefined, () => {
    assertEquals(asked("--json"), { directory: "/etc/spawnd", json: true });
  });
});

Deno.test("spawnd check refuses a stray word", () => {
  assertEquals(
    asked("/etc/postfix"),
    "unexpected word: /etc/postfix " +
      "(give the configuration's directory as -c DIR)",
  );
});

Deno.test("spawnd check tells that help was asked for, whatever else is wrong", () => {
  assertEquals(asked("stray", "--help"), "help");
});
