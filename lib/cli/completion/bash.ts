/**
 * The completion of bash.
 *
 * @module
 */

import type { Program, Subcommand } from "../shared/subcommand.ts";
import { quoted, type Value, valueOf, wordsOf } from "./script.ts";

/**
 * Makes the script.
 *
 * @param program The command line.
 * @returns The text.
 */
export function bashScript({ options, subcommands }: Program): string {
  const names = subcommands.map(({ name }) => name).join(" ");
  const main = options.flatMap(wordsOf).join(" ");
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
    _spawnd_words ${quoted(`${names} ${main}`)}
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
${subcommands.flatMap(bashValues).join("\n")}
  esac
  case \${COMP_WORDS[1]} in
${subcommands.map(bashSubcommand).join("\n")}
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
