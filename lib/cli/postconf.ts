/**
 * postconf(1), which edits master.cf: it knows the file's rules, and puts the
 * new file in the old one's place at once.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../result.ts";

/** Where packages, and Postfix's own installation, have it. */
const PROGRAMS = ["/usr/sbin/postconf", "/usr/local/sbin/postconf"];

/** What makes a file that postconf writes nobody else's to read meanwhile. */
const UMASK = 0o077;

/** An entry's command, as it is and as it is to be. */
export interface CommandEdit {
  /** As `NAME/TYPE`. */
  readonly service: string;
  /** The program and all its words. */
  readonly command: string;
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

  /** The commands of all entries by `NAME/TYPE`; of two, the last one. */
  commands(): Result<ReadonlyMap<string, string>> {
    const printed = this.#run("-F", "*/*/command");
    return printed.ok ? success(parseCommands(printed.value)) : printed;
  }

  /** Changes commands of entries, all at once or none. */
  edit(edits: readonly CommandEdit[]): Result<void> {
    const before = Deno.umask(UMASK);
    try {
      const printed = this.#run("-Fe", "--", ...edits.map(assignment));
      return printed.ok ? success(undefined) : printed;
    } finally {
      Deno.umask(before);
    }
  }

  /** The same change of one entry, to be pasted into a shell. */
  shownEdit(edit: CommandEdit): string {
    return this.#shown(assignment(edit));
  }

  /** The change that takes an entry out of its chroot, to be pasted. */
  shownWithoutChroot(service: string): string {
    return this.#shown(`${service}/chroot=n`);
  }

  #shown(words: string): string {
    return `postconf -c ${quoted(this.#directory)} -Fe ${quoted(words)}`;
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

/**
 * Reads what postconf prints of commands.
 *
 * @param printed Lines of `NAME/TYPE/command = COMMAND`.
 * @returns Commands by `NAME/TYPE`.
 */
export function parseCommands(printed: string): ReadonlyMap<string, string> {
  return new Map(
    printed.split("\n").flatMap((line) => {
      const [, service, command] = /^(.*?)\/command = (.*)$/.exec(line) ?? [];
      return service === undefined || command === undefined
        ? []
        : [[service, command]];
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

function assignment({ service, command }: CommandEdit): string {
  return `${service}/command=${command}`;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
