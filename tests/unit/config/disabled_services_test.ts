import { assertEquals } from "@std/assert";
import { parseDisabled } from "../../../lib/config/disabled_services.ts";

const SERVICES = ["24/inet", "127.0.0.1:26/inet", "x/unix", "a.b/unix"];

/** Which services a list disables. */
function disabled(list: string): string[] {
  const isDisabled = parseDisabled(list);
  return SERVICES.filter((service) => {
    const [name = "", type = ""] = service.split("/");
    return isDisabled(name, type);
  });
}

Deno.test("parseDisabled() takes types, names with types, and the older form", () => {
  const rows: Record<string, string[]> = {
    "": [],
    "inet": ["24/inet", "127.0.0.1:26/inet"],
    "INET": ["24/inet", "127.0.0.1:26/inet"],
    "24/inet": ["24/inet"],
    "127.0.0.1:26.inet, X/Unix": ["127.0.0.1:26/inet", "x/unix"],
    "a.b.unix": ["a.b/unix"],
    "unix": ["x/unix", "a.b/unix"],
    "/inet": [],
    "inet/24": [],
    "*": [],
  };
  for (const [list, expected] of Object.entries(rows)) {
    assertEquals(disabled(list), expected, list);
  }
});

Deno.test("parseDisabled() has the first match count, and ! turn it round", () => {
  assertEquals(disabled("!24/inet inet"), ["127.0.0.1:26/inet"]);
  assertEquals(disabled("inet !24/inet"), ["24/inet", "127.0.0.1:26/inet"]);
  assertEquals(disabled("!inet"), []);
  assertEquals(disabled("!!inet"), ["24/inet", "127.0.0.1:26/inet"]);
});
