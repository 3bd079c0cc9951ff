/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "dt.h"
#include "log.h"

#define COMPATIBLE "causeway,config-v1"

_Static_assert(GUEST_RAM_BASE + GIB(255) <= GUEST_ECAM_BASE, "RAM ends below what traps");

static bool complain(const char *node, const char *what)
{
	log_error("config: %s: %s; check it with 'causeway check'", node, what);
	return false;
}

static bool read_u64(struct dt_node node, const char *property, uint64_t *value)
{
	struct dt_cells cells = dt_cells(node, property);
	bool good = cells.count == 2;

	*value = dt_take(&cells, 2);
	return good;
}

static bool read_text(struct dt_node node, const char *property, char *text, size_t size)
{
	unsigned length;
	const char *value = dt_property(node, property, &length);

	if (length < 2 || length > size || value[length - 1] != '\0') {
		return false;
	}
	memcpy(text, value, length);
	return true;
}

static bool read_device(struct dt_node node, struct hv_device_request *device)
{
	const char *name = dt_name(node);
	size_t length = strlen(name), room = sizeof(device->label) - 1;

	memset(device, 0, sizeof(*device));
	memcpy(device->label, name, length < room ? length : room);
	device->bypasses_smmu = dt_has(node, "bypasses-smmu");
	device->keep_without_reset = dt_has(node, "keep-without-reset");
	device->wants_vf = dt_has(node, "vf-of");
	device->vf_was_free = dt_has(node, "vf-was-free");

	uint32_t rid = dt_u32(node, "requester-id", UINT32_MAX);
	uint32_t index = dt_u32(node, "index", device->wants_vf ? UINT32_MAX : 0);

	device->function.v = (uint16_t)rid;
	device->vf_index = (uint16_t)index;
	return (rid <= UINT16_MAX && index <= UINT16_MAX) ||
	       complain(name, "its function, or the index of its VF, is not resolved");
}

static bool read_devices(struct dt_node partition, struct partition_config *out)
{
	struct dt_walk walk = {.path = {dt_child(partition, "devices")}};
	bool good = true;

	while (dt_walk(&walk, 2)) {
		if (out->device_count == HV_MAX_DEVICES) {
			return complain(out->name, "too many devices");
		}
		good &= read_device(walk.path[1], &out->devices[out->device_count++]);
	}
	return good;
}

static bool read_cores(struct dt_node node, unsigned machine_cores, uint32_t *used,
		       struct partition_config *out)
{
	struct dt_cells cells = dt_cells(node, "cores");

