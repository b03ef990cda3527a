import { assert, assertEquals } from "@std/assert";
import {
  freeAddress,
  freePort,
  inet,
  Server,
  talkTo,
  unix,
  writeConfiguration,
} from "../e2e/configuration.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, output } from "../e2e/machine.ts";
import { metricsAt } from "../e2e/status.ts";

const PROMTOOL = "/usr/bin/promtool";

const DEPLOY = new URL("../../deploy/", import.meta.url).pathname;

const RULES = `${DEPLOY}prometheus/spawnd.rules.yml`;

/** What a dashboard puts in the place of its variables. */
const VARIABLES: Readonly<Record<string, string>> = {
  $__rate_interval: "5m",
  $job: ".*",
  $instance: ".*",
  $service: ".*",
};

/** The columns of a dashboard. */
const GRID_COLUMNS = 24;

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets: readonly { readonly expr: string }[];
}

async function panelsOf(): Promise<Panel[]> {
  const text = await Deno.readTextFile(`${DEPLOY}grafana/spawnd.json`);
  return JSON.parse(text).panels;
}

/** The expressions of the dashboard, as Prometheus gets them. */
async function expressions(): Promise<string[]> {
  return (await panelsOf()).flatMap(({ targets }) =>
    targets.map(({ expr }) =>
      Object.entries(VARIABLES).reduce(
        (text, [name, value]) => text.replaceAll(name, value),
        expr,
      )
    )
  );
}

/** The metrics of a daemon that has seen something of everything. */
async function metrics(folder: Folder): Promise<string> {
  const address = freeAddress();
  const port = freePort();
  const directory = await writeConfiguration(folder, {
    main: [`spawnd_metrics_address = ${port}`],
    master: [
      inet(address),
      unix("policy", "user=nobody argv=/bin/false"),
      unix("none", `user=nobody argv=${folder.join("none")}`, 0),
    ],
  });
  await using _server = await Server.start(["-c", directory]);
  await talkTo(address, "hello");
  for (const name of ["policy", "none"]) {
    await talkTo(folder.join(`queue/private/${name}`));
  }
  return await metricsAt(port);
}

/** Runs promtool with a text as its input; what it says is of no use if none. */
async function promtool(input: string, ...words: string[]): Promise<string> {
  const child = new Deno.Command(PROMTOOL, {
    args: words,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  assert(success, text);
  return text;
}

peerTest(
  "promtool finds nothing to say about the metrics",
  PROMTOOL,
  async () => {
    await using folder = await Folder.create();
    const text = await metrics(folder);
    assertEquals(await promtool(text, "check", "metrics"), "");
  },
);

peerTest(
  "the alert rules are right, and fire when they are to",
  PROMTOOL,
  async () => {
    await output(PROMTOOL, "check", "rules", "--lint-fatal", RULES);
    const test = RULES.replace(/\.yml$/, ".test.yml");
    await output(PROMTOOL, "test", "rules", test);
  },
);

peerTest(
  "promtool reads every expression of the dashboard",
  PROMTOOL,
  async () => {
    await using folder = await Folder.create();
    const rules = (await expressions()).map((expr, index) => ({
      record: `dashboard:${index}`,
      expr,
    }));
    // JSON is YAML.
    const file = await folder.file(
      "rules.yml",
      JSON.stringify({ groups: [{ name: "dashboard", rules }] }),
    );
    await output(PROMTOOL, "check", "rules", file);
  },
);

peerTest(
  "dashboard and rules ask for metrics that there are",
  PROMTOOL,
  async () => {
    await using folder = await Folder.create();
    const types = [
      ...(await metrics(folder)).matchAll(/^# TYPE (\S+) (\S+)$/gm),
    ];
    const known = new Set(
      types.flatMap(([_, name = "", type]) =>
        type === "histogram"
          ? ["_bucket", "_sum", "_count"].map((end) => `${name}${end}`)
          : [name]
      ),
    );
    const asked = [...await expressions(), await Deno.readTextFile(RULES)]
      .flatMap((text) => text.match(/\b(?:spawnd|process)_[a-z_]+/g) ?? []);
    assert(asked.length > 20);
    for (const name of asked) assert(known.has(name), name);
  },
);

Deno.test("no panel of the dashboard lies on another, and each has its id", async () => {
  const panels = await panelsOf();
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert(x >= 0 && x + w <= GRID_COLUMNS, title);
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        const cell = `${column},${row}`;
        assertEquals(cells.get(cell), undefined, title);
        cells.set(cell, title);
      }
    }
  }
});
