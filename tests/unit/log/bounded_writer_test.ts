import { assertEquals, assertLess } from "@std/assert";
import {
  BoundedWriter,
  type ByteSink,
} from "../../../lib/log/bounded_writer.ts";

const MAX_PENDING = 100;

/** A reader that takes bytes when it is let. */
class Reader implements ByteSink {
  readonly #decoder = new TextDecoder();
  #gate = Promise.withResolvers<void>();
  /** All that it has taken. */
  text = "";
  /** How many bytes it takes at once. */
  bytesAtOnce = Infinity;

  /** Lets it take whatever comes. */
  open(): void {
    this.#gate.resolve();
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#gate.promise;
    const taken = bytes.subarray(0, this.bytesAtOnce);
    this.text += this.#decoder.decode(taken, { stream: true });
    return taken.length;
  }
}

function writerTo(sink: ByteSink): BoundedWriter {
  return new BoundedWriter(sink, {
    maxPending: MAX_PENDING,
    dropped: (count) => `${count} dropped\n`,
  });
}

/** A line of `length` characters, its newline included. */
function line(length: number): string {
  return `${"x".repeat(length - 1)}\n`;
}

/** More than any test takes. */
const LONG_MS = 60_000;

Deno.test("BoundedWriter writes lines whole and in their order", async () => {
  const reader = new Reader();
  const writer = writerTo(reader);
  writer.write("one\n");
  writer.write("two é\n");
  reader.open();
  await writer.flush(LONG_MS);
  writer.write("three\n");
  await writer.flush(LONG_MS);
  assertEquals(reader.text, "one\ntwo é\nthree\n");
});

Deno.test("BoundedWriter writes all of a line to a reader that takes little at once", async () => {
  const reader = new Reader();
  reader.bytesAtOnce = 3;
  reader.open();
  const writer = writerTo(reader);
  writer.write("a long line é with 漢字 in it\n");
  await writer.flush(LONG_MS);
  assertEquals(reader.text, "a long line é with 漢字 in it\n");
});

Deno.test("BoundedWriter keeps no more than its bound for a reader that takes nothing", async () => {
  const reader = new Reader();
  const writer = writerTo(reader);
  for (let count = 0; count < 1000; count++) writer.write(line(10));
  reader.open();
  await writer.flush(LONG_MS);
  assertEquals(reader.text, `${line(10).repeat(10)}990 dropped\n`);
});

Deno.test("BoundedWriter drops a line that does not fit, and keeps a shorter one after it", async () => {
  const reader = new Reader();
  const writer = writerTo(reader);
  writer.write(line(60));
  writer.write(line(50));
  writer.write(line(40));
  reader.open();
  await writer.flush(LONG_MS);
  assertEquals(reader.text, `${line(60)}${line(40)}1 dropped\n`);
});

Deno.test("BoundedWriter tells of drops once and then goes on as before", async () => {
  const reader = new Reader();
  const writer = writerTo(reader);
  for (let count = 0; count < 12; count++) writer.write(line(10));
  reader.open();
  await writer.flush(LONG_MS);
  const told = reader.text;
  writer.write("after\n");
  await writer.flush(LONG_MS);
  assertEquals(reader.text, `${told}after\n`);
});

Deno.test("BoundedWriter tells of a line that is longer than its bound", async () => {
  const reader = new Reader();
  reader.open();
  const writer = writerTo(reader);
  writer.write(line(MAX_PENDING + 1));
  await writer.flush(LONG_MS);
  assertEquals(reader.text, "1 dropped\n");
});

Deno.test("BoundedWriter.flush() does not wait for a reader that has stopped", async () => {
  const reader = new Reader();
  const writer = writerTo(reader);
  writer.write("never taken\n");
  await writer.flush(1);
  assertEquals(reader.text, "");
});

Deno.test("BoundedWriter.flush() returns at once where there is nothing to write", async () => {
  const begunMs = performance.now();
  await writerTo(new Reader()).flush(LONG_MS);
  assertLess(performance.now() - begunMs, LONG_MS);
});

Deno.test("BoundedWriter goes on where nobody reads any more", async () => {
  let attempts = 0;
  const writer = writerTo({
    write: (): Promise<number> => {
      attempts++;
      return Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
    },
  });
  for (let count = 1; count <= 20; count++) {
    writer.write(line(10));
    await writer.flush(LONG_MS);
    assertEquals(attempts, count);
  }
});

Deno.test("BoundedWriter tries again where a descriptor has no room", async () => {
  const reader = new Reader();
  reader.open();
  reader.bytesAtOnce = 4;
  let refusals = 0;
  const writer = writerTo({
    write: (bytes): Promise<number> => {
      // No room at first, and once more in the middle of the line.
      if (refusals === 0 || refusals === 1 && reader.text !== "") {
        refusals++;
        return Promise.reject(new Deno.errors.WouldBlock("no room"));
      }
      return reader.write(bytes);
    },
  });
  writer.write("whole line\n");
  await writer.flush(LONG_MS);
  assertEquals([reader.text, refusals], ["whole line\n", 2]);
});
