/**
 * `spawnd import` on what Debian's packages ship; what it prints is accepted by
 * `spawnd check`, and serves.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { packageFile, packageTest, packageText } from "../debian/packages.ts";
import { freePort, talkTo } from "../e2e/configuration.ts";
import { Daemon, type Ended, runToEnd } from "../e2e/daemon.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, IS_ROOT } from "../e2e/machine.ts";

/** Makes a configuration of what is printed, and has it checked. */
async function configured(
  folder: Folder,
  words: readonly string[],
): Promise<{ directory: string; imported: Ended }> {
  const imported = await runToEnd(["import", ...words]);
  const main = await runToEnd(["import", "--main", ...words]);
  const master = await runToEnd(["import", "--master", ...words]);
  const directory = folder.join("conf");
  await Deno.mkdir(`${directory}/queue`, { recursive: true });
  await Deno.chmod(directory, 0o755);
  await folder.file(
    "conf/main.cf",
    `queue_directory = ${directory}/queue\n${main.stdout}`,
  );
  await folder.file("conf/master.cf", master.stdout);
  if (/^[^#\s]/m.test(master.stdout)) {
    const checked = await runToEnd(["check", "-c", directory]);
    assertEquals(checked.code, 0, checked.stdout + master.stdout);
    assert(!checked.stdout.includes("unused parameter"), checked.stdout);
  }
  return { directory, imported };
}

/** A copy of micro-httpd that anybody can run, and a page for it. */
async function withHttpd(folder: Folder): Promise<readonly [string, string]> {
  const program = folder.join("micro-httpd");
  await Deno.copyFile(
    packageFile("micro-httpd", "usr/sbin/micro-httpd"),
    program,
  );
  await Deno.chmod(program, 0o755);
  await Deno.mkdir(folder.join("html"));
  await Deno.chmod(folder.join("html"), 0o755);
  await folder.file("html/index.html", "the page\n");
  return [program, folder.join("html")];
}

/** Serves what was translated, and fetches the page. */
async function servesPage(
  folder: Folder,
  words: readonly string[],
  port: number,
): Promise<Ended> {
  const { directory, imported } = await configured(folder, words);
  await using daemon = await Daemon.serve(["-c", directory]);
  assertEquals(daemon.port, port);
  const answer = await talkTo(
    `127.0.0.1:${port}`,
    "GET /index.html HTTP/1.0\r\n\r\n",
  );
  assertStringIncludes(answer, "the page\n");
  return imported;
}

/** A test that has micro-httpd served, by root. */
function servingTest(name: string, fn: () => Promise<void>): void {
  if (IS_ROOT) packageTest(name, ["micro-httpd"], fn);
  else Deno.test({ name, ignore: true, fn });
}

peerTest(
  "import xinetd remarks that all of Debian's own services are disabled",
  "/etc/xinetd.conf",
  async () => {
    const { code, stdout, stderr } = await runToEnd(
      ["import", "xinetd", "/etc/xinetd.conf"],
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    for (const name of ["chargen", "daytime", "discard", "echo", "time"]) {
      assertStringIncludes(stdout, `${name} is disabled`);
    }
    assert(!/^[^#\n]/m.test(stdout), stdout);
  },
);

peerTest(
  "import xinetd tells each of Debian's own services that is turned on",
  "/etc/xinetd.conf",
  async () => {
    await using folder = await Folder.create();
    let services = 0;
    for await (const { name } of Deno.readDir("/etc/xinetd.d")) {
      const text = await Deno.readTextFile(`/etc/xinetd.d/${name}`);
      services += text.match(/^service/gm)?.length ?? 0;
      await folder.file(name, text.replaceAll(/(disable\s*=\s*)yes/g, "$1no"));
    }
    const { code, stdout, stderr } = await runToEnd(
      ["import", "xinetd", folder.path],
    );
    assertEquals({ code, stdout }, { code: 78, stdout: "" });
    const lines = stderr.trim().split("\n");
    assertEquals(lines.length, services);
    for (const line of lines) {
      assert(/:\d+: .* is within xinetd itself: .* \(.*\)$/.test(line), line);
    }
    assertStringIncludes(stderr, "argv=/bin/cat");
  },
);

/** Packages that register with inetd when they are installed. */
const INETD_PACKAGES = [
  ...["amanda-common", "nullidentd", "rsh-redone-server", "sane-utils"],
  "talkd",
];

/** A text between quotes at the end of a line, with such a socket in it. */
const LINE = /(["'])(.*(?:\\t|\s)(?:stream|dgram)(?:\\t|\s).*)\1$/gm;

/** Lines for inetd.conf, as maintainer scripts hand them to update-inetd. */
async function inetdLines(): Promise<string[]> {
  const scripts = await Promise.all(
    INETD_PACKAGES.map((name) => packageText(name, "DEBIAN/postinst")),
  );
  return scripts.flatMap((script) =>
    [...script.matchAll(LINE)]
      .map(([, , line = ""]) =>
        line.replace(/^#<off># /, "").replaceAll("\\t", "\t")
      )
  );
}

packageTest(
  "import inetd translates or tells each line that Debian's packages add",
  INETD_PACKAGES,
  async () => {
    await using folder = await Folder.create();
    const lines = await inetdLines();
    assert(lines.length >= 7, lines.join("\n"));
    const file = await folder.file("inetd.conf", `${lines.join("\n")}\n`);
    const { imported: { code, stdout, stderr } } = await configured(
      folder,
      ["inetd", file],
    );
    assertEquals(code, 1);
    for (const [index, line] of lines.entries()) {
      const [name = "", , , , user = ""] = line.split(/\s+/);
      const place = `${file}:${index + 1}`;
      const isTold = stderr.includes(`${place}: ${name}: `);
      const isServed = stdout.includes(`# ${place}: ${name}\n${name} `);
      assert(isTold || isServed, line);
      if (user === "root") {
        assertStringIncludes(
          stderr,
          `${place}: ${name}: runs as root`,
        );
      }
    }
    assert(
      /user=nobody:tty[\s#]+argv=\/usr\/sbin\/in.talkd/.test(stdout),
      stdout,
    );
    // Held, on a machine whose services(5) does not have it.
    assert(
      /user=nobody[\s#]+argv=\/usr\/sbin\/nullidentd/.test(stdout),
      stdout,
    );
  },
);

/** Packages with a socket that has Accept=yes, and its unit there. */
const SYSTEMD_PACKAGES = {
  leafnode: "leafnode.socket",
  "micro-httpd": "micro-httpd.socket",
  "sane-utils": "saned.socket",
  tang: "tangd.socket",
};

/** What each comes to, if it is not held for want of an account. */
const OF_SYSTEMD = {
  leafnode: { name: "119", told: "runs as root" },
  "micro-httpd": { name: "0.0.0.0:80", told: undefined },
  "sane-utils": { name: "6566", told: "descriptor 3" },
  tang: { name: "80", told: undefined },
};

packageTest(
  "import systemd translates or tells each pair that Debian's packages ship",
  Object.keys(SYSTEMD_PACKAGES),
  async () => {
    const sockets = Object.entries(SYSTEMD_PACKAGES).map(([name, socket]) =>
      packageFile(name, `lib/systemd/system/${socket}`)
    );
    await using folder = await Folder.create();
    const { imported: { stdout, stderr } } = await configured(
      folder,
      ["systemd", ...sockets],
    );
    for (const [name, { told }] of Object.entries(OF_SYSTEMD)) {
      const socket = Object.entries(SYSTEMD_PACKAGES)
        .find(([each]) => each === name)?.[1] ?? "";
      const of = stderr.split("\n").filter((line) =>
        line.includes(` ${socket}: `)
      );
      const others = of.filter((line) =>
        !/unknown (?:user|group): /.test(line)
      );
      if (told === undefined) assertEquals(others, []);
      else assert(others.some((line) => line.includes(told)), stderr);
      const entry = new RegExp(
        `^# .*: ${socket}.*\n#?(\\S+) inet n n n - 64 `,
        "m",
      )
        .exec(stdout)?.[1];
      assertEquals(entry, OF_SYSTEMD[name as keyof typeof OF_SYSTEMD].name);
    }
  },
);

servingTest(
  "a pair of Debian's, translated with drop-ins, serves a page",
  async () => {
    await using folder = await Folder.create();
    const [program, html] = await withHttpd(folder);
    const port = freePort();
    for (
      const [unit, dropIn] of [
        [
          "micro-httpd.socket",
          `[Socket]\nListenStream=\nListenStream=127.0.0.1:${port}\n`,
        ],
        [
          "micro-httpd@.service",
          `[Service]\nExecStart=\nExecStart=-${program} ${html}\n`,
        ],
      ] as const
    ) {
      const path = `lib/systemd/system/${unit}`;
      await folder.file(unit, await packageText("micro-httpd", path));
      await Deno.mkdir(folder.join(`${unit}.d`));
      await folder.file(`${unit}.d/test.conf`, dropIn);
    }
    const { code, stderr } = await servesPage(
      folder,
      ["systemd", folder.join("micro-httpd.socket")],
      port,
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  },
);

servingTest("a line for inetd, translated, serves a page", async () => {
  await using folder = await Folder.create();
  const [program, html] = await withHttpd(folder);
  const port = freePort();
  const file = await folder.file(
    "inetd.conf",
    `127.0.0.1:${port}\tstream\ttcp\tnowait nobody:www-data\t` +
      `${program} micro-httpd ${html}\n`,
  );
  const { code, stderr } = await servesPage(folder, ["inetd", file], port);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

/** A service of xinetd's on the loopback, of which TCP wrappers know nothing. */
function xinetdService(port: number, attributes: readonly string[]): string {
  return `service test-${port}
{
  type        = UNLISTED
  flags       = NOLIBWRAP
  socket_type = stream
  protocol    = tcp
  wait        = no
  bind        = 127.0.0.1
  port        = ${port}
  only_from   = 127.0.0.0
  ${attributes.join("\n  ")}
}
`;
}

servingTest(
  "services of xinetd, translated, serve a page, one by redirect",
  async () => {
    await using folder = await Folder.create();
    const [program, html] = await withHttpd(folder);
    const [redirected, direct] = [freePort(), freePort()];
    const file = await folder.file(
      "xinetd.conf",
      xinetdService(redirected, [`redirect = 127.0.0.1 ${direct}`]) +
        xinetdService(direct, [
          "user = nobody",
          `server = ${program}`,
          `server_args = ${html}`,
        ]),
    );
    const { code, stderr } = await servesPage(
      folder,
      ["xinetd", file],
      redirected,
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  },
);

peerTest(
  "a service has the same surroundings as from xinetd",
  "/usr/sbin/xinetd",
  async () => {
    await using folder = await Folder.create();
    const command = await folder.file(
      "facts",
      '#!/bin/sh\nid\npwd\numask\nnice\nulimit -n\necho "$A $B"\nprintf "<%s>" "$@"\n',
      0o755,
    );
    const port = freePort();
    const file = await folder.file(
      "xinetd.conf",
      xinetdService(port, [
        "user = nobody",
        "group = tty",
        "umask = 27",
        "nice = 3",
        "rlimit_files = 99",
        "env = A=one B=two",
        `server = ${command}`,
        `server_args = one "two three" {four} #five $six \\ 'seven`,
      ]),
    );
    await using xinetd = new Deno.Command("xinetd", {
      args: [
        ...["-dontfork", "-stayalive", "-f", file],
        ...["-filelog", folder.join("log"), "-pidfile", folder.join("pid")],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const address = `127.0.0.1:${port}`;
    let theirs: string | undefined;
    while (theirs === undefined) {
      theirs = await talkTo(address).catch((error) => {
        if (error instanceof Deno.errors.ConnectionRefused) return undefined;
        throw error;
      });
    }
    xinetd.kill("SIGTERM");
    await xinetd.status;
    const { directory, imported } = await configured(folder, ["xinetd", file]);
    assertEquals(imported.stderr, "");
    await using _daemon = await Daemon.serve(["-c", directory]);
    assertEquals(await talkTo(address), theirs);
  },
);
