/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F34: partitions start and stop on cores of their own, want the same devices, and their devices
 * fault, all at once. Whatever the order of every access to a device, barrier and wait: DMA reaches
 * its owner's memory alone, and the end is that of some order one after the other.
 */
#include "glue_rig.h"

#include <string.h>

#include "schedule.h"
#include "smmu.h"

#define SEEDS  60
#define ROUNDS 2

/*
 * In place of hv-glue/together.c, which refuses a device that two partitions ask for before anybody
 * could race for it. What is below it must hold by itself.
 */
bool assignment_check(const struct assignment *a)
{
	(void)a;
	return true;
}

enum status assignment_bus_reset(const struct assignment *a)
{
	(void)a;
	return STATUS_OK;
}

enum { RED, BLUE, GREEN, PARTITIONS };

static partition_id_t id[PARTITIONS];
static const char *wrong; /* the first thing seen; a core cannot fail a test itself */
static unsigned passed;	  /* accesses that were let through while all went on */
static bool up[PARTITIONS];
static struct lock *broken; /* this one lets the next in too soon */

static void complain(const char *what)
{
	if (!wrong) {
		wrong = what;
	}
}

/* Red and blue want the same VF, and have a function each of their own besides; green a VF. */
static void set_up(void)
{
	static const char *const names[] = {"red", "blue", "green"};

	rig_tear_down(NULL);
	rig_build();
	for (unsigned i = 0; i < PARTITIONS; i++) {
		id[i] = hv_host_partition(names[i], 1, i);
	}
	hv_host_vf(id[RED], "shared", RIG_PF, 0);
	hv_host_function(id[RED], "disk", RIG_NVME);
	hv_host_vf(id[BLUE], "shared", RIG_PF, 0);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		hv_host_vf(id[i], "own", RIG_PF, (uint16_t)(1 + i));
	}
	rig_start();
	wrong = NULL;
	passed = 0;
}

/* --- what must hold at every moment --- */

static const rid_t watched[] = {{0x180}, {0x182}, {0x184}, {0x186}, {0x200}};

/* A device tries its luck: what it reaches is memory of the partition that owns its stream now. */
static void look(void)
{
	uint32_t stream = watched[schedule_random(5)].v + RIG_STREAM_BASE;
	struct model_smmu_result result;

	if (broken && (uint16_t)(broken->next - broken->serving) > 1) {
		broken->serving = (uint16_t)(broken->next - 1); /* the last in the line */
	}
	if (schedule_random(4)) {
		return;
	}
	model_smmu_prefetch(&rig_smmu, stream);
	result = model_smmu_access(&rig_smmu, stream, RIG_MEMORY, true);
	if (result.passed) {
		partition_id_t owner = stream_owner((stream_id_t){stream});

		passed++;
		if (result.bypassed || partition_is(owner, PARTITION_NONE) ||
		    !hv_host_owns(owner, result.pa)) {
			complain("a device reached memory that is not its owner's");
		}
	}
}

/* --- the cores --- */

static void live(unsigned who)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (rig_hooks.partition_start(id[who]) != STATUS_OK) {
			complain("a partition did not start");
		}
		up[who] = true;
		if (i + 1 < ROUNDS || schedule_random(2)) {
			rig_hooks.partition_stop(id[who]);
			up[who] = false;
		}
	}
}

static void red_lives(void)
{
	live(RED);
}

static void blue_lives(void)
{
	live(BLUE);
}

static void green_lives(void)
{
	live(GREEN);
}

/* Faults by everybody's devices, by a function that is nobody's, and by ids that do not exist. */
static void storm(void)
{
	for (unsigned i = 0; i < 60; i++) {
		for (unsigned k = 0; k < 20; k++) {
			uint32_t stream = watched[schedule_random(5)].v + RIG_STREAM_BASE;

			(void)model_smmu_access(&rig_smmu,
						k == 7 ? 0x3ff + RIG_STREAM_BASE : stream,
						GUEST_UART_BASE + 0x1000ull * i, k & 1);
		}
		rig_hooks.device_interrupt();
		if (i % 20 == 0) {
			rig_hooks.report();
		}
	}
}

