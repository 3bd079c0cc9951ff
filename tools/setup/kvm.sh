#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes what `make bench-kvm` boots besides the test guests: build/kvm/initramfs.cpio.gz, the guests' initramfs and over it
# a KVM host: Debian's arm64 QEMU, the modules of VFIO, vhost and bridges, and the guest's own kernel and initramfs.
# Packages are fetched and unpacked under build/ and never installed; later runs need no network. Run guests.sh first.

set -euo pipefail
umask 022
# shellcheck source=tools/setup/apt-common.sh
. "$(dirname "$0")/apt-common.sh"
# shellcheck source=tools/setup/guest-fetch.sh
. "$(dirname "$0")/guest-fetch.sh"
# shellcheck source=tools/setup/guest-tree.sh
. "$(dirname "$0")/guest-tree.sh"

PACKAGES=(qemu-system-arm iproute2)
PROGRAMS=(qemu-system-aarch64 bridge)
MODULES=(vfio_pci vfio_iommu_type1 tun tap vhost_net bridge)
SCRIPT=$ROOT/tests/bench/kvm/cw-kvm
CROSS=aarch64-linux-gnu-

APTDIR=$BUILD/apt-kvm
KVM=$BUILD/kvm
GUEST=$BUILD/guest
UNPACKED=$KVM/unpacked
STAMPS=$KVM
RETRY="check the network, then run again: $ROOT/tools/setup/kvm.sh"

# On Debian 12 the emulator of its backports, which is the version that runs the machine itself.
fetch_packages() {
	local release=()
	say "1/3 packages: ${PACKAGES[*]} (arm64, $CODENAME)"
	arm64_apt "$APTDIR" deb
	[ "$CODENAME" != bookworm ] || release=(-t bookworm-backports)
	fetch "the package lists" apt-get "${APT[@]}" update
	rm -f "$APTDIR"/archives/*.deb
	fetch "${PACKAGES[*]}" apt-get "${APT[@]}" "${release[@]}" -y --download-only install "${PACKAGES[@]}"
}

unpack_packages() {
	local deb
	say "2/3 unpacking"
	rm -rf "$UNPACKED"
	mkdir -p "$UNPACKED/root"
	for deb in "$APTDIR"/archives/*.deb; do
		dpkg-deb -x "$deb" "$UNPACKED/root"
	done
	ln -s ../../guest/unpacked/kernel "$UNPACKED/kernel"
	for deb in "$APTDIR"/archives/*.deb; do
		basename "$deb" .deb
	done | sort >"$KVM/versions"
	rm -f "$APTDIR"/archives/*.deb
}

make_initramfs() {
	local name
	say "3/3 initramfs of the KVM host"
	begin_tree "$KVM/tree" "$GUEST/tree" modules.kvm
	for name in "${PROGRAMS[@]}"; do
		add_program "$name"
	done
	for name in "${MODULES[@]}"; do
		add_module "$name"
	done
	install -m 755 "$SCRIPT" "$TREE/bin/"
	pack_tree "$KVM/tools.cpio.gz"
	# The guest gets cw-kvm too, and what the host's initramfs begins with.
	begin_tree "$KVM/guest-tree" "$GUEST/tree" modules.none
	install -m 755 "$SCRIPT" "$TREE/bin/"
	pack_tree "$KVM/guest.cpio.gz"
	begin_tree "$KVM/images-tree" "$GUEST/tree" modules.none
	mkdir "$TREE/guest"
	cp "$GUEST/Image" "$TREE/guest/"
	cat "$GUEST/initramfs.cpio.gz" "$KVM/guest.cpio.gz" >"$TREE/guest/initramfs.cpio.gz"
	pack_tree "$KVM/images.cpio.gz"
	cat "$GUEST/initramfs.cpio.gz" "$KVM/tools.cpio.gz" "$KVM/images.cpio.gz" >"$KVM/initramfs.cpio.gz.part"
	mv "$KVM/initramfs.cpio.gz.part" "$KVM/initramfs.cpio.gz"
	rm -rf "$KVM"/{images,guest}-tree
}

detect_debian
[ -e "$GUEST/initramfs.cpio.gz" ] || die "run $ROOT/tools/setup/guests.sh first."
alone_in "$KVM" "$APTDIR"
CHANGED=
fetched="$CODENAME ${PACKAGES[*]}"
step packages "$fetched" fetch_packages
unpacked="$fetched $(stat -c %Y "$KVM/.packages")"
step unpacked "$unpacked" unpack_packages
[ -e "$KVM/initramfs.cpio.gz" ] || rm -f "$KVM/.initramfs"
step initramfs "$unpacked $(cat "$GUEST/.initramfs") $(hash_of "$0" "${0%/*}/guest-tree.sh" "$SCRIPT")" make_initramfs
rm -rf "$APTDIR"/{lists,*.bin}
[ -z "$CHANGED" ] || say "done: $KVM/initramfs.cpio.gz"
