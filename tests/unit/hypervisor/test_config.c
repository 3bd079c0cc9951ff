/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolved config: what `causeway pack` writes is read; whatever is wrong is refused by name.
 */
#include "config_blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void good(void **state)
{
	(void)state;
	write_good();
	assert_int_equal(config_read(&config, blob, sizeof(blob), CORES), STATUS_OK);
	assert_int_equal(config.partition_count, 2);
	const struct partition_config *blue = &config.partitions[1];

	assert_string_equal(blue->name, "blue");
	assert_int_equal(blue->vcpus, 2);
	assert_int_equal(blue->cores[1], 5);
	assert_int_equal(blue->memory_size, MIB(64));
	assert_false(blue->memory_pinned || blue->service);
	assert_string_equal(blue->images[IMAGE_KERNEL].name, "kernel-1");
	assert_string_equal(blue->images[IMAGE_DTB].name, "blue");
	assert_int_equal(blue->images[IMAGE_RAMDISK].load.v, GUEST_RAM_BASE + MIB(32));
	assert_int_equal(blue->entry.v, GUEST_RAM_BASE);
	assert_int_equal(blue->device_count, 2);
	assert_string_equal(blue->devices[0].label, "eth0");
	assert_true(blue->devices[0].wants_vf && blue->devices[0].vf_was_free);
	assert_int_equal(blue->devices[0].function.v, 0x0100);
	assert_int_equal(blue->devices[0].vf_index, 4);
	assert_false(blue->devices[1].wants_vf || blue->devices[1].vf_was_free);
	assert_int_equal(blue->devices[1].function.v, 0xfeff);
	assert_int_equal(config.wire_count, 2);
	assert_int_equal(config.wires[1].ends[0].v, 1);
	assert_int_equal(config.wires[1].ends[1].v, 0);
	assert_int_equal(config.wires[1].macs[1][5], 2);
	assert_string_equal(config.wires[1].label, "w1");
	assert_string_equal(config.wires[1].why, "asked");
	assert_true(config.wires[0].no_offload && !config.wires[1].no_offload);
	assert_int_equal(blue->wire_ends, 2);
	assert_string_equal(models_log_last(), "");
}

/* --- one thing wrong ---------------------------------------------------------------------------
 */

#define RED	       "/partitions/red"
#define ETH0	       RED "/devices/eth0"
#define DISK	       RED "/devices/disk"
#define GONE	       NULL, 0, 0
#define BYTES(what, n) what, n, 0
#define U32(n)	       NULL, 4, n
#define U64(n)	       NULL, 8, n