	if (cells.count == 0 || cells.count > GUEST_MAX_VCPUS) {
		return complain(out->name, "cores is missing or lists too many");
	}
	out->vcpus = cells.count;
	for (unsigned i = 0; i < out->vcpus; i++) {
		uint32_t core = (uint32_t)dt_take(&cells, 1);

		if (core >= machine_cores || core >= 32) {
			log_error("config: %s: core %u, but the machine has %u cores; give the "
				  "machine more or use lower numbers",
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
static bool read_load(struct dt_node node, const char *property, uint64_t memory_size, ipa_t *load)
{
	return read_u64(node, property, &load->v) &&
	       range_inside(load->v, 1, GUEST_RAM_BASE, memory_size);
}

static bool read_images(struct dt_node node, struct partition_config *out)
{
	static const char *const names[] = {"kernel-image", "ramdisk-image", "dtb-image"};
	static const char *const loads[] = {"kernel-load", "ramdisk-load", "dtb-load"};

	for (unsigned i = 0; i < CONFIG_IMAGES; i++) {
		struct config_image *image = &out->images[i];

		if ((i != IMAGE_RAMDISK || dt_has(node, names[i])) &&
		    (!read_text(node, names[i], image->name, sizeof(image->name)) ||
		     !read_load(node, loads[i], out->memory_size, &image->load))) {
			return complain(out->name,
					i == IMAGE_RAMDISK
						? "ramdisk image not resolved"
						: "kernel or device tree image not resolved");
		}
	}
	return read_load(node, "entry", out->memory_size, &out->entry) ||
	       complain(out->name, "kernel or device tree image not resolved");
}

static bool read_partition(struct dt_node node, unsigned cores, uint32_t *used,
			   struct partition_config *out)
{
	const char *name = dt_name(node);

	memset(out, 0, sizeof(*out));
	if (strlen(name) > CONFIG_NAME_LENGTH) {
		return complain(name, "a partition's name has at most 15 characters");
	}
	memcpy(out->name, name, strlen(name));
	if (!read_u64(node, "memory-size", &out->memory_size) || out->memory_size == 0 ||
	    !is_aligned(out->memory_size, MIB(2)) || out->memory_size > GIB(255)) {
		return complain(name, "memory-size must be a multiple of 2 MiB, 255 GiB at most");
	}
	out->memory_pinned = dt_has(node, "memory-at");
	if (out->memory_pinned && (!read_u64(node, "memory-at", &out->memory_at.v) ||
				   !is_aligned(out->memory_at.v, MIB(2)))) {
		return complain(name, "memory-at must be a multiple of 2 MiB");
	}
	out->service = dt_has(node, "pf-service");

	bool good = read_cores(node, cores, used, out);

	good &= read_images(node, out);
	return good & read_devices(node, out);
}

static bool read_wire(struct dt_node node, struct config *config)
{
	struct hv_wire_request *wire = &config->wires[config->wire_count++];
	uint32_t from = dt_u32(node, "from", UINT32_MAX), to = dt_u32(node, "to", UINT32_MAX);
	unsigned length;
	const void *macs = dt_property(node, "mac-addresses", &length);

	if (from >= config->partition_count || to >= config->partition_count || from == to ||
	    length != sizeof(wire->macs) ||
	    !read_text(node, "label", wire->label, sizeof(wire->label)) ||
	    !read_text(node, "why", wire->why, sizeof(wire->why))) {
		return complain(dt_name(node), "a wire is not resolved");
	}
	memcpy(wire->macs, macs, sizeof(wire->macs));
	wire->no_offload = dt_has(node, "no-offload");
	wire->ends[0].v = (uint8_t)from;
	wire->ends[1].v = (uint8_t)to;
	for (unsigned i = 0; i < 2; i++) {
		struct partition_config *partition = &config->partitions[wire->ends[i].v];

		if (partition->device_count + ++partition->wire_ends > HV_MAX_DEVICES) {
			return complain(partition->name, "too many devices and wires");
		}
	}
	return true;
}

static bool read_wires(struct dt_node wires, struct config *config)
{
	struct dt_walk walk = {.path = {wires}};
	bool good = true;

	config->wire_count = 0;
	while (good && dt_walk(&walk, 2)) {
		good = config->wire_count < HV_MAX_WIRES ? read_wire(walk.node, config)
							 : complain("wires", "too many");
	}
	return good;
}

enum status config_read(struct config *config, const void *fdt, size_t size, unsigned cores)
{
	struct dt_node root;
	uint32_t used = 0;
	bool good = true;

	config->partition_count = 0;
	if (dt_open(&root, fdt, size) != STATUS_OK || !dt_is(root, "compatible", COMPATIBLE)) {
		log_error("config: not \"%s\"; pack it with this version of causeway", COMPATIBLE);
		return STATUS_INVALID;
	}
	config->dump_pci = dt_has(dt_child(root, "machine"), "dump-pci");

	struct dt_walk walk = {.path = {dt_child(root, "partitions")}};

	while (dt_walk(&walk, 2)) {
		if (config->partition_count == HV_MAX_PARTITIONS) {
			good = complain("partitions", "too many");
			break;
		}
		good &= read_partition(walk.path[1], cores, &used,
				       &config->partitions[config->partition_count++]);
	}
	if (config->partition_count == 0) {
		good = complain("partitions", "none");
	}
	good = good && read_wires(dt_child(root, "wires"), config);
	return good ? STATUS_OK : STATUS_INVALID;
}
