/**
 * The manual page spawnd.cf(5).
 *
 * @module
 */

import {
  type Parameter,
  PARAMETERS,
  timeLimitParameter,
} from "../lib/config/parameters.ts";
import { ManPage } from "./man_page.ts";

/**
 * Makes the page.
 *
 * @returns It, as man(1) reads it.
 */
export function spawndCf5(): string {
  const page = new ManPage({
    name: "spawnd.cf",
    section: 5,
    summary: "main.cf and master.cf, the configuration of spawnd",
    date: "2026-11-23",
  })
    .section("DESCRIPTION")
    .paragraph(
      "The configuration is a directory with two files, in the syntax and " +
        "with the meaning of Postfix 3.7: main.cf has parameters, master.cf " +
        "has services. It may be Postfix's own directory. `spawnd check` tells " +
        "what is wrong with it, and `spawnd config` prints its values.",
    )
    .paragraph(
      "In both files a line that starts with white space continues the last " +
        "one. Blank lines, and lines whose first character other than white " +
        "space is `#`, count for nothing, also between a line and its " +
        "continuation.",
    )
    .section("MAIN.CF")
    .example("name = value")
    .paragraph(
      "The last line for a name counts. White space around name and value is " +
        "not theirs. In a value:",
    )
    .item(
      "`$`<NAME>, `${`<NAME>`}`, `$(`<NAME>`)`",
      "The value of the parameter, itself expanded; nothing if it has none.",
    )
    .item(
      "`${`<NAME>`?{`<TEXT>`}}`, `${`<NAME>`?`<TEXT>`}`",
      "The text, if the value is not empty.",
    )
    .item(
      "`${`<NAME>`:{`<TEXT>`}}`, `${`<NAME>`:`<TEXT>`}`",
      "The text, if the value is empty.",
    )
    .item(
      "`${`<NAME>`?{`<TEXT>`}:{`<TEXT>`}}`",
      "One text or the other.",
    )
    .item(
      "`${{`<TEXT>`} == {`<TEXT>`} ? {`<TEXT>`} : {`<TEXT>`}}`",
      "One text or the other, as the relation holds or not. The operators " +
        "are ==, !=, <, <=, >= and >; where both sides are digits alone, " +
        "numbers are compared. Either of the last texts may be left out.",
    )
    .item("`$$`", "A dollar sign.")
    .paragraph(
      "A time is digits and one of s, m, h, d and w, for seconds to weeks. A " +
        "boolean is yes or no.",
    )
    .section("PARAMETERS");
  for (const parameter of [...PARAMETERS, timeLimitParameter("SERVICE")]) {
    addParameter(page, parameter);
  }
  return page
    .section("MASTER.CF")
    .paragraph(
      "A service is a line of eight fields and the arguments of its command, " +
        "with white space between. `-` stands for a field's default. Braces " +
        "around an argument protect its white space. The last line for one " +
        "name and type counts. spawnd serves the services whose command is " +
        "`spawn` or `spawnd`.",
    )
    .item(
      "name",
      "For inet: <HOST>:<PORT>, [<ADDRESS>]:<PORT>, or <PORT>, which means " +
        "the addresses of inet_interfaces. For unix and pass: the name of a " +
        "socket in private/ or public/ below queue_directory, or an absolute " +
        "path.",
    )
    .item(
      "type",
      "`inet`, `unix`, or `pass`, a unix socket over which connections " +
        "arrive as descriptors. `spawnd serve` refuses the last.",
    )
    .item(
      "private (y)",
      "Whether the socket is in private/, which only the daemon's account " +
        "may enter, or in public/. An inet service has n.",
    )
    .item("unprivileged (y)", "Must be n.")
    .item("chroot (n)", "Must be n.")
    .item("wakeup (0)", "Has no meaning for a command.")
    .item(
      "maxproc ($default_process_limit)",
      "How many commands run at once; 0 is no limit. At the limit, " +
        "connections wait in the kernel's queue.",
    )
    .item(
      "command",
      "`spawn` or `spawnd`. Its arguments are `-v`, to report each " +
        "connection; `-o` <NAME>`=`<VALUE> or `-o {` <NAME> `=` <VALUE> `}`, " +
        "which override main.cf for this service; and then the attributes " +
        "`user=` and `argv=` of spawnd(8).",
    )
    .section("FILES")
    .item("/etc/spawnd/main.cf", "The parameters.")
    .item("/etc/spawnd/master.cf", "The services.")
    .section("EXAMPLES")
    .paragraph("An echo service, and a policy service for Postfix:")
    .example(
      "# main.cf",
      "inet_interfaces = loopback-only",
      "policy_time_limit = 3600s",
      "",
      "# master.cf",
      "7007    inet  n  n  n  -  20  spawn  user=nobody argv=/bin/cat",
      "policy  unix  -  n  n  -  50  spawn",
      "    user=policy argv=/usr/local/libexec/policy --greylist",
    )
    .section("SEE ALSO")
    .paragraph("spawnd(8), postconf(5), master(5)")
    .text;
}

function addParameter(page: ManPage, parameter: Parameter): void {
  const { name, readOnly, meaning } = parameter;
  const byDefault = parameter.default === "" ? "empty" : parameter.default;
  page.item(
    `${name.startsWith("SERVICE") ? "<SERVICE>" : ""}` +
      `\`${name.replace(/^SERVICE/, "")}\` ` +
      (readOnly ? "(read-only)" : `(default: ${byDefault})`),
    [meaning, ...valuesOf(parameter), ...originOf(parameter)].join(" "),
  );
}

/** What its value may be, where that needs words. */
function valuesOf(parameter: Parameter): string[] {
  switch (parameter.type) {
    case "string":
      return parameter.choices === undefined
        ? []
        : [`One of ${parameter.choices.join(", ")}.`];
    case "time":
      return [`A time, at least ${parameter.min}${parameter.unit}.`];
    case "integer":
      return [`A whole number, at least ${parameter.min}.`];
    case "boolean":
      return ["A boolean."];
  }
}

function originOf({ origin, since }: Parameter): string[] {
  if (origin === "spawnd") return ["Postfix does not have it."];
  return since === undefined ? [] : [`Postfix ${since} and later.`];
}
