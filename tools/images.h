/* SPDX-License-Identifier: BSD-2-Clause */
/* From a sound config to a FIT: the files, where they lie in each guest, the guests' device trees.
 */
#ifndef TOOLS_IMAGES_H
#define TOOLS_IMAGES_H

#include "config.h"

#define MAX_IMAGES (2 * MAX_PARTITIONS)

struct image_set {
	struct image images[MAX_IMAGES]; /* kernels and ramdisks, each content once */
	unsigned count;
	unsigned missing; /* files that are not there */
};

/*
 * Reads every partition's kernel and ramdisk and lays them out in its memory. Reports files that
 * are missing (warning), not bootable, or do not fit.
 */
void images_load(struct config *config, struct image_set *set, struct report *report);

/* Roughly how big the FIT will be, rounded up to whole blocks; a guess while files are missing. */
uint64_t images_fit_size(const struct image_set *set);

/*
 * The device tree of a partition's guest: QEMU virt's layout (guest_map.h). The same input gives
 * the same bytes. A PF service also finds in /causeway the VFs it must set up.
 */
struct bytes guest_dtb_build(const struct config *config, const struct partition *partition);

/* Writes the FIT that the hypervisor boots from. The config is sound and its images are loaded. */
void fit_write(struct config *config, const struct image_set *set, const char *path);

#endif
