/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree.h"

struct dt_walk tree_find(const void *blob, const char *compatible)
{
	struct dt_walk at = {0};
	unsigned which;

	if (dt_open(&at.path[0], blob, SIZE_MAX) == STATUS_OK) {
		while (dt_walk(&at, 0) && dt_position(at.path[at.depth - 1], "compatible",
						      &compatible, 1, &which) < 0) {
		}
	}
	return at;
}
