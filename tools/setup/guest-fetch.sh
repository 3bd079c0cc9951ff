# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# Fetching arm64 packages without installing them, and steps that are not repeated (sourced by guests.sh, kvm.sh).
# Uses: APTDIR, RETRY (what to do when the mirror does not answer), STAMPS (where finished steps are noted).
# Sets: CHANGED when a step was done.

# fetch WHAT COMMAND...: runs an apt command; on failure one sentence, apt's words in a log.
fetch() {
	local what=$1 log=$APTDIR/fetch.log
	shift
	"$@" >"$log" 2>&1 ||
		die "cannot get $what from the Debian mirror ($(first_error "$log")); $RETRY"
}

# arm64_apt DIR TYPE...: a private apt (see apt-common.sh) for which nothing is installed.
arm64_apt() {
	private_apt "$@"
	: >"$1/empty"
	APT+=(-o "Dir::State::status=$1/empty" -o APT::Architecture=arm64
		-o APT::Architectures::=arm64)
}

# alone_in DIR OTHER: makes both folders, and waits until no other run uses DIR.
alone_in() {
	mkdir -p "$@" 2>/dev/null || true
	if ! [ -w "$1" ] || ! [ -w "$2" ]; then
		die "cannot write to $BUILD (another user's?); remove it, or run: sudo chown -R $(id -un): $BUILD"
	fi
	exec 9>"$1/.lock"
	flock -n 9 || { say "waiting for another run" && flock 9; }
}

# step NAME INPUTS COMMAND...: runs COMMAND unless it was done before with the same INPUTS.
step() {
	local stamp=$STAMPS/.$1 inputs=$2
	shift 2
	[ "$(cat "$stamp" 2>/dev/null)" != "$inputs" ] || return 0
	rm -f "$stamp"
	"$@"
	echo "$inputs" >"$stamp"
	CHANGED=1
}

hash_of() {
	cat "$@" | sha256sum | cut -d ' ' -f 1
}
