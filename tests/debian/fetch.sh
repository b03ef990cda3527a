#!/usr/bin/env bash
#
# Fetches packages of Debian into .cache/debian, a folder each, without
# installing them: tests read their manual pages, which an image may leave out,
# their unit files, their lines for inetd.conf, and run one of their programs.
#
# Exit status 0 when all are there.

set -euo pipefail
umask 022
unset CDPATH
cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

readonly PACKAGES=(
  amanda-common leafnode micro-httpd nullidentd openbsd-inetd rsh-redone-server
  s6-doc sane-utils socat systemd talkd tang ucspi-tcp xinetd
)

# What the lists of yesterday name may be gone today.
[[ $EUID -ne 0 ]] || apt-get update --quiet=2

mkdir -p .cache
folder=$(mktemp -d "$PWD/.cache/debian.XXXXXX")
trap 'rm -rf "$folder"' EXIT
(
  cd "$folder"
  apt-get download --quiet=2 --option APT::Sandbox::User=root "${PACKAGES[@]}"
)
for package in "${PACKAGES[@]}"; do
  dpkg-deb --raw-extract "$folder/${package}_"*.deb "$folder/$package"
  rm "$folder/${package}_"*.deb
done
chmod 0755 "$folder"
rm -rf .cache/debian
mv "$folder" .cache/debian
