import { assertEquals } from "@std/assert";
import {
  findGroup,
  findGroups,
  findLogin,
  findUser,
} from "../../../lib/posix/accounts.ts";
import { Account, ONE_AT_A_TIME, output, rootTest } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";

Deno.test("findUser() gives root, daemon and nobody the ids that id(1) shows", async () => {
  for (const name of ["root", "daemon", "nobody"]) {
    assertEquals(findUser(libc, name), {
      uid: Number(await output("id", "-u", name)),
      gid: Number(await output("id", "-g", name)),
    });
  }
});

Deno.test("findGroup() gives root, daemon and nogroup the ids that getent(1) shows", async () => {
  for (const name of ["root", "daemon", "nogroup"]) {
    const [, , gid] = (await output("getent", "group", name)).split(":");
    assertEquals(findGroup(libc, name), Number(gid));
  }
});

Deno.test("findUser() and findGroup() find nobody by a name that nobody has", () => {
  for (const name of ["no-such-account", "", "Root", " root", "root "]) {
    assertEquals(findUser(libc, name), undefined);
    assertEquals(findGroup(libc, name), undefined);
  }
});

Deno.test("findUser() and findGroup() take numbers for names", () => {
  assertEquals(findUser(libc, "0"), undefined);
  assertEquals(findGroup(libc, "0"), undefined);
});

rootTest("findGroup() finds a group with very many members", async () => {
  const name = `spawnd-${crypto.randomUUID().slice(0, 8)}`;
  await output(...ONE_AT_A_TIME, "groupadd", "--system", name);
  try {
    // Some 20 KB of names, and a pointer for each: more than two buffers' worth.
    const members = Array.from({ length: 3000 }, () => "daemon").join(",");
    await output("gpasswd", "--members", members, name);
    const [, , gid, found] = (await output("getent", "group", name)).split(":");
    assertEquals(found?.trim(), members);
    assertEquals(findGroup(libc, name), Number(gid));
  } finally {
    await output(...ONE_AT_A_TIME, "groupdel", name);
  }
});

Deno.test("findLogin() gives the home directory and the shell that getent(1) shows", async () => {
  for (const name of ["root", "daemon", "nobody"]) {
    const [, , , , , home, shell] = (await output("getent", "passwd", name))
      .trim().split(":");
    assertEquals(findLogin(libc, name), { home, shell });
  }
  assertEquals(findLogin(libc, "no-such-account"), undefined);
});

rootTest("findGroups() gives the groups that id(1) shows", async () => {
  await using account = await Account.create("--groups", "users,games");
  const { name, gid } = account;
  const shown = (await output("id", "-G", name)).trim().split(" ");
  assertEquals(
    [...findGroups(libc, name, gid)].sort(),
    shown.map(Number).sort(),
  );
  assertEquals(findGroups(libc, "no-such-account", 7), [7]);
});
