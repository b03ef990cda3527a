import { assertEquals, assertStringIncludes } from "@std/assert";
import { answerRequest } from "../../../lib/observe/metrics_server.ts";

/** What is answered; `undefined` where the rest is waited for. */
function answered(request: string, isWhole = false): string | undefined {
  const answer = answerRequest(request, { isWhole, metrics: () => ["m 1\n"] });
  if (answer === undefined) return undefined;
  let text = "";
  for (let next = answer.next(); !next.done; next = answer.next()) {
    text += next.value;
  }
  return text;
}

function statusOf(request: string, isWhole = false): string | undefined {
  return answered(request, isWhole)?.split("\r\n")[0];
}

Deno.test("answerRequest() gives the metrics to GET /metrics", () => {
  assertEquals(
    answered("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
    "HTTP/1.1 200 OK\r\n" +
      "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n" +
      "Connection: close\r\n\r\nm 1\n",
  );
  for (
    const target of [
      "/metrics?a=b",
      "http://host:9/metrics",
      "HTTP://h/metrics",
    ]
  ) {
    assertEquals(
      statusOf(`GET ${target} HTTP/1.0\n\n`),
      "HTTP/1.1 200 OK",
      target,
    );
  }
});

Deno.test("answerRequest() waits for the end of a header, and no longer", () => {
  assertEquals(answered("GET /metrics HTTP/1.1\r\nHost: x\r\n"), undefined);
  assertEquals(answered(""), undefined);
  assertEquals(statusOf("GET /metr", true), "HTTP/1.1 400 Bad Request");
  assertEquals(
    statusOf("GET /metrics HTTP/1.1\r\nA: " + "b".repeat(9000), true),
    "HTTP/1.1 431 Request Header Fields Too Large",
  );
});

Deno.test("answerRequest() refuses everything else", () => {
  for (
    const [request, status] of [
      ["GET / HTTP/1.1", "404 Not Found"],
      ["GET /metrics/ HTTP/1.1", "404 Not Found"],
      ["GET /metrics/../etc/passwd HTTP/1.1", "404 Not Found"],
      ["POST /metrics HTTP/1.1", "405 Method Not Allowed"],
      ["HEAD /metrics HTTP/1.1", "405 Method Not Allowed"],
      ["GET /metrics HTTP/2", "400 Bad Request"],
      ["GET /metrics", "400 Bad Request"],
      ["GET  /metrics HTTP/1.1", "400 Bad Request"],
      ["\x16\x03\x01", "400 Bad Request"],
      ["G\0T /metrics HTTP/1.1", "400 Bad Request"],
    ] as const
  ) {
    assertEquals(
      statusOf(`${request}\r\n\r\n`),
      `HTTP/1.1 ${status}`,
      JSON.stringify(request),
    );
  }
  assertStringIncludes(
    answered("PUT /metrics HTTP/1.1\r\n\r\n") ?? "",
    "Allow: GET\r\n",
  );
});
