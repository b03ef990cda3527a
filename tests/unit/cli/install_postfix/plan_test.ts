import { assertEquals } from "@std/assert";
import {
  isOnlySwitched,
  type PlanContext,
  planEntries,
  selectPlans,
} from "../../../../lib/cli/install_postfix/plan.ts";
import type { Configuration } from "../../../../lib/config/configuration.ts";
import { loadConfiguration } from "../../../../lib/config/load_configuration.ts";
import { parseMasterCf } from "../../../../lib/config/master_cf.ts";
import { bytesOf } from "../../../../lib/posix/byte_text.ts";

const ACCOUNTS = new Map([
  ["nobody", { uid: 65534, gid: 65534 }],
  ["postfix", { uid: 100, gid: 100 }],
  ["root", { uid: 0, gid: 0 }],
]);

const FIELDS = "policy unix - n n - -";

function configurationOf(masterCf: string): Configuration {
  return loadConfiguration(
    "/etc/postfix",
    (path) => bytesOf(path.endsWith("/master.cf") ? masterCf : ""),
  );
}

function contextOf(commands: Record<string, string>): PlanContext {
  return {
    accounts: {
      findUser: (name) => ACCOUNTS.get(name),
      findGroup: () => undefined,
      findLogin: () => undefined,
      groupsOf: (_name, gid) => [gid],
    },
    owner: ACCOUNTS.get("postfix"),
    lines: new Map(
      Object.entries(commands).map(([service, command]) => [
        service,
        { fields: FIELDS, command },
      ]),
    ),
  };
}

/** What becomes of one entry, as postconf shows its command. */
function planOf(
  masterCf: string,
  command = "spawn user=nobody argv=/bin/cat",
): unknown {
  const context = contextOf({ "policy/unix": command });
  return planEntries(configurationOf(masterCf), context)
    .map((plan) => plan.kind === "left" ? plan.text : plan)[0];
}

const SWITCH = {
  kind: "switch",
  service: "policy/unix",
  fields: FIELDS,
  before: "spawn user=nobody argv=/bin/cat",
  after: "spawnd user=nobody argv=/bin/cat",
};

Deno.test("planEntries() changes the program and nothing else", () => {
  assertEquals(
    planOf("policy unix - n n - - spawn\n  user=nobody argv=/bin/cat"),
    SWITCH,
  );
});

Deno.test("planEntries() leaves other programs out", () => {
  const configuration = configurationOf(
    `smtp inet n - y - - smtpd
spawner unix - n n - - spawner user=nobody argv=/bin/cat
policy unix - n n - - spawnd user=nobody argv=/bin/cat`,
  );
  assertEquals(planEntries(configuration, contextOf({})), [
    { kind: "in place", service: "policy/unix" },
  ]);
});

Deno.test("planEntries() takes braces and options as they are meant", () => {
  const after =
    "spawnd -v -o {a=b c} -o max_use=2 user=nobody argv=/bin/sh -c {a  b} {{c} d}";
  assertEquals(
    planOf(
      `policy unix - n n - - spawn -v -o { a = b c } -o max_use=2
  user=nobody argv=/bin/sh
# a comment
  -c { a  b } { {c} d }`,
      after.replace("spawnd", "spawn"),
    ),
    { ...SWITCH, before: after.replace("spawnd", "spawn"), after },
  );
});

Deno.test("planEntries() leaves an entry that postconf would damage", () => {
  // An empty argument is lost in what postconf writes.
  assertEquals(
    planOf(
      "policy unix - n n - - spawn user=nobody argv=/bin/echo { } x",
      "spawn user=nobody argv=/bin/echo  x",
    ),
    "postconf would change its arguments",
  );
});

Deno.test("planEntries() leaves entries that postconf cannot tell apart", () => {
  assertEquals(
    planOf(`policy unix y n n - - spawn user=nobody argv=/bin/cat
policy unix n n n - - spawn user=nobody argv=/bin/true`),
    "postconf would make all entries of that name and type alike",
  );
});

