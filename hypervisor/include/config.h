/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolved config inside a FIT (docs/config.md): what `causeway pack` wrote, checked again
 * here, because a config is input like any other.
 */
#ifndef CW_CONFIG_H
#define CW_CONFIG_H

#include "guest_map.h"
#include "hv.h"

#define CONFIG_NAME_LENGTH  15
#define CONFIG_IMAGE_LENGTH 63

enum config_image_kind { IMAGE_KERNEL, IMAGE_RAMDISK, IMAGE_DTB, CONFIG_IMAGES };

struct config_image {
	char name[CONFIG_IMAGE_LENGTH + 1]; /* empty: none; the ramdisk's alone may be */
	ipa_t load;
};

struct partition_config {
	char name[CONFIG_NAME_LENGTH + 1];
	unsigned vcpus;
	unsigned cores[GUEST_MAX_VCPUS];
	uint64_t memory_size;
	bool memory_pinned;
	pa_t memory_at; /* when pinned */
	bool service;	/* owns a PF for others; never keeps the machine on */
	struct config_image images[CONFIG_IMAGES];
	ipa_t entry;
	struct hv_device_request devices[HV_MAX_DEVICES];
	unsigned device_count, wire_ends;
};

struct config {
	struct partition_config partitions[HV_MAX_PARTITIONS];
	unsigned partition_count;
	struct hv_wire_request wires[HV_MAX_WIRES];
	unsigned wire_count;
	bool dump_pci; /* into the log, each time a partition starts */
};

/*
 * Reads and checks all partitions of the `size` bytes at `fdt`; each error is one log line that
 * names the node. `cores` is how many the machine has. STATUS_INVALID when any partition is wrong:
 * nothing must be started then.
 */
enum status MUST_USE config_read(struct config *config, const void *fdt, size_t size,
				 unsigned cores);

#endif
