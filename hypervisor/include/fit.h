/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a FIT image (a device tree of named images with hashes, made by mkimage). Nothing in it is
 * trusted before its hash was checked; its structure is checked by dt_open().
 */
#ifndef CW_FIT_H
#define CW_FIT_H

#include <stddef.h>

#include "dt.h"

struct fit_image {
	const void *data;
	size_t size;
};

/*
 * Finds /images/NAME of an open tree and checks its sha256 hash node. STATUS_NOT_FOUND: no such
 * image, or it has no data; STATUS_UNSUPPORTED: no sha256 hash; STATUS_HARDWARE: the hash does not
 * match.
 */
enum status MUST_USE fit_image(struct dt_node fit, const char *name, struct fit_image *image);

#endif
