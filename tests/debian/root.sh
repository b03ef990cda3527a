#!/usr/bin/env bash
#
# Makes a Debian of the tests' own in .cache/debian-root, by debootstrap(8): with
# systemd, s6, runit and OpenRC, in which the package is installed and the
# scripts of deploy/ are started. Tests lay a folder of their own over it, and
# leave it as it is.
#
# Exit status 0 when it is there.

set -euo pipefail
umask 022
unset CDPATH
cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

readonly RELEASE=bookworm
readonly PACKAGES=dbus,openrc,perl-base,procps,runit,s6,systemd,systemd-sysv
readonly root=.cache/debian-root

if [[ -f $root.packages && $(<"$root.packages") == "$RELEASE $PACKAGES" ]]; then
  echo "all there"
  exit
fi

mkdir -p .cache
rm -rf "$root" "$root".*
trap 'rm -rf "$root".new' EXIT
debootstrap --variant=minbase --include="$PACKAGES" "$RELEASE" "$root.new" \
  >"$root.log" || {
  tail -n 20 "$root.log" >&2
  exit 1
}
rm -rf "$root".new/var/cache/apt/archives "$root".new/var/lib/apt/lists
mv "$root.new" "$root"
echo "$RELEASE $PACKAGES" >"$root.packages"
