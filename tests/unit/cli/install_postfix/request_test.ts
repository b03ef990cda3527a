import { assertEquals } from "@std/assert";
import {
  installRequest,
  reloadCommand,
} from "../../../../lib/cli/install_postfix/request.ts";
import { INSTALL_POSTFIX } from "../../../../lib/cli/install_postfix/subcommand.ts";
import { asked } from "../asked.ts";

const parseInstallRequest = asked(INSTALL_POSTFIX, installRequest);

Deno.test("spawnd install-postfix shows, unless told to do it", () => {
  assertEquals(parseInstallRequest(["-c", "/etc/postfix-out/"]), {
    ok: true,
    value: {
      directory: "/etc/postfix-out",
      action: "install",
      isConfirmed: false,
      services: [],
    },
  });
  assertEquals(parseInstallRequest(["-c/x", "--undo", "--yes", "a/unix"]), {
    ok: true,
    value: {
      directory: "/x",
      action: "undo",
      isConfirmed: true,
      services: ["a/unix"],
    },
  });
});

for (
  const [words, text] of [
    ["--check --yes", "specify one of --check --yes"],
    ["--check --undo", "specify one of --check --undo"],
    ["policy", "bad service: policy"],
    ["--force", "unknown option: --force"],
  ] as const
) {
  Deno.test(`spawnd install-postfix refuses ${words}`, () => {
    const parsed = parseInstallRequest(words.split(" "));
    assertEquals(!parsed.ok && parsed.mistake.text, text);
  });
}

Deno.test("reloadCommand() names a directory that is not the usual one", () => {
  assertEquals(reloadCommand("/etc/postfix"), "postfix reload");
  assertEquals(
    reloadCommand("/etc/my mail"),
    "postfix -c '/etc/my mail' reload",
  );
});
