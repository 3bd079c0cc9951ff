#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Lines of code that run at EL2, room by room: not blank, not comment. Usage: tests/size.sh ROOM...
set -eu
limit=12000
total=0
for room in "$@"; do
	files=$(find "$room" -maxdepth 1 -name '*.[chS]')
	[ -d "$room/include" ] && files="$files $(find "$room/include" -name '*.h')"
	[ -n "$files" ] || continue
	# shellcheck disable=SC2086 # a list of names without spaces
	lines=$(sed -e 's|/\*.*\*/||' -e '\|/\*|,\|\*/|d' -e 's|//.*||' $files | grep -c '[^[:space:]]' || true)
	printf '%-28s %6d\n' "$room" "$lines"
	total=$((total + lines))
done
printf '%-28s %6d of %d\n' "at EL2" "$total" "$limit"
[ "$total" -le "$limit" ]
