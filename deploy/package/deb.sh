#!/usr/bin/env bash
#
# Makes dist/spawnd_VERSION_ARCHITECTURE.deb of dist/spawnd, by debhelper. Run
# by "./build.sh deb", which says where: deb.sh FOLDER.

set -euo pipefail
# shellcheck source=deploy/package/common.sh
. deploy/package/common.sh

readonly tree=$1/spawnd-$version
architecture=$(debian_architecture)

mkdir -p "$tree/completions" "$tree/examples/systemd"
cp -R deploy/debian "$tree/debian"
cp dist/spawnd docs/man/spawnd.8 docs/man/spawnd.cf.5 deploy/config/*.cf "$tree"
cp deploy/systemd/*.service "$tree/debian"
cp deploy/systemd/*.conf "$tree/examples/systemd"
cp -R deploy/s6 deploy/runit deploy/openrc "$tree/examples"
cp "$1/sbom.cdx.json" "$tree"
completions "$tree/completions"
cat >"$tree/debian/changelog" <<END
spawnd ($version) stable; urgency=medium

  * Release $version.

 -- $(sed -n 's/^Maintainer: //p' deploy/debian/control)  $(date --utc --date="@$SOURCE_DATE_EPOCH" --rfc-email)
END
same_times "$tree"

# As dpkg-buildpackage would, which goes on to describe a build that nobody
# uploads.
(cd "$tree" && DEB_HOST_ARCH=$architecture debian/rules binary) \
  >"$1/log" 2>&1 || {
  cat "$1/log" >&2
  exit 1
}
mv "$1/spawnd_${version}_$architecture.deb" dist/
echo "build.sh: built dist/spawnd_${version}_$architecture.deb"
