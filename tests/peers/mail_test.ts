import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../e2e/configuration.ts";
import { writeAll } from "../e2e/daemon.ts";
import { readBytes } from "../e2e/load.ts";
import {
  childrenOf,
  output,
  proc,
  statusFields,
  until,
} from "../e2e/machine.ts";
import { Postfix, postfixTest } from "./postfix.ts";

const SWAKS = "/usr/bin/swaks";
const SPF = "/usr/sbin/postfix-policyd-spf-perl";

/** What Postfix needs to take mail and to deliver it to one mailbox. */
const MAIL_SYSTEM = `cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap`;

/** Answers by recipient, and records who answered whom. */
function policyServer(record: string): string {
  return `#!/bin/sh
while IFS= read -r line; do
  case $line in
    recipient=*) recipient=\${line#recipient=} ;;
    ?*) ;;
    *)
      echo "$$ $(id -un) $recipient" >>${record}
      case $recipient in
        refused@*) echo 'action=REJECT not at this hour' ;;
        later@*) echo 'action=DEFER_IF_PERMIT come again' ;;
        stuck@*) sleep 60 ;;
        *) echo 'action=DUNNO' ;;
      esac
      echo ;;
  esac
done
`;
}

/** A mail system with a policy service. Goes with the scope: `await using`. */
class MailSystem implements AsyncDisposable {
  private constructor(readonly postfix: Postfix, readonly port: number) {}

  /**
   * Starts it.
   *
   * @param policy The policy service's attributes, once its folder is there.
   * @param mainCf Lines of its main.cf, beside those for mail.
   */
  static async start(
    policy: (postfix: Postfix) => Promise<string>,
    mainCf = "",
  ): Promise<MailSystem> {
    const port = freePort();
    const uid = (await output("id", "-u", "nobody")).trim();
    const postfix = await Postfix.start(
      "",
      `mydestination =
virtual_mailbox_domains = test.example
virtual_mailbox_base = $config_directory/../mail
virtual_mailbox_maps = static:box/
virtual_minimum_uid = 1
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${uid}
smtpd_recipient_restrictions =
    reject_unauth_destination, check_policy_service unix:private/policy
${mainCf}`,
    );
    await Deno.mkdir(postfix.join("mail"));
    await output("chown", "nobody", postfix.join("mail"));
    await postfix.setMasterCf(
      `127.0.0.1:${port} inet n - n - - smtpd
${MAIL_SYSTEM}
policy unix - n n - 0 spawnd ${await policy(postfix)}`,
    );
    await postfix.control("reload");
    // It listens when master has got round to it.
    (await postfix.connect(`127.0.0.1:${port}`)).close();
    return new MailSystem(postfix, port);
  }

  /** Starts one with {@linkcode policyServer}, run by nobody. */
  static async startWithServer(mainCf = ""): Promise<MailSystem> {
    return await MailSystem.start(async (postfix) => {
      const record = await postfix.file("record", "", 0o666);
      const text = policyServer(record);
      const script = await postfix.file("policy-server", text, 0o755);
      return `user=nobody argv=${script}`;
    }, mainCf);
  }

  /** Sends one mail by swaks. */
  async send(recipient: string): Promise<{ code: number; session: string }> {
    const { code, stdout } = await new Deno.Command(SWAKS, {
      args: [
        ...["--server", "127.0.0.1", "--port", `${this.port}`],
        ...["--helo", "client.example", "--from", "sender@client.example"],
        ...["--to", recipient, "--header", `Subject: to ${recipient}`],
      ],
    }).output();
    return { code, session: new TextDecoder().decode(stdout) };
  }

