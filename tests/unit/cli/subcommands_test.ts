import { assert, assertEquals } from "@std/assert";
import { COMPLETION_HELP } from "../../../lib/cli/completion/request.ts";
import { CONFIG_HELP } from "../../../lib/cli/config/request.ts";
import { MAIN_HELP } from "../../../lib/cli/shared/help.ts";
import { INSTALL_HELP } from "../../../lib/cli/install_postfix/request.ts";
import { CHECK_HELP, SERVICES_HELP } from "../../../lib/cli/inspect/request.ts";
import { SUBCOMMANDS } from "../../../lib/cli/subcommands.ts";

const SCREEN = { lines: 24, columns: 80 };

const HELPS = {
  "install-postfix": INSTALL_HELP,
  check: CHECK_HELP,
  config: CONFIG_HELP,
  services: SERVICES_HELP,
  completion: COMPLETION_HELP,
};

for (const [name, help] of Object.entries(HELPS)) {
  Deno.test(`the help of spawnd ${name} begins with examples and fits one screen`, () => {
    assertEquals(help.indexOf(`  spawnd ${name}`), 0);
    // As console.log() prints it, with a newline more.
    const lines = help.split("\n");
    assert(lines.length <= SCREEN.lines, `${lines.length} lines`);
    for (const line of lines) assert(line.length <= SCREEN.columns, line);
  });

  Deno.test(`the help of spawnd ${name} names every option`, () => {
    const options = SUBCOMMANDS.find((each) => each.name === name)?.options ??
      [];
    assert(options.length > 0);
    for (const { name } of options) assert(help.includes(`--${name} `), name);
  });

  Deno.test(`the help of spawnd tells of ${name}`, () => {
    assert(MAIN_HELP.includes(`\n  spawnd ${name} `));
  });
}
