/**
 * A Debian machine of the tests' own: the root that tests/debian/root.sh has
 * made, with a layer over it that goes with the test, and processes, mounts and
 * control groups of its own. The network is that of the test, so clients need
 * not be inside.
 *
 * @module
 */

import { programWords } from "../e2e/daemon.ts";
import { childrenOf, Folder, isAlive, output, until } from "../e2e/machine.ts";

/** The root, as the checkout has it. */
const LOWER = new URL("../../.cache/debian-root", import.meta.url).pathname;

/** What tests need to be there, for `peerTest`. */
export const DEBIAN_ROOT = `${LOWER}.packages`;

/** Where the program belongs. */
export const SBIN_SPAWND = "/usr/sbin/spawnd";

/** Systemd, with no more than what every service has. */
export const SYSTEMD = [
  "sh",
  "-c",
  "ln -sf /lib/systemd/system/basic.target /etc/systemd/system/default.target &&" +
  " exec /sbin/init",
] as const;

/** Lays the layer over the root, and enters a control group. */
const OUTSIDE = `set -e
folder=$0 lower=$1
shift
mount -t tmpfs -o mode=0755 tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root" "$folder/cgroup"
mount -t overlay overlay "$folder/root" \\
  -o "lowerdir=$lower,upperdir=$folder/upper,workdir=$folder/work"
mount -t cgroup2 cgroup2 "$folder/cgroup"
mkdir "$folder/cgroup/\${folder##*/}"
echo $$ >"$folder/cgroup/\${folder##*/}/cgroup.procs"
exec unshare --pid --fork --kill-child --cgroup --uts --ipc sh -c "$INSIDE" \\
  "$folder/root" "$@"
`;

/** Makes the root the root, with what a machine has, and becomes its init. */
const INSIDE = `set -e
cd "$0"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755 tmpfs run
mkdir run/lock
mount -t tmpfs -o mode=0755 tmpfs dev
mkdir dev/pts dev/shm
for name in null zero full random urandom tty; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
hostname tests
pivot_root . .
umount -l .
unset INSIDE
exec "$@"
`;

const ENVIRONMENT = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  DEBIAN_FRONTEND: "noninteractive",
  LC_ALL: "C.UTF-8",
  container: "tests",
};

/** A program that has ended in the machine. */
export interface Ran {
  readonly code: number;
  /** Both outputs. */
  readonly said: string;
}

/** The machine. Goes with the scope: `await using`. */
export class DebianMachine implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #child: Deno.ChildProcess;
  #init = 0;

  private constructor(folder: Folder, child: Deno.ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /**
   * Starts it.
   *
   * @param init What is its process 1.
   */
  static async start(init: readonly string[]): Promise<DebianMachine> {
    const folder = await Folder.create();
    const child = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation", "private"],
        ...["sh", "-c", OUTSIDE, folder.path, LOWER, ...init],
      ],
      clearEnv: true,
      env: { ...ENVIRONMENT, INSIDE },
      ...{ stdin: "null", stdout: "null" },
    }).spawn();
    const machine = new DebianMachine(folder, child);
    await until("the machine is there", async () => {
      const [first = 0] = await childrenOf(child.pid);
      machine.#init = first;
      return first !== 0 && await machine.#hasRoot();
    });
    return machine;
  }

  /** Starts it with systemd, and waits until that has come up. */
  static async boot(): Promise<DebianMachine> {
    const machine = await DebianMachine.start(SYSTEMD);
    await until("systemd is up", async () => {
      const { said } = await machine.run(
        "systemctl",
        "is-system-running",
        "--wait",
      );
      return /^(?:running|degraded)$/m.test(said);
    });
    return machine;
  }

  /** Whether its root is the root by now, and not ours. */
  async #hasRoot(): Promise<boolean> {
    const { said } = await this.run("stat", "-f", "-c", "%T", "/");
    return said === "overlayfs\n" &&
      (await this.run("test", "!", "-e", LOWER)).code === 0;
  }

  /** The process id of its init, as seen from outside. */
  get init(): number {
    return this.#init;
  }

  /** A path of the machine's, as seen from outside. */
  path(path: string): string {
    return `/proc/${this.#init}/root${path}`;
  }

  /** Runs a program in the machine, and tells how it went. */
  async run(...words: readonly string[]): Promise<Ran> {
    const { code, stdout, stderr } = await new Deno.Command("nsenter", {
      args: [
        ...["--target", String(this.#init)],
        ...["--mount", "--pid", "--cgroup", "--uts", "--ipc", "--root", "--wd"],
        ...words,
      ],
      clearEnv: true,
      env: ENVIRONMENT,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, said: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  /**
   * Runs a program that has to go well.
   *
   * @returns What it said.
   */
  async ok(...words: readonly string[]): Promise<string> {
    const { code, said } = await this.run(...words);
    if (code !== 0) throw new Error(`${words.join(" ")}: ${code}\n${said}`);
    return said;
  }

  /** Waits until the journal has a text of spawnd's. */
  async logged(text: string): Promise<void> {
    await until(`"${text}" is in the journal`, async () => {
      const words = ["--no-pager", "--unit=spawnd"];
      return (await this.ok("journalctl", ...words)).includes(text);
    });
  }

  /** Waits for the end of its init, and tells its exit code. */
  async ended(): Promise<number> {
    return (await this.#child.status).code;
  }

  /** Writes a file, and the folders that it is in. */
  async write(path: string, text: string, mode = 0o644): Promise<void> {
    const name = crypto.randomUUID();
    const file = await this.#folder.file(name, text, mode);
    await this.copy(file, path);
    await Deno.remove(file);
  }

  /** Copies a file or folder from outside. */
  async copy(from: string, to: string): Promise<void> {
    await this.ok("mkdir", "-p", to.replace(/\/[^/]*$/, "/"));
    await output("cp", "-RT", "--preserve=mode", from, this.path(to));
  }

  /** Puts the program where it belongs, and makes its owner's account. */
  async installProgram(): Promise<void> {
    const [binary = ""] = programWords();
    await this.copy(binary, SBIN_SPAWND);
    await this.ok("useradd", "--system", "spawnd");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await isAlive(this.#child.pid)) this.#child.kill("SIGKILL");
    await this.#child.status;
    await until("its processes are gone", async () => {
      return this.#init === 0 || !await isAlive(this.#init);
    });
    await removeGroups(this.#folder.path.replace(/.*\//, ""));
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Removes what control groups are left, the innermost first. */
async function removeGroups(name: string): Promise<void> {
  const script = `set -e
mount -t cgroup2 cgroup2 /mnt
find "/mnt/$0" -depth -type d -exec rmdir {} +`;
  await until("its control groups are gone", async () => {
    const { success } = await new Deno.Command("unshare", {
      args: ["--mount", "--propagation", "private", "sh", "-c", script, name],
      stderr: "null",
    }).output();
    return success;
  });
}
