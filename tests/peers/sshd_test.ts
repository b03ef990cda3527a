import { assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../e2e/daemon.ts";
import { MIB, peerTest, randomBytes, sha256 } from "../e2e/load.ts";
import { Account, Folder, output } from "../e2e/machine.ts";

const SSHD = "/usr/sbin/sshd";

/** What the remote side is asked to do: two lines, then all that it is sent. */
const SCRIPT = 'id -un; echo "$SSH_CONNECTION"; cat; exit 7';

peerTest("ssh runs a command by way of sshd -i", SSHD, async () => {
  await using folder = await Folder.create();
  const { path } = folder;
  await using account = await Account.create(`--home-dir=${path}`);
  await makeKey(`${path}/host`);
  await makeKey(`${path}/user`);
  await Deno.chown(`${path}/host`, account.uid, account.gid);
  await Deno.copyFile(`${path}/user.pub`, `${path}/authorized`);
  await Deno.writeTextFile(
    `${path}/sshd_config`,
    `HostKey ${path}/host
AuthorizedKeysFile ${path}/authorized
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
`,
  );
  await using daemon = await Daemon.start([
    "inet",
    "127.0.0.1:0",
    "--engine",
    "direct",
    `user=${account.name}`,
    `argv=${SSHD}`,
    "-i",
    "-f",
    `${path}/sshd_config`,
  ]);
  const hostKey = await Deno.readTextFile(`${path}/host.pub`);
  await Deno.writeTextFile(
    `${path}/known`,
    `[127.0.0.1]:${daemon.port} ${hostKey}`,
  );
  const sent = randomBytes(MIB);
  const { code, stdout, stderr } = await ssh([
    "-F",
    "none",
    "-p",
    String(daemon.port),
    "-i",
    `${path}/user`,
    "-o",
    "BatchMode=yes",
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    `UserKnownHostsFile=${path}/known`,
    "-o",
    "GlobalKnownHostsFile=none",
    `${account.name}@127.0.0.1`,
    SCRIPT,
  ], sent);
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(code, 7);
  const header = new TextDecoder().decode(stdout.subarray(0, 200));
  const [user = "", connection = ""] = header.split("\n");
  assertEquals(user, account.name);
  // The server found its client at the other end of its standard input.
  assertMatch(
    connection,
    new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${daemon.port}$`),
  );
  const rest = stdout.subarray(user.length + connection.length + 2);
  assertEquals(await sha256(rest), await sha256(sent));
});

/** Makes a key pair, PATH and PATH.pub. */
async function makeKey(path: string): Promise<void> {
  await output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path);
}

async function ssh(
  args: string[],
  input: Uint8Array<ArrayBuffer>,
): Promise<Deno.CommandOutput> {
  const child = new Deno.Command("ssh", {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const written = new Blob([input]).stream().pipeTo(child.stdin);
  const ended = await child.output();
  await written;
  return ended;
}
