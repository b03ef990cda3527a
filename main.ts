/**
 * spawnd runs a command for every connection, as an unprivileged user.
 *
 * A subcommand is imported when it is asked for: parsing all of them takes
 * milliseconds, which show when master(8) waits for a new process.
 *
 * @module
 */

import { tellLast } from "./lib/cli/last_words.ts";
import { isMasterRequest } from "./lib/cli/master/request.ts";
import { EX } from "./lib/result.ts";

async function main(words: readonly string[]): Promise<number> {
  if (isMasterRequest(words)) {
    const { serveMaster } = await import("./lib/cli/master/master.ts");
    return await serveMaster(words);
  }
  const [word, ...rest] = words;
  switch (word) {
    case "run": {
      const { run } = await import("./lib/cli/run/run.ts");
      return await run(rest);
    }
    case "serve": {
      const { serve } = await import("./lib/cli/serve/serve.ts");
      return await serve(rest);
    }
    case "reload": {
      const { reload } = await import("./lib/cli/reload/reload.ts");
      return await reload(rest);
    }
    case "check": {
      const { check } = await import("./lib/cli/check/check.ts");
      return check(rest);
    }
    case "config": {
      const { config } = await import("./lib/cli/config/config.ts");
      return config(rest);
    }
    case "services": {
      const { services } = await import("./lib/cli/services/services.ts");
      return services(rest);
    }
    case "install-postfix": {
      const { installPostfix } = await import(
        "./lib/cli/install_postfix/install_postfix.ts"
      );
      return await installPostfix(rest);
    }
    case "completion": {
      const { completion } = await import("./lib/cli/completion/completion.ts");
      return completion(rest);
    }
    case "self-test": {
      const { selfTest } = await import("./lib/cli/self_test/self_test.ts");
      return await selfTest();
    }
    case "--version": {
      const { versionLine } = await import("./lib/cli/shared/version.ts");
      console.log(versionLine());
      return EX.OK;
    }
    case "--help":
    case undefined: {
      const { MAIN_HELP } = await import("./lib/cli/shared/help.ts");
      console.log(MAIN_HELP);
      return word === undefined ? EX.USAGE : EX.OK;
    }
    default: {
      const { nearestWord } = await import("./lib/cli/shared/options.ts");
      const { SUBCOMMANDS } = await import("./lib/cli/subcommands.ts");
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

// What is thrown where nobody waits for it.
addEventListener("error", (event) => {
  event.preventDefault();
  Deno.exit(tellLast(event.error));
});
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  Deno.exit(tellLast(event.reason));
});

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  Deno.exit(tellLast(error));
}
