/**
 * The completion of zsh.
 *
 * @module
 */

import type { OptionSpec } from "../shared/options.ts";
import type { Program, Subcommand } from "../shared/subcommand.ts";
import { quoted, type Value, valueOf, wordsOf } from "./script.ts";

/**
 * Makes the script.
 *
 * @param program The command line.
 * @returns The text.
 */
export function zshScript({ options, subcommands }: Program): string {
  const described = subcommands
    .map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  return `\
#compdef spawnd

_spawnd() {
  local curcontext=$curcontext state line at
  local -a subcommands=(
${described.join("\n")}
  )
  _arguments -C \\
${options.map((option) => `    ${zshOption(option)} \\`).join("\n")}
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
${subcommands.map(zshSubcommand).join("\n")}
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
