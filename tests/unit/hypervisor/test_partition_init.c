/* SPDX-License-Identifier: BSD-2-Clause */
/* What is free for partitions, and which partition gets what. */
#include "hv_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct ranges memory;

static void remove_from(uint64_t from, uint64_t size, uint64_t base, uint64_t length)
{
	memory = (struct ranges){.ranges = {{from, size}}, .count = 1};
	free_memory_remove(&memory, base, length);
}

static uint64_t total(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < memory.count; i++) {
		sum += memory.ranges[i].size;
	}
	return sum;
}

static void every_side(void **state)
{
	(void)state;
	remove_from(100, 50, 0, 100); /* touches from below */
	assert_int_equal(total(), 50);
	remove_from(100, 50, 150, 100); /* touches from above */
	assert_int_equal(total(), 50);
	remove_from(100, 50, 0, 110);
	assert_int_equal(total(), 40);
	assert_int_equal(memory.ranges[1].base, 110);
	remove_from(100, 50, 140, 100);
	assert_int_equal(total(), 40);
	assert_int_equal(memory.ranges[0].base, 100);
	remove_from(100, 50, 100, 50);
	assert_int_equal(total(), 0);
	remove_from(100, 50, 0, 1000);
	assert_int_equal(total(), 0);
	remove_from(100, 50, 120, 10);
	assert_int_equal(total(), 40);
	assert_int_equal(memory.count, 2);
	assert_int_equal(memory.ranges[0].size, 20);
	assert_int_equal(memory.ranges[1].base, 130);
	remove_from(100, 50, 120, ~0ull); /* wraps around */
	assert_int_equal(total(), 20);
	remove_from(100, 50, 120, 0);
	assert_int_equal(total(), 50);
}

#define UNITS 256

static bool is_in(unsigned unit)
{
	unsigned found = 0;

	for (unsigned i = 0; i < memory.count; i++) {
		found += unit >= memory.ranges[i].base &&
			 unit - memory.ranges[i].base < memory.ranges[i].size;
	}
	assert_true(found < 2); /* never twice */
	return found;
}

/*
 * Against a map of units: what was removed is never free again; what was not is free, unless the
 * ranges ran out, and then less is free, never more.
 */
static void against_a_map(void **state)
{
	(void)state;
	srand(5);
	for (unsigned round = 0; round < 2000; round++) {
		bool map[UNITS] = {false};
		uint64_t at = (uint64_t)rand() % 8;
		bool ran_out = false;

		memory.count = 0;
		while (at < UNITS && memory.count < 4) {
			uint64_t size = 1 + (uint64_t)rand() % 80;

			size = at + size > UNITS ? UNITS - at : size;
			memory.ranges[memory.count].base = at;
			memory.ranges[memory.count++].size = size;
			memset(map + at, true, size);
			at += size + (uint64_t)rand() % 10;
		}
		for (unsigned step = 0; step < 40; step++) {
			uint64_t base = (uint64_t)rand() % UNITS, size = (uint64_t)rand() % 12;

			size = base + size > UNITS ? UNITS - base : size;
			free_memory_remove(&memory, base, size);
			memset(map + base, false, size);
			ran_out |= memory.count == MAX_RANGES;
			assert_true(memory.count <= MAX_RANGES);
			for (unsigned unit = 0; unit < UNITS; unit++) {
				assert_true(is_in(unit) == map[unit] || (ran_out && map[unit]));
			}
		}
	}
}

/* --- partitions_init() -------------------------------------------------------------------------
 */

#define BASE 0x40000000ull

static void init(uint64_t size)
{
	memory = (struct ranges){.ranges = {{BASE, size}}, .count = 1};
	partitions_init(&fixture_config, &memory, (pa_t){GUEST_ITS_DOORBELL});
}

static void apart(void **state)
{
	(void)state;
	fixture_reset(4);
	fixture_config.partitions[1].memory_pinned = true;
	fixture_config.partitions[1].memory_at.v = BASE + MIB(6);
	init(MIB(8));
	assert_int_equal(partition_count, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(partitions[i].state, PARTITION_OFF);
		for (unsigned k = 0; k < i; k++) {
			uint64_t a = partitions[i].memory.v, b = partitions[k].memory.v;

			assert_true(a >= b + MIB(2) || b >= a + MIB(2));
		}
		assert_true(range_inside(partitions[i].memory.v, MIB(2), BASE, MIB(8)));
		assert_ptr_equal(cores[2 * i + 1].vcpu, &partitions[i].vcpus[1]);
		assert_int_equal(partition_vmid(&partitions[i]).v, i + 1);
	}
	assert_int_equal(partitions[1].memory.v, BASE + MIB(6));
	assert_int_equal(total(), 0);
}

