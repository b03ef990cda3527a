/**
 * The house: which file may import which. The whole of lib is read, and so is
 * main.ts; an import of types alone counts as any other.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { dirname } from "@std/path/posix/dirname";
import { resolve } from "@std/path/posix/resolve";

/**
 * The rooms of lib, from the top down: each imports from those below it alone.
 * Files in lib itself belong to no room, and import from none.
 */
const ROOMS: readonly string[] = [
  "cli",
  "master",
  "service",
  "admission",
  "engine",
  "net",
  "config",
  "observe",
  "log",
  "posix",
];

const ROOT = resolve(import.meta.dirname ?? "", "../..");

/** Files, by their paths from the root, with those that each imports. */
type Imports = ReadonlyMap<string, readonly string[]>;

/** Reads the imports of main.ts and of every file of lib. */
function readImports(): Imports {
  const files = ["main.ts", ...filesBelow("lib")];
  return new Map(
    files.map((file) => [
      file,
      importsOf(read(file))
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => fromRoot(file, specifier)),
    ]),
  );
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(resolve(ROOT, folder))].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return filesBelow(path);
    return path.endsWith(".ts") ? [path] : [];
  }).sort();
}

/** Has Deno's own parser go through a module. */
function visit(
  source: string,
  visitor: (context: Deno.lint.RuleContext) => Deno.lint.LintVisitor,
): void {
  const rules = { all: { create: visitor } };
  Deno.lint.runPlugin({ name: "house", rules }, "module.ts", source);
}

/** What a module imports, as it is written there. */
function importsOf(source: string): string[] {
  const found: string[] = [];
  const add = (node: { readonly source: unknown }): void => {
    const { source } = node;
    if (source === null) return;
    if (
      typeof source !== "object" || source === undefined ||
      !("value" in source) || typeof source.value !== "string"
    ) {
      throw new Error("an import whose module is not a plain string");
    }
    found.push(source.value);
  };
  visit(source, (context) => ({
    ImportDeclaration: add,
    ImportExpression: add,
    ExportAllDeclaration: add,
    ExportNamedDeclaration: add,
    TSImportType(node): void {
      const text = context.sourceCode.getText(node);
      found.push(/^import\("([^"]+)"/.exec(text)?.[1] ?? text);
    },
  }));
  return found;
}

/**
 * What a module has loaded before it runs: neither types, which the linter has
 * in declarations of their own, nor `import()`.
 */
function loadedWith(source: string): string[] {
  const found: string[] = [];
  const add = (
    { source }: { readonly source: { readonly value: string } | null },
    kind: string,
  ): void => {
    if (source !== null && kind !== "type") found.push(source.value);
  };
  visit(source, () => ({
    ImportDeclaration: (node) => add(node, node.importKind),
    ExportAllDeclaration: (node) => add(node, node.exportKind),
    ExportNamedDeclaration: (node) => add(node, node.exportKind),
  }));
  return found;
}

/** All files that are loaded with one, itself included. */
function allLoadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const specifier of loadedWith(read(file))) {
    if (!/^\..*\.ts$/.test(specifier)) continue;
    allLoadedWith(fromRoot(file, specifier), seen);
  }
  return seen;
}

function read(file: string): string {
  return Deno.readTextFileSync(resolve(ROOT, file));
}

/** The path of what a file imports, from the root. */
function fromRoot(file: string, specifier: string): string {
  return resolve(ROOT, dirname(file), specifier).slice(ROOT.length + 1);
}

/** What a module does that is the command line's to do: print, and end. */
function lastWordsOf(source: string): string[] {
  const found: string[] = [];
  visit(source, (context) => ({
    MemberExpression(node): void {
      const text = context.sourceCode.getText(node);
      if (/^(?:console\.\w+|Deno\.exit)$/.test(text)) found.push(text);
    },
  }));
  return found;
}

/** Imports that do not lead down, each with what is wrong. */
function wrongWays(imports: Imports): string[] {
  return [...imports].flatMap(([file, imported]) =>
    imported.flatMap((other) => {
      const why = whyNot(file, other);
      return why === undefined ? [] : [`${file} imports ${other}: ${why}`];
    })
  );
}

function whyNot(file: string, other: string): string | undefined {
  const [from, to] = [roomOf(file), roomOf(other)];
  if (to === undefined) {
    const isOutside = !other.startsWith("lib/") && other.endsWith(".ts");
    return isOutside ? "no code of lib's is outside of it" : undefined;
  }
  if (file === "main.ts" || from === to) return undefined;
  if (from === undefined) {
    return `files in lib itself belong to no room and import from none`;
  }
  const [height, otherHeight] = [ROOMS.indexOf(from), ROOMS.indexOf(to)];
  if (height < 0 || otherHeight < 0) {
    return `the room ${height < 0 ? from : to} has no place in the order`;
  }
  if (height < otherHeight) return undefined;
  return `${to} is above ${from}; move what both need down, ` +
    `or have ${to} hand it in`;
}

function roomOf(file: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(file)?.[1];
}

