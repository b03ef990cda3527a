import { assertEquals } from "@std/assert";
import { becomes } from "../e2e/load.ts";
import { isAlive, output, until } from "../e2e/machine.ts";
import { Postfix, postfixTest } from "./postfix.ts";
import { SYSLOGD, Syslogd } from "./syslogd.ts";

/** How many records syslogd's socket and spawnd keep between them, and less. */
const MANY = 400;

/** A test that needs Postfix and a syslogd. */
function syslogTest(name: string, fn: () => Promise<void>): void {
  postfixTest(name, fn, { others: [SYSLOGD] });
}

/** The records of one program, without their process ids. */
async function recordsOf(syslogd: Syslogd, program: string): Promise<string[]> {
  return (await syslogd.records())
    .filter(({ ident }) => ident.endsWith(`/${program}`))
    .map(({ priority, ident, text }) => {
      return `${priority} ${ident.replace(program, "PROGRAM")}: ${text}`;
    });
}

syslogTest(
  "records come to syslogd as those of spawn(8) do",
  async () => {
    await using syslogd = await Syslogd.start();
    await using postfix = await Postfix.start(
      ["spawn", "spawnd"].map((side) =>
        `${side}-ends unix - n n - 1 ${side} user=nobody argv=/bin/false
${side}-says unix - n n - 1 ${side} -v user=nobody argv=/bin/cat`
      ).join("\n"),
      "syslog_facility = local3\nsyslog_name = some/name",
      { syslogd },
    );
    for (const side of ["spawn", "spawnd"]) {
      await postfix.ask(`${side}-ends`);
      await postfix.ask(`${side}-says`);
      await becomes(
        [
          "local3.info some/name/PROGRAM: connection closed",
          "local3.info some/name/PROGRAM: connection established",
          "local3.warn some/name/PROGRAM: warning: command /bin/false exit status 1",
        ],
        async () => {
          return (await recordsOf(syslogd, side))
            .filter((record) => / (?:connection|warning:) /.test(record))
            .sort();
        },
      );
    }
    const exits = (await syslogd.records())
      .filter(({ text }) => text.endsWith(" exit status 1"));
    assertEquals(exits.map(({ pid }) => pid), [
      ...await postfix.daemons("spawn-ends"),
      ...await postfix.daemons("spawnd-ends"),
    ]);
  },
);

syslogTest("a new syslog_name counts after a reload", async () => {
  await using syslogd = await Syslogd.start();
  await using postfix = await Postfix.start(
    "ends unix - n n - - spawnd user=nobody argv=/bin/false",
    "",
    { syslogd },
  );
  const text = "warning: command /bin/false exit status 1";
  const before = `mail.warn postfix/PROGRAM: ${text}`;
  const after = `user.warn other/PROGRAM: ${text}`;
  await postfix.ask("ends");
  await becomes([before], () => recordsOf(syslogd, "spawnd"));
  const settings = ["syslog_name=other", "syslog_facility=user"];
  await output("postconf", "-c", postfix.join("etc"), "-e", ...settings);
  const [old = 0] = await postfix.daemons("ends");
  await postfix.control("reload");
  await until("the old process has ended", async () => !await isAlive(old));
  await postfix.ask("ends");
  await becomes([before, after], () => recordsOf(syslogd, "spawnd"));
});

syslogTest("a refusal comes to syslogd as critical", async () => {
  await using syslogd = await Syslogd.start();
  await using postfix = await Postfix.start(
    ["spawn", "spawnd"].map((side) =>
      `${side}-wrong unix - n n - - ${side} user=root argv=/bin/cat`
    ).join("\n"),
    "syslog_facility = local3",
    { syslogd },
  );
  for (const side of ["spawn", "spawnd"]) {
    (await postfix.connect(`${side}-wrong`)).close();
    await becomes(
      ["local3.crit postfix/PROGRAM: fatal: request to deliver as root"],
      () => recordsOf(syslogd, side),
    );
  }
});

syslogTest("a syslogd that hangs keeps no client waiting", async () => {
  await using syslogd = await Syslogd.start();
  await using postfix = await Postfix.start(
    "ends unix - n n - 0 spawnd user=nobody argv=/bin/false",
    "",
    { syslogd },
  );
  // The process is there, so that only records are left to be taken.
  await postfix.ask("ends");
  await becomes(1, async () => (await recordsOf(syslogd, "spawnd")).length);
  await syslogd.hold();
  for (let count = 1; count < MANY; count++) {
    assertEquals(await postfix.ask("ends"), "");
  }
  assertEquals((await recordsOf(syslogd, "spawnd")).length, 1);
  syslogd.release();
  await becomes(MANY, async () => (await recordsOf(syslogd, "spawnd")).length);
});
