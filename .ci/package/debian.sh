#!/usr/bin/env bash
# Builds a Debian package of this checkout: .ci/package/debian.sh [OUTPUT FOLDER] [EXTRAS]
# It holds the program with all it needs in /opt/twinsyncd, so it disturbs no other Python program.
# EXTRAS are those of pyproject.toml, for example: local,keyring. Needs dpkg-deb and python3-venv.
# Build it on the release that it is for: the package needs that release's Python.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
output=$(mkdir -p "${1:-$top/dist}" && cd "${1:-$top/dist}" && pwd)
extras=${2:-keyring}
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"

version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$top/src/twinsyncd/__init__.py")
release=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
next=$("$python" -c 'import sys; print("%d.%d" % (sys.version_info[0], sys.version_info[1] + 1))')
architecture=$(dpkg --print-architecture)
tree=$work/twinsyncd
home=$tree/opt/twinsyncd

"$python" -m venv "$home"
"$home/bin/pip" install --quiet --disable-pip-version-check -c "$top/.ci/constraints.txt" "$top[$extras]"
"$home/bin/pip" uninstall --quiet --yes pip setuptools 2>/dev/null || true
# The environment was made elsewhere than where it will live.
grep -rlIF "$home" "$home/bin" "$home/pyvenv.cfg" | xargs -r sed -i "s|$home|/opt/twinsyncd|g"
find "$home" -name __pycache__ -prune -exec rm -rf {} +

install -d "$tree/usr/bin" "$tree/usr/share/doc/twinsyncd" "$tree/usr/share/man/man1" \
    "$tree/usr/share/bash-completion/completions" "$tree/DEBIAN"
ln -s /opt/twinsyncd/bin/twinsyncd "$tree/usr/bin/twinsyncd"
install -m 0644 "$top/config.example.toml" "$top/README.md" "$tree/usr/share/doc/twinsyncd/"
install -m 0644 "$top/LICENSE" "$tree/usr/share/doc/twinsyncd/copyright"
gzip -9nc "$top/CHANGELOG.md" > "$tree/usr/share/doc/twinsyncd/changelog.gz"
PYTHONPATH=$(echo "$home"/lib/python*/site-packages) "$python" -m twinsyncd manual --man \
    | gzip -9n > "$tree/usr/share/man/man1/twinsyncd.1.gz"
PYTHONPATH=$(echo "$home"/lib/python*/site-packages) "$python" -m twinsyncd --show-completion bash \
    > "$tree/usr/share/bash-completion/completions/twinsyncd"
find "$home" -name __pycache__ -prune -exec rm -rf {} +

cat > "$tree/DEBIAN/control" <<CONTROL
Package: twinsyncd
Version: $version
Architecture: $architecture
Maintainer: The twinsyncd authors <team@twinsyncd.example>
Section: net
Priority: optional
Installed-Size: $(du -sk "$tree" | cut -f1)
Depends: python3 (>= $release), python3 (<< $next), ca-certificates
Description: keeps an iModel equal to a design office's shared drive
 Watches folders, uploads what changed to iTwin Storage, starts synchronization
 runs, and records for every file whether the iModel has it. Set it up with
 "sudo twinsyncd init" and "sudo twinsyncd service install".
CONTROL
cat > "$tree/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
# The service of this machine is made by "twinsyncd service install"; an update restarts it.
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
    systemctl try-restart twinsyncd.service || true
fi
SCRIPT
cat > "$tree/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -f /etc/systemd/system/twinsyncd.service ]; then
    if [ -d /run/systemd/system ]; then
        /opt/twinsyncd/bin/twinsyncd service uninstall || true
    else
        rm -f /etc/systemd/system/twinsyncd.service
    fi
fi
# Python left these beside its modules.
find /opt/twinsyncd -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
SCRIPT
chmod 0755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm"
package=$output/twinsyncd_${version}_$architecture.deb
dpkg-deb -Zxz -z1 --root-owner-group --build "$tree" "$package" > /dev/null
echo "$package"
