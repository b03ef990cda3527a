import { assertEquals } from "@std/assert";
import manifest from "../../../../deno.json" with { type: "json" };
import { reportOf } from "../../fixture.ts";

const HEAD = `spawnd ${manifest.version} (revision source, ` +
  `Deno ${Deno.version.deno}, engine `;

Deno.test("versionLine() names version, revision, runtime and engine", async () => {
  assertEquals(await reportOf("version.ts"), `${HEAD}direct)`);
});

Deno.test("versionLine() tells why the direct engine would not be used", async () => {
  assertEquals(
    await reportOf("version.ts", { allow: [] }),
    `${HEAD}relay: no permission for FFI on the C library's path)`,
  );
});
