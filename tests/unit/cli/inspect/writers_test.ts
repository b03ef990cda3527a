import { assertEquals, assertThrows } from "@std/assert";
import { stepsTo, writersOf } from "../../../../lib/cli/inspect/writers.ts";
import { Scratch } from "../../scratch.ts";

/** What a path leads through, below the folder of the test. */
function stepsIn(scratch: Scratch, name: string): string[] {
  return stepsTo(scratch.path(name)).map(({ path }) => path)
    .filter((path) => path.startsWith(`${scratch.folder}/`))
    .map((path) => path.slice(scratch.folder.length + 1));
}

Deno.test("stepsTo() begins at the root directory and ends at the file", () => {
  using scratch = new Scratch();
  const path = scratch.file("file");
  const steps = stepsTo(path).map((step) => step.path);
  assertEquals([steps.at(0), steps.at(-1)], ["/", path]);
});

Deno.test("stepsTo() follows links, wherever they are on the way", () => {
  using scratch = new Scratch();
  scratch.subfolder("one");
  scratch.subfolder("two");
  scratch.file("two/file");
  Deno.symlinkSync("../two", scratch.path("one/link"));
  Deno.symlinkSync(scratch.path("one/link/file"), scratch.path("far"));
  assertEquals(stepsIn(scratch, "far"), [
    "far",
    "one",
    "one/link",
    "two",
    "two/file",
  ]);
});

Deno.test("stepsTo() goes back where the path does", () => {
  using scratch = new Scratch();
  scratch.subfolder("one");
  scratch.file("file");
  assertEquals(stepsIn(scratch, "./one/..//file"), ["one", "file"]);
});

Deno.test("stepsTo() throws where the path cannot be followed", () => {
  using scratch = new Scratch();
  scratch.file("file");
  Deno.symlinkSync("loop", scratch.path("loop"));
  Deno.symlinkSync("nothing", scratch.path("dangling"));
  for (
    const [name, error] of [
      ["missing", Deno.errors.NotFound],
      ["dangling", Deno.errors.NotFound],
      ["file/below", Deno.errors.NotADirectory],
      ["loop", Deno.errors.FilesystemLoop],
    ] as const
  ) {
    assertThrows(() => stepsTo(scratch.path(name)), error);
  }
});

Deno.test("writersOf() tells of everybody who may write", () => {
  using scratch = new Scratch();
  const writers = (mode: number): string => {
    const [step] = stepsTo(scratch.file("file", "", mode)).slice(-1);
    return (step && writersOf(step)) ?? "nobody but root";
  };
  assertEquals(writers(0o666).includes("everybody"), true);
  assertEquals(writers(0o755).includes("everybody"), false);
  // Who runs the tests owns the file.
  assertEquals(writers(0o755) === "nobody but root", Deno.uid() === 0);
});
