import { assertEquals } from "@std/assert";
import { editMasterCf } from "../../../../lib/cli/install_postfix/entries.ts";
import { Postconf } from "../../../../lib/cli/install_postfix/postconf.ts";
import { loadConfiguration } from "../../../../lib/config/load_configuration.ts";
import { Scratch } from "../../scratch.ts";

const MASTER_CF = `# Asked by smtpd.
policy unix - n n - 3 spawn user=nobody argv=/bin/cat
smtp inet n - y - - smtpd
`;

const EDIT = {
  service: "policy/unix",
  fields: "policy unix - n n - 3",
  command: "spawnd user=nobody argv=/bin/cat",
};

/** What an edit comes to with a postconf that does what a script says. */
function edit(script: string): { result: unknown; masterCf: string } {
  using scratch = new Scratch();
  const { folder } = scratch;
  scratch.file("main.cf");
  const file = scratch.file("master.cf", MASTER_CF, 0o640);
  const program = scratch.file(
    "postconf",
    `#!/bin/sh
PATH=/usr/bin:/bin
cd ${folder}
case $3 in
-M) grep -v '^#' master.cf ;;
-Me) ${script} ;;
esac
`,
    0o755,
  );
  const postconf = Postconf.find(folder, [program]);
  if (!postconf.ok) throw new Error(postconf.mistake.text);
  const configuration = loadConfiguration(folder, Deno.readFileSync);
  const result = editMasterCf({ configuration, postconf: postconf.value }, [
    EDIT,
  ]);
  assertEquals((Deno.statSync(file).mode ?? 0) & 0o7777, 0o640);
  return {
    result: result.ok || result.mistake.text.replaceAll(folder, ""),
    masterCf: Deno.readTextFileSync(file),
  };
}

Deno.test("editMasterCf() keeps the mode that an edit changes", () => {
  assertEquals(edit(`sed -i 's/ spawn / spawnd /' master.cf; chmod 600 *.cf`), {
    result: true,
    masterCf: MASTER_CF.replace(" spawn ", " spawnd "),
  });
});

for (
  const [what, script, text] of [
    [
      "does nothing",
      ":",
      "postconf did not do what was asked: /master.cf is put back",
    ],
    [
      "changes another entry as well",
      "sed -i 's/ spawn / spawnd /; s/smtpd/smtp/' master.cf",
      "postconf did not do what was asked: /master.cf is put back",
    ],
    [
      "leaves half a file",
      "echo half >master.cf; echo postconf: fatal: no space >&2; exit 1",
      "postconf: fatal: no space",
    ],
    ["dies", "rm master.cf; kill -SEGV $$", "/postconf -Me failed"],
  ] as const
) {
  Deno.test(`editMasterCf() puts master.cf back where postconf ${what}`, () => {
    assertEquals(edit(script), { result: text, masterCf: MASTER_CF });
  });
}
