/**
 * `spawnd self-test`, for the tests of the compiled binary.
 *
 * @module
 */

import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const SELF_TEST: Subcommand = subcommand({
  name: "self-test",
  synopsis: "",
  summary: "take the locks and try to break them",
  examples: ["self-test"],
  about: ["Takes the locks as a daemon does, tries to break them, and tells."],
  options: [],
  words: [],
  isHidden: true,
  load: async () => (await import("./self_test.ts")).selfTest,
});
