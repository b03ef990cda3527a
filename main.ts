/**
 * spawnd runs a command for every connection, as an unprivileged user.
 *
 * @module
 */

import { check } from "./lib/cli/check.ts";
import { completion } from "./lib/cli/completion.ts";
import { config } from "./lib/cli/config.ts";
import { MAIN_HELP } from "./lib/cli/help.ts";
import { serveMaster } from "./lib/cli/master.ts";
import { installPostfix } from "./lib/cli/install_postfix.ts";
import { isMasterRequest } from "./lib/cli/master_options.ts";
import { nearestWord } from "./lib/cli/options.ts";
import { reload } from "./lib/cli/reload.ts";
import { run } from "./lib/cli/run.ts";
import { serve } from "./lib/cli/serve.ts";
import { selfTest } from "./lib/cli/self_test.ts";
import { services } from "./lib/cli/services.ts";
import { SUBCOMMANDS } from "./lib/cli/subcommands.ts";
import { versionLine } from "./lib/cli/version.ts";
import { EX } from "./lib/result.ts";

async function main(words: readonly string[]): Promise<number> {
  if (isMasterRequest(words)) return await serveMaster(words);
  const [word, ...rest] = words;
  switch (word) {
    case "run":
      return await run(rest);
    case "serve":
      return await serve(rest);
    case "reload":
      return await reload(rest);
    case "check":
      return check(rest);
    case "config":
      return config(rest);
    case "services":
      return services(rest);
    case "install-postfix":
      return await installPostfix(rest);
    case "completion":
      return completion(rest);
    case "self-test":
      return await selfTest();
    case "--version":
      console.log(versionLine());
      return EX.OK;
    case "--help":
      console.log(MAIN_HELP);
      return EX.OK;
    case undefined:
      console.log(MAIN_HELP);
      return EX.USAGE;
    default: {
      const nearest = nearestWord(word, [
        ...SUBCOMMANDS.map(({ name }) => name),
        "--version",
        "--help",
      ]);
      console.error(
        `spawnd: unknown word: ${word} (` +
          (nearest === undefined
            ? `"spawnd --help" shows what there is`
            : `did you mean ${nearest}?`) +
          ")",
      );
      return EX.USAGE;
    }
  }
}

Deno.exit(await main(Deno.args));
