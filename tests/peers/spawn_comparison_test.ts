import { assertEquals } from "@std/assert";
import { freePort } from "../e2e/configuration.ts";
import { writeAll } from "../e2e/daemon.ts";
import { becomes } from "../e2e/load.ts";
import { output } from "../e2e/machine.ts";
import { Postfix, postfixTest } from "./postfix.ts";
import { COMPILER, furnishRoot } from "./root_directory.ts";
import {
  type Records,
  type Row,
  ROWS,
  SCRIPTS,
  type ServiceLine,
  type Side,
  SIDES,
} from "./spawn_rows.ts";

/** What each side shows of a row. */
type Seen = Record<Side, string>;

/** One Postfix with the services of all rows, on both sides. */
class Comparison {
  readonly #postfix: Postfix;
  readonly #folder: string;
  /** By their attributes. */
  readonly #services = new Map<string, ServiceLine>();
  readonly #ports = { spawn: freePort(), spawnd: freePort() };

  constructor(postfix: Postfix) {
    this.#postfix = postfix;
    this.#folder = postfix.join("").slice(0, -1);
    for (const { service } of ROWS) {
      this.#services.set(service.attributes, service);
    }
  }

  /** The lines of master.cf. */
  get masterCf(): string {
    return SIDES.flatMap((side) =>
      [...this.#services.values()].map((service) => {
        const name = this.#nameOf(side, service);
        const { isInet, isUnprivileged, isChrooted, wakeup = "-" } = service;
        const flags = [isUnprivileged, isChrooted].map((is) => is ? "y" : "n");
        const words = service.attributes.replaceAll("NAME", name)
          .replaceAll("FOLDER", this.#folder);
        const type = isInet ? "inet n" : "unix -";
        return [name, type, ...flags, wakeup, "0", side, words].join(" ");
      })
    ).join("\n");
  }

  /** Looks at all rows. */
  async compare(): Promise<Map<Row, Seen>> {
    await this.#awaitLog();
    await this.#visitAll();
    const seen = new Map<Row, Seen>(
      ROWS.map((row) => [row, { spawn: "", spawnd: "" }]),
    );
    for (const row of ROWS) {
      const { sight } = row;
      if (sight.kind === "records") continue;
      const [spawn = "", spawnd = ""] = await Promise.all(
        SIDES.map(async (side) => {
          const name = this.#nameOf(side, row.service);
          return sight.kind === "look"
            ? await sight.look(this.#postfix, { side, name })
            : this.#neutral(
              sight.pick(await this.#postfix.ask(name, sight.input)),
            );
        }),
      );
      seen.set(row, { spawn, spawnd });
    }
    // Each side logs in its own time.
    await becomes([], async () => {
      const log = await this.#postfix.log();
      const missing: string[] = [];
      for (const row of ROWS) {
        const { sight, explained, what } = row;
        if (sight.kind !== "records") continue;
        const found = {
          spawn: this.#records(log, "spawn", sight),
          spawnd: this.#records(log, "spawnd", sight),
        };
        seen.set(row, found);
        const isThere = (side: Side): boolean =>
          sight.isSilent ||
          (explained?.[side] ?? /./).test(found[side]);
        missing.push(
          ...SIDES.filter((side) => !isThere(side))
            .map((side) => `${side}: ${what}: ${found[side]}`),
        );
      }
      return missing;
    });
    return seen;
  }

  #nameOf(side: Side, { attributes, isInet }: ServiceLine): string {
    return isInet
      ? `127.0.0.1:${this.#ports[side]}`
      : `${side}-${[...this.#services.keys()].indexOf(attributes)}`;
  }

  /**
   * Waits until Postfix's log daemon runs. That is for master to start, and
   * master has to wait itself for room in its queue, which ten records fill.
   */
  async #awaitLog(): Promise<void> {
    const [line] = [...this.#services.values()]
      .filter(({ attributes }) => attributes.endsWith("{ exit 3 }"));
    if (line === undefined) throw new Error("no command that logs");
    await this.#postfix.ask(this.#nameOf("spawn", line));
    await this.#postfix.logged("exit status 3\n");
  }

