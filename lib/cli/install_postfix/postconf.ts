/**
 * postconf(1), which edits master.cf: it knows the file's rules, and puts the
 * new file in the old one's place at once.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";

/** Where packages, and Postfix's own installation, have it. */
const PROGRAMS = ["/usr/sbin/postconf", "/usr/local/sbin/postconf"];

/** What makes a file that postconf writes nobody else's to read meanwhile. */
const UMASK = 0o077;

/** An entry of master.cf, as postconf writes it. */
export interface MasterLine {
  /** The seven fields before the command, with a space between two. */
  readonly fields: string;
  /** The program and all its words. */
  readonly command: string;
}

/** An entry as it is to be. */
export interface LineEdit extends MasterLine {
  /** As `NAME/TYPE`. */
  readonly service: string;
}

/** postconf(1), for one configuration. */
export class Postconf {
  readonly #program: string;
  readonly #directory: string;

  private constructor(program: string, directory: string) {
    this.#program = program;
    this.#directory = directory;
  }

  /**
   * Finds the program.
   *
   * @param directory Postfix's configuration.
   * @param programs Where it may be.
   * @returns It; or that there is no Postfix.
   */
  static find(
    directory: string,
    programs: readonly string[] = PROGRAMS,
  ): Result<Postconf> {
    const program = programs.find(isFile);
    if (program === undefined) {
      return failure({
        text: `no Postfix: there is no ${programs.join(", and no ")}`,
        mend: "install Postfix first; without it, spawnd serve does its part",
        exitCode: EX.OSERR,
      });
    }
    for (const name of ["main.cf", "master.cf"]) {
      if (isFile(`${directory}/${name}`)) continue;
      return failure({
        text: `no Postfix configuration: there is no ${directory}/${name}`,
        mend: "give its directory as -c DIR",
        exitCode: EX.CONFIG,
      });
    }
    return success(new Postconf(program, directory));
  }

  /** The value of a parameter, expanded. */
  value(name: string): Result<string> {
    const printed = this.#run("-hx", name);
    return printed.ok ? success(printed.value.trimEnd()) : printed;
  }

  /** All entries by `NAME/TYPE`; of two, the last one. */
  lines(): Result<ReadonlyMap<string, MasterLine>> {
    const printed = this.#run("-M");
    return printed.ok ? success(parseLines(printed.value)) : printed;
  }

  /**
   * Writes entries anew, all at once or none. Of its ways to do that, this one
   * leaves comments where they are.
   */
  edit(edits: readonly LineEdit[]): Result<void> {
    const before = Deno.umask(UMASK);
    try {
      const printed = this.#run("-Me", "--", ...edits.map(assignment));
      return printed.ok ? success(undefined) : printed;
    } finally {
      Deno.umask(before);
    }
  }

  /** The same change of one entry, to be pasted into a shell. */
  shownEdit(edit: LineEdit): string {
    const directory = quoted(this.#directory);
    return `postconf -c ${directory} -Me ${quoted(assignment(edit))}`;
  }

  #run(...args: string[]): Result<string> {
    const { success: isDone, stdout, stderr } = new Deno.Command(
      this.#program,
      {
        args: ["-c", this.#directory, ...args],
        clearEnv: true,
        stdin: "null",
      },
    ).outputSync();
    const decoder = new TextDecoder();
    if (isDone) return success(decoder.decode(stdout));
    const said = decoder.decode(stderr).split("\n")
      .findLast((line) => line.includes("fatal: "));
    return failure({
      text: said ?? `${this.#program} ${args[0]} failed`,
      mend: "see what it says to the same words by hand",
      exitCode: EX.OSERR,
    });
  }
}

/** The seven fields, with blanks to make columns of them, and the rest. */
const LINE = /^((?:\S+ +){7})(.*)$/;

/**
 * Reads what `postconf -M` prints.
 *
 * @param printed A line for each entry.
 * @returns Entries by `NAME/TYPE`.
 */
export function parseLines(printed: string): ReadonlyMap<string, MasterLine> {
  return new Map(
    printed.split("\n").flatMap((line) => {
      const [, columns, command] = LINE.exec(line) ?? [];
      if (columns === undefined || command === undefined) return [];
      const fields = columns.trim().split(/ +/);
      const service = fields.slice(0, 2).join("/");
      return [[service, { fields: fields.join(" "), command }]];
    }),
  );
}

/**
 * Quotes a word for a shell, if it needs that.
 *
 * @param word The word.
 * @returns What a shell takes for it.
 */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

function assignment({ service, fields, command }: LineEdit): string {
  return `${service}=${fields} ${command}`;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
