/**
 * `spawnd completion`: scripts with which shells complete the words of spawnd,
 * made from the table of subcommands.
 *
 * @module
 */

import { type Subcommand, subcommand } from "../shared/subcommand.ts";
import { SHELLS } from "./request.ts";

/** The subcommand. */
export const COMPLETION: Subcommand = subcommand({
  name: "completion",
  synopsis: SHELLS.join("|"),
  summary: "print the completion script of a shell",
  examples: [
    "completion bash > /usr/share/bash-completion/completions/spawnd",
    "completion zsh > /usr/local/share/zsh/site-functions/_spawnd",
    "completion fish > /usr/share/fish/vendor_completions.d/spawnd.fish",
  ],
  about: ["Prints the script with which the shell completes words of spawnd."],
  options: [],
  words: SHELLS,
  load: async () => (await import("./completion.ts")).completion,
});
