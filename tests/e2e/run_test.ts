import { assertEquals } from "@std/assert";
import { Daemon } from "./daemon.ts";
import { ENGINES, rootTest } from "./machine.ts";

const NAMES = {
  inet: "127.0.0.1:0",
  inet6: "[::1]:0",
};

for (const engine of ENGINES) {
  for (const [kind, name] of Object.entries(NAMES)) {
    rootTest(
      `spawnd run serves /bin/cat over ${kind} with ${engine}`,
      async () => {
        await using daemon = await Daemon.start(
          ["inet", name, "--engine", engine, "user=nobody", "argv=/bin/cat"],
        );
        assertEquals(await daemon.talk("hello\n"), "hello\n");
      },
    );
  }
}
