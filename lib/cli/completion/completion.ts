/**
 * `spawnd completion`: scripts with which shells complete its words, made from
 * the tables of options.
 *
 * @module
 */

import { EX, type ExitCode, formatMistake } from "../../result.ts";
import {
  COMPLETION_HELP,
  parseCompletionRequest,
  type Shell,
} from "./request.ts";
import { ENGINES, LOG_FORMATS } from "../shared/option_values.ts";
import type { OptionSpec } from "../shared/options.ts";
import { type Subcommand, SUBCOMMANDS } from "../subcommands.ts";

/** The options of the program itself. */
const MAIN_OPTIONS: readonly OptionSpec[] = [
  { name: "version", help: "tell version, revision, runtime and engine" },
  { name: "help", help: "show this" },
];

/**
 * Runs the subcommand.
 *
 * @param args The words after `completion`.
 * @returns The exit code.
 */
export function completion(args: readonly string[]): ExitCode {
  const shell = parseCompletionRequest(args);
  if (!shell.ok) {
    console.error(`spawnd completion: ${formatMistake(shell.mistake)}`);
    return shell.mistake.exitCode;
  }
  if (shell.value === "help") console.log(COMPLETION_HELP);
  else console.log(SCRIPTS[shell.value]());
  return EX.OK;
}

const SCRIPTS: Readonly<Record<Shell, () => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** What can be said about the value of an option. */
type Value =
  | { kind: "directory" | "file" | "user" | "other" }
  | { kind: "choice"; choices: readonly string[] };

function valueOf({ name, value }: OptionSpec): Value {
  if (name === "engine") return { kind: "choice", choices: ENGINES };
  if (name === "log-format") return { kind: "choice", choices: LOG_FORMATS };
  if (value === "DIR") return { kind: "directory" };
  if (value === "FILE") return { kind: "file" };
  return { kind: value?.startsWith("USER") ? "user" : "other" };
}

/** An option's names with their dashes. */
function wordsOf({ name, alias }: OptionSpec): string[] {
  return alias === undefined ? [`--${name}`] : [`-${alias}`, `--${name}`];
}

function bashScript(): string {
  const subcommands = SUBCOMMANDS.map(({ name }) => name).join(" ");
  const main = MAIN_OPTIONS.flatMap(wordsOf).join(" ");
  return `\
# bash completion for spawnd

_spawnd() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local word options= words= many=
  COMPREPLY=()
  # bash takes --config=DIR and user=NAME for three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)); then
    _spawnd_words ${quoted(`${subcommands} ${main}`)}
    return
  fi
  # What follows argv= is the command's.
  for word in "\${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
    if [[ $word == [Aa][Rr][Gg][Vv] ]]; then
      _spawnd_files -f
      return
    fi
  done
  case \${COMP_WORDS[1]}:$prev in
    run:user) _spawnd_users; return ;;
${SUBCOMMANDS.flatMap(bashValues).join("\n")}
  esac
  case \${COMP_WORDS[1]} in
${SUBCOMMANDS.map(bashSubcommand).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    _spawnd_words "$options"
  elif ((COMP_CWORD == 2)) || [[ $many ]]; then
    _spawnd_words "$words"
  elif [[ \${COMP_WORDS[1]} == run ]] && ((COMP_CWORD > 3)); then
    _spawnd_words 'user= argv='
    compopt -o nospace 2>/dev/null
  fi
}

_spawnd_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_spawnd_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_spawnd_users() {
  mapfile -t COMPREPLY < <(compgen -u -- "$cur")
}

complete -F _spawnd spawnd`;
}

function bashValues({ name, options }: Subcommand): string[] {
  return options.filter(({ value }) => value !== undefined).map((option) => {
    const pattern = wordsOf(option).map((word) => `${name}:${word}`).join("|");
    return `    ${pattern}) ${bashValue(valueOf(option))}return ;;`;
  });
}

function bashValue(value: Value): string {
  switch (value.kind) {
    case "choice":
      return `_spawnd_words ${quoted(value.choices.join(" "))}; `;
    case "directory":
      return "_spawnd_files -d; ";
    case "file":
      return "_spawnd_files -f; ";
    case "user":
      return "_spawnd_users; ";
    case "other":
      return "";
  }
}

function bashSubcommand({ name, options, words, many }: Subcommand): string {
  const sets = [
    `options=${quoted(options.flatMap(wordsOf).join(" "))}`,
    ...words.length === 0 ? [] : [`words=${quoted(words.join(" "))}`],
    ...many ? ["many=yes"] : [],
  ];
  return `    ${name}) ${sets.join(" ")} ;;`;
}

