import { assertEquals } from "@std/assert";
import { loadConfiguration } from "../../../lib/config/load_configuration.ts";
import { ANY_MACHINE, type Machine } from "../../../lib/config/machine.ts";

/** A machine with a name, and with a Postfix if that has a version. */
function machineOf(hostname: string, version?: string): Machine {
  return {
    ...ANY_MACHINE,
    hostname: () => hostname,
    mailVersion: () => version,
  };
}

/** `myhostname`, `mydomain` and `mail_version` by a main.cf. */
function values(main: string, machine: Machine): string[] {
  const { scope } = loadConfiguration(
    ".",
    (path) => new TextEncoder().encode(path === "./main.cf" ? main : ""),
    { machine },
  );
  return ["myhostname", "mydomain", "mail_version"].map((name) => {
    const expansion = scope.expanded(name);
    return expansion?.ok ? expansion.text : "?";
  });
}

Deno.test("a machine's name, domain and Postfix are what it says", () => {
  assertEquals(values("", machineOf("mx.example.com", "3.11.0")), [
    "mx.example.com",
    "example.com",
    "3.11.0",
  ]);
  assertEquals(values("", machineOf("mx")), [
    "mx.localdomain",
    "localdomain",
    "3.7.11",
  ]);
});

Deno.test("name and domain follow from each other as in Postfix", () => {
  const rows: Record<string, [hostname: string, domain: string]> = {
    "mydomain = d.e": ["vm.d.e", "d.e"],
    "myhostname = a.b.c": ["a.b.c", "b.c"],
    "myhostname = abc": ["abc", "localdomain"],
    "myhostname =": ["", "localdomain"],
    "mydomain =": ["vm.", ""],
    "myhostname = b\nmydomain = a": ["b", "a"],
    "myhostname = x.$mydomain": ["x.", ""],
    "myhostname = y.$mydomain\nmydomain = $myhostname": ["?", "?"],
  };
  for (const [main, expected] of Object.entries(rows)) {
    const [hostname, domain] = values(`${main}\n`, machineOf("vm"));
    assertEquals([hostname, domain], expected, main);
  }
});

Deno.test("the machine is not asked for what nobody uses", () => {
  const machine: Machine = {
    ...ANY_MACHINE,
    hostname: () => {
      throw new Error("asked");
    },
    mailVersion: () => {
      throw new Error("asked");
    },
    servicePort: () => {
      throw new Error("asked");
    },
  };
  const { problems } = loadConfiguration(
    ".",
    () => new TextEncoder().encode(""),
    { machine },
  );
  assertEquals(problems, []);
});