  /** A short visit to each service that is to log something. */
  async #visitAll(): Promise<void> {
    const inputs = new Map(
      ROWS.flatMap(({ service, sight }) =>
        sight.kind === "records"
          ? [[service.attributes, { service, input: sight.input }] as const]
          : []
      ),
    );
    await Promise.all(
      [...inputs.values()].flatMap(({ service, input }) =>
        SIDES.map(async (side) => {
          const name = this.#nameOf(side, service);
          using connection = await this.#postfix.connect(name);
          await writeAll(connection, new TextEncoder().encode(input));
        })
      ),
    );
  }

  #records(log: string, side: Side, sight: Records): string {
    const { pattern, by, withIdent } = sight;
    const wanted = pattern instanceof RegExp ? pattern : pattern[side];
    const texts = [...log.matchAll(/^.{15} \S+ (\S+)\/(\w+)\[\d+\]: (.*)$/gm)]
      .filter(([_, _name, program, text = ""]) => {
        const isOurs = by === undefined
          ? program === side
          : program === by && text.match(/\/sbin\/(\w+)/)?.[1] === side;
        return isOurs && wanted.test(text);
      })
      .map(([_, name, _program, text = ""]) =>
        this.#neutral(withIdent ? `${name}/PROGRAM: ${text}` : text)
      );
    return [...new Set(texts)].sort().join("\n");
  }

  /** As it is on both sides, and in each run. */
  #neutral(text: string): string {
    return text.replaceAll(this.#folder, "FOLDER")
      .replaceAll(/\bspawnd?-\d+/g, "NAME")
      .replaceAll(/\/sbin\/spawnd?\b/g, "/sbin/PROGRAM")
      .replaceAll(/\b(process id|pid) \d+/g, "$1 PID");
  }
}

/** Whether a row is as the table says. */
function holds({ explained }: Row, { spawn, spawnd }: Seen): boolean {
  return explained === undefined ? spawn === spawnd : spawn !== spawnd &&
    explained.spawn.test(spawn) && explained.spawnd.test(spawnd);
}

function tableOf(seen: ReadonlyMap<Row, Seen>): string {
  const lines = [...seen].map(([row, sides]) => {
    const { what, explained } = row;
    const verdict = !holds(row, sides)
      ? "WRONG"
      : explained
      ? "explained"
      : "equal";
    const line = `${verdict.padEnd(10)} ${what}`;
    return explained ? `${line}\n${" ".repeat(11)}${explained.why}` : line;
  });
  return ["spawnd beside spawn(8)", ...lines].join("\n");
}

postfixTest("spawnd is as spawn(8), but for what is explained", async () => {
  await using postfix = await Postfix.start(
    "",
    "export_environment = TZ MAIL_CONFIG LANG A=b {C = d e}",
  );
  for (const [name, text] of Object.entries(SCRIPTS)) {
    await postfix.file(name, text, name === "not-executable" ? 0o644 : 0o755);
  }
  await furnishRoot(postfix);
  // Other soft limits than hard ones, to see what comes of both.
  const master = `${await postfix.masterPid()}`;
  await output("prlimit", "--pid", master, "--nofile=2000:20000");
  const comparison = new Comparison(postfix);
  await postfix.setMasterCf(comparison.masterCf);
  await postfix.control("reload");
  const seen = await comparison.compare();
  console.log(tableOf(seen));
  const wrong = [...seen].filter(([row, sides]) => !holds(row, sides))
    .map(([{ what }, sides]) => ({ what, ...sides }));
  if (wrong.length > 0) console.log(await postfix.log());
  assertEquals(wrong, []);
}, { others: [COMPILER] });
