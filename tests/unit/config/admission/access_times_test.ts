import { assertEquals } from "@std/assert";
import { isWithinHours } from "../../../../lib/admission/access_hours.ts";
import { parseAccessTimes } from "../../../../lib/config/admission/access_times.ts";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Whether there is service at a time such as `Mon 08:00`. */
function hours(text: string): (time: string) => boolean {
  const read = parseAccessTimes(text);
  if (!read.ok) throw new Error(read.wrong);
  return (time) => {
    const [dayName = "", clock = ""] = time.split(" ");
    const [hour = 0, minute = 0] = clock.split(":").map(Number);
    return isWithinHours(read.value, {
      day: DAYS.indexOf(dayName),
      minute: hour * 60 + minute,
    });
  };
}

Deno.test("parseAccessTimes() takes hours on days, from their first minute to the one before their last", () => {
  const isOpen = hours("08:00-18:00 Mon-Fri, 10:00-14:00 sat");
  for (const time of ["Mon 08:00", "Fri 17:59", "Sat 10:00", "Sat 13:59"]) {
    assertEquals(isOpen(time), true, time);
  }
  for (
    const time of [
      "Mon 07:59",
      "Fri 18:00",
      "Sat 14:00",
      "Sat 09:00",
      "Sun 12:00",
    ]
  ) assertEquals(isOpen(time), false, time);
});

Deno.test("parseAccessTimes() takes hours without days for those of every day", () => {
  const isOpen = hours("2:00-8:59 12:00-24:00");
  for (const day of DAYS) {
    assertEquals(isOpen(`${day} 02:00`), true);
    assertEquals(isOpen(`${day} 08:59`), false);
    assertEquals(isOpen(`${day} 23:59`), true);
    assertEquals(isOpen(`${day} 00:00`), false);
  }
});

Deno.test("parseAccessTimes() takes a time that ends before it begins into the next day", () => {
  const isOpen = hours("22:00-06:00 Sat");
  assertEquals(isOpen("Sat 05:00"), false);
  assertEquals(isOpen("Sat 22:00"), true);
  assertEquals(isOpen("Sun 05:59"), true);
  assertEquals(isOpen("Sun 06:00"), false);
  assertEquals(isOpen("Sun 22:00"), false);
});

Deno.test("parseAccessTimes() takes days through the end of the week", () => {
  const isOpen = hours("09:00-10:00 Sat-Mon Wed");
  const open = DAYS.filter((day) => isOpen(`${day} 09:30`));
  assertEquals(open, ["Sun", "Mon", "Wed", "Sat"]);
});

Deno.test("parseAccessTimes() says what is no time", () => {
  const mend = "write times as 08:00-18:00 Mon-Fri, 10:00-14:00 Sat";
  const rows = {
    "8-18": "bad access time: 8-18",
    "08:00-08:00": "bad access time: 08:00-08:00",
    "08:60-09:00": "bad access time: 08:60-09:00",
    "24:00-25:00": "bad access time: 24:00-25:00",
    "08:00-18:00 Monday": "bad access time: Monday",
    "08:00-18:00 Mon-": "bad access time: Mon-",
    "Mon-Fri": "days without hours: Mon-Fri",
    "08:00-18:00,": "an empty access time",
  };
  for (const [text, wrong] of Object.entries(rows)) {
    assertEquals(parseAccessTimes(text), { ok: false, wrong, mend }, text);
  }
});

Deno.test("parseAccessTimes() takes nothing for all hours", () => {
  assertEquals(parseAccessTimes(" "), { ok: true, value: [] });
  assertEquals(isWithinHours([], { day: 0, minute: 0 }), true);
});