static void one_thing_wrong(void **state)
{
	static const struct {
		const char *path, *property, *bytes;
		int size;
		uint64_t number;
		const char *line;
	} wrong[] = {
		{"/", "compatible", BYTES("causeway,config-v2", 19),
		 "config: not \"causeway,config-v1\""},
		{"/", "compatible", GONE, "config: not \"causeway,config-v1\""},
		{RED, "memory-size", GONE, "red: memory-size must"},
		{RED, "memory-size", U64(0x0), "red: memory-size must"},
		{RED, "memory-size", U64(0x100000), "red: memory-size must"},
		{RED, "memory-size", U64(0x200001), "red: memory-size must"},
		{RED, "memory-size", U64(0xffffffffffe00000), "red: memory-size must"},
		{RED, "memory-size", U64(0x3fc0200000), "red: memory-size must"}, /* ECAM, beyond */
		{RED, "memory-size", U64(0x4000000000), "red: memory-size must"},
		{RED, "memory-size", U32(0x4000000), "red: memory-size must"},
		{RED, "memory-at", U64(0x50100000), "red: memory-at must"},
		{RED, "memory-at", U32(0x50000000), "red: memory-at must"},
		{RED, "cores", GONE, "red: cores is missing"},
		{RED, "cores", BYTES("", 0), "red: cores is missing"},
		{RED, "cores", BYTES("\0\0\0", 3), "red: cores is missing"},
		{RED, "cores", U64(0x0), "red: a core that another"},
		{RED, "cores", U32(0x8), "red: core 8, but the machine has 8"},
		{RED, "cores", U32(0xffffffff), "red: core 4294967295, but"},
		{RED, "cores", U32(0x5), "blue: a core that another"},
		{RED, "kernel-image", GONE, "red: kernel or device tree image"},
		{RED, "kernel-image", BYTES("", 1), "red: kernel or device tree image"},
		{RED, "kernel-image", BYTES("unterminated", 12),
		 "red: kernel or device tree image"},
		{RED, "dtb-image", GONE, "red: kernel or device tree image"},
		{RED, "kernel-load", GONE, "red: kernel or device tree image"},
		{RED, "kernel-load", U64(0x3fffffff), "red: kernel or device"},
		{RED, "dtb-load", U64(0x44000000), "red: kernel or device tree"},
		{RED, "entry", U64(0x0), "red: kernel or device tree image"},
		{RED, "entry", U64(0xffffffffffffffff), "red: kernel or device tree"},
		{RED, "ramdisk-image", BYTES("", 0), "red: ramdisk image not resolved"},
		{RED, "ramdisk-load", GONE, "red: ramdisk image not resolved"},
		{RED, "ramdisk-load", U64(0x0), "red: ramdisk image not"},
		{DISK, "requester-id", GONE,
		 "disk: its function, or the index of its VF, is not resolved"},
		{DISK, "requester-id", U32(0x10000),
		 "disk: its function, or the index of its VF, is not resolved"},
		{DISK, "requester-id", U64(0x100),
		 "disk: its function, or the index of its VF, is not resolved"},
		{ETH0, "requester-id", BYTES("0000:01:00.0", 13),
		 "eth0: its function, or the index of its VF, is not resolved"},
		{ETH0, "index", GONE,
		 "eth0: its function, or the index of its VF, is not resolved"},
		{ETH0, "index", U32(0x10000),
		 "eth0: its function, or the index of its VF, is not resolved"},
		{ETH0, "index", U64(0x0),
		 "eth0: its function, or the index of its VF, is not resolved"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		write_good();
		set(wrong[i].path, wrong[i].property, wrong[i].bytes, wrong[i].size,
		    wrong[i].number);
		refused(wrong[i].line);
	}
}

static void numbers(void **state)
{
	char name[12];

	(void)state;
	write_good();
	assert_int_equal(fdt_del_node(blob, at("/wires")), 0);
	for (unsigned i = 0; i < HV_MAX_DEVICES - 2; i++) {
		snprintf(name, sizeof(name), "more%u", i);
		assert_true(fdt_add_subnode(blob, at(RED "/devices"), name) >= 0);
	}
	int node;

	fdt_for_each_subnode(node, blob, at(RED "/devices"))
	{
		assert_int_equal(fdt_setprop_u32(blob, node, "requester-id", 0x100), 0);
	}
	assert_int_equal(config_read(&config, blob, sizeof(blob), CORES), STATUS_OK);
	assert_int_equal(config.partitions[0].device_count, HV_MAX_DEVICES);
	assert_int_equal(config.wire_count, 0);
	assert_true(fdt_add_subnode(blob, at(RED "/devices"), "last") >= 0);
	refused("red: too many devices");

	write_good();
	for (unsigned i = 0; i < HV_MAX_PARTITIONS - 1; i++) {
		snprintf(name, sizeof(name), "more%u", i);
		assert_true(fdt_add_subnode(blob, at("/partitions"), name) >= 0);
	}
	refused("partitions: too many");

	write_good();
	assert_int_equal(fdt_setprop(blob, at(RED), "cores", blob, 4 * (GUEST_MAX_VCPUS + 1)), 0);
	refused("red: cores is missing or lists too many");

	write_good();
	assert_int_equal(fdt_del_node(blob, at(RED)), 0);
	assert_int_equal(fdt_del_node(blob, at("/partitions/blue")), 0);
	refused("partitions: none");
	assert_int_equal(fdt_del_node(blob, at("/partitions")), 0);
	models_reset();
	refused("partitions: none");

	write_good();
	assert_int_equal(fdt_set_name(blob, at(RED), "sixteen-letters-"), 0);
	refused("sixteen-letters-: a partition's name has at most 15");
	write_good();
	assert_int_equal(fdt_set_name(blob, at(RED), "fifteen-letters"), 0);
	assert_int_equal(config_read(&config, blob, sizeof(blob), CORES), STATUS_OK);
	assert_string_equal(config.partitions[0].name, "fifteen-letters");
}

/* All that is wrong is said at once, not the first thing alone. */
static void all_at_once(void **state)
{
	(void)state;
	write_good();
	assert_int_equal(fdt_delprop(blob, at(DISK), "requester-id"), 0);
	assert_int_equal(fdt_delprop(blob, at("/partitions/blue"), "entry"), 0);
	refused("disk: its function, or the index of its VF, is not resolved");
	assert_int_equal(models_log_count("blue: kernel or device tree"), 1);
}

/* A tree that ends early must not pass for one with fewer partitions. */
static void damaged(void **state)
{
	(void)state;
	write_good();
	memset(blob + fdt_off_dt_struct(blob) + at("/partitions/blue"), 0xff, 4);
	refused("not \"causeway,config-v1\"");
	write_good();
	for (size_t cut = 0; cut < fdt_totalsize(blob); cut++) {
		assert_int_equal(config_read(&config, blob, cut, CORES), STATUS_INVALID);
	}
}

/* --- any bytes ---------------------------------------------------------------------------------
 */

static void assert_within_bounds(void)
{
	assert_true(config.partition_count <= HV_MAX_PARTITIONS);
	for (unsigned i = 0; i < config.partition_count; i++) {
		const struct partition_config *p = &config.partitions[i];

		assert_true(p->vcpus >= 1 && p->vcpus <= GUEST_MAX_VCPUS);
		for (unsigned v = 0; v < p->vcpus; v++) {
			assert_true(p->cores[v] < CORES);
		}
		assert_true(is_aligned(p->memory_size, MIB(2)) && p->memory_size);
		assert_true(range_inside(p->entry.v, 1, GUEST_RAM_BASE, p->memory_size));
		assert_true(p->device_count <= HV_MAX_DEVICES);
		assert_non_null(memchr(p->name, 0, sizeof(p->name)));
		assert_non_null(memchr(p->images[IMAGE_KERNEL].name, 0,
				       sizeof(p->images[IMAGE_KERNEL].name)));
		assert_true(p->device_count + p->wire_ends <= HV_MAX_DEVICES);
		for (unsigned d = 0; d < p->device_count; d++) {
			assert_non_null(
				memchr(p->devices[d].label, 0, sizeof(p->devices[d].label)));
		}
	}
}

static void assert_wires_within_bounds(void)
{
	assert_true(config.wire_count <= HV_MAX_WIRES);
	for (unsigned i = 0; i < config.wire_count; i++) {
		const struct hv_wire_request *w = &config.wires[i];

		assert_true(w->ends[0].v < config.partition_count);
		assert_true(w->ends[1].v < config.partition_count);
		assert_int_not_equal(w->ends[0].v, w->ends[1].v);
		assert_non_null(memchr(w->label, 0, sizeof(w->label)));
		assert_non_null(memchr(w->why, 0, sizeof(w->why)));
	}
}

static void mutated(void **state)
{
	int size;

	(void)state;
	write_good();
	assert_int_equal(fdt_pack(blob), 0);
	size = (int)fdt_totalsize(blob);
	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t *copy = malloc((size_t)size); /* exactly: what is beyond is poisoned */

		assert_non_null(copy);
		memcpy(copy, blob, (size_t)size);
		for (int n = 1 + rand() % 4; n > 0; n--) {
			int where = rand() % (rand() % 4 ? size : (int)sizeof(struct fdt_header));

			copy[where] = rand() % 2 ? (uint8_t)rand()
						 : copy[where] ^ (uint8_t)(1 << rand() % 8);
		}
		if (config_read(&config, copy, (size_t)size, CORES) == STATUS_OK) {
			assert_within_bounds();
			assert_wires_within_bounds();
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),	   cmocka_unit_test(one_thing_wrong),
		cmocka_unit_test(numbers), cmocka_unit_test(all_at_once),
		cmocka_unit_test(mutated), cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
