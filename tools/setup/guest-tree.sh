# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# How a guest's file tree is filled from unpacked packages (sourced by guests.sh).
# Uses: UNPACKED, GUEST, CROSS. Sets: TREE, the tree being filled; BASE, the one it is laid over (or
# itself); LIST, its list of modules in load order; MODULE_DIR and BUILT_IN, of its kernel.

# begin_tree DIR BASE LIST: an empty tree over BASE.
begin_tree() {
	local builtin version
	TREE=$1 BASE=$2 LIST=$1/etc/$3
	rm -rf "$TREE"
	mkdir -p "$TREE"/{bin,lib,etc}
	: >"$LIST"
	builtin=$(find "$UNPACKED/kernel/" -name modules.builtin)
	BUILT_IN=$(tr - _ <"$builtin")
	version=$(basename "$(dirname "$builtin")")
	MODULE_DIR=$TREE/lib/modules/$version
	mkdir -p "$MODULE_DIR"
}

# add_libraries FILE: the shared libraries FILE needs, and theirs, to lib/.
add_libraries() {
	local name path
	for name in $("${CROSS}readelf" -d "$1" 2>/dev/null |
		sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		if [ -e "$TREE/lib/$name" ] || [ -e "$BASE/lib/$name" ]; then
			continue
		fi
		path=$(find "$UNPACKED/root" -name "$name" | sort | head -n 1)
		[ -n "$path" ] || die "library $name, needed by ${1##*/}, is in none of the packages."
		cp -L "$path" "$TREE/lib/$name"
		add_libraries "$path"
	done
}

add_program() {
	local dir
	for dir in bin sbin usr/bin usr/sbin; do
		if [ -e "$UNPACKED/root/$dir/$1" ]; then
			cp -L "$UNPACKED/root/$dir/$1" "$TREE/bin/$1"
			add_libraries "$TREE/bin/$1"
			return
		fi
	done
	die "program $1 is in none of the packages."
}

# add_module NAME: the module after what it depends on, in load order; nothing if built in.
add_module() {
	local name=${1//-/_} path dependency
	if grep -qsx "$name" "$BASE/etc/modules" "$LIST" || [[ $BUILT_IN = *"/$name.ko"* ]]; then
		return
	fi
	path=$(find "$UNPACKED/kernel/" \( -name "$name.ko*" -o -name "${name//_/-}.ko*" \) | sort | head -n 1)
	[ -n "$path" ] || die "module $name is not in the kernel package."
	case $path in
	*.xz) xz -dc "$path" >"$MODULE_DIR/$name.ko" ;;
	*.ko) cp "$path" "$MODULE_DIR/$name.ko" ;;
	*) die "module ${path##*/}: unknown compression." ;;
	esac
	for dependency in $("${CROSS}readelf" -p .modinfo "$MODULE_DIR/$name.ko" |
		sed -n 's/.* depends=//p' | tr ',' ' '); do
		add_module "$dependency"
	done
	echo "$name" >>"$LIST"
}

# pack_tree OUT: the tree as a reproducible archive. The kernel unpacks archives that follow each other.
pack_tree() {
	find "$TREE" -exec touch -h -d @0 {} +
	(cd "$TREE" && find . -print0 | sort -z |
		cpio -0 -o -H newc --quiet -R 0:0 --reproducible) |
		gzip -9n >"$1.part"
	mv "$1.part" "$1"
}
