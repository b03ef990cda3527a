import { assertEquals } from "@std/assert";
import { freePort } from "../e2e/configuration.ts";
import { answerTo, HeldClients } from "../e2e/sources.ts";
import { Postfix, postfixTest } from "./postfix.ts";

postfixTest(
  "below master(8), -o says who may connect, and how much",
  async () => {
    const port = freePort();
    const line = (limit: number): string =>
      `127.0.0.1:${port} inet n n n - 20 spawnd
  -o { spawnd_clients = !127.0.0.3, 127.0.0.0/8 }
  -o spawnd_client_connection_count_limit=${limit}
  user=nobody argv=/bin/sh -c { echo hello; exec cat }
ours unix - n n - - spawnd -o spawnd_peer_users=root
  user=nobody argv=/bin/echo here
theirs unix - n n - - spawnd -o spawnd_peer_users=postfix
  user=nobody argv=/bin/echo here`;
    await using postfix = await Postfix.start(line(2));
    assertEquals(await postfix.ask("ours"), "here\n");
    assertEquals(await postfix.ask("theirs"), "");
    await postfix.logged(
      /refused unix:uid=0: in neither spawnd_peer_users nor spawnd_peer_groups/,
    );
    assertEquals(await answerTo("127.0.0.3", port), "");
    await postfix.logged(/refused 127\.0\.0\.3: not in spawnd_clients/);
    await using held = await HeldClients.connect("127.0.0.9", port, 5);
    assertEquals(held.served, 2);
    await using other = await HeldClients.connect("127.0.0.8", port, 5);
    assertEquals(other.served, 2);
    // The process goes on, as its commands run, and counts them.
    await postfix.setMasterCf(line(3));
    await postfix.control("reload");
    await postfix.logged(/the new configuration serves from now on/);
    await using more = await HeldClients.connect("127.0.0.9", port, 5);
    assertEquals(more.served, 1);
  },
);

postfixTest(
  "below master(8), a bad rule is told and serves nobody",
  async () => {
    await using postfix = await Postfix.start(
      `bad unix - n n - - spawnd -o spawnd_clients=localhost
  user=nobody argv=/bin/echo here`,
    );
    assertEquals(await postfix.ask("bad"), "");
    await postfix.logged(/fatal: spawnd_clients: bad network: localhost/);
  },
);
