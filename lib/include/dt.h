/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a device tree, on top of libfdt: rows of cells, and nodes that are enabled (Devicetree
 * Specification 0.4, 2.3.4 and 2.2.4). Everything is bounded by the tree, which its reader has
 * checked.
 */
#ifndef CW_DT_H
#define CW_DT_H

#include <libfdt.h>
#include <stdbool.h>
#include <stdint.h>

/* A property as a row of 32-bit cells. Absent, or not made of whole cells: count 0. */
struct dt_cells {
	const fdt32_t *at;
	unsigned count;
};

struct dt_cells dt_cells(const void *fdt, int node, const char *property);

/* Takes `count` cells (at most 2) from the front; what is not there reads as 0. */
uint64_t dt_take(struct dt_cells *cells, unsigned count);

/* True also for an empty property. */
bool dt_has(const void *fdt, int node, const char *property);
/* Is it this string, and nothing else? */
bool dt_is(const void *fdt, int node, const char *property, const char *value);

/* `status` is absent, "okay" or "ok". */
bool dt_is_enabled(const void *fdt, int node);
/* The next enabled node after `from` (-1: the first) that is compatible; negative: none. */
int dt_next_enabled(const void *fdt, int from, const char *compatible);

#endif
