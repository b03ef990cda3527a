import { assert, assertEquals } from "@std/assert";
import { helpOf, mainHelp } from "../../../lib/cli/shared/help.ts";
import { PROGRAM } from "../../../lib/cli/subcommands.ts";
import { parseOptions } from "../../../lib/cli/shared/options.ts";

const COLUMNS = 80;

for (const which of PROGRAM.subcommands) {
  const { name, options, examples } = which;
  const help = helpOf(which);

  Deno.test(`the help of spawnd ${name} begins with examples and is as wide as a screen`, () => {
    assertEquals(help.indexOf(`  spawnd ${name}`), 0);
    for (const line of help.split("\n")) assert(line.length <= COLUMNS, line);
  });

  Deno.test(`the help of spawnd ${name} has no marks of the manual`, () => {
    assert(!/`|<[A-Z]+>/.test(help), help);
  });

  Deno.test(`the help of spawnd ${name} names every option`, () => {
    assert(options.length > 0);
    for (const { name } of options) assert(help.includes(`--${name} `), name);
  });

  Deno.test(`the examples in the help of spawnd ${name} are right`, () => {
    for (const example of examples) {
      const [subcommand, ...words] = example.split(" ");
      assertEquals(subcommand, name);
      const given = parseOptions(words, which);
      assert(given.ok, `${example}: ${JSON.stringify(given)}`);
    }
  });

  Deno.test(`the help of spawnd tells of ${name}`, () => {
    assert(mainHelp(PROGRAM).includes(`\n  spawnd ${name} `));
  });
}
