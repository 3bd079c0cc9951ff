#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes what the test guests run, from Debian's arm64 packages of this machine's release:
#   build/guest/Image                the kernel (6.12, uncompressed)
#   build/guest/initramfs.cpio.gz    guest-drivers/linux plus tools and modules; reproducible
#   build/guest/initramfs-rdma.cpio.gz   the same and RDMA: rdma_rxe, rdma-core, perftest
#   build/guest/initramfs-hosting.cpio.gz   the same and hosting: bridge, nftables, NBD, 9P
#   build/guest/versions             the packages all this came from
#   build/libfdt-src/libfdt/         libfdt's source, compiled into the bare-metal guests
# Packages are fetched and unpacked under build/ and never installed; apt's state is private to
# build/apt-arm64. Finished steps are not repeated, so a later run needs no network.

set -euo pipefail
umask 022
# shellcheck source=tools/setup/apt-common.sh
. "$(dirname "$0")/apt-common.sh"
# shellcheck source=tools/setup/guest-fetch.sh
. "$(dirname "$0")/guest-fetch.sh"
# shellcheck source=tools/setup/guest-tree.sh
. "$(dirname "$0")/guest-tree.sh"

KERNEL=6.12
LIBFDT_SUITE=trixie
PACKAGES=(busybox-static iproute2 ethtool pciutils iputils-ping libc6)
PROGRAMS=(busybox ip ethtool lspci setpci ping)
MODULES=(igb igbvf virtio_pci virtio_net)
MODULES_IF_THERE=(nvme e1000e 8139cp ne2k_pci) # loaded when a function wants them
RDMA_PACKAGES=(rdma-core ibverbs-providers ibverbs-utils rdmacm-utils perftest)
RDMA_PROGRAMS=(rdma ibv_devinfo ibv_rc_pingpong rping ib_write_bw ib_read_lat)
RDMA_MODULES=(crc32_generic rdma_rxe rdma_ucm)
HOSTING_PACKAGES=(nftables nbd-server nbd-client diod e2fsprogs fdisk dmsetup)
HOSTING_PROGRAMS=(bridge nft nbd-server diod sfdisk mkfs.ext4 e2fsck nbd-client dmsetup)
# Of the I/O-hosting partition, and of those whose storage it hosts.
HOSTING_MODULES=(crc32c_generic bridge nf_tables nft_meta_bridge nft_limit ext4)
HOSTED_MODULES=(crc32c_generic nbd dm_multipath dm_round_robin ext4 9pnet_fd 9p)
SCRIPTS=$ROOT/guest-drivers/linux
CROSS=aarch64-linux-gnu-

APTDIR=$BUILD/apt-arm64
UNPACKED=$BUILD/guest/unpacked
GUEST=$BUILD/guest
STAMPS=$GUEST
RETRY="check the network, then run again: $ROOT/tools/setup/guests.sh"

kernel_package() {
	apt-cache "${APT[@]}" pkgnames "linux-image-$KERNEL" |
		grep -E "^linux-image-$KERNEL\.[0-9][^-]*(-[0-9]+)?-arm64\$" | sort -V | tail -n 1
}

