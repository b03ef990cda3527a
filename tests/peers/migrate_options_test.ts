/**
 * docs/migrate.md against the manual pages of those that it is about: each of
 * their options has a row.
 */

import { assert, assertEquals } from "@std/assert";
import { findParameter } from "../../lib/config/parameters.ts";
import { packageTest, packageText } from "../debian/packages.ts";

const DOCUMENT = new URL("../../docs/migrate.md", import.meta.url);

const ANSWERS = ["has", "has, differently", "not, because"];

interface Row {
  readonly options: readonly string[];
  readonly answer: string;
  readonly how: string;
}

/** The rows of each table, by the head of its first column. */
async function tables(): Promise<Map<string, Row[]>> {
  const found = new Map<string, Row[]>();
  let rows: Row[] | undefined;
  for (const line of (await Deno.readTextFile(DOCUMENT)).split("\n")) {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
      .map((cell) => cell.trim());
    const [first = "", answer = "", how = ""] = cells;
    if (cells.length === 0) rows = undefined;
    else if (rows === undefined) {
      rows = [];
      found.set(first, rows);
    } else if (!first.startsWith("---")) {
      const options = [...first.matchAll(/`([^`]+)`/g)]
        .map(([, option = ""]) => option);
      rows.push({ options, answer, how });
    }
  }
  return found;
}

async function optionsOf(table: string): Promise<string[]> {
  const rows = (await tables()).get(table) ?? [];
  return rows.flatMap(({ options }) => options);
}

/** Says which of theirs have no row. */
async function assertRows(
  table: string,
  theirs: readonly string[],
  least: number,
): Promise<void> {
  assert(theirs.length >= least, `${table}: only ${theirs.length} were found`);
  const ours = await optionsOf(table);
  const missing = theirs.filter((option) => !ours.includes(option));
  assertEquals(missing, [], `${table}: no row in docs/migrate.md`);
}

/** A page of roff without its marks. */
function plain(roff: string): string {
  return roff.replaceAll(/\\f(?:\(CW|[A-Z])/g, "").replaceAll("\\-", "-")
    .replaceAll("\\&", "");
}

Deno.test("docs/migrate.md has one of three answers in each row, and says how", async () => {
  const found = await tables();
  assertEquals(found.size, 9);
  for (const [table, rows] of found) {
    for (const { options, answer, how } of rows) {
      assert(ANSWERS.includes(answer), `${table}: ${options}: ${answer}`);
      assert(options.length > 0 && how !== "", `${table}: ${options}`);
    }
    const options = rows.flatMap(({ options }) => options);
    // "`tcpd` as the program" and the like have words of their own.
    assertEquals(new Set(options).size, options.length, `${table}: twice`);
  }
});

Deno.test("docs/migrate.md names no parameter that there is not", async () => {
  const text = await Deno.readTextFile(DOCUMENT);
  const named = new Set(text.match(/\bspawnd_[a-z0-9_]+\b/g));
  assert(named.size > 20);
  const strangers = [...named].filter((name) => !findParameter(name));
  assertEquals(strangers, []);
});

packageTest(
  "docs/migrate.md has every attribute of xinetd.conf(5)",
  ["xinetd"],
  async () => {
    const page = plain(
      await packageText("xinetd", "usr/share/man/man5/xinetd.conf.5.gz"),
    );
    // Down to the list of those that a service must have; values are no
    // attributes, but for flags and what is logged.
    const [attributes = ""] = page.split("You don't need to specify all");
    const names = [...attributes.matchAll(/^\.TP.*\n\.B (\S+)/gm)]
      .map(([, name = ""]) => name.replaceAll('"', ""))
      .filter((name) =>
        name !== "" && !/^(?:[a-e]\)|TCPMUX|RPC|INTERNAL|UNLISTED)/.test(name)
      );
    await assertRows("xinetd", [...names, "disabled"], 60);
  },
);

packageTest("docs/migrate.md has every field and option of inetd(8)", [
  "openbsd-inetd",
], async () => {
  const page = await packageText(
    "openbsd-inetd",
    "usr/share/man/man8/inetd.8.gz",
  );
  const flags = [...page.matchAll(/^\.It Fl (\S)/gm)].map(([, flag]) =>
    `-${flag}`
  );
  const fields = [...page.matchAll(/^\.Bd -unfilled.*\n([^.][^]*?)^\.Ed/gm)]
    .flatMap(([, lines = ""]) => lines.trim().split("\n"))
    .filter((line) => !/^(?:tcp,|\.)/.test(line) && line !== "*:");
  await assertRows("inetd", [...flags, ...new Set(fields)], 14);
});

packageTest(
  "docs/migrate.md has every option of tcpserver(1)",
  ["ucspi-tcp"],
  async () => {
    const page = plain(
      await packageText("ucspi-tcp", "usr/share/man/man1/tcpserver.1.gz"),
    );
    const options = [...page.matchAll(/^\.TP\n\.B +(-\S)/gm)]
      .map(([, option = ""]) => option);
    await assertRows("tcpserver", options, 22);
  },
);

packageTest("docs/migrate.md has every form of a rule of tcprules(1)", [
  "ucspi-tcp",
], async () => {
  const page = plain(
    await packageText("ucspi-tcp", "usr/share/man/man1/tcprules.1.gz"),
  );
  const [, addresses = ""] = page.split(".SH ADDRESSES\n");
  const forms = [...addresses.matchAll(/^\.IP \d+\.\n([^]*?)(?=^\.)/gm)]
    .map(([, text = ""]) =>
      text.replace("shorter and shorter ", "").replaceAll("\n", " ")
        .replace(/(?:, if|, preceded|;|\.| if ).*$/, "").trim()
    );
  await assertRows("tcpserver", [...forms, "allow", "deny", 'var="x"'], 11);
});

packageTest("docs/migrate.md has every option of s6-ipcserver and its rules", [
  "s6-doc",
], async () => {
  for (
    const [program, least] of [
      ["s6-ipcserver", 16],
      ["s6-ipcserver-access", 6],
    ] as const
  ) {
    const page = await packageText(
      "s6-doc",
      `usr/share/doc/s6/${program}.html`,
    );
    const [, synopsis = ""] = /<pre>\s*(s6-[^]*?)<\/pre>/.exec(page) ?? [];
    const options = synopsis.match(/(?<=\s)-\w/g) ?? [];
    await assertRows(program, options, least);
  }
});

/**
 * s6-networking is no package of Debian 12. As its documentation has it at
 * https://skarnet.org/software/s6-networking/, with -4 and -6 of its versions
 * before 2.6.
 */
const S6_NETWORKING = {
  "s6-tcpserver": "qQv461cCbGguU",
  "s6-tcpserver-access": "vWwDdHhRrPplBtix",
};

Deno.test("docs/migrate.md has every option of s6-tcpserver and its rules", async () => {
  for (const [program, letters] of Object.entries(S6_NETWORKING)) {
    await assertRows(program, [...letters].map((letter) => `-${letter}`), 13);
  }
});

packageTest("docs/migrate.md has every option of systemd.socket(5)", [
  "systemd",
], async () => {
  const page = plain(
    await packageText("systemd", "usr/share/man/man5/systemd.socket.5.gz"),
  );
  const options = [...page.matchAll(/^((?:\w+=(?:, )?)+)\n\.RS 4/gm)]
    .flatMap(([, heading = ""]) => heading.split(", "));
  await assertRows("systemd", options, 60);
});

/** Of what may stand behind TCP-LISTEN, UNIX-LISTEN and EXEC. */
const SOCAT_GROUPS = [
  ...["FD", "NAMED", "PROCESS", "SOCKET", "UNIX", "IP4 and IP6", "IP6", "TCP"],
  ...["UDP, TCP, and SCTP", "RANGE", "LISTEN", "CHILD", "EXEC", "FORK"],
  "RETRY",
];

packageTest(
  "docs/migrate.md has every option of socat(1) for a listening stream",
  ["socat"],
  async () => {
    const page = plain(
      await packageText("socat", "usr/share/man/man1/socat.1.gz"),
    );
    const named = (text: string): string[] =>
      [...text.matchAll(/^\.IP "?([^"\n]+)"?/gm)].flatMap(([, names = ""]) =>
        names.split(/[,|] /).map((name) => name.replace(/[=[(>].*$/, "").trim())
      ).filter((name) => /^[a-z-][\w-]+$/.test(name));
    const groups = page.split(/^(?=.* option groups?$)/m);
    const options = groups.flatMap((group) => {
      const [, name = ""] = /^(.*) option groups?\n/.exec(group) ?? [];
      return SOCAT_GROUPS.includes(name) ? named(group) : [];
    });
    await assertRows("socat", options, 130);
    const [, ours = ""] = page.split('.SH "OPTIONS"\n');
    const [words = ""] = ours.split(".SH ");
    const flags = [...words.matchAll(/^\.IP "(-l?\w)/gm)]
      .map(([, flag = ""]) => flag);
    await assertRows("socat", [...new Set(flags)], 20);
  },
);
