import { assertEquals, assertLessOrEqual } from "@std/assert";
import { Folder, rootTest, until } from "./machine.ts";
import { recordsOf, rssAnonKiB, settled } from "./load.ts";
import {
  freeAddresses,
  inet,
  IS_FROM_SOURCE,
  Server,
  talkTo,
  unix,
  writeConfiguration,
} from "./configuration.ts";

const SERVICE_COUNT = 500;

/** From exec to the first connection taken. */
const START_MS_MAX = 2000;

/** A service's part of the daemon's own memory. */
const SERVICE_KIB_MAX = 32;

/** More than one environment variable of 128 KiB can name. */
const LONG_NAME_COUNT = 1000;

const LONG_NAME_LENGTH = 50;

/** Clients at the same time. */
const CLIENT_COUNT = 16;

const KINDS: Readonly<Record<string, (count: number) => string[]>> = {
  inet: (count) => freeAddresses(count).map((address) => inet(address)),
  unix: (count) =>
    Array.from({ length: count }, (_, index) => unix(`service-${index}`)),
};

for (const [kind, lines] of Object.entries(KINDS)) {
  rootTest(
    `${SERVICE_COUNT} ${kind} services start within ` +
      `${START_MS_MAX / 1000} s, cost little memory and all answer`,
    async () => {
      const one = await start(lines(1));
      const oneKiB = await one.end();
      const many = await start(lines(SERVICE_COUNT));
      const { addresses } = many.server.daemon;
      const manyKiB = await many.end(async () => {
        assertEquals(new Set(addresses).size, SERVICE_COUNT);
        await allAnswer(addresses);
        await many.server.reload();
        await allAnswer(addresses);
      });
      const each = (manyKiB - oneKiB) / (SERVICE_COUNT - 1);
      console.log(
        `${SERVICE_COUNT} ${kind} services: ` +
          `${Math.round(many.startMs)} ms from exec to "listening" ` +
          `(1 service: ${Math.round(one.startMs)} ms); ` +
          `${each.toFixed(1)} KiB of own memory each ` +
          `(${manyKiB} KiB, 1 service: ${oneKiB} KiB)`,
      );
      if (IS_FROM_SOURCE) return; // another runtime, which compiles as it goes
      assertLessOrEqual(many.startMs, START_MS_MAX);
      assertLessOrEqual(each, SERVICE_KIB_MAX);
    },
  );
}

rootTest(
  `${LONG_NAME_COUNT} unix services with long names survive a reload`,
  async () => {
    const names = Array.from(
      { length: LONG_NAME_COUNT },
      (_, index) => `${index}-`.padEnd(LONG_NAME_LENGTH, "long"),
    );
    const { server, end } = await start(names.map((name) => unix(name)));
    await end(async () => {
      server.kill("SIGHUP");
      await until("the reload has come to something", () => {
        return recordsOf(server.daemon, "reloaded").length > 0 ||
          recordsOf(server.daemon, "reload-failed").length > 0;
      });
      assertEquals(
        recordsOf(server.daemon, "reload-failed").map(({ text }) => text),
        [],
      );
      await allAnswer(server.daemon.addresses);
    });
  },
);

/** A daemon that was measured as it started. */
interface Measured {
  readonly server: Server;
  readonly startMs: number;
  /** Measures memory, does what is left to do, and ends it. */
  end(last?: () => Promise<void>): Promise<number>;
}

async function start(master: readonly string[]): Promise<Measured> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await Folder.create());
  const directory = await writeConfiguration(folder, { master });
  const beforeMs = performance.now();
  const server = resources.use(await Server.start(["-c", directory]));
  const startMs = performance.now() - beforeMs;
  const rest = resources.move();
  return {
    server,
    startMs,
    async end(last = () => Promise.resolve()): Promise<number> {
      await using _ending = rest;
      const kib = await settled("memory", () => rssAnonKiB(server.pid));
      await last();
      return kib;
    },
  };
}

/** Has every service echo its own address. */
async function allAnswer(addresses: readonly string[]): Promise<void> {
  const left = [...addresses];
  const talk = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      assertEquals(await talkTo(next, next), next);
    }
  };
  await Promise.all(Array.from({ length: CLIENT_COUNT }, talk));
}
