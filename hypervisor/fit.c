/* SPDX-License-Identifier: BSD-2-Clause */
#include "fit.h"

#include <string.h>

#include "dt.h"
#include "log.h"
#include "sha256.h"

enum status fit_open(const void *fit, size_t size)
{
	if (size < sizeof(struct fdt_header) || fdt_check_full(fit, size) != 0) {
		return STATUS_INVALID;
	}
	return fdt_path_offset(fit, "/images") < 0 ? STATUS_INVALID : STATUS_OK;
}

/* The hash node of an image: a subnode "hash…" with algo = "sha256". */
static const uint8_t *find_hash(const void *fit, int image)
{
	int node;

	fdt_for_each_subnode(node, fit, image)
	{
		int length;
		const char *name = fdt_get_name(fit, node, NULL);

		if (name && !strncmp(name, "hash", 4) && dt_is(fit, node, "algo", "sha256")) {
			const uint8_t *value = fdt_getprop(fit, node, "value", &length);

			return value && length == SHA256_SIZE ? value : NULL;
		}
	}
	return NULL;
}

enum status fit_image(const void *fit, const char *name, struct fit_image *image)
{
	uint8_t digest[SHA256_SIZE];
	int images = fdt_path_offset(fit, "/images"), length;
	int node = images < 0 ? images : fdt_subnode_offset(fit, images, name);
	const void *data = node < 0 ? NULL : fdt_getprop(fit, node, "data", &length);

	if (!data) {
		log_error("FIT: no image '%s'; pack the config again with 'causeway pack'", name);
		return STATUS_NOT_FOUND;
	}

	const uint8_t *hash = find_hash(fit, node);

	if (!hash) {
		log_error("FIT: image '%s' has no sha256 hash; pack it again", name);
		return STATUS_UNSUPPORTED;
	}
	sha256(data, (size_t)length, digest);
	if (memcmp(digest, hash, sizeof(digest)) != 0) {
		log_error("FIT: image '%s' does not match its sha256 hash: damaged in storage or "
			  "transfer; pack it again",
			  name);
		return STATUS_HARDWARE;
	}
	*image = (struct fit_image){data, (size_t)length};
	return STATUS_OK;
}
