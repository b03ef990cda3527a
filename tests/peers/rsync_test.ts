import { assertEquals } from "@std/assert";
import { Daemon } from "../e2e/daemon.ts";
import { peerTest, randomBytes } from "../e2e/load.ts";
import { Account, Folder, output } from "../e2e/machine.ts";

const RSYNC = "/usr/bin/rsync";

/** Files of each client's tree, in a few folders. */
const FILE_COUNT = 300;
const FOLDER_COUNT = 10;

const CLIENTS = ["first", "second"];

peerTest("rsync copies trees there and back", RSYNC, async () => {
  await using folder = await Folder.create();
  await using account = await Account.create();
  const { path } = folder;
  await Deno.mkdir(`${path}/store`);
  await Deno.chown(`${path}/store`, account.uid, account.gid);
  await Deno.writeTextFile(
    `${path}/rsyncd.conf`,
    `use chroot = no
reverse lookup = no
log file = /dev/null
[files]
path = ${path}/store
read only = no
`,
  );
  await using daemon = await Daemon.start([
    "inet",
    "127.0.0.1:0",
    "--engine",
    "direct",
    `user=${account.name}`,
    `argv=${RSYNC}`,
    "--daemon",
    `--config=${path}/rsyncd.conf`,
  ]);
  const url = `rsync://127.0.0.1:${daemon.port}/files`;
  await Promise.all(CLIENTS.map(async (name) => {
    const tree = `${path}/${name}`;
    await makeTree(tree);
    await output(RSYNC, "--archive", `${tree}/`, `${url}/${name}/`);
    await output(RSYNC, "--archive", `${url}/${name}/`, `${tree}-back/`);
    assertEquals(await output("diff", "-r", tree, `${tree}-back`), "");
    assertEquals(
      await output("diff", "-r", tree, `${path}/store/${name}`),
      "",
    );
  }));
  const { uid } = await Deno.stat(`${path}/store/${CLIENTS[0]}`);
  assertEquals(uid, account.uid);
  // No command came to an end that had to be told.
  assertEquals(daemon.entries.map(({ event }) => event), ["listening"]);
});

async function makeTree(path: string): Promise<void> {
  for (let index = 0; index < FOLDER_COUNT; index++) {
    await Deno.mkdir(`${path}/folder ${index}`, { recursive: true });
  }
  for (let index = 0; index < FILE_COUNT; index++) {
    const name = `folder ${index % FOLDER_COUNT}/file ${index}`;
    await Deno.writeFile(`${path}/${name}`, randomBytes(index * 199));
  }
}
