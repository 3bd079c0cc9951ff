/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device trees as tests need them: written with libfdt, and a place in one found without the
 * hypervisor's reading of the rest.
 */
#ifndef CW_HOST_TREE_H
#define CW_HOST_TREE_H

#include "dt.h"

/* Begins a tree in the test's own `blob`, with its root open; one memory reservation unless its
 * size is 0. What does not fit is the test's mistake: abort. */
void tree_begin(void *blob, size_t size, uint64_t reserved_at, uint64_t reserved_size);
void tree_node(const char *name);
void tree_close(void); /* the node begun last */
void tree_end(void);   /* closes the root */
void tree_edit(void);  /* after tree_end: libfdt may change it, up to the blob's size */

void tree_text(const char *name, const char *value);
void tree_u32(const char *name, uint32_t value);
void tree_u64(const char *name, uint64_t value);
void tree_bytes(const char *name, const void *value, size_t size);
void tree_cells(const char *name, const uint32_t *values, size_t count);
#define TREE_CELLS(name, ...)                                                                      \
	tree_cells(name, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

/* Walks to the first node that is compatible; depth 0: `blob` is no tree, or has none. */
struct dt_walk tree_find(const void *blob, const char *compatible);

#endif
