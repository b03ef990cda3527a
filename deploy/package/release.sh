#!/usr/bin/env bash
#
# Makes dist/spawnd-VERSION-linux-ARCHITECTURE.tar.gz of dist/spawnd, with a
# file of checksums beside it. Run by "./build.sh release", which says where:
# release.sh FOLDER.

set -euo pipefail
# shellcheck source=deploy/package/common.sh
. deploy/package/common.sh

name=spawnd-$version-linux-$(debian_architecture)
readonly tree=$1/$name

# Laid out as the checkout is, so that what is written there holds here.
mkdir -p "$tree/deploy" "$tree/dist/completions"
cp README.md LICENSE "$1/sbom.cdx.json" "$tree"
cp dist/spawnd "$tree/dist"
cp -R docs "$tree"
cp -R deploy/config deploy/systemd deploy/s6 deploy/runit deploy/openrc \
  deploy/container deploy/haproxy "$tree/deploy"
cp deploy/debian/spawnd.sysusers "$tree/deploy/sysusers.conf"
completions "$tree/dist/completions"
chmod -R u=rwX,go=rX "$tree"
(cd "$tree" && find . -type f -printf '%P\0' |
  LC_ALL=C sort --zero-terminated | xargs -0 sha256sum) >"$1/SHA256SUMS"
mv "$1/SHA256SUMS" "$tree"
same_times "$tree"

# Neither who packs it, nor when, nor the order of a folder is in it.
tar --create --sort=name --format=ustar --owner=0 --group=0 --numeric-owner \
  --directory "$1" "$name" | gzip --no-name >"$1/$name.tar.gz"
(cd "$1" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
mv "$1/$name.tar.gz" "$1/$name.tar.gz.sha256" dist/
echo "build.sh: built dist/$name.tar.gz"
