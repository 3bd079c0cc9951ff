# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# Shared by host.sh and guests.sh (sourced, not run): which Debian this is, which mirror the
# machine already uses, and a private apt configuration that leaves /etc/apt alone.
#
# Sets: ROOT (top of the tree), BUILD (absolute), CODENAME.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in
/*) ;;
*) BUILD=$ROOT/$BUILD ;;
esac
DEFAULT_MIRROR=http://deb.debian.org/debian
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# first_error LOG: apt's first complaint, for a one-sentence report.
first_error() {
	grep -m 1 '^[EW]:' "$1" || tail -n 1 "$1"
}

# The Debian release; anything but 12 and 13 ends here.
detect_debian() {
	local id='' ver='' name='this system'
	if [ -r /etc/os-release ]; then
		id=$(. /etc/os-release && echo "${ID:-}")
		ver=$(. /etc/os-release && echo "${VERSION_ID:-}")
		name=$(. /etc/os-release && echo "${PRETTY_NAME:-this system}")
	fi
	case $id:$ver in
	debian:12) CODENAME=bookworm ;;
	debian:13) CODENAME=trixie ;;
	*) die "needs Debian 12 or 13, but this is $name; use a Debian container or machine." ;;
	esac
}

# mirror_of SUITE DEFAULT: the URI this machine's own apt uses for SUITE.
# apt reads its sources itself (both formats); --print-uris downloads nothing.
mirror_of() {
	local uri
	uri=$(apt-get update --print-uris 2>/dev/null |
		sed -n "s|^'\\(.*[^/]\\)/*/dists/$1/InRelease'.*|\\1|p" | head -n 1)
	echo "${uri:-$2}"
}

# write_sources FILE TYPE...: main, updates, security and (on 12) backports of this release.
write_sources() {
	local file=$1 type main sec
	shift
	main=$(mirror_of "$CODENAME" "$DEFAULT_MIRROR")
	sec=$(mirror_of "$CODENAME-security" "$DEFAULT_MIRROR-security")
	for type; do
		echo "$type [signed-by=$KEYRING] $main $CODENAME main"
		echo "$type [signed-by=$KEYRING] $main $CODENAME-updates main"
		echo "$type [signed-by=$KEYRING] $sec $CODENAME-security main"
		if [ "$CODENAME" = bookworm ]; then
			echo "$type [signed-by=$KEYRING] $main $CODENAME-backports main"
		fi
	done >"$file"
}

# private_apt DIR TYPE...: fills the array APT with the options of an apt whose sources,
# lists and package cache live under DIR.
private_apt() {
	local dir=$1
	shift
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/parts"
	write_sources "$dir/sources.list" "$@"
	APT=(-q
		-o "Dir::Etc::sourcelist=$dir/sources.list" -o "Dir::Etc::sourceparts=$dir/parts"
		-o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir"
		-o "Dir::Cache::archives=$dir/archives"
		-o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::Languages=none
		-o Acquire::http::Timeout=30 -o APT::Update::Error-Mode=any
		-o APT::Install-Recommends=false
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120)
}
