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
    date: "2026-11-25",
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
    .item(
      "`${domain_to_ascii{`<TEXT>`}}`, `${domain_to_utf8{`<TEXT>`}}`",
      "The domain as DNS has it, or as people read it. Postfix 3.11 and later.",
    )
    .item("`$$`", "A dollar sign.")
    .paragraph(
      "A parameter of Postfix's that is not listed below has a value only if " +
        "main.cf sets it: to refer to another is an error. Postfix's raw " +
        "parameters, such as forward_path, are not expanded where another " +
        "refers to them. Names may lead to names " +
        "a hundred times, and a value may have a megabyte.",
    )
    .paragraph(
      "A time is digits and one of s, m, h, d and w, for seconds to weeks. A " +
        "boolean is yes or no.",
    )
    .paragraph(
      "An environment, as in export_environment, is a list of names to pass " +
        "on, <NAME>`=`<VALUE> words and `{` <NAME> `=` <VALUE> `}` groups. " +
        "Comma, space, tab, CR and LF separate them. Braces nest and protect " +
        "what is in them; within a value they are part of it. Values may be " +
        "any bytes.",
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
      "For inet: <HOST>:<PORT>, [<ADDRESS>]:<PORT>, [ipv6:<ADDRESS>]:<PORT>, " +
        "or <PORT>, which means the addresses of inet_interfaces. However it " +
        "is written, an address is one service. Beyond Postfix, an IPv6 " +
        "address may have a scope: [fe80::1%eth0]:25. For unix and pass: the name of a " +
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
    .item(
      "chroot (n)",
      "y gives commands queue_directory as their root, in which they start: " +
        "they, their libraries and all that they open must be in there. The " +
        "default is y where compatibility_level is below 1, and so where it " +
        "is not set.",
    )
    .item(
      "wakeup (0)",
      "Nobody wakes a command up; below master(8), which does, it is given " +
        "the one byte W.",
    )
    .item(
      "maxproc ($default_process_limit)",
      "How many commands run at once; 0 is no limit. Only its leading digits " +
        "count. At the limit, " +
        "connections wait in the kernel's queue.",
    )
    .item(
      "command",
      "`spawn` or `spawnd`. Its arguments are `-v`, to report each " +
        "connection; `-o` <NAME>`=`<VALUE> or `-o {` <NAME> `=` <VALUE> `}`, " +
        "which override main.cf for this service; and then the attributes " +
        "`user=` and `argv=` of spawnd(8).",
    )
    .paragraph(
      "Both files are regular files of up to four megabytes. A byte order " +
        "mark is refused.",
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
