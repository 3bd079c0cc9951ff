/* SPDX-License-Identifier: BSD-2-Clause */
/* HVC: what PSCI promises, for the caller's own partition; everything else is refused unseen. */
#include "hv_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "trap.h"

#define NOT_SUPPORTED (-1)
#define INVALID	      (-2)
#define DENIED	      (-3)
#define ALREADY_ON    (-4)
#define RAM_END	      (GUEST_RAM_BASE + MIB(2))

static struct partition *p;

static int set_up(void **state)
{
	(void)state;
	fixture_partitions(2);
	p = &partitions[0];
	p->state = partitions[1].state = PARTITION_RUNNING;
	p->vcpus[0].state = VCPU_RUNNING;
	return 0;
}

static int64_t call(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
	const uint64_t x[4] = {function, x1, x2, x3};

	return hypercall(&p->vcpus[0], x);
}

static void assert_untouched(void)
{
	assert_int_equal(fixture.call_count, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(partitions[i].request, REQUEST_NONE);
		assert_int_equal(partitions[i].vcpus[1].state, VCPU_OFF);
		assert_false(partitions[i].vcpus[0].stop || partitions[i].vcpus[1].stop);
		assert_false(partitions[i].released);
	}
	for (unsigned i = 0; i < ARCH_MAX_CORES; i++) {
		assert_int_equal(fixture.kicks[i], 0);
	}
}

static bool is_known(uint32_t function)
{
	static const uint32_t known[] = {
		0x80000000, 0x84000000, 0x84000002, 0x84000003, 0xc4000003, 0x84000004,
		0xc4000004, 0x84000006, 0x84000008, 0x84000009, 0x8400000a, 0xc6000001,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		if (function == known[i]) {
			return true;
		}
	}
	return false;
}

static void unknown_functions(void **state)
{
	static const uint32_t bases[] = {0,	     0x80000000, 0x84000000, 0xc4000000,
					 0xc6000000, 0x86000000, 0xff000000};

	(void)state;
	srand(3);
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t function =
			i < 7 * 4096 ? bases[i / 4096] + i % 4096 : (uint32_t)rand() * 2654435761u;

		if (!is_known(function)) {
			assert_int_equal(call(function, (uint64_t)rand(), GUEST_RAM_BASE, 1),
					 NOT_SUPPORTED);
		}
	}
	assert_untouched();
}

static void versions(void **state)
{
	(void)state;
	assert_int_equal(call(0x84000000, 0, 0, 0), 0x10001);
	assert_int_equal(call(0x80000000, 0, 0, 0), 0x10001);
	assert_int_equal(call(0xffffffff84000000, 0, 0, 0), 0x10001); /* W0 counts */
	assert_int_equal(call(0x84000006, 0, 0, 0), 2);
	assert_int_equal(call(0x8400000a, 0xc4000003, 0, 0), 0);
	assert_int_equal(call(0x8400000a, 0x84000009, 0, 0), 0);
	assert_int_equal(call(0x8400000a, 0xc400000e, 0, 0), NOT_SUPPORTED);
	assert_int_equal(call(0x8400000a, 0x84000001, 0, 0), NOT_SUPPORTED);
	assert_untouched();
}

static void cpu_on_refused(void **state)
{
	const uint64_t no_target[] = {2, 8, 0xff, 0x100, 0x10000, 1ull << 32, ~0ull};
	const uint64_t no_entry[] = {0, GUEST_RAM_BASE - 4, RAM_END - 3, RAM_END, ~0ull, ~0ull - 3};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(no_target); i++) {
		assert_int_equal(call(0xc4000003, no_target[i], GUEST_RAM_BASE, 0), INVALID);
		assert_int_equal(call(0xc4000004, no_target[i], 0, 0), INVALID);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(no_entry); i++) {
		assert_int_equal(call(0xc4000003, 1, no_entry[i], 0), INVALID);
	}
	assert_int_equal(call(0xc4000003, 0, GUEST_RAM_BASE, 0), ALREADY_ON);
	assert_untouched();
}

static void cpu_on(void **state)
{
	(void)state;
	assert_int_equal(call(0xc4000004, 1, 0, 0), 1);
	assert_int_equal(call(0xc4000003, 1, RAM_END - 4, 0x1234567890), 0);
	assert_int_equal(p->vcpus[1].state, VCPU_STARTING);
	assert_int_equal(p->vcpus[1].entry, RAM_END - 4);
	assert_int_equal(p->vcpus[1].argument, 0x1234567890);
	assert_int_equal(fixture.kicks[1], 1);
	assert_int_equal(fixture.kicks[0] + fixture.kicks[2] + fixture.kicks[3], 0);
	assert_int_equal(call(0xc4000004, 1, 0, 0), 0);
	assert_int_equal(call(0xc4000003, 1, GUEST_RAM_BASE, 0), ALREADY_ON);
	assert_int_equal(p->vcpus[1].entry, RAM_END - 4);
	assert_int_equal(partitions[1].vcpus[1].state, VCPU_OFF);
}

