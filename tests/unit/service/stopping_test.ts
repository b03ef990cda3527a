import { assertEquals } from "@std/assert";
import { Fixture } from "../fixture.ts";

/** A process that serves until it is stopped. Ends with the scope: `await using`. */
class Serving extends Fixture {
  static async start(
    commands: number,
    ...reloads: ("failed" | Deno.Signal)[]
  ): Promise<Serving> {
    const serving = new Serving("until_stopped.ts", {
      args: [String(commands), ...reloads],
      allow: [],
    });
    await serving.expect("accept");
    return serving;
  }

  /** Waits for the next lines, which must be these. */
  async expect(...lines: string[]): Promise<void> {
    for (const line of lines) assertEquals(await this.line(), line);
  }

  /** Ends one of its commands. */
  async endOne(): Promise<void> {
    await this.tell("end");
  }

  /** Waits for its last line and its end. */
  async expectEnd(): Promise<void> {
    await this.expect("stopped");
    const { code, stdout, stderr } = await this.ended();
    assertEquals([code, stdout, stderr], [0, "", ""]);
  }
}

Deno.test("SIGTERM lets commands finish", async () => {
  await using serving = await Serving.start(2);
  serving.kill("SIGTERM");
  await serving.expect(
    "stop listening",
    "SIGTERM: no more connections are accepted, 2 commands left",
  );
  await serving.endOne();
  await serving.endOne();
  await serving.expect("end groups");
  await serving.expectEnd();
});

Deno.test("SIGTERM ends an idle daemon at once", async () => {
  await using serving = await Serving.start(0);
  serving.kill("SIGTERM");
  await serving.expect(
    "stop listening",
    "SIGTERM: no more connections are accepted, 0 commands left",
    "end groups",
  );
  await serving.expectEnd();
});

for (const second of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
  Deno.test(`${second} after a SIGTERM ends the commands`, async () => {
    await using serving = await Serving.start(1);
    serving.kill("SIGTERM");
    await serving.expect(
      "stop listening",
      "SIGTERM: no more connections are accepted, 1 command left",
    );
    serving.kill(second);
    await serving.expect("end groups", "signal 101 15");
    await serving.endOne();
    await serving.expectEnd();
  });
}

for (const signal of ["SIGINT", "SIGQUIT"] as const) {
  Deno.test(`${signal} ends the commands`, async () => {
    await using serving = await Serving.start(2);
    serving.kill(signal);
    await serving.expect(
      "stop listening",
      `${signal}: no more connections are accepted, 2 commands left`,
      "end groups",
      "signal 101 15",
      "signal 102 15",
    );
    await serving.endOne();
    await serving.endOne();
    await serving.expectEnd();
  });
}

Deno.test("SIGHUP and SIGPIPE stop nothing, neither before a SIGTERM nor after", async () => {
  await using serving = await Serving.start(1);
  serving.kill("SIGPIPE");
  serving.kill("SIGHUP");
  await serving.expect("SIGHUP ignored: there is no configuration to reload");
  serving.kill("SIGTERM");
  await serving.expect(
    "stop listening",
    "SIGTERM: no more connections are accepted, 1 command left",
  );
  serving.kill("SIGPIPE");
  serving.kill("SIGHUP");
  await serving.endOne();
  await serving.expect("end groups");
  await serving.expectEnd();
});

Deno.test("SIGHUP leaves all as it is where the reload fails", async () => {
  await using serving = await Serving.start(0, "failed", "failed");
  serving.kill("SIGHUP");
  await serving.expect("reload");
  serving.kill("SIGHUP");
  await serving.expect("reload");
  serving.kill("SIGTERM");
  await serving.expect(
    "stop listening",
    "SIGTERM: no more connections are accepted, 0 commands left",
    "end groups",
  );
  await serving.expectEnd();
});

Deno.test("SIGTERM during a reload lets commands finish", async () => {
  await using serving = await Serving.start(1, "SIGTERM");
  serving.kill("SIGHUP");
  await serving.expect(
    "reload",
    "stop listening",
    "SIGTERM: no more connections are accepted, 1 command left",
  );
  await serving.endOne();
  await serving.expect("end groups");
  await serving.expectEnd();
});

Deno.test("SIGINT during a reload ends the commands", async () => {
  await using serving = await Serving.start(1, "SIGINT");
  serving.kill("SIGHUP");
  await serving.expect(
    "reload",
    "stop listening",
    "SIGINT: no more connections are accepted, 1 command left",
    "end groups",
    "signal 101 15",
  );
  await serving.endOne();
  await serving.expectEnd();
});
