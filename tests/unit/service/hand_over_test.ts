import { assertMatch } from "@std/assert";
import { ALLOW_LIBC, Fixture } from "../fixture.ts";

const ALLOW = [...ALLOW_LIBC, "--allow-net", "--allow-env", "--allow-read"];

Deno.test("a hand-over starts the program anew, with its words and its sockets", async () => {
  await using fixture = new Fixture("hand_over.ts", {
    args: ["serve"],
    allow: ALLOW,
  });
  const address = await fixture.line();
  await fixture.tell("reload");
  assertMatch(await fixture.line(), new RegExp(`^took ${address} over$`));
  assertMatch(
    await fixture.line(),
    /^process id \d+ serves from now on$/,
  );
  assertMatch(await fixture.line(), /^handed over$/);
});

Deno.test("a hand-over to a successor that ends leaves the daemon as it is", async () => {
  await using fixture = new Fixture("hand_over.ts", {
    args: ["fail"],
    allow: ALLOW,
  });
  await fixture.line();
  await fixture.tell("reload");
  assertMatch(
    await fixture.line(),
    /^the new configuration was not taken, see the log of process id \d+; the old one goes on$/,
  );
  assertMatch(await fixture.line(), /^goes on$/);
});