static void cpu_on_while_stopping(void **state)
{
	(void)state;
	assert_int_equal(call(0x84000009, 0, 0, 0), NOT_SUPPORTED); /* it does not come back */
	assert_int_equal(call(0xc4000003, 1, GUEST_RAM_BASE, 0), ALREADY_ON);
	assert_int_equal(p->vcpus[1].state, VCPU_OFF);
}

static void off_and_reset(void **state)
{
	(void)state;
	call(0x84000008, 0, 0, 0);
	assert_int_equal(p->request, REQUEST_OFF);
	call(0x84000009, 0, 0, 0); /* one at a time */
	assert_int_equal(p->request, REQUEST_OFF);
	assert_true(vcpu_must_stop(&p->vcpus[0]) && vcpu_must_stop(&p->vcpus[1]));
	assert_true(p->vcpus[0].alert && p->vcpus[1].alert); /* or they would not look */
	assert_int_equal(partitions[1].request, REQUEST_NONE);
	assert_false(vcpu_must_stop(&partitions[1].vcpus[0]));
	p->request = REQUEST_NONE;
	p->vcpus[0].alert = 0;
	call(0x84000002, 0, 0, 0);
	assert_true(p->vcpus[0].stop && p->vcpus[0].alert);
	assert_false(p->vcpus[1].stop);
}

static void release_refused(void **state)
{
	const struct {
		uint64_t ipa, pages;
	} wrong[] = {
		{GUEST_RAM_BASE, 0},
		{GUEST_RAM_BASE, 1},
		{GUEST_RAM_BASE, 511},
		{GUEST_RAM_BASE, 513},
		{GUEST_RAM_BASE, 1024},
		{GUEST_RAM_BASE, ~0ull},
		{GUEST_RAM_BASE, 1ull << 52},
		{GUEST_RAM_BASE, 1ull << 52 | 512}, /* 2 MiB in a multiplication */
		{GUEST_RAM_BASE + 1, 512},
		{GUEST_RAM_BASE + 0x1000, 512},
		{GUEST_RAM_BASE + MIB(1), 512},
		{GUEST_RAM_BASE - MIB(2), 512},
		{RAM_END, 512},
		{0, 512},
		{~0ull & ~0xfffull, 512},
		{0ull - MIB(2), 512},
		{GUEST_PCI_MMIO_BASE, 512},
		{GUEST_RAM_BASE + (1ull << 39), 512},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(call(0xc6000001, wrong[i].ipa, wrong[i].pages, 0), INVALID);
	}
	assert_untouched();
}

static void assert_call(unsigned n, int what, const void *root)
{
	assert_true(n < fixture.call_count);
	assert_int_equal(fixture.calls[n].what, what);
	assert_ptr_equal(fixture.calls[n].root, root);
	assert_int_equal(fixture.calls[n].ipa, GUEST_RAM_BASE);
	assert_int_equal(fixture.calls[n].size, MIB(2));
}

/* What is asked of stage 2 is the block and nothing more. No SMMU is up here, nor needed. */
static void release(void **state)
{
	(void)state;
	assert_int_equal(call(0xc6000001, GUEST_RAM_BASE, 512, 0), 0);
	assert_int_equal(fixture.call_count, 1);
	assert_call(0, S2_UNMAP, p->cpu_root);
	assert_true(p->released);
	assert_false(partitions[1].released);
}

/* The devices' own tree loses the same block. */
static void release_of_stage_1(void **state)
{
	(void)state;
	fixture_smmu(true);
	assert_int_equal(call(0xc6000001, GUEST_RAM_BASE, 512, 0), 0);
	assert_int_equal(fixture.call_count, 2);
	assert_call(0, S2_UNMAP, p->cpu_root);
	assert_call(1, S2_UNMAP, p->device_root);
}

/* F71, F72: any arguments at all. */
static void any_arguments(void **state)
{
	(void)state;
	srand(11);
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t x[3];

		for (unsigned k = 0; k < 3; k++) {
			x[k] = ((uint64_t)rand() << 33) ^ ((uint64_t)rand() << 11) ^
			       (uint64_t)rand();
			x[k] >>= (unsigned)rand() % 64;
		}
		(void)call(0x84000000u + (uint32_t)rand() % 16, x[0], x[1], x[2]);
		(void)call(0xc4000000u + (uint32_t)rand() % 16, x[0], x[1], x[2]);
		(void)call(0xc6000000u + (uint32_t)rand() % 3, x[0], x[1], x[2]);
		fixture.call_count = 0;
	}
	assert_int_equal(partitions[1].request, REQUEST_NONE);
	assert_int_equal(partitions[1].vcpus[0].state, VCPU_OFF);
	assert_int_equal(fixture.kicks[2] + fixture.kicks[3], 0);
}

#define T(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(unknown_functions), T(versions),
		T(cpu_on_refused),    T(cpu_on),
		T(off_and_reset),     T(cpu_on_while_stopping),
		T(release_refused),   T(release),
		T(any_arguments),     T(release_of_stage_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
