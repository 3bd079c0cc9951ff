/* SPDX-License-Identifier: BSD-2-Clause */
#include "dt.h"

#include <string.h>

struct dt_cells dt_cells(const void *fdt, int node, const char *property)
{
	int length = 0;
	const fdt32_t *at = fdt_getprop(fdt, node, property, &length);

	return at && length % 4 == 0 ? (struct dt_cells){at, (unsigned)length / 4}
				     : (struct dt_cells){NULL, 0};
}

uint64_t dt_take(struct dt_cells *cells, unsigned count)
{
	uint64_t value = 0;

	for (; count && cells->count; count--, cells->count--) {
		value = value << 32 | fdt32_ld(cells->at++);
	}
	return value;
}

bool dt_has(const void *fdt, int node, const char *property)
{
	return fdt_getprop(fdt, node, property, NULL) != NULL;
}

bool dt_is(const void *fdt, int node, const char *property, const char *value)
{
	int length, wanted = (int)strlen(value) + 1;
	const char *text = fdt_getprop(fdt, node, property, &length);

	return text && length == wanted && !memcmp(text, value, (size_t)wanted);
}

bool dt_is_enabled(const void *fdt, int node)
{
	return !dt_has(fdt, node, "status") || dt_is(fdt, node, "status", "okay") ||
	       dt_is(fdt, node, "status", "ok");
}

int dt_next_enabled(const void *fdt, int from, const char *compatible)
{
	do {
		from = fdt_node_offset_by_compatible(fdt, from, compatible);
	} while (from >= 0 && !dt_is_enabled(fdt, from));
	return from;
}
