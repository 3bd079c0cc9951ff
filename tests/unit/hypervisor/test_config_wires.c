/* SPDX-License-Identifier: BSD-2-Clause */
/* The config's wires: who is joined, and how many there can be. */
#include "config_blob.h"

#include <stdio.h>
#include <string.h>

#define WIRE	    "/wires/w1"
#define GONE	    NULL, 0, 0
#define BYTES(s, n) s, n, 0
#define U32(n)	    NULL, 4, n
#define U64(n)	    NULL, 8, n

static void one_thing_wrong(void **state)
{
	static const struct {
		const char *property, *bytes;
		int size;
		uint64_t number;
	} wrong[] = {
		{"from", GONE},
		{"from", U32(2)}, /* there are two partitions */
		{"from", U32(0)}, /* to itself */
		{"from", U32(0xffffffff)},
		{"from", U64(1)},
		{"to", GONE},
		{"to", U32(0x100)},
		{"to", U32(0x80000000)},
		{"to", U32(1)}, /* from itself */
		{"mac-addresses", GONE},
		{"mac-addresses", BYTES("0123456789a", 11)},
		{"mac-addresses", BYTES("0123456789abc", 13)},
		{"mac-addresses", BYTES("", 0)},
		{"label", GONE},
		{"label", BYTES("", 1)},
		{"label", BYTES("twenty-four-characters-!", 25)},
		{"label", BYTES("unterminated", 12)},
		{"why", GONE},
		{"why", BYTES("sixteen-letters-", 17)},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		write_good();
		set(WIRE, wrong[i].property, wrong[i].bytes, wrong[i].size, wrong[i].number);
		refused("w1: a wire is not resolved");
	}
	write_good();
	set(WIRE, "label", "twenty-three-characters", 24, 0);
	set(WIRE, "why", "fifteen-letters", 16, 0);
	accepted();
	assert_string_equal(config.wires[1].label, "twenty-three-characters");
}

static void add_wires(unsigned count, unsigned pairs)
{
	char name[12];

	for (unsigned i = 0; i < count; i++) {
		uint32_t from = 2 * (i % pairs) + (i / pairs & 1);

		snprintf(name, sizeof(name), "n%hhu", (unsigned char)i);
		add_wire(name, from, from ^ 1);
	}
}

/* Each end has a slot of its partition's bus, beside the devices: the partition is named. */
static void too_many_ends(void **state)
{
	(void)state;
	write_good();
	add_wires(HV_MAX_DEVICES - 4, 1);
	accepted();
	assert_int_equal(config.partitions[0].wire_ends, HV_MAX_DEVICES - 2);
	assert_int_equal(config.partitions[1].wire_ends, HV_MAX_DEVICES - 2);
	write_good();
	add_wires(HV_MAX_DEVICES - 3, 1);
	refused("too many devices and wires");
	write_partitions(3);
	add_wires(HV_MAX_DEVICES, 1);
	accepted();
	add_wire("last", 2, 0); /* the other end is the one with too many */
	refused("p0: too many devices and wires");
}

static void too_many_wires(void **state)
{
	(void)state;
	write_partitions(4);
	add_wires(HV_MAX_WIRES, 2);
	accepted();
	assert_int_equal(config.wire_count, HV_MAX_WIRES);
	_Static_assert(HV_MAX_WIRES <= 2 * HV_MAX_DEVICES, "two pairs hold them");
	write_good();
	assert_int_equal(fdt_del_node(blob, at("/wires")), 0);
	accepted();
	assert_int_equal(config.wire_count, 0);
	assert_true(fdt_add_subnode(blob, 0, "wires") >= 0);
	accepted();
	assert_int_equal(config.wire_count, 0);
}

/* One more than there is room for, between partitions that have room. */
static void one_wire_too_many(void **state)
{
	(void)state;
	write_partitions(6);
	add_wires(HV_MAX_WIRES, 3);
	assert_int_equal(config_read(&config, blob, sizeof(blob), 12), STATUS_OK);
	add_wire("last", 4, 5);
	assert_int_equal(config_read(&config, blob, sizeof(blob), 12), STATUS_INVALID);
	assert_int_equal(models_log_count("config: wires: too many"), 1);
	assert_int_equal(config.wire_count, HV_MAX_WIRES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thing_wrong),
		cmocka_unit_test(too_many_ends),
		cmocka_unit_test(too_many_wires),
		cmocka_unit_test(one_wire_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