  /** The mails in the mailbox. */
  async mails(): Promise<string[]> {
    const folder = this.postfix.join("mail/box/new");
    try {
      return await Promise.all(
        Array.from(Deno.readDirSync(folder))
          .map(({ name }) => Deno.readTextFile(`${folder}/${name}`)),
      );
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** What the policy server recorded: process id, user and recipient. */
  async record(): Promise<string[][]> {
    const text = await Deno.readTextFile(this.postfix.join("record"));
    return text.trim().split("\n").map((line) => line.split(" "));
  }

  /** The commands of the policy service that run. */
  async policyProcesses(): Promise<number[]> {
    const daemons = await this.postfix.daemons("policy");
    return (await Promise.all(daemons.map(childrenOf))).flat();
  }

  /** What the daemons and Postfix's SMTP server have logged as wrong. */
  async warnings(): Promise<string[]> {
    return (await this.postfix.log()).split("\n")
      .filter((line) => /(?:spawnd|smtpd)\[\d+\]: [a-z]+: /.test(line))
      .map((line) => line.replace(/^.*?\]: /, "").replace(/ \d+:/, " PID:"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.postfix[Symbol.asyncDispose]();
  }
}

/** An SMTP session that stays. Goes with the scope: `using`. */
class SmtpSession implements Disposable {
  private constructor(readonly connection: Deno.Conn) {}

  static async start(port: number): Promise<SmtpSession> {
    const session = new SmtpSession(
      await Deno.connect({ hostname: "127.0.0.1", port }),
    );
    assertMatch(await session.reply(), /^220 /);
    assertMatch(await session.say("HELO client.example"), /^250 /);
    return session;
  }

  /** Gives a command and waits for its reply. */
  async say(line: string): Promise<string> {
    await writeAll(this.connection, new TextEncoder().encode(`${line}\r\n`));
    return await this.reply();
  }

  /** Gives the commands of a mail, until one is refused. */
  async mail(recipient: string): Promise<string> {
    assertMatch(await this.say("MAIL FROM:<sender@client.example>"), /^250 /);
    const reply = await this.say(`RCPT TO:<${recipient}>`);
    if (!reply.startsWith("250 ")) {
      assertMatch(await this.say("RSET"), /^250 /);
      return reply;
    }
    assertMatch(await this.say("DATA"), /^354 /);
    return await this.say(`Subject: to ${recipient}\r\n\r\nhello\r\n.`);
  }

  async reply(): Promise<string> {
    let text = "";
    while (!text.endsWith("\r\n")) text += await readBytes(this.connection, 1);
    return text.trimEnd();
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

/** A test that sends mail. */
function mailTest(name: string, fn: () => Promise<void>): void {
  postfixTest(name, fn, { others: [SWAKS] });
}

mailTest(
  "mail is taken, refused and put off as a policy server says",
  async () => {
    await using system = await MailSystem.startWithServer();
    const taken = await system.send("welcome@test.example");
    assertEquals(taken.code, 0, taken.session);
    assertMatch(taken.session, /^<- {2}250 2\.0\.0 Ok: queued as \w+$/m);

    const refused = await system.send("refused@test.example");
    assertEquals(refused.code, 24, refused.session); // no recipient was taken
    assertMatch(
      refused.session,
      /^<\*\* 554 5\.7\.1 <refused@test\.example>: Recipient address rejected: not at this hour$/m,
    );

    const putOff = await system.send("later@test.example");
    assertEquals(putOff.code, 24, putOff.session);
    assertMatch(
      putOff.session,
      /^<\*\* 450 4\.7\.1 <later@test\.example>: Recipient address rejected: come again$/m,
    );

    await until("the mail is delivered", async () => {
      return (await system.mails()).length === 1;
    });
    assertMatch(
      (await system.mails()).join(),
      /^Subject: to welcome@test\.example$/m,
    );
    assertEquals(
      (await system.record()).map(([_, ...rest]) => rest.join(" ")),
      [
        "nobody welcome@test.example",
        "nobody refused@test.example",
        "nobody later@test.example",
      ],
    );
    assertEquals(await system.warnings(), []);
  },
);

mailTest("all mails of a session share one policy connection", async () => {
  await using system = await MailSystem.startWithServer();
  using session = await SmtpSession.start(system.port);
  const recipients = ["welcome", "refused", "later", "welcome", "welcome"];
  const replies: string[] = [];
  for (const name of recipients) {
    replies.push((await session.mail(`${name}@test.example`)).slice(0, 3));
  }
  assertEquals(replies, ["250", "554", "450", "250", "250"]);
  const record = await system.record();
  assertEquals(record.length, recipients.length);
  const [pid, ...others] = new Set(record.map(([pid]) => Number(pid)));
  assertEquals(others, []);
  assertEquals(await system.policyProcesses(), [pid]);
  const { uid, gid } = await idsOf("nobody");
  const status = statusFields(await proc(`${pid}/status`));
  assertEquals(status.get("Uid"), Array(4).fill(uid).join(" "));
  assertEquals(status.get("Gid"), Array(4).fill(gid).join(" "));
  await until("the mails are delivered", async () => {
    return (await system.mails()).length === 3;
  });
  assertEquals(await system.warnings(), []);
});

async function idsOf(user: string): Promise<{ uid: string; gid: string }> {
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map((option) => output("id", option, user)),
  );
  return { uid: uid?.trim() ?? "", gid: gid?.trim() ?? "" };
}

mailTest(
  "mail flows on after a policy server's time is up",
  async () => {
    await using system = await MailSystem.startWithServer(
      "policy_time_limit = 3s",
    );
    using session = await SmtpSession.start(system.port);
    assertMatch(await session.mail("first@test.example"), /^250 /);
    await system.postfix.logged(/policy-server killed by signal 9$/m);
    assertEquals(await system.policyProcesses(), []);
    // Postfix sees that its connection has ended, and makes another.
    assertMatch(await session.mail("second@test.example"), /^250 /);
    const [[first], [second]] = await system.record() as [string[], string[]];
    assert(first !== second, `${first}`);
    const server = system.postfix.join("policy-server");
    assertEquals((await system.warnings()).slice(0, 2), [
      `warning: ${server}: process id PID: command time limit exceeded`,
      `warning: command ${server} killed by signal 9`,
    ]);
    const said = (await system.warnings()).filter((text) =>
      !text.includes(server)
    );
    assertEquals(said, []);
  },
);

mailTest(
  "a policy server that is stuck costs a mail, and no other",
  async () => {
    await using system = await MailSystem.startWithServer(
      `policy_time_limit = 3s
smtpd_policy_service_retry_delay = 1s`,
    );
    using stuck = await SmtpSession.start(system.port);
    using other = await SmtpSession.start(system.port);
    const refusal = stuck.mail("stuck@test.example");
    await system.postfix.logged(/command time limit exceeded/);
    assertMatch(await other.mail("welcome@test.example"), /^250 /);
    assertMatch(await refusal, /^451 4\.3\.5 /);
    assertMatch(await stuck.mail("welcome@test.example"), /^250 /);
  },
);

postfixTest(
  "Debian's SPF policy server marks the mail that passes it",
  async () => {
    await using system = await MailSystem.start(() => {
      return Promise.resolve(`user=policyd-spf argv=${SPF}`);
    });
    const { code, session } = await system.send("welcome@test.example");
    assertEquals(code, 0, session);
    const [pid] = await system.policyProcesses();
    const { uid } = await idsOf("policyd-spf");
    assertEquals(
      statusFields(await proc(`${pid}/status`)).get("Uid"),
      Array(4).fill(uid).join(" "),
    );
    await until("the mail is delivered", async () => {
      return (await system.mails()).length === 1;
    });
    assertMatch(
      (await system.mails()).join(),
      /^Authentication-Results: \S+; none \(SPF not checked for localhost\)$/m,
    );
    assertEquals(await system.warnings(), []);
  },
  { others: [SPF, SWAKS] },
);
