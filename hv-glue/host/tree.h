/* SPDX-License-Identifier: BSD-2-Clause */
/* A device tree as tests need it: a place in it, without the hypervisor's reading of the rest. */
#ifndef CW_HOST_TREE_H
#define CW_HOST_TREE_H

#include "dt.h"

/* Walks to the first node that is compatible; depth 0: `blob` is no tree, or has none. */
struct dt_walk tree_find(const void *blob, const char *compatible);

#endif