fetch_packages() {
	local kernel
	say "1/8 package lists (arm64, $CODENAME)"
	arm64_apt "$APTDIR" deb
	fetch "the package lists" apt-get "${APT[@]}" update
	kernel=$(kernel_package)
	[ -n "$kernel" ] || die "the mirror has no linux-image-$KERNEL for arm64 in $CODENAME; use another mirror."
	say "2/8 packages: $kernel ${PACKAGES[*]} ${RDMA_PACKAGES[*]} ${HOSTING_PACKAGES[*]}"
	rm -rf "$APTDIR/kernel"
	rm -f "$APTDIR"/archives/*.deb
	mkdir -p "$APTDIR/kernel"
	fetch "${PACKAGES[*]} ${RDMA_PACKAGES[*]} ${HOSTING_PACKAGES[*]}" apt-get "${APT[@]}" -y --download-only install \
		"${PACKAGES[@]}" "${RDMA_PACKAGES[@]}" "${HOSTING_PACKAGES[@]}"
	(cd "$APTDIR/kernel" && fetch "$kernel" apt-get "${APT[@]}" download "$kernel")
}

# The upstream tarball (apt checks its hash), without Debian's packaging. The hypervisor shall not
# depend on the build machine's release: LIBFDT_SUITE on both, unless the mirror lacks it.
fetch_libfdt() {
	local dir=$APTDIR/source suite main log=$APTDIR/source/fetch.log
	say "3/8 source of libfdt"
	rm -rf "$dir" "$BUILD/libfdt-src" "$BUILD/libfdt-src.part"
	mkdir -p "$dir/files"
	arm64_apt "$dir" deb-src
	main=$(mirror_of "$CODENAME" "$DEFAULT_MIRROR")
	for suite in "$LIBFDT_SUITE" "$CODENAME"; do
		echo "deb-src [signed-by=$KEYRING] $main $suite main" >"$dir/sources.list"
		if apt-get "${APT[@]}" update >"$log" 2>&1 && (cd "$dir/files" &&
			apt-get "${APT[@]}" --download-only --tar-only source \
				"device-tree-compiler/$suite" >>"$log" 2>&1); then
			mkdir "$BUILD/libfdt-src.part"
			tar -xf "$dir"/files/*.orig.tar.* -C "$BUILD/libfdt-src.part" --strip-components=1
			mv "$BUILD/libfdt-src.part" "$BUILD/libfdt-src"
			return
		fi
		rm -f "$dir"/files/*
	done
	die "cannot get the source of device-tree-compiler from the Debian mirror ($(first_error "$log")); $RETRY"
}

unpack_packages() {
	local deb
	say "4/8 unpacking"
	rm -rf "$UNPACKED"
	mkdir -p "$UNPACKED/root" "$UNPACKED/kernel"
	for deb in "$APTDIR"/archives/*.deb; do
		dpkg-deb -x "$deb" "$UNPACKED/root"
	done
	dpkg-deb -x "$APTDIR"/kernel/*.deb "$UNPACKED/kernel"
	for deb in "$APTDIR"/{archives,kernel}/*.deb; do
		basename "$deb" .deb
	done | sort >"$GUEST/versions"
	basename "$APTDIR"/source/files/*.orig.tar.* >>"$GUEST/versions"
}

make_image() {
	local vmlinuz
	say "5/8 kernel image"
	vmlinuz=$(echo "$UNPACKED"/kernel/boot/vmlinuz-*)
	if [ "$(head -c 2 "$vmlinuz" | od -An -tx1)" = ' 1f 8b' ]; then
		gzip -dc "$vmlinuz" >"$GUEST/Image.part"
	else
		cp "$vmlinuz" "$GUEST/Image.part"
	fi
	# The arm64 boot protocol's magic; a compressed EFI image has none.
	[ "$(dd if="$GUEST/Image.part" bs=1 skip=56 count=4 status=none)" = ARMd ] ||
		die "${vmlinuz##*/} is no arm64 Image; a kernel package of another format needs support here."
	mv "$GUEST/Image.part" "$GUEST/Image"
}

make_initramfs() {
	local name
	say "6/8 initramfs"
	begin_tree "$GUEST/tree" "$GUEST/tree" modules
	mkdir -p "$TREE"/{proc,sys,dev,tmp,run}
	for name in "${PROGRAMS[@]}"; do
		add_program "$name"
	done
	cp -L "$(find "$UNPACKED/root" -name ld-linux-aarch64.so.1 | sort | head -n 1)" "$TREE/lib/"
	cp "$(find "$UNPACKED/kernel" -name modules.builtin)" "$(find "$UNPACKED/kernel" -name modules.order)" \
		"$MODULE_DIR"
	for name in "${MODULES[@]}"; do
		add_module "$name"
	done
	LIST=$TREE/etc/modules.if-there
	for name in "${MODULES_IF_THERE[@]}"; do
		add_module "$name"
	done
	# For modprobe, and lspci -k, which asks libkmod.
	/sbin/depmod -b "$TREE" "${MODULE_DIR##*/}" 2>"$GUEST/depmod.log" ||
		die "depmod: $(tail -n 1 "$GUEST/depmod.log")"
	"${CROSS}gcc" -std=c11 -O2 -static -Wall -Wextra -Werror -s -Wl,--build-id=none \
		-o "$TREE/bin/pk" "$SCRIPTS/pk.c"
	install -m 755 "$SCRIPTS/init" "$TREE/init"
	install -m 755 "$SCRIPTS"/{cw-run,cw-net,cw-bench} "$TREE/bin/"
	install -m 644 "$SCRIPTS"/{shrc,benchrc} "$TREE/etc/"
	pack_tree "$GUEST/initramfs.cpio.gz"
}

