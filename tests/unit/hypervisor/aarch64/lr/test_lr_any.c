/* SPDX-License-Identifier: BSD-2-Clause */
/* Anything, in any order: nothing is lost, nothing comes to the wrong one or too soon, in order. */
#include "lr_rig.h"

#include <stdlib.h>
#include <string.h>

#include "model_lr.h"

#define SPIS  6u /* of the software's */
#define LPIS  6u
#define KINDS (SPIS + LPIS + 2)

/* What was raised and not taken since, by INTID. */
static struct {
	unsigned intid, priority, target;
	bool raised, active;
} all[KINDS];

static unsigned nested[VCPUS][32], depth[VCPUS];

static unsigned kind_of(unsigned intid)
{
	for (unsigned i = 0; i < KINDS; i++) {
		if (all[i].intid == intid) {
			return i;
		}
	}
	fail_msg("INTID %u", intid);
	return 0;
}

static bool any_one_more_urgent(unsigned core, unsigned priority)
{
	for (unsigned i = 0; i < KINDS; i++) {
		if (all[i].raised && !all[i].active && all[i].target == core &&
		    all[i].priority < priority) {
			return true;
		}
	}
	return false;
}

static void raise_one(unsigned i)
{
	if (i < SPIS) {
		pend(all[i].intid);
	} else if (i < SPIS + LPIS) {
		ring(i, all[i].target);
	} else if (i == SPIS + LPIS) {
		if (model_lr_physical_active(WIRE)) {
			return;
		}
		wire();
	} else {
		sgi(all[i].target, all[i].target, all[i].intid);
	}
	all[i].raised = true;
}

static void move_one(unsigned i)
{
	if (i > SPIS + LPIS) {
		return;
	}
	all[i].target ^= 1;
	if (i >= SPIS && i < SPIS + LPIS) {
		map_only((unsigned)rand() % VCPUS, i, all[i].target, all[i].intid,
			 (uint8_t)(all[i].priority | 1));
		settle();
	} else {
		route(all[i].intid, all[i].target);
	}
}

/* One step of a guest that has interrupts on. */
static bool take(unsigned core, bool in_order)
{
	if (!signals(core) || depth[core] == 30) {
		return false;
	}
	unsigned intid = acknowledge(core), i = kind_of(intid);

	assert_int_equal(all[i].target, core);
	assert_true(all[i].raised && !all[i].active);
	if (in_order) {
		assert_false(any_one_more_urgent(core, all[i].priority));
	}
	all[i].raised = false;
	all[i].active = intid < 8192;
	nested[core][depth[core]++] = intid;
	return true;
}

static bool leave(unsigned core)
{
	if (!depth[core]) {
		return false;
	}
	unsigned intid = nested[core][--depth[core]];

	all[kind_of(intid)].active = false;
	end(core, intid);
	return true;
}

static void prepare(unsigned list_registers, bool lpis_look_active)
{
	power_on(list_registers, lpis_look_active);
	memset(depth, 0, sizeof(depth));
	for (unsigned i = 0; i < KINDS; i++) {
		all[i].priority = (unsigned)rand() % 30 * 8;
		all[i].target = 0;
		all[i].raised = all[i].active = false;
		if (i < SPIS) {
			all[i].intid = SPI + i;
		} else if (i < SPIS + LPIS) {
			all[i].intid = LPI + i;
			map(i, 0, LPI + i, (uint8_t)(all[i].priority | 1));
		} else {
			all[i].intid = i == SPIS + LPIS ? INTX : 7;
		}
		if (all[i].intid >= 32 && all[i].intid < 8192) {
			priority(all[i].intid, (uint8_t)all[i].priority);
		}
	}
	on(0);
	vgic_redistributor_write(&p, SGI_BASE + 0x407, 1, all[KINDS - 1].priority);
	enter(0);
	settle();
}

/* Nothing is lost, nothing comes to the wrong one or too soon, the order holds. */
static void anything(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		bool moves = seed % 3 == 0;

		srand(seed);
		prepare(2 + seed % 5, seed & 1);
		for (unsigned step = 0; step < 200; step++) {
			unsigned i = (unsigned)rand() % KINDS, core = (unsigned)rand() % VCPUS;

			switch (rand() % (moves ? 5 : 4)) {
			case 0:
			case 1:
				raise_one(i);
				break;
			case 2:
				take(core, !moves);
				break;
			case 3:
				leave(core);
				break;
			default:
				move_one(i);
				break;
			}
		}
		while (take(0, false) || take(1, false) || leave(0) || leave(1)) {
			;
		}
		for (unsigned i = 0; i < KINDS; i++) {
			if (all[i].raised) {
				fail_msg("seed %u: INTID %u never came", seed, all[i].intid);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(anything),
	};

	return cmocka_run_group_tests_name("virtual GIC: any interrupts", tests, NULL, NULL);
}
