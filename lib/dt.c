/* SPDX-License-Identifier: BSD-2-Clause */
#include "dt.h"

#include <libfdt.h> /* the format's names alone */
#include <string.h>

#include "types.h"

#define VERSION 17

static uint32_t cell(const uint32_t *at)
{
	return fdt32_to_cpu(*at);
}

/* How many cells a token takes; 0: it is none, or nothing is left behind it. */
static inline size_t token_cells(const uint32_t *at, size_t left)
{
	uint32_t tag = cell(at);
	size_t cells = 1;

	if (tag == FDT_PROP) {
		cells = left < 3 ? left : 3 + ((size_t)cell(&at[1]) + 3) / 4;
	} else if (tag == FDT_BEGIN_NODE) {
		/* The name, and zeroes to the end of a cell: that is the one whose last byte is 0.
		 */
		for (bool last = false; !last && cells < left; cells++) {
			last = at[cells] >> 24 == 0;
		}
	} else if (tag != FDT_END_NODE && tag != FDT_NOP) {
		return 0;
	}
	return cells < left ? cells : 0;
}

static inline const uint32_t *next_token(const uint32_t *at)
{
	return at + token_cells(at, SIZE_MAX);
}

static inline bool is_equal(const char *a, const char *b)
{
	return *a == *b && !strcmp(a, b);
}

/* One node with all it has, its properties before its children. */
static bool is_tree(const uint32_t *at, size_t left, uint32_t strings_size)
{
	bool has_children = false;
	unsigned depth = 0;

	do {
		size_t cells = left ? token_cells(at, left) : 0;

		if (cells == 0 || (cell(at) == FDT_PROP &&
				   (!depth || has_children || cell(&at[2]) >= strings_size))) {
			return false;
		}
		if (cell(at) == FDT_BEGIN_NODE || cell(at) == FDT_END_NODE) {
			has_children = cell(at) == FDT_END_NODE;
			depth += has_children ? -1u : 1;
		}
		at += cells;
		left -= cells;
	} while (depth && depth <= DT_DEPTH);
	return has_children && depth == 0 && cell(at) == FDT_END;
}

enum status dt_open(struct dt_node *root, const void *blob, size_t size)
{
	const char *bytes = blob;

	if (size < sizeof(struct fdt_header) || fdt_magic(blob) != FDT_MAGIC ||
	    fdt_totalsize(blob) > size || fdt_version(blob) < VERSION ||
	    fdt_last_comp_version(blob) > VERSION) {
		return STATUS_INVALID;
	}
	uint32_t nodes = fdt_off_dt_struct(blob), nodes_size = fdt_size_dt_struct(blob);
	uint32_t strings = fdt_off_dt_strings(blob), strings_size = fdt_size_dt_strings(blob);

	*root = (struct dt_node){(const void *)(bytes + nodes), bytes + strings};
	return range_inside(nodes, nodes_size, 0, fdt_totalsize(blob)) &&
			       range_inside(strings, strings_size, 0, fdt_totalsize(blob)) &&
			       is_aligned((uintptr_t)root->at, 4) &&
			       (!strings_size || root->strings[strings_size - 1] == '\0') &&
			       is_tree(root->at, nodes_size / 4, strings_size)
		       ? STATUS_OK
		       : STATUS_INVALID;
}

bool dt_walk(struct dt_walk *walk, unsigned depth)
{
	const uint32_t *at = walk->depth ? next_token(walk->node.at) : walk->path[0].at;

	for (; at; at = next_token(at)) {
		if (cell(at) == FDT_END_NODE && --walk->depth == 0) {
			return false;
		}
		if (cell(at) == FDT_BEGIN_NODE) {
			walk->node = (struct dt_node){at, walk->path[0].strings};
			walk->path[walk->depth++] = walk->node;
			if (walk->depth == depth || depth == 0) {
				return true;
			}
		}
	}
	return false;
}

const char *dt_name(struct dt_node node)
{
	return (const char *)&node.at[1];
}

struct dt_node dt_child(struct dt_node node, const char *name)
{
	struct dt_walk walk = {.path = {node}};

	while (dt_walk(&walk, 2)) {
		if (!strcmp(dt_name(walk.path[1]), name)) {
			return walk.path[1];
		}
	}
	return (struct dt_node){0};
}

struct dt_node dt_by_phandle(struct dt_node root, uint32_t phandle)
{
	struct dt_node node = root;

	for (const uint32_t *at = root.at; at && cell(at) != FDT_END; at = next_token(at)) {
		if (cell(at) == FDT_BEGIN_NODE) {
			node.at = at;
		} else if (cell(at) == FDT_PROP && cell(&at[1]) == 4 && cell(&at[3]) == phandle &&
			   is_equal(root.strings + cell(&at[2]), "phandle")) {
			return node;
		}
	}
	return (struct dt_node){0};
}

const void *dt_property(struct dt_node node, const char *name, unsigned *length)
{
	const uint32_t *at = node.at;
	uint32_t tag = FDT_NOP;

	for (*length = 0; at && (tag == FDT_NOP || tag == FDT_PROP); tag = cell(at)) {
		if (tag == FDT_PROP && is_equal(node.strings + cell(&at[2]), name)) {
			*length = cell(&at[1]);
			return &at[3];
		}
		at = next_token(at);
	}
	return NULL;
}

bool dt_has(struct dt_node node, const char *property)
{
	unsigned length;

	return dt_property(node, property, &length) != NULL;
}

bool dt_is(struct dt_node node, const char *property, const char *value)
{
	unsigned length;
	const char *text = dt_property(node, property, &length);

	return length == strlen(value) + 1 && !memcmp(text, value, length);
}

bool dt_is_enabled(struct dt_node node)
{
	return !dt_has(node, "status") || dt_is(node, "status", "okay") ||
	       dt_is(node, "status", "ok");
}

int dt_position(struct dt_node node, const char *property, const char *const *names, unsigned count,
		unsigned *which)
{
	unsigned length;
	const char *text = dt_property(node, property, &length), *end;

	if (length == 0 || text[length - 1] != '\0') {
		return -1;
	}
	end = text + length;
	for (int position = 0; text < end; text += strlen(text) + 1, position++) {
		for (*which = 0; *which < count; ++*which) {
			if (is_equal(text, names[*which])) {
				return position;
			}
		}
	}
	return -1;
}

struct dt_cells dt_cells(struct dt_node node, const char *property)
{
	unsigned length;
	const uint32_t *at = dt_property(node, property, &length);

	return (struct dt_cells){at, length % 4 == 0 ? length / 4 : 0};
}

uint64_t dt_take(struct dt_cells *cells, unsigned count)
{
	uint64_t value = 0;

	for (; count && cells->count; count--, cells->count--) {
		value = value << 32 | cell(cells->at++);
	}
	return value;
}

uint32_t dt_u32(struct dt_node node, const char *property, uint32_t absent)
{
	struct dt_cells cells = dt_cells(node, property);

	return !cells.at ? absent : cells.count == 1 ? (uint32_t)dt_take(&cells, 1) : UINT32_MAX;
}

struct dt_cells dt_reserved(const void *blob)
{
	uint32_t from = fdt_off_mem_rsvmap(blob), all = fdt_totalsize(blob);

	return (struct dt_cells){(const void *)((const char *)blob + from),
				 from < all && is_aligned(from, 4) ? (all - from) / 4 : 0};
}