function zshScript(): string {
  const subcommands = SUBCOMMANDS
    .map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  return `\
#compdef spawnd

_spawnd() {
  local curcontext=$curcontext state line at
  local -a subcommands=(
${subcommands.join("\n")}
  )
  _arguments -C \\
${MAIN_OPTIONS.map((option) => `    ${zshOption(option)} \\`).join("\n")}
    '1: :->subcommand' '*:: :->rest'
  case $state in
    subcommand)
      _describe subcommand subcommands ;;
    rest)
      # What follows argv= is the command's.
      at=\${words[(I)(#i)argv=*]}
      if [[ $words[1] == run ]] && ((at > 0 && at < CURRENT)); then
        _files
        return
      fi
      case $words[1] in
${SUBCOMMANDS.map(zshSubcommand).join("\n")}
      esac ;;
  esac
}

_spawnd_attributes() {
  if compset -P 'user='; then
    _users
  elif compset -P 'argv='; then
    _command_names -e || _files
  else
    compadd -S '' user= argv=
  fi
}

if [[ $funcstack[1] == _spawnd ]]; then
  _spawnd "$@"
else
  compdef _spawnd spawnd
fi`;
}

function zshOption(option: OptionSpec): string {
  const { help, value } = option;
  const names = wordsOf(option);
  const text = help.replaceAll(/[[\]\\:]/g, "\\$&");
  const argument = value === undefined
    ? ""
    : `:${value.replaceAll(/[[\]\\:]/g, "\\$&")}:${zshValue(valueOf(option))}`;
  const rest = quoted(`[${text}]${argument}`);
  const long = value === undefined ? "" : "=";
  return names.length === 1
    ? `--${option.name}${long}${rest}`
    : `'(${names.join(" ")})'{${
      names.map((name) => name.startsWith("--") ? `${name}${long}` : name)
        .join(",")
    }}${rest}`;
}

function zshValue(value: Value): string {
  switch (value.kind) {
    case "choice":
      return `(${value.choices.join(" ")})`;
    case "directory":
      return "_files -/";
    case "file":
      return "_files";
    case "user":
      return "_users";
    case "other":
      return "";
  }
}

function zshSubcommand({ name, options, words, many }: Subcommand): string {
  const specs = options.map(zshOption);
  if (words.length > 0) {
    specs.push(quoted(`${many ? "*" : "1"}:word:(${words.join(" ")})`));
  }
  if (name === "run") {
    specs.push("'2:name:'", "'*:attribute:_spawnd_attributes'");
  }
  return `\
        ${name})
          _arguments ${specs.join(" \\\n            ")} ;;`;
}

function fishScript(): string {
  const lines = [
    "# fish completion for spawnd",
    "",
    "function __spawnd_has_command",
    "  string match -qi 'argv=*' -- (commandline -opc)",
    "end",
    "",
    "complete -c spawnd -f",
    ...MAIN_OPTIONS.map((option) =>
      fishLine("__fish_use_subcommand", fishOption(option))
    ),
    ...SUBCOMMANDS.map(({ name, summary }) =>
      fishLine("__fish_use_subcommand", ["-a", name, "-d", quoted(summary)])
    ),
    ...SUBCOMMANDS.flatMap((subcommand) => {
      const { name, options, words, many } = subcommand;
      const seen = `__fish_seen_subcommand_from ${name}`;
      const first = many
        ? seen
        : `${seen}; and not __fish_seen_subcommand_from ${words.join(" ")}`;
      return [
        ...options.map((option) => fishLine(seen, fishOption(option))),
        ...words.length === 0
          ? []
          : [fishLine(first, ["-a", quoted(words.join(" "))])],
      ];
    }),
    // What follows argv= is the command's.
    fishLine("__fish_seen_subcommand_from run; and not __spawnd_has_command", [
      "-a",
      quoted("user=(__fish_print_users) argv="),
    ]),
    fishLine("__fish_seen_subcommand_from run; and __spawnd_has_command", [
      "-F",
    ]),
  ];
  return lines.join("\n");
}

function fishLine(condition: string, words: readonly string[]): string {
  return `complete -c spawnd -n ${quoted(condition)} ${words.join(" ")}`;
}

function fishOption(option: OptionSpec): string[] {
  const { name, alias, help, value } = option;
  return [
    "-l",
    name,
    ...alias === undefined ? [] : ["-s", alias],
    "-d",
    quoted(help),
    ...value === undefined ? [] : fishValue(valueOf(option)),
  ];
}

function fishValue(value: Value): string[] {
  switch (value.kind) {
    case "choice":
      return ["-x", "-a", quoted(value.choices.join(" "))];
    case "directory":
      return ["-x", "-a", quoted("(__fish_complete_directories)")];
    case "file":
      return ["-r", "-F"];
    case "user":
      return ["-x", "-a", quoted("(__fish_complete_users)")];
    case "other":
      return ["-x"];
  }
}

/** In single quotes that bash, zsh and fish read alike. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
