import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { getent, getentAccounts } from "../../../lib/net/getent.ts";
import { Account, ONE_AT_A_TIME, output, rootTest } from "../../e2e/machine.ts";

Deno.test("getent() gives the lines of a database for a key", () => {
  const [line, ...others] = getent("passwd", "root");
  assertMatch(line ?? "", /^root:[^:]*:0:0:/);
  assertEquals(others, []);
});

Deno.test("getent() gives no lines for a key that is not there", () => {
  assertEquals(getent("passwd", "no-such-account"), []);
  assertEquals(getent("services", "no-such-service/tcp"), []);
});

Deno.test("getent() takes no key for an option, and the empty one for none", () => {
  for (const key of ["--version", "-s", "--help", ""]) {
    assertEquals(getent("passwd", key), []);
  }
});

Deno.test("getent() throws for a database that is none", () => {
  assertThrows(
    () => getent("no-such-database", "root"),
    Error,
    "cannot look up names with /usr/bin/getent: exit status 1 for no-such-database",
  );
});

Deno.test("getentAccounts finds the ids that id(1) shows", async () => {
  for (const name of ["root", "daemon", "nobody"]) {
    assertEquals(getentAccounts.findUser(name), {
      uid: Number(await output("id", "-u", name)),
      gid: Number(await output("id", "-g", name)),
    });
  }
  const [, , gid] = (await output("getent", "group", "daemon")).split(":");
  assertEquals(getentAccounts.findGroup("daemon"), Number(gid));
});

Deno.test("getentAccounts takes numbers and options for names that nobody has", () => {
  for (const name of ["0", "1", "-1", "--help", "", "no-such-account"]) {
    assertEquals(getentAccounts.findUser(name), undefined, name);
    assertEquals(getentAccounts.findGroup(name), undefined, name);
  }
});

rootTest(
  "getentAccounts finds a group that was made a moment ago",
  async () => {
    const name = `spawnd-${crypto.randomUUID().slice(0, 8)}`;
    await output(...ONE_AT_A_TIME, "groupadd", "--system", name);
    try {
      const [, , gid] = (await output("getent", "group", name)).split(":");
      assertEquals(getentAccounts.findGroup(name), Number(gid));
    } finally {
      await output(...ONE_AT_A_TIME, "groupdel", name);
    }
    assertEquals(getentAccounts.findGroup(name), undefined);
  },
);

Deno.test("getentAccounts finds what an account has to log in by", async () => {
  const [, , , , , home, shell] = (await output("getent", "passwd", "nobody"))
    .trim().split(":");
  assertEquals(getentAccounts.findLogin("nobody"), { home, shell });
  assertEquals(getentAccounts.findLogin("0"), undefined);
});

rootTest("getentAccounts finds the groups that id(1) shows", async () => {
  await using account = await Account.create("--groups", "users,games");
  const shown = (await output("id", "-G", account.name)).trim().split(" ");
  assertEquals(
    [...getentAccounts.groupsOf(account.name, account.gid)].sort(),
    shown.map(Number).sort(),
  );
});