/* RAM is one set of tables for CPUs and devices; the doorbell is the devices' alone. */
static void tables(void **state)
{
	(void)state;
	fixture_reset(1);
	init(MIB(8));
	assert_int_equal(fixture.call_count, 3);
	assert_int_equal(fixture.calls[0].what, S2_MAP);
	assert_ptr_equal(fixture.calls[0].root, partitions[0].cpu_root);
	assert_int_equal(fixture.calls[0].ipa, GUEST_RAM_BASE);
	assert_int_equal(fixture.calls[0].size, MIB(2));
	assert_int_equal(fixture.calls[0].kind, STAGE2_RAM);
	assert_int_equal(fixture.calls[1].what, S2_SHARE);
	assert_ptr_equal(fixture.calls[1].root, partitions[0].device_root);
	assert_ptr_equal(fixture.calls[2].root, partitions[0].device_root);
	assert_int_equal(fixture.calls[2].ipa, GUEST_ITS_DOORBELL);
	assert_int_equal(fixture.calls[2].size, PAGE_SIZE);
	assert_int_equal(fixture.calls[2].kind, STAGE2_DOORBELL);
	assert_null(partitions[0].guest_memory.at(&partitions[0], (ipa_t){GUEST_RAM_BASE - 1}, 1));
	assert_null(partitions[0].guest_memory.at(&partitions[0],
						  (ipa_t){GUEST_RAM_BASE + MIB(2) - 1}, 2));
	assert_null(partitions[0].guest_memory.at(&partitions[0], (ipa_t){GUEST_RAM_BASE}, ~0ul));
	assert_null(partitions[0].guest_memory.at(&partitions[0], (ipa_t){~0ull}, 2));
	assert_int_equal((uintptr_t)partitions[0].guest_memory.at(
				 &partitions[0], (ipa_t){GUEST_RAM_BASE + 0x1000}, 8),
			 partitions[0].memory.v + 0x1000);
}

/* An SMMU without stage 2 cannot walk the CPUs' tables: the devices have a tree of their own. */
static void tables_of_stage_1(void **state)
{
	(void)state;
	fixture_reset(1);
	fixture_smmu(true);
	init(MIB(8));
	assert_int_equal(fixture.call_count, 3);
	assert_int_equal(fixture.calls[0].what, S2_MAP);
	assert_ptr_equal(fixture.calls[0].root, partitions[0].cpu_root);
	assert_int_equal(fixture.calls[0].kind, STAGE2_RAM);
	for (unsigned i = 1; i < 3; i++) {
		assert_ptr_equal(fixture.calls[i].root, partitions[0].device_root);
	}
	assert_int_equal(fixture.calls[1].what, S2_MAP);
	assert_int_equal(fixture.calls[1].ipa, GUEST_RAM_BASE);
	assert_int_equal(fixture.calls[1].pa, partitions[0].memory.v);
	assert_int_equal(fixture.calls[1].size, MIB(2));
	assert_int_equal(fixture.calls[1].kind, STAGE1_RAM);
	assert_int_equal(fixture.calls[2].ipa, GUEST_ITS_DOORBELL);
	assert_int_equal(fixture.calls[2].size, PAGE_SIZE);
	assert_int_equal(fixture.calls[2].kind, STAGE1_DOORBELL);
}

/* Each failure leaves that one off; the others go on. */
static void no_room(void **state)
{
	(void)state;
	fixture_reset(3);
	fixture_config.partitions[0].memory_size = MIB(64);
	fixture_config.partitions[1].memory_pinned = true;
	fixture_config.partitions[1].memory_at.v = BASE - MIB(2);
	init(MIB(8));
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
	assert_int_equal(partitions[1].state, PARTITION_CRASHED);
	assert_int_equal(partitions[2].state, PARTITION_OFF);
	assert_int_equal(models_log_count("p0: no room for its 64 MiB; give"), 1);
	assert_int_equal(models_log_count("p1: no room for its 2 MiB at memory-at"), 1);

	fixture_reset(2); /* the same place twice; a place that wraps */
	for (unsigned i = 0; i < 2; i++) {
		fixture_config.partitions[i].memory_pinned = true;
		fixture_config.partitions[i].memory_at.v = BASE;
	}
	init(MIB(8));
	assert_int_equal(partitions[0].state, PARTITION_OFF);
	assert_int_equal(partitions[1].state, PARTITION_CRASHED);

	fixture_reset(1);
	fixture_config.partitions[0].memory_pinned = true;
	fixture_config.partitions[0].memory_at.v = ~0ull & ~(MIB(2) - 1);
	fixture_config.partitions[0].memory_size = GIB(256);
	init(MIB(8));
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
}

static void no_tables(void **state)
{
	(void)state;
	for (unsigned roots = 0; roots < 4; roots++) {
		fixture_reset(2);
		fixture.roots_left = roots;
		init(MIB(8));
		assert_int_equal(partitions[0].state,
				 roots < 2 ? PARTITION_CRASHED : PARTITION_OFF);
		assert_int_equal(partitions[1].state, PARTITION_CRASHED);
	}
	fixture_reset(2);
	fixture.next_status = STATUS_NO_MEMORY;
	init(MIB(8));
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
	assert_int_equal(partitions[1].state, PARTITION_OFF);
}

/* To 2 MiB, the blocks of stage 2. */
static void alignment(void **state)
{
	(void)state;
	fixture_reset(1);
	fixture_config.partitions[0].memory_size = GIB(1);
	memory = (struct ranges){.ranges = {{BASE + 0x1000, GIB(1) + MIB(4)}}, .count = 1};
	partitions_init(&fixture_config, &memory, (pa_t){0});
	assert_int_equal(partitions[0].memory.v, BASE + MIB(2));
	assert_false(partitions[0].gic.has_lpis);
	/* At the very top, aligning up wraps around. */
	fixture_reset(1);
	memory = (struct ranges){.ranges = {{~0ull - MIB(1), MIB(1)}}, .count = 1};
	partitions_init(&fixture_config, &memory, (pa_t){0});
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_side), cmocka_unit_test(against_a_map),
		cmocka_unit_test(apart),      cmocka_unit_test(tables),
		cmocka_unit_test(no_room),    cmocka_unit_test(no_tables),
		cmocka_unit_test(alignment),  cmocka_unit_test(tables_of_stage_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
