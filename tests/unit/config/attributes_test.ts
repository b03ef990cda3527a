import { assertEquals } from "@std/assert";
import {
  type Accounts,
  type CommandAttributes,
  parseAttributes,
} from "../../../lib/config/attributes.ts";
import { EX, formatMistake, type Mistake } from "../../../lib/result.ts";

const USERS = new Map([
  ["root", { uid: 0, gid: 0 }],
  ["toor", { uid: 0, gid: 1000 }],
  ["alice", { uid: 1000, gid: 1000 }],
  ["operator", { uid: 1001, gid: 0 }],
  ["postfix", { uid: 105, gid: 114 }],
  ["postman", { uid: 1002, gid: 114 }],
  ["none", { uid: 0xffffffff, gid: 1000 }],
  ["groupless", { uid: 1003, gid: 0xffffffff }],
]);

const GROUPS = new Map([
  ["root", 0],
  ["users", 100],
  ["postfix", 114],
  ["nogid", 0xffffffff],
]);

const accounts: Accounts = {
  findUser: (name) => USERS.get(name),
  findGroup: (name) => GROUPS.get(name),
  findLogin: () => undefined,
  groupsOf: (_name, gid) => [gid],
};

const owner = { uid: 105, gid: 114 };

function parsed(...words: string[]): CommandAttributes {
  const result = parseAttributes(words, { accounts, owner });
  if (!result.ok) throw new Error(formatMistake(result.mistake));
  return result.value;
}

function refusal(...words: string[]): Mistake {
  const result = parseAttributes(words, { accounts, owner });
  if (result.ok) throw new Error(`taken: ${words.join(" ")}`);
  return result.mistake;
}

Deno.test("parseAttributes() finds user= where it is the command's", () => {
  const result = parseAttributes(["argv=/bin/cat", "user=alice"], {
    accounts,
    owner: undefined,
  });
  assertEquals(
    result.ok || result.mistake.mend,
    "write user= before argv=: what stands behind is the command's",
  );
});

Deno.test("parseAttributes() takes a user and a command", () => {
  assertEquals(parsed("user=alice", "argv=/bin/cat"), {
    identity: { uid: 1000, gid: 1000 },
    userName: "alice",
    argv: ["/bin/cat"],
  });
});

Deno.test("parseAttributes() takes a group in the place of the user's own", () => {
  const { identity } = parsed("user=alice:users", "argv=/bin/cat");
  assertEquals(identity, { uid: 1000, gid: 100 });
});

Deno.test("parseAttributes() takes an empty group for the user's own", () => {
  const { identity, userName } = parsed("user=alice:", "argv=/bin/cat");
  assertEquals(identity, { uid: 1000, gid: 1000 });
  assertEquals(userName, "alice");
});

Deno.test("parseAttributes() takes names of attributes without regard to case", () => {
  assertEquals(parsed("USER=alice", "Argv=/bin/cat").argv, ["/bin/cat"]);
  assertEquals(parsed("uSeR=alice", "ARGV=/bin/Cat").argv, ["/bin/Cat"]);
});

Deno.test("parseAttributes() has the last user count, group and all", () => {
  const { identity, userName } = parsed(
    "user=postfix:users",
    "user=alice",
    "argv=/bin/cat",
  );
  assertEquals(identity, { uid: 1000, gid: 1000 });
  assertEquals(userName, "alice");
});

Deno.test("parseAttributes() gives all words after argv= to the command", () => {
  assertEquals(
    parsed("user=alice", "argv=/bin/a=b", "user=root", "argv=c", "", "-v").argv,
    ["/bin/a=b", "user=root", "argv=c", "", "-v"],
  );
});

Deno.test("parseAttributes() knows no user before argv= who stands after it", () => {
  assertEquals(
    refusal("argv=/bin/cat", "user=alice").text,
    "missing user= attribute",
  );
});

// In the order in which they are checked: each line is wrong in all that is
// checked later, too, as far as that can be.
const REFUSALS: [words: string, text: string, exitCode: number][] = [
  ["user=nobody", "unknown user name: nobody", EX.NOUSER],
  ["user=1000 argv=/bin/cat", "unknown user name: 1000", EX.NOUSER],
  ["user= argv=/bin/cat", "unknown user name: ", EX.NOUSER],
  ["user=Alice argv=/bin/cat", "unknown user name: Alice", EX.NOUSER],
  ["user=nobody:nobody size=3", "unknown user name: nobody", EX.NOUSER],
  ["user=alice:nobody size=3", "unknown group name: nobody", EX.NOUSER],
  ["user=alice:100 argv=/bin/cat", "unknown group name: 100", EX.NOUSER],
  ["user=alice:users:x size=3", "unknown group name: users:x", EX.NOUSER],
  ["user=root size=3", "unknown attribute name: size=3", EX.USAGE],
  ["size=3 user=nobody", "unknown attribute name: size=3", EX.USAGE],
  ["user", "unknown attribute name: user", EX.USAGE],
  ["username=alice", "unknown attribute name: username=alice", EX.USAGE],
  ["/bin/cat", "unknown attribute name: /bin/cat", EX.USAGE],
  ["", "missing user= attribute", EX.USAGE],
  ["argv=", "missing user= attribute", EX.USAGE],
  ["user=root", "missing argv= attribute", EX.USAGE],
  ["user=root argv=", "missing argv= attribute", EX.USAGE],
  ["user=root argv=x", "request to deliver as root", EX.CONFIG],
  ["user=toor argv=x", "request to deliver as root", EX.CONFIG],
  [
    "user=postfix:root argv=x",
    "request to deliver as mail system owner",
    EX.CONFIG,
  ],
  [
    "user=operator argv=x",
    "request to use privileged group id 0",
    EX.CONFIG,
  ],
  [
    "user=none:root argv=x",
    "request to use privileged group id 0",
    EX.CONFIG,
  ],
  [
    "user=postman argv=x",
    "request to use mail system owner group id 114",
    EX.CONFIG,
  ],
  [
    "user=none:postfix argv=x",
    "request to use mail system owner group id 114",
    EX.CONFIG,
  ],
  ["user=none:nogid argv=x", "user must not have user ID -1", EX.CONFIG],
  ["user=none argv=x", "user must not have user ID -1", EX.CONFIG],
  ["user=groupless argv=x", "user must not have group ID -1", EX.CONFIG],
  ["user=alice:nogid argv=x", "user must not have group ID -1", EX.CONFIG],
];

for (const [words, text, exitCode] of REFUSALS) {
  Deno.test(`parseAttributes() refuses "${words}": ${text}`, () => {
    const mistake = refusal(...words.split(" ").filter((word) => word));
    assertEquals([mistake.text, mistake.exitCode], [text, exitCode]);
  });
}

Deno.test("parseAttributes() tells that a number is no name", () => {
  assertEquals(
    refusal("user=1000", "argv=/bin/cat").mend,
    "accounts are given by name, not by number",
  );
  assertEquals(refusal("user=nobody", "argv=/bin/cat").mend, undefined);
});

Deno.test("parseAttributes() refuses the owner's ids only where there is an owner", () => {
  const result = parseAttributes(["user=postfix", "argv=/bin/cat"], {
    accounts,
    owner: undefined,
  });
  assertEquals(result.ok && result.value.identity, { uid: 105, gid: 114 });
});
