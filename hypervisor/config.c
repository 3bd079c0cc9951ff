/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "dt.h"
#include "log.h"

#define COMPATIBLE "causeway,config-v1"

static bool complain(const char *node, const char *what)
{
	log_error("config: %s: %s; check it with 'causeway check'", node, what);
	return false;
}

static bool read_u64(const void *fdt, int node, const char *property, uint64_t *value)
{
	struct dt_cells cells = dt_cells(fdt, node, property);
	bool good = cells.count == 2;

	*value = dt_take(&cells, 2);
	return good;
}

static bool read_text(const void *fdt, int node, const char *property, char *text, size_t size)
{
	int length;
	const char *value = fdt_getprop(fdt, node, property, &length);

	if (!value || length < 2 || (size_t)length > size || value[length - 1] != '\0') {
		return false;
	}
	memcpy(text, value, (size_t)length);
	return true;
}

static uint32_t read_u32(const void *fdt, int node, const char *property, uint32_t absent)
{
	struct dt_cells cells = dt_cells(fdt, node, property);

	return cells.count == 1 ? (uint32_t)dt_take(&cells, 1) : absent;
}

static bool read_device(const void *fdt, int node, struct hv_device_request *device)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	memset(device, 0, sizeof(*device));
	memcpy(device->label, name, strnlen(name, sizeof(device->label) - 1));
	device->bypasses_smmu = dt_has(fdt, node, "bypasses-smmu");
	device->keep_without_reset = dt_has(fdt, node, "keep-without-reset");

	uint32_t rid = read_u32(fdt, node, "requester-id", UINT32_MAX);

	if (rid > UINT16_MAX) {
		return complain(name, "its function is not resolved");
	}
	device->function.v = (uint16_t)rid;
	device->wants_vf = dt_has(fdt, node, "vf-of");
	if (!device->wants_vf) {
		return true;
	}

	uint32_t index = read_u32(fdt, node, "index", UINT32_MAX);

	if (index > UINT16_MAX) {
		return complain(name, "index is missing or out of range");
	}
	device->vf_index = (uint16_t)index;
	return true;
}

static bool read_devices(const void *fdt, int partition, struct partition_config *out)
{
	int devices = fdt_subnode_offset(fdt, partition, "devices"), node;
	bool good = true;

	if (devices < 0) {
		return true;
	}
	fdt_for_each_subnode(node, fdt, devices)
	{
		if (out->device_count == HV_MAX_DEVICES) {
			return complain(out->name, "too many devices");
		}
		good &= read_device(fdt, node, &out->devices[out->device_count++]);
	}
	return good;
}

static bool read_cores(const void *fdt, int node, unsigned machine_cores, uint32_t *used,
		       struct partition_config *out)
{
	struct dt_cells cells = dt_cells(fdt, node, "cores");

	if (cells.count == 0 || cells.count > GUEST_MAX_VCPUS) {
		return complain(out->name, "cores is missing or lists too many");
	}
	out->vcpus = cells.count;
	for (unsigned i = 0; i < out->vcpus; i++) {
		uint32_t core = (uint32_t)dt_take(&cells, 1);

		if (core >= machine_cores || core >= 32) {
			log_error("config: %s: core %u, but the machine has %u cores; give the "
				  "machine "
				  "more or use lower numbers",
				  out->name, core, machine_cores);
			return false;
		}
		if (*used & 1u << core) {
			return complain(out->name, "a core that another vCPU has already");
		}
		*used |= 1u << core;
		out->cores[i] = core;
	}
	return true;
}

/* [load, load+1) must lie in the partition's RAM; sizes are checked when the image is loaded. */
static bool read_load(const void *fdt, int node, const char *property, uint64_t memory_size,
		      ipa_t *load)
{
	return read_u64(fdt, node, property, &load->v) &&
	       range_inside(load->v, 1, GUEST_RAM_BASE, memory_size);
}

static bool read_images(const void *fdt, int node, struct partition_config *out)
{
	if (!read_text(fdt, node, "kernel-image", out->kernel, sizeof(out->kernel)) ||
	    !read_text(fdt, node, "dtb-image", out->dtb, sizeof(out->dtb)) ||
	    !read_load(fdt, node, "kernel-load", out->memory_size, &out->kernel_load) ||
	    !read_load(fdt, node, "dtb-load", out->memory_size, &out->dtb_load) ||
	    !read_load(fdt, node, "entry", out->memory_size, &out->entry)) {
		return complain(out->name, "kernel or device tree image not resolved");
	}
	if (dt_has(fdt, node, "ramdisk-image") &&
	    (!read_text(fdt, node, "ramdisk-image", out->ramdisk, sizeof(out->ramdisk)) ||
	     !read_load(fdt, node, "ramdisk-load", out->memory_size, &out->ramdisk_load))) {
		return complain(out->name, "ramdisk image not resolved");
	}
	return true;
}

static bool read_partition(const void *fdt, int node, unsigned cores, uint32_t *used,
			   struct partition_config *out)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	memset(out, 0, sizeof(*out));
	if (strlen(name) > CONFIG_NAME_LENGTH) {
		return complain(name, "a partition's name has at most 15 characters");
	}
	memcpy(out->name, name, strlen(name));
	if (!read_u64(fdt, node, "memory-size", &out->memory_size) || out->memory_size == 0 ||
	    !is_aligned(out->memory_size, MIB(2)) || out->memory_size > GIB(256)) {
		return complain(name, "memory-size must be a multiple of 2 MiB");
	}
	out->memory_pinned = dt_has(fdt, node, "memory-at");
	if (out->memory_pinned && (!read_u64(fdt, node, "memory-at", &out->memory_at.v) ||
				   !is_aligned(out->memory_at.v, MIB(2)))) {
		return complain(name, "memory-at must be a multiple of 2 MiB");
	}
	out->service = dt_has(fdt, node, "pf-service");

	bool good = read_cores(fdt, node, cores, used, out);

	good &= read_images(fdt, node, out);
	return good & read_devices(fdt, node, out);
}

/* The whole structure: a walk over one that ends early looks like one with fewer partitions. */
static bool is_tree(const void *fdt, size_t size)
{
	return fdt_check_full(fdt, size) == 0 && fdt_version(fdt) >= 16; /* all nodes have names */
}

enum status config_read(struct config *config, const void *fdt, size_t size, unsigned cores)
{
	int root = is_tree(fdt, size) ? fdt_path_offset(fdt, "/") : -1, partitions, node;
	uint32_t used = 0;
	bool good = true;

	config->partition_count = 0;
	if (root < 0 || fdt_node_check_compatible(fdt, root, COMPATIBLE) != 0) {
		log_error("config: not \"%s\"; pack it with this version of causeway", COMPATIBLE);
		return STATUS_INVALID;
	}
	config->dump_pci = fdt_getprop(fdt, fdt_subnode_offset(fdt, root, "machine"), "dump-pci",
				       NULL) != NULL;
	partitions = fdt_subnode_offset(fdt, root, "partitions");
	if (partitions < 0) {
		log_error("config: no /partitions");
		return STATUS_INVALID;
	}
	fdt_for_each_subnode(node, fdt, partitions)
	{
		if (config->partition_count == HV_MAX_PARTITIONS) {
			log_error("config: more than %u partitions", HV_MAX_PARTITIONS);
			return STATUS_INVALID;
		}
		good &= read_partition(fdt, node, cores, &used,
				       &config->partitions[config->partition_count++]);
	}
	if (config->partition_count == 0) {
		log_error("config: /partitions is empty");
		good = false;
	}
	return good ? STATUS_OK : STATUS_INVALID;
}
