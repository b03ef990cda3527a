import { assertEquals } from "@std/assert";
import {
  freeAddresses,
  inet,
  Server,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { Folder, isAlive, rootTest, until } from "./machine.ts";
import { LinkedProgram } from "./reloading.ts";

rootTest("a trial that hangs is ended after a minute, and told", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  const program = await LinkedProgram.create(folder);
  await using server = await Server.start(["-c", directory], {
    program: program.words,
  });
  await program.hold();
  server.kill("SIGHUP");
  const trial = await program.isTried(server);
  const { level, text } = await server.daemon.event("reload-failed");
  assertEquals({ level, text }, {
    level: "error",
    text:
      `${program.path} was started anew to try the new configuration, but ` +
      "it gave no verdict within 60 s; the old one goes on",
  });
  await until("it has ended", async () => !await isAlive(trial));
  assertEquals(await talkTo(address, "hello"), "hello");
  await program.restore();
  await server.reload();
  assertEquals(await talkTo(address, "hello"), "hello");
});