# What only the RDMA guests need, behind the same initramfs: the others boot faster without.
make_rdma_initramfs() {
	local name provider
	say "7/8 initramfs of the RDMA guests"
	begin_tree "$GUEST/rdma-tree" "$GUEST/tree" modules.rdma
	for name in "${RDMA_PROGRAMS[@]}"; do
		add_program "$name"
	done
	# The user-space half of rdma_rxe. libibverbs looks for it where Debian installs it.
	provider=$(find "$UNPACKED/root" -name 'librxe-rdmav*.so' | head -n 1)
	[ -n "$provider" ] || die "the provider librxe is in none of the packages."
	install -D -m 644 "$provider" "$TREE${provider#"$UNPACKED/root"}"
	add_libraries "$provider"
	mkdir -p "$TREE/etc/libibverbs.d"
	echo "driver rxe" >"$TREE/etc/libibverbs.d/rxe.driver"
	# glibc loads it when a thread of rping ends.
	name=$(find "$UNPACKED/root" -name libgcc_s.so.1 | head -n 1)
	[ -n "$name" ] || die "libgcc_s.so.1 is in none of the packages."
	cp -L "$name" "$TREE/lib/"
	for name in "${RDMA_MODULES[@]}"; do
		add_module "$name"
	done
	install -m 755 "$SCRIPTS/cw-rdma" "$TREE/bin/"
	pack_tree "$GUEST/rdma.cpio.gz"
	cat "$GUEST/initramfs.cpio.gz" "$GUEST/rdma.cpio.gz" >"$GUEST/initramfs-rdma.cpio.gz.part"
	mv "$GUEST/initramfs-rdma.cpio.gz.part" "$GUEST/initramfs-rdma.cpio.gz"
}

# What hosting needs, at both ends of a wire: the programs of the I/O partition and of those it serves.
make_hosting_initramfs() {
	local name
	say "8/8 initramfs of the hosting guests"
	begin_tree "$GUEST/hosting-tree" "$GUEST/tree" modules.hosting
	for name in "${HOSTING_PROGRAMS[@]}"; do
		add_program "$name"
	done
	for name in "${HOSTING_MODULES[@]}"; do
		add_module "$name"
	done
	LIST=$TREE/etc/modules.hosted
	for name in "${HOSTED_MODULES[@]}"; do
		add_module "$name"
	done
	install -m 644 "$UNPACKED/root/etc/mke2fs.conf" "$TREE/etc/"
	"${CROSS}gcc" -std=c11 -O2 -static -Wall -Wextra -Werror -s -Wl,--build-id=none \
		-o "$TREE/bin/bulk" "$SCRIPTS/bulk.c"
	install -m 755 "$SCRIPTS"/{cw-io-host,cw-store} "$TREE/bin/"
	pack_tree "$GUEST/hosting.cpio.gz"
	cat "$GUEST/initramfs.cpio.gz" "$GUEST/hosting.cpio.gz" >"$GUEST/initramfs-hosting.cpio.gz.part"
	mv "$GUEST/initramfs-hosting.cpio.gz.part" "$GUEST/initramfs-hosting.cpio.gz"
}

detect_debian
alone_in "$GUEST" "$APTDIR"
CHANGED=
fetched="$CODENAME $KERNEL ${PACKAGES[*]} ${RDMA_PACKAGES[*]} ${HOSTING_PACKAGES[*]}"
step packages "$fetched" fetch_packages
[ -e "$BUILD/libfdt-src/libfdt/fdt.c" ] || rm -f "$GUEST/.libfdt"
step libfdt "$LIBFDT_SUITE $CODENAME" fetch_libfdt
unpacked="$fetched $(stat -c %Y "$GUEST/.packages")"
step unpacked "$unpacked" unpack_packages
[ -e "$GUEST/Image" ] || rm -f "$GUEST/.image"
step image "$unpacked" make_image
[ -e "$GUEST/initramfs.cpio.gz" ] || rm -f "$GUEST/.initramfs"
sources=$(hash_of "$0" "${0%/*}/guest-tree.sh" "$SCRIPTS"/{init,shrc,benchrc,cw-run,cw-net,cw-bench,pk.c})
step initramfs "$unpacked $sources" make_initramfs
[ -e "$GUEST/initramfs-rdma.cpio.gz" ] || rm -f "$GUEST/.rdma"
step rdma "$unpacked $sources $(hash_of "$SCRIPTS/cw-rdma")" make_rdma_initramfs
[ -e "$GUEST/initramfs-hosting.cpio.gz" ] || rm -f "$GUEST/.hosting"
step hosting "$unpacked $sources $(hash_of "$SCRIPTS"/{cw-io-host,cw-store,bulk.c})" make_hosting_initramfs
# What apt keeps to look packages up is most of the space, and is fetched anew if needed again.
rm -rf "$APTDIR"/{lists,*.bin} "$APTDIR"/source/{lists,*.bin}
[ -z "$CHANGED" ] || say "done: $GUEST/Image, $GUEST/initramfs{,-rdma,-hosting}.cpio.gz, $BUILD/libfdt-src/libfdt"