/* --- the end --- */

static bool is_of(const struct assignment *a, const struct vf *vf)
{
	return vf ? a->request->wants_vf && a->request->vf_index == vf->index
		  : !a->request->wants_vf;
}

/* At most one has it, and everybody agrees on who. Without a VF it is the nvme. */
static void check_device(rid_t rid, const struct vf *vf)
{
	partition_id_t owner = stream_owner((stream_id_t){rid.v + RIG_STREAM_BASE});
	bool owned = !partition_is(owner, PARTITION_NONE);

	for (unsigned who = 0; who < PARTITIONS; who++) {
		for (unsigned i = 0; i < glue.sides[who].count; i++) {
			const struct assignment *a = rig_assignment(id[who], i);

			if (!is_of(a, vf)) {
				continue;
			}
			if (a->attached != partition_is(owner, id[who]) || a->stuck || a->closed) {
				complain("owner and attachment differ");
			}
			if (a->attached && !up[who]) {
				complain("attached to a partition that has stopped");
			}
			if (!a->attached && up[who] && i > 0) {
				complain("a partition and its own function are not together");
			}
		}
	}
	if (model_its_device_mapped(rid.v) != owned ||
	    (vf && (!partition_is(vf->owner, owner) || (vf->state == VF_FREE) == owned))) {
		complain("the legs do not agree on who owns a device");
	}
}

static void check_end(void)
{
	for (unsigned i = 0; i < 4; i++) {
		check_device(RIG_VF(i), rig_pool_vf(i));
	}
	check_device(RIG_NVME, NULL);
	if (rig_smmu.violations) {
		complain(rig_smmu.violation);
	}
}

static bool race(unsigned seed)
{
	static void (*const cores[])(void) = {red_lives, blue_lives, green_lives, storm};

	memset(up, 0, sizeof(up));
	if (!schedule_run(seed, cores, 4, look)) {
		complain("the cores wait for one another");
		return false;
	}
	check_end();
	return true;
}

/* --- the tests --- */

static void every_order_is_some_serial_order(void **state)
{
	unsigned through = 0;

	(void)state;
	broken = NULL;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		set_up();
		uint64_t before = rig_state_hash();

		(void)race(seed);
		through += passed;
		for (unsigned who = 0; who < PARTITIONS; who++) {
			if (up[who]) {
				rig_hooks.partition_stop(id[who]);
			}
		}
		if (rig_state_hash() != before) {
			complain("something is left of it");
		}
		if (wrong) {
			fail_msg("seed %u: %s", seed, wrong);
		}
		rig_check();
		assert_int_equal(rig_hooks.partition_start(id[BLUE]), STATUS_OK);
		rig_guest_run(id[BLUE]);
		rig_assert_works(id[BLUE], 0, rig_vf(0));
		rig_assert_works(id[BLUE], 1, rig_vf(2));
	}
	assert_true(through > 100 * SEEDS); /* the devices were at it */
}

/*
 * The checker itself: the same with a lock that lets the next one in too soon. (The locks around
 * owners alone hold no access that takes turns: nothing can come in between here.)
 */
static void a_broken_lock_is_caught(void **state)
{
	unsigned seed = 0;

	(void)state;
	broken = &smmu.lock;
	do {
		set_up();
		(void)race(++seed);
	} while (!wrong && seed < 20);
	broken = NULL;
	assert_non_null(wrong);
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(every_order_is_some_serial_order),
	};
	const struct CMUnitTest last[] = {
		RIG_TEST(a_broken_lock_is_caught), /* may leave cores behind */
	};

	return run_on_both_stages(tests) + cmocka_run_group_tests_name("mutant", last, NULL, NULL);
}
