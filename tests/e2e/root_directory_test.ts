import { assertEquals, assertStringIncludes } from "@std/assert";
import { attackTest } from "./hostile/attacker.ts";
import {
  freeAddresses,
  queueOf,
  Server,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { runToEnd } from "./daemon.ts";
import { Folder, output } from "./machine.ts";

/** Says where it is, and what its root directory has. */
const WHERE = `
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char path[4096];
  printf("%s %d:", getcwd(path, sizeof path), (int)getuid());
  DIR *root = opendir("/");
  for (struct dirent *entry; (entry = readdir(root)) != NULL;)
    if (entry->d_name[0] != '.') printf(" %s", entry->d_name);
  printf("\\n");
  return 0;
}
`;

/** The words of an answer: a folder has its files in any order. */
function inOrder(answer: string): string[] {
  return answer.trim().split(" ").sort();
}

/** A configuration whose queue directory has one program in bin/. */
async function furnish(
  folder: Folder,
  master: readonly string[],
): Promise<string> {
  const directory = await writeConfiguration(folder, { master });
  const source = await folder.file("where.c", WHERE);
  await Deno.mkdir(`${queueOf(folder)}/bin`);
  const program = `${queueOf(folder)}/bin/where`;
  await output("gcc", "-static", "-o", program, source);
  await output("chmod", "-R", "a+rX", queueOf(folder));
  return directory;
}

attackTest(
  "a service with chroot runs its commands in queue_directory, and goes on to after a reload",
  async () => {
    await using folder = await Folder.create();
    const [inside = "", outside = ""] = freeAddresses(2);
    const directory = await furnish(folder, [
      `${inside} inet n n y - 10 spawnd user=nobody argv=where`,
      `${outside} inet n n n - 10 spawnd user=nobody argv=${
        queueOf(folder)
      }/bin/where`,
    ]);
    await using server = await Server.start(["-c", directory]);
    const uid = (await output("id", "-u", "nobody")).trim();
    const expected = inOrder(`/ ${uid}: bin spawnd.status\n`);
    assertEquals(inOrder(await talkTo(inside, "")), expected);
    assertStringIncludes(await talkTo(outside, ""), `${queueOf(folder)} `);
    await server.reload();
    assertEquals(inOrder(await talkTo(inside, "")), expected);
  },
);

attackTest(
  "a service with chroot is refused where the daemon cannot do it",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await furnish(folder, [
      `${address} inet n n y - 10 spawnd user=nobody argv=where`,
    ]);
    const { code, stderr } = await runToEnd([
      ...["serve", "-c", directory, "--engine", "relay"],
    ]);
    assertEquals(code, 78);
    const column = `${address} inet n n y`.length;
    assertStringIncludes(
      stderr,
      `master.cf:1:${column}: the relay engine cannot change a command's root ` +
        "directory (write n for chroot, its fifth field)",
    );
  },
);