/** Circles, each as the way around it; one for all that hang together. */
function circles(imports: Imports): string[] {
  const done = new Set<string>();
  const way: string[] = [];
  const found: string[] = [];
  const visit = (file: string): void => {
    const at = way.indexOf(file);
    if (at >= 0) found.push([...way.slice(at), file].join(" -> "));
    if (at >= 0 || done.has(file)) return;
    way.push(file);
    for (const other of imports.get(file) ?? []) visit(other);
    way.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return found;
}

Deno.test("no file of lib imports itself by way of others, be it for a type", () => {
  assertEquals(
    circles(readImports()),
    [],
    "move what the files of a circle share to a file of its own",
  );
});

Deno.test("rooms import from those below them alone", () => {
  assertEquals(
    wrongWays(readImports()),
    [],
    `the order is ${ROOMS.join(", ")}`,
  );
});

Deno.test("the table of rooms has those that there are, in their order", () => {
  const page = Deno.readTextFileSync(resolve(ROOT, "docs/architecture.md"));
  const rows = [...page.matchAll(/^\| \[(\w+)\]\(\.\.\/lib\/\1\) /gm)];
  const there = [...Deno.readDirSync(resolve(ROOT, "lib"))]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assertEquals(
    rows.map(([, room]) => room),
    ROOMS.filter((room) => there.includes(room)),
    "give each room its row in docs/architecture.md, in the order of ROOMS",
  );
});

Deno.test("each room has a door where the table says that it is read first", () => {
  const page = Deno.readTextFileSync(resolve(ROOT, "docs/architecture.md"));
  const doors = [
    ...page.matchAll(/^\| \[(\w+)\].*\(\.\.\/(lib\/\1\/\w+\.ts)\) *\|$/gm),
  ].map(([, room, file = ""]) => {
    const [head = ""] = Deno.readTextFileSync(resolve(ROOT, file)).split("*/");
    return head.includes(`The door of lib/${room},`) ? room : file;
  });
  assertEquals(
    doors,
    ROOMS.filter((room) => doors.includes(room)),
    'say in the first lines: "The door of lib/ROOM, which imports from ..."',
  );
  assertEquals(doors.length, page.match(/\]\(\.\.\/lib\/\w+\) /g)?.length);
});

const TABLE = "lib/cli/subcommands.ts";

Deno.test("the table of subcommands is there without what they do", () => {
  const loaded = [...allLoadedWith(TABLE)];
  assertEquals(
    loaded.filter((file) => /^lib\/(?:master|service|engine|net)\//.test(file)),
    [],
    "have the subcommand import it when it is run",
  );
});

Deno.test("a process below master(8) loads no table of subcommands", () => {
  for (const file of ["main.ts", "lib/cli/master/master.ts"]) {
    assertEquals(allLoadedWith(file).has(TABLE), false, file);
  }
});

Deno.test("a folder of a subcommand is used by the table alone", () => {
  const SHARED = ["shared", "serving", "inspect"];
  const wrong = [...readImports()].flatMap(([file, imported]) =>
    imported.filter((other) => {
      const [from, to] = [folderOf(file), folderOf(other)];
      return from !== to && from !== undefined && to !== undefined &&
        !SHARED.includes(to);
    }).map((other) => `${file} imports ${other}`)
  );
  assertEquals(wrong, [], "move what both need to lib/cli/shared");
});

function folderOf(file: string): string | undefined {
  return /^lib\/cli\/([^/]+)\//.exec(file)?.[1];
}

Deno.test("below the command line nothing is printed, and nothing ends the process", () => {
  const found = filesBelow("lib")
    .filter((file) => roomOf(file) !== "cli")
    .filter((file) =>
      lastWordsOf(Deno.readTextFileSync(resolve(ROOT, file))).length > 0
    );
  // A daemon of unknown identity has nobody to tell it to.
  assertEquals(found, ["lib/service/panic.ts"]);
});

Deno.test("each kind of import is seen, and none in a comment", () => {
  assertEquals(
    importsOf(`
      /** import { g } from "./g.ts"; */
      import { a } from "./a.ts";
      import type { B } from "./b.ts";
      import "./c.ts";
      export * from "./d.ts";
      export { e } from "./e.ts";
      export const one = 1;
      const f = async () => await import("./f.ts");
      type H = import("./h.ts").H;
      const text = 'from "./i.ts"';
    `).sort(),
    ["a", "b", "c", "d", "e", "f", "h"].map((name) => `./${name}.ts`),
  );
});

Deno.test("what is loaded with a module is neither types nor what it asks for later", () => {
  assertEquals(
    loadedWith(`
      import { a } from "./a.ts";
      import type { B } from "./b.ts";
      export * from "./c.ts";
      export type { D } from "./d.ts";
      const e = async () => await import("./e.ts");
    `),
    ["./a.ts", "./c.ts"],
  );
});

Deno.test("an import that cannot be read is none that passes", () => {
  assertThrows(() => importsOf("await import(name);"), Error);
});

Deno.test("a circle is told as the way around it", () => {
  const imports: Imports = new Map([
    ["main.ts", ["lib/a.ts"]],
    ["lib/a.ts", ["lib/b.ts", "lib/c.ts"]],
    ["lib/b.ts", ["lib/c.ts"]],
    ["lib/c.ts", ["lib/b.ts"]],
  ]);
  assertEquals(circles(imports), ["lib/b.ts -> lib/c.ts -> lib/b.ts"]);
});

Deno.test("an import upwards, out of lib, or of no known room is told", () => {
  const wrong = wrongWays(
    new Map([
      ["main.ts", ["lib/cli/run.ts", "lib/result.ts"]],
      ["lib/cli/run.ts", ["lib/posix/libc.ts", "main.ts"]],
      ["lib/net/listening.ts", ["lib/engine/engine.ts", "lib/result.ts"]],
      ["lib/result.ts", ["lib/posix/errno.ts"]],
      ["lib/attic/box.ts", ["lib/posix/errno.ts"]],
    ]),
  );
  assertEquals(
    wrong.map((line) => line.split(":")[0]),
    [
      "lib/cli/run.ts imports main.ts",
      "lib/net/listening.ts imports lib/engine/engine.ts",
      "lib/result.ts imports lib/posix/errno.ts",
      "lib/attic/box.ts imports lib/posix/errno.ts",
    ],
  );
});
