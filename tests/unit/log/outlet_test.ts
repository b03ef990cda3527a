import { assertEquals } from "@std/assert";
import type { Entry } from "../../../lib/log/formats.ts";
import { type EntrySink, Outlet } from "../../../lib/log/outlet.ts";

class Kept implements EntrySink {
  readonly texts: string[] = [];
  flushed = 0;
  write({ text }: Entry): void {
    this.texts.push(text);
  }
  flush(): Promise<void> {
    this.flushed++;
    return Promise.resolve();
  }
}

Deno.test("Outlet goes where it is told from then on", async () => {
  const [first, second] = [new Kept(), new Kept()];
  const outlet = new Outlet(first);
  const write = (text: string) =>
    outlet.write({
      time: new Date(),
      level: "info",
      service: "",
      event: "",
      text,
      fields: {},
    });
  write("before");
  outlet.add(second);
  outlet.add(second);
  write("both");
  outlet.keepTo(second);
  write("after");
  assertEquals(first.texts, ["before", "both"]);
  // Who comes later is told what there was before, but not once that is over.
  assertEquals(second.texts, ["before", "both", "after"]);
  const third = new Kept();
  outlet.add(third);
  write("last");
  assertEquals(third.texts, ["last"]);
  await outlet.flush(1);
  assertEquals([first.flushed, second.flushed, third.flushed], [0, 1, 1]);
});
