/**
 * The tests that security.md names: each is there, under that name.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

const DOCUMENT = new URL("../../../docs/security.md", import.meta.url);

/** A test that is named, and in which file. */
interface Named {
  readonly file: URL;
  readonly test: string;
}

const TEXT = Deno.readTextFileSync(DOCUMENT);

/** A link to a file of tests, and behind it names between quotation marks. */
function namedIn(text: string): Named[] {
  const links = text.replaceAll(/\s+/g, " ")
    .matchAll(/\]\(([^()]+_test\.ts)\):((?:,? "[^"]+")+)/g);
  return [...links].flatMap(([, path = "", names = ""]) =>
    [...names.matchAll(/"([^"]+)"/g)].map(([, test = ""]) => ({
      file: new URL(path, DOCUMENT),
      test,
    }))
  );
}

/**
 * The names of a file's tests, each as it is written where it is handed to
 * what registers it; `...` stands for what differs from case to case.
 */
function testsOf(source: string): string[] {
  const joined = source.replaceAll(/"\s*\+\s*"|`\s*\+\s*`/g, "");
  const literal = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/.source;
  const registered = new RegExp(
    `\\b\\w*[tT]est\\((?:\\s*"\\w+",)?\\s*(${literal})|` +
      `(?:^|\\{)\\s*name:\\s*(${literal})`,
    "gm",
  );
  return [...joined.matchAll(registered)].map(([, word, field]) =>
    (word ?? field ?? "").slice(1, -1).replaceAll(/\$\{[^}]*\}/g, "...")
      .replaceAll(/\s+/g, " ")
  );
}

Deno.test("security.md names tests that are there", () => {
  const named = namedIn(TEXT);
  const tests = new Map<string, string[]>();
  for (const { file, test } of named) {
    if (!tests.has(file.href)) {
      tests.set(file.href, testsOf(Deno.readTextFileSync(file)));
    }
    assert(tests.get(file.href)?.includes(test), `${test} (${file.pathname})`);
  }
  assert(named.length > 0);
});

Deno.test("security.md links to no tests without naming one", () => {
  const links = [...TEXT.matchAll(/\(([^()]+_test\.ts)\)/g)];
  const naming = [...TEXT.matchAll(/\(([^()]+_test\.ts)\):\s+"/g)];
  assertEquals(naming.length, links.length);
});

Deno.test("security.md says of everything hostile which test shows it", () => {
  const parts = TEXT.split(/^## /m).filter((part) =>
    part.startsWith("A hostile ")
  );
  assertEquals(parts.length, 4);
  for (const part of parts) {
    const [, ...points] = part.split(/^- /m);
    assert(points.length >= 5, part.slice(0, 40));
    for (const point of points) {
      assert(namedIn(point).length > 0, point);
    }
  }
});
