import { assertEquals } from "@std/assert";
import type { CheckedService } from "../../../../lib/config/services.ts";
import type { Endpoint } from "../../../../lib/cli/inspect/inspected_service.ts";
import { reportSharedAddresses } from "../../../../lib/cli/inspect/shared_addresses.ts";

/** What is told of services with an endpoint each, in lines 1, 2 and so on. */
function told(...endpoints: Endpoint[]): string[] {
  const problems: string[] = [];
  reportSharedAddresses(
    endpoints.map((endpoint, index) => {
      const place = { file: "f", line: index + 1, column: 1, length: 1 };
      // Nothing else of a service is looked at.
      const service = { places: { name: place } } as CheckedService;
      return { service, endpoints: [endpoint] };
    }),
    ({ line, level, mend = "" }) =>
      problems.push(`${line} ${level} ${/line (\d+)/.exec(mend)?.[1]}`),
  );
  return problems;
}

function inet(host: string, port = 25): Endpoint {
  return { kind: "inet", host, port };
}

Deno.test("services on different addresses are left alone", () => {
  assertEquals(
    told(inet("127.0.0.1"), inet("127.0.0.2"), inet("::1"), inet("::1", 26)),
    [],
  );
  assertEquals(told(inet("127.0.0.1", 0), inet("127.0.0.1", 0)), []);
});

Deno.test("the same address, and all of a family, are in the way", () => {
  assertEquals(told(inet("::1"), inet("::1")), ["2 error 1"]);
  assertEquals(told(inet("127.0.0.1"), inet("0.0.0.0")), ["2 error 1"]);
  assertEquals(told(inet("0.0.0.0"), inet("127.0.0.1")), ["2 error 1"]);
  assertEquals(told(inet("::1"), inet("::")), ["2 error 1"]);
  assertEquals(
    told({ kind: "unix", path: "/a" }, { kind: "unix", path: "/a" }),
    ["2 error 1"],
  );
});

Deno.test("all of IPv6 may be in the way of IPv4, and the other way round", () => {
  assertEquals(told(inet("127.0.0.1"), inet("::")), ["2 warning 1"]);
  assertEquals(told(inet("::"), inet("127.0.0.1")), ["2 warning 1"]);
  assertEquals(told(inet("::1"), inet("0.0.0.0")), []);
});

Deno.test("what is surely in the way is told before what may be", () => {
  assertEquals(
    told(inet("::"), inet("127.0.0.1"), inet("0.0.0.0")),
    ["2 warning 1", "3 error 2"],
  );
});
