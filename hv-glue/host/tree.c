/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>

static void *blob;
static int blob_size;

static void check(int result)
{
	if (result != 0) {
		fprintf(stderr, "tree: %s\n", fdt_strerror(result));
		abort();
	}
}

void tree_begin(void *at, size_t size, uint64_t reserved_at, uint64_t reserved_size)
{
	blob = at;
	blob_size = (int)size;
	check(fdt_create(blob, blob_size));
	if (reserved_size != 0) {
		check(fdt_add_reservemap_entry(blob, reserved_at, reserved_size));
	}
	check(fdt_finish_reservemap(blob));
	tree_node("");
}

void tree_node(const char *name)
{
	check(fdt_begin_node(blob, name));
}

void tree_close(void)
{
	check(fdt_end_node(blob));
}

void tree_end(void)
{
	tree_close();
	check(fdt_finish(blob));
}

void tree_edit(void)
{
	check(fdt_open_into(blob, blob, blob_size));
}

void tree_text(const char *name, const char *value)
{
	check(fdt_property_string(blob, name, value));
}

void tree_u32(const char *name, uint32_t value)
{
	check(fdt_property_u32(blob, name, value));
}

void tree_u64(const char *name, uint64_t value)
{
	check(fdt_property_u64(blob, name, value));
}

void tree_bytes(const char *name, const void *value, size_t size)
{
	check(fdt_property(blob, name, value, (int)size));
}

void tree_cells(const char *name, const uint32_t *values, size_t count)
{
	void *place;

	check(fdt_property_placeholder(blob, name, (int)(4 * count), &place));
	for (size_t i = 0; i < count; i++) {
		fdt32_st((char *)place + 4 * i, values[i]);
	}
}

struct dt_walk tree_find(const void *tree, const char *compatible)
{
	struct dt_walk at = {0};
	unsigned which;

	if (dt_open(&at.path[0], tree, SIZE_MAX) == STATUS_OK) {
		while (dt_walk(&at, 0) && dt_position(at.path[at.depth - 1], "compatible",
						      &compatible, 1, &which) < 0) {
		}
	}
	return at;
}
