/* SPDX-License-Identifier: BSD-2-Clause */
#include "fit.h"

#include <string.h>

#include "log.h"
#include "sha256.h"

/* The hash node of an image: a subnode "hash…" with algo = "sha256". */
static const uint8_t *find_hash(struct dt_node image)
{
	struct dt_walk walk = {.path = {image}};

	while (dt_walk(&walk, 2)) {
		if (!strncmp(dt_name(walk.path[1]), "hash", 4) &&
		    dt_is(walk.path[1], "algo", "sha256")) {
			unsigned length;
			const uint8_t *value = dt_property(walk.path[1], "value", &length);

			return length == SHA256_SIZE ? value : NULL;
		}
	}
	return NULL;
}

enum status fit_image(struct dt_node fit, const char *name, struct fit_image *image)
{
	struct dt_node node = dt_child(dt_child(fit, "images"), name);
	uint8_t digest[SHA256_SIZE];
	unsigned length;
	const void *data = dt_property(node, "data", &length);

	if (!data) {
		log_error("FIT: no image '%s'; pack the config again with 'causeway pack'", name);
		return STATUS_NOT_FOUND;
	}

	const uint8_t *hash = find_hash(node);

	if (!hash) {
		log_error("FIT: image '%s' has no sha256 hash; pack it again", name);
		return STATUS_UNSUPPORTED;
	}
	sha256(data, length, digest);
	if (memcmp(digest, hash, sizeof(digest)) != 0) {
		log_error("FIT: image '%s' does not match its sha256 hash: damaged in storage or "
			  "transfer; pack it again",
			  name);
		return STATUS_HARDWARE;
	}
	*image = (struct fit_image){data, length};
	return STATUS_OK;
}
