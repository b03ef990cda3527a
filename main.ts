/**
 * spawnd runs a command for every connection, as an unprivileged user.
 *
 * What is asked for is imported then: parsing all there is takes milliseconds,
 * which show when master(8) waits for a new process.
 *
 * @module
 */

import { tellLast } from "./lib/cli/last_words.ts";
import { isMasterRequest } from "./lib/cli/master/request.ts";

async function main(words: readonly string[]): Promise<number> {
  if (isMasterRequest(words)) {
    const { serveMaster } = await import("./lib/cli/master/master.ts");
    return await serveMaster(words);
  }
  const { runWords } = await import("./lib/cli/subcommands.ts");
  return await runWords(words);
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
