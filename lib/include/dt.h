/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a device tree blob (Devicetree Specification 0.4, chapter 5). dt_open() checks all of it,
 * once: what is read afterwards is bounded by what was checked, so the blob must not change.
 */
#ifndef CW_DT_H
#define CW_DT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define DT_DEPTH 16 /* the root is 1; a deeper tree is refused */

/* `at` NULL: no node, which has no properties and nothing below it. */
struct dt_node {
	const uint32_t *at;
	const char *strings;
};

/* STATUS_INVALID: not a device tree of version 17, or not whole within `size` bytes, or too deep.
 */
enum status MUST_USE dt_open(struct dt_node *root, const void *blob, size_t size);

/*
 * A node and all below it, in the blob's order: begins as {.path = {node}}. Then `node` is where it
 * is, path[] what leads there from the first one: path[depth - 1] is `node` again.
 */
struct dt_walk {
	struct dt_node node, path[DT_DEPTH];
	unsigned depth;
};
/* The next one, or the next whose depth is this: 2 for those right below path[0]. */
bool dt_walk(struct dt_walk *walk, unsigned depth);

const char *dt_name(struct dt_node node);
struct dt_node dt_child(struct dt_node node, const char *name);
struct dt_node dt_by_phandle(struct dt_node root, uint32_t phandle);

/* NULL, and length 0: there is none. */
const void *dt_property(struct dt_node node, const char *name, unsigned *length);
/* True also for an empty property. */
bool dt_has(struct dt_node node, const char *property);
/* Is it this string, and nothing else? */
bool dt_is(struct dt_node node, const char *property, const char *value);
/* `status` is absent, "okay" or "ok". */
bool dt_is_enabled(struct dt_node node);
/* Where in a list of strings the first of `names` is, and which one; negative: none. */
int dt_position(struct dt_node node, const char *property, const char *const *names, unsigned count,
		unsigned *which);

/* A property as a row of 32-bit cells. Absent, or not made of whole cells: count 0. */
struct dt_cells {
	const uint32_t *at;
	unsigned count;
};
struct dt_cells dt_cells(struct dt_node node, const char *property);
/* Takes `count` cells (at most 2) from the front; what is not there reads as 0. */
uint64_t dt_take(struct dt_cells *cells, unsigned count);
/* A property of one cell; UINT32_MAX: it is not. */
uint32_t dt_u32(struct dt_node node, const char *property, uint32_t absent);
/* The memory reservation block of a blob that is open: address and size, two cells each, until both
 * are 0. */
struct dt_cells dt_reserved(const void *blob);

#endif
