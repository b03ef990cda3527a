/**
 * The documents: what they lead to is there, and they have all that there is.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dirname } from "@std/path/posix/dirname";
import { resolve } from "@std/path/posix/resolve";

const ROOT = resolve(import.meta.dirname ?? "", "../../..");
const DOCS = `${ROOT}/docs`;
const INDEX = `${DOCS}/README.md`;

/** A link to another file of the project, or to a heading. */
interface Link {
  readonly file: string;
  /** The heading's anchor; empty where the file as a whole is meant. */
  readonly anchor: string;
}

function linksOf(document: string): Link[] {
  const text = withoutCode(Deno.readTextFileSync(document));
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor = ""] = target.split("#");
      const file = path === "" ? document : resolve(dirname(document), path);
      return { file, anchor };
    });
}

function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}

/** The anchors of a document's headings, as they are made of their texts. */
function anchorsOf(document: string): string[] {
  const text = withoutCode(Deno.readTextFileSync(document));
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
  );
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}

function isDirectory(path: string): boolean {
  return Deno.statSync(path).isDirectory;
}

const DOCUMENTS = [`${ROOT}/README.md`, ...filesBelow(DOCS)]
  .filter((file) => file.endsWith(".md"));

for (const document of DOCUMENTS) {
  const shown = document.slice(ROOT.length + 1);

  Deno.test(`every link of ${shown} leads to what is there`, () => {
    for (const { file, anchor } of linksOf(document)) {
      const target = file.slice(ROOT.length + 1);
      // It throws where there is no such file.
      if (isDirectory(file) || anchor === "") continue;
      assert(anchorsOf(file).includes(anchor), `${target}#${anchor}`);
    }
  });
}

Deno.test("every file of docs can be reached from its index", () => {
  const reached = new Set<string>();
  const toGo = [INDEX];
  for (let file = toGo.pop(); file !== undefined; file = toGo.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    if (isDirectory(file)) toGo.push(...filesBelow(file));
    else if (file.endsWith(".md")) {
      toGo.push(
        ...linksOf(file).map((link) => link.file)
          .filter((linked) => linked.startsWith(`${DOCS}/`)),
      );
    }
  }
  const lost = filesBelow(DOCS).filter((file) => !reached.has(file));
  assertEquals(lost, []);
});

Deno.test("architecture.md has every room of lib", () => {
  const linked = linksOf(`${DOCS}/architecture.md`).map(({ file }) => file);
  const rooms = [...Deno.readDirSync(`${ROOT}/lib`)]
    .filter((entry) => entry.isDirectory)
    .map(({ name }) => `${ROOT}/lib/${name}`);
  assertEquals(rooms.filter((room) => !linked.includes(room)), []);
});

Deno.test("development.md names the packages that .ci/run installs", () => {
  const script = Deno.readTextFileSync(`${ROOT}/.ci/run`);
  const [, list = ""] = /^readonly PACKAGES=\(([^)]*)\)/m.exec(script) ?? [];
  const text = Deno.readTextFileSync(`${DOCS}/development.md`);
  const [, told = ""] = /Debian packages:\s+```\n([^`]*)```/.exec(text) ?? [];
  assertEquals(wordsOf(told), wordsOf(list));
});

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "").sort();
}
