#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what building and testing needs on a Debian 12 or 13 amd64 machine. Says first what is
# missing; says and does nothing if nothing is. QEMU 10 comes from backports on Debian 12, through
# a private apt configuration under build/apt: /etc/apt is not touched.

set -euo pipefail
# shellcheck source=tools/setup/apt-common.sh
. "$(dirname "$0")/apt-common.sh"

QEMU_MAJOR=10
PACKAGES=(
	gcc libc6-dev make git file gzip xz-utils cpio kmod ca-certificates
	gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	clang clang-format clang-tidy libclang-rt-dev shellcheck
	libfdt-dev device-tree-compiler u-boot-tools pciutils libcmocka-dev gnuplot-nox
	python3 python3-pytest
)

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

qemu_is_current() {
	local major
	major=$(qemu-system-aarch64 --version 2>/dev/null |
		sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p')
	[ "${major:-0}" -ge "$QEMU_MAJOR" ]
}

detect_debian
[ "$(dpkg --print-architecture)" = amd64 ] || die "needs an amd64 machine."

missing=()
for p in "${PACKAGES[@]}"; do
	installed "$p" || missing+=("$p")
done
qemu=()
qemu_is_current || qemu=(qemu-system-arm)
[ $((${#missing[@]} + ${#qemu[@]})) -gt 0 ] || exit 0

say "missing, to be installed: ${missing[*]} ${qemu[*]}"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null && sudo true; } ||
		die "installing packages needs root; as root (su or sudo) run: $ROOT/tools/setup/host.sh"
	as_root=(sudo "--preserve-env=DEBIAN_FRONTEND,LC_ALL,http_proxy,https_proxy")
fi

# What root makes here belongs to the tree's owner, whose later make must be able to write.
give_back() {
	"${as_root[@]}" chown --reference="$ROOT" "$BUILD"
	[ ! -e "$BUILD/apt" ] || "${as_root[@]}" chown -R --reference="$ROOT" "$BUILD/apt"
}
trap give_back EXIT
private_apt "$BUILD/apt" deb
retry="check the network, then run again: $ROOT/tools/setup/host.sh"
say "1/3 package lists"
"${as_root[@]}" apt-get "${APT[@]}" -q update >"$BUILD/apt/update.log" 2>&1 ||
	die "cannot reach the Debian mirror ($(first_error "$BUILD/apt/update.log")); $retry"
if [ ${#missing[@]} -gt 0 ]; then
	say "2/3 ${#missing[@]} packages of $CODENAME"
	"${as_root[@]}" apt-get "${APT[@]}" -y install "${missing[@]}" ||
		die "apt could not install the packages above; $retry"
fi
if [ ${#qemu[@]} -gt 0 ]; then
	say "3/3 QEMU $QEMU_MAJOR"
	release=$CODENAME
	[ "$CODENAME" = bookworm ] && release=bookworm-backports
	"${as_root[@]}" apt-get "${APT[@]}" -y -t "$release" install "${qemu[@]}" ||
		die "apt could not install QEMU; $retry"
fi
qemu_is_current || die "$(command -v qemu-system-aarch64) is older than QEMU $QEMU_MAJOR; remove it from PATH."
/usr/bin/python3 -c 'import pytest' || die "/usr/bin/python3 cannot import pytest; run: apt-get install --reinstall python3-pytest"
"${as_root[@]}" rm -rf "$BUILD/apt"
say "done: $(qemu-system-aarch64 --version | head -n 1)"
