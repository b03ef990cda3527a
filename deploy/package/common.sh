# What the package and the tarball have in common. Sourced in the checkout's
# folder, with SOURCE_DATE_EPOCH and a temporary folder of its own.

# shellcheck shell=bash

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' deno.json)
[[ -n $version ]] || {
  echo "deno.json has no version" >&2
  exit 1
}

# Debian's name for the machine that dist/spawnd runs on.
debian_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    *) echo arm64 ;;
  esac
}

# completions FOLDER: writes the scripts under the names that the shells expect.
completions() {
  dist/spawnd completion bash >"$1/spawnd"
  dist/spawnd completion zsh >"$1/_spawnd"
  dist/spawnd completion fish >"$1/spawnd.fish"
}

# same_times FOLDER: gives everything the one time.
same_times() {
  find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}
