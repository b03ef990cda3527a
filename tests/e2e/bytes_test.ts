/**
 * Words and variables that are no UTF-8: bytes that reach a command as they
 * are, or one line that says why not.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Daemon, readAll, runToEnd } from "./daemon.ts";
import { Folder, rootTest } from "./machine.ts";

const BYTES = [0x61, 0xff, 0xc3, 0xa9, 0x80, 0x62];

/** `printf` of a shell writes them. */
const PRINTF = BYTES.map((byte) => `\\${byte.toString(8)}`).join("");

/** Words that have a program run with TZ set to the bytes. */
const WITH_TZ = [
  "sh",
  "-c",
  `TZ=$(printf '${PRINTF}') exec "$@"`,
  "sh",
];

const ENV = ["user=nobody", "argv=/usr/bin/env", "-0"];

async function answer(daemon: Daemon): Promise<number[]> {
  using connection = await daemon.connect();
  return [...await readAll(connection)];
}

function bytesOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

rootTest("a variable that is no UTF-8 reaches a command of run", async () => {
  await using daemon = await Daemon.start(
    [
      ...["inet", "127.0.0.1:0", "--export-environment", "TZ"],
      ...["--connection-environment", "none", ...ENV],
    ],
    { prefix: WITH_TZ },
  );
  assertEquals(await answer(daemon), [
    ...bytesOf("TZ="),
    ...BYTES,
    ...bytesOf("\0PATH=/usr/bin:/bin\0"),
  ]);
});

rootTest(
  "words and variables of a configuration reach its commands as bytes",
  async () => {
    await using folder = await Folder.create();
    await folder.file(
      "main.cf",
      "import_environment = TZ\nspawnd_connection_environment = none\n",
    );
    const line = bytesOf(
      "127.0.0.1:0 inet n n n - 1 spawn " +
        "-o { export_environment = TZ, { A = ",
    );
    await Deno.writeFile(
      folder.join("master.cf"),
      Uint8Array.from([
        ...line,
        ...BYTES,
        ...bytesOf(
          " } } user=nobody argv=/bin/sh -c {env -0; printf %s $1} sh ",
        ),
        ...BYTES,
        0x0a,
      ]),
    );
    await using daemon = await Daemon.serve(["-c", folder.path], {
      prefix: WITH_TZ,
    });
    const answered = await answer(daemon);
    const variable = (name: string): number[] => [
      ...bytesOf(`${name}=`),
      ...BYTES,
      0,
    ];
    const has = (part: number[]): boolean =>
      answered.some((_, at) =>
        part.every((byte, index) => answered[at + index] === byte)
      );
    assertEquals([has(variable("TZ")), has(variable("A"))], [true, true]);
    assertEquals(answered.slice(-BYTES.length), BYTES);
  },
);

rootTest("relay refuses what is no UTF-8 by one line", async () => {
  const { code, stderr } = await runToEnd(
    [
      ...["run", "inet", "127.0.0.1:0", "--engine", "relay"],
      ...["--export-environment", "TZ", ...ENV],
    ],
    { prefix: WITH_TZ },
  );
  assertEquals(code, 78);
  assertStringIncludes(stderr, "not UTF-8: TZ=a\\xffé\\x80b (the relay engine");
  assertEquals(stderr.trimEnd().split("\n").length, 1);
});

for (
  const words of [["check"], ["services"], ["config"], ["serve"], [
    "install-postfix",
  ]]
) {
  Deno.test(`MAIL_CONFIG that is no UTF-8 is refused by one line of ${words[0]}`, async () => {
    const { code, stdout, stderr } = await runToEnd(words, {
      prefix: ["sh", "-c", 'MAIL_CONFIG=$(printf "/\\377") exec "$@"', "sh"],
    });
    assertEquals({ code, stdout, stderr }, {
      code: 64,
      stdout: "",
      stderr: `spawnd ${words[0]}: MAIL_CONFIG is not UTF-8 ` +
        "(name the directory with -c, or set it anew)\n",
    });
  });
}

rootTest(
  "no variable of others is in the way for not being UTF-8",
  async () => {
    await using daemon = await Daemon.start(
      ["inet", "127.0.0.1:0", "user=nobody", "argv=/bin/echo", "hello"],
      {
        prefix: [
          "sh",
          "-c",
          "for name in JOURNAL_STREAM NO_COLOR LANG TERM X; do " +
          'export "$name=$(printf "\\377")"; done; exec "$@"',
          "sh",
        ],
      },
    );
    assertEquals(await daemon.talk(), "hello\n");
  },
);

rootTest(
  "check warns of words that master(8) cannot start spawnd with",
  async () => {
    await using folder = await Folder.create();
    await folder.file("main.cf", "");
    await Deno.writeFile(
      folder.join("master.cf"),
      Uint8Array.from([
        ...bytesOf(
          "smtp inet n - n - - smtpd\nx unix - n n - 5 spawn user=nobody argv=/bin/cat ",
        ),
        ...BYTES,
        0x0a,
      ]),
    );
    const { stdout } = await runToEnd(["check", "-c", "."], {
      cwd: folder.path,
    });
    assertEquals(
      stdout,
      "./master.cf:2:50: warning: not UTF-8: a\\xffé\\x80b (master(8) cannot " +
        "start spawnd with it: save the file as UTF-8)\n",
    );
  },
);

rootTest("import_environment sets variables and keeps others out", async () => {
  await using folder = await Folder.create();
  await folder.file(
    "main.cf",
    "import_environment = TZ=Europe/Berlin A\n" +
      "export_environment = TZ A B LANG\n" +
      "spawnd_connection_environment = none\n",
  );
  await folder.file(
    "master.cf",
    "127.0.0.1:0 inet n n n - 1 spawn user=nobody argv=/usr/bin/env\n",
  );
  await using daemon = await Daemon.serve(["-c", folder.path], {
    env: { TZ: "UTC", A: "a", B: "b", LANG: "de" },
  });
  assertEquals(
    await daemon.talk(),
    "TZ=Europe/Berlin\nA=a\nPATH=/usr/bin:/bin\n",
  );
});