for (const name of ["a/b", "*", "-x", "a=b"]) {
  Deno.test(`planEntries() leaves a service that postconf cannot name: ${name}`, () => {
    assertEquals(
      planOf(`${name} unix - n n - - spawn user=nobody argv=/bin/cat`),
      "postconf cannot edit a service of that name",
    );
  });
}

Deno.test("planEntries() leaves a service with words that are no UTF-8", () => {
  assertEquals(
    planOf(
      "policy unix - n n - - spawn user=nobody argv=/bin/cat \udcff",
    ),
    "not UTF-8: \udcff",
  );
});

Deno.test("planEntries() takes a service with chroot as any other", () => {
  for (const chroot of ["y", "-"]) {
    assertEquals(
      planOf(`policy unix - n ${chroot} - - spawn user=nobody argv=/bin/cat`),
      SWITCH,
    );
  }
});

for (
  const [words, text] of [
    ["n n - - spawn user=root argv=/bin/cat", "request to deliver as root"],
    ["n n - - spawn user=nosuch argv=/bin/cat", "unknown user name: nosuch"],
    [
      "n n - - spawn user=postfix argv=/bin/cat",
      "request to deliver as mail system owner",
    ],
    [
      "- n - - spawn user=nobody argv=/bin/cat",
      "service policy requires privileged operation",
    ],
  ]
) {
  Deno.test(`planEntries() leaves what spawnd refuses: ${text}`, () => {
    assertEquals(planOf(`policy unix - ${words}`), text);
    assertEquals(
      planOf(`policy unix - ${words?.replace("spawn", "spawnd")}`),
      text,
    );
  });
}

Deno.test("selectPlans() takes all plans, or those that were named", () => {
  const configuration = configurationOf(
    `one unix - n n - - spawnd user=nobody argv=/bin/cat
two unix - n n - - spawnd user=nobody argv=/bin/cat`,
  );
  const plans = planEntries(configuration, contextOf({}));
  const services = (names: string[]): unknown => {
    const selected = selectPlans(plans, names, configuration);
    return selected.ok && selected.value.map(({ service }) => service);
  };
  assertEquals(services([]), ["one/unix", "two/unix"]);
  assertEquals(services(["two/unix"]), ["two/unix"]);
});

Deno.test("selectPlans() tells what a service is, and which was meant", () => {
  const configuration = configurationOf(
    `smtp inet n - y - - smtpd
policy unix - n n - - spawn user=nobody argv=/bin/cat`,
  );
  const plans = planEntries(configuration, contextOf({}));
  const mistake = (name: string): unknown => {
    const selected = selectPlans(plans, [name], configuration);
    return !selected.ok && [selected.mistake.text, selected.mistake.mend];
  };
  assertEquals(mistake("polcy/unix"), [
    "no such service in /etc/postfix/master.cf: polcy/unix",
    "did you mean policy/unix?",
  ]);
  assertEquals(mistake("smtp/inet"), [
    "smtp/inet runs smtpd, not spawn",
    "those that run spawn: policy/unix",
  ]);
});

Deno.test("isOnlySwitched() sees every other change", () => {
  const before = `policy unix - n n - 3 spawn user=nobody argv=/bin/cat
smtp inet n - y - - smtpd -o a=b`;
  const isOnly = (after: string): boolean =>
    isOnlySwitched(parseMasterCf("", before), parseMasterCf("", after), [
      "policy/unix",
    ]);
  const after = before.replace("spawn", "spawnd");
  assertEquals(isOnly(after), true);
  assertEquals(isOnly(after.replace("unix - n", "unix  -  n")), true);
  for (
    const [from, to] of [
      ["3 spawnd", "4 spawnd"],
      ["/bin/cat", "/bin/true"],
      ["smtpd", "smtp"],
      ["a=b", "a=c"],
      ["smtp inet", "smtps inet"],
      ["\nsmtp", "\n#smtp"],
    ] as const
  ) {
    assertEquals(isOnly(after.replace(from, to)), false, to);
  }
});
