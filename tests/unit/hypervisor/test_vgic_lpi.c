/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots of injected LPIs: when one goes straight into a list register, and when it waits. */
#include <string.h>

#include "bits.h"
#include "hv_fixture.h"

#define SLOT 37u
#define LPI  9000u
#define ON   0xa1
#define OFF  0xa0

static struct partition *p;

static struct vgic_bank *bank(void)
{
	return &p->gic.lpis[SLOT / 32];
}

static bool has(uint32_t bits)
{
	return bits >> SLOT % 32 & 1;
}

static int set_up(void **state)
{
	(void)state;
	fixture_partitions(2);
	p = &partitions[0];
	for (unsigned v = 0; v < 2; v++) {
		p->vcpus[v].state = VCPU_RUNNING;
		cores[v].vcpu = &p->vcpus[v];
	}
	p->gic.control = 2;
	fixture.list_registers_left = 1;
	memset(fixture.kicks, 0, sizeof(fixture.kicks));
	p->vcpus[0].alert = p->vcpus[1].alert = 0;
	return 0;
}

static void straight_into_a_list_register(void **state)
{
	(void)state;
	vgic_lpi_route(p, SLOT, 0, LPI, ON);
	assert_int_equal(p->gic.lpi_intid[SLOT], LPI);
	assert_int_equal(bank()->priority[SLOT % 32], 0xa0);
	vgic_lpi_pend(p, SLOT, true);
	assert_int_equal(fixture.offers, 1);
	assert_int_equal(fixture.offered[0], VGIC_INTIDS + SLOT);
	assert_false(has(bank()->pending));
	assert_int_equal(p->vcpus[0].alert, 0);
	/* None is left: it waits, and the vCPU looks. */
	vgic_lpi_pend(p, SLOT, true);
	assert_true(has(bank()->pending));
	assert_int_equal(p->vcpus[0].alert, 1);
	assert_true(p->gic.lpis_waiting & 1u << SLOT / 32);
}

/* Everything that must keep it out of the list registers of this core. */
static void waits(void **state)
{
	(void)state;
	for (unsigned why = 0; why < 6; why++) {
		set_up(NULL);
		vgic_lpi_route(p, SLOT, why == 0, LPI, why == 1 ? OFF : ON);
		p->gic.control = why == 2 ? 0 : 2;
		p->vcpus[0].state = why == 3 ? VCPU_OFF : VCPU_RUNNING;
		bank()->pending = why == 4 ? 1u << SLOT % 32 : 0;
		fixture_core(why == 5 ? 2 : 0);
		vgic_lpi_pend(p, SLOT, true);
		assert_int_equal(fixture.offers, 0);
		assert_true(has(bank()->pending));
		/* A disabled one wakes nobody until it is enabled. */
		assert_int_equal(p->vcpus[why == 0].alert, why != 1);
		vgic_lpi_route(p, SLOT, why == 0, LPI, ON);
		assert_int_equal(p->vcpus[why == 0].alert, 1);
	}
}

static void dropped_without_a_route(void **state)
{
	(void)state;
	vgic_lpi_pend(p, SLOT, true);
	assert_int_equal(fixture.offers, 0);
	assert_false(has(bank()->pending));
	vgic_lpi_route(p, SLOT, 0, LPI, OFF);
	vgic_lpi_pend(p, SLOT, true);
	assert_true(has(bank()->pending));
	vgic_lpi_route(p, SLOT, 0, 0, 0);
	assert_false(has(bank()->pending));
	vgic_lpi_pend(p, SLOT, true);
	assert_false(has(bank()->pending));
}

/* Pending state follows to another vCPU; what a list register of the first holds is fetched back.
 */
static void moving(void **state)
{
	(void)state;
	vgic_lpi_route(p, SLOT, 0, LPI, ON);
	vgic_lpi_pend(p, SLOT, true);
	vgic_lpi_pend(p, SLOT, true);
	p->vcpus[0].alert = 0;
	vgic_lpi_route(p, SLOT, 1, LPI, ON);
	assert_true(has(bank()->pending) && has(bank()->queued) && !has(bank()->voided));
	assert_int_equal(bank()->target[SLOT % 32], 1);
	assert_int_equal(p->vcpus[0].alert, 1);
	assert_int_equal(p->vcpus[1].alert, 1);
	assert_int_not_equal(fixture.kicks[1], 0);
}

/* Cleared, or another INTID: neither what waits nor what a list register holds counts. */
static void clearing(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		set_up(NULL);
		vgic_lpi_route(p, SLOT, 0, LPI, ON);
		vgic_lpi_pend(p, SLOT, true);
		vgic_lpi_pend(p, SLOT, true);
		p->vcpus[0].alert = 0;
		if (how == 0) {
			vgic_lpi_pend(p, SLOT, false);
		} else {
			vgic_lpi_route(p, SLOT, 0, how == 1 ? 0 : LPI + 1, ON);
		}
		assert_false(has(bank()->pending));
		assert_true(has(bank()->voided));
		assert_int_equal(p->vcpus[0].alert, 1);
	}
	/* A new configuration byte voids nothing. */
	set_up(NULL);
	vgic_lpi_route(p, SLOT, 0, LPI, ON);
	vgic_lpi_pend(p, SLOT, true);
	vgic_lpi_route(p, SLOT, 0, LPI, OFF);
	assert_false(has(bank()->voided));
}

/* F25: nothing of it after a reset. */
static void reset(void **state)
{
	static const struct vgic_bank zero;

	(void)state;
	vgic_lpi_route(p, SLOT, 1, LPI, ON);
	vgic_lpi_pend(p, SLOT, true);
	vgic_reset(p);
	assert_memory_equal(bank(), &zero, sizeof(zero));
	assert_int_equal(p->gic.lpi_intid[SLOT], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(straight_into_a_list_register, set_up),
		cmocka_unit_test_setup(waits, set_up),
		cmocka_unit_test_setup(dropped_without_a_route, set_up),
		cmocka_unit_test_setup(moving, set_up),
		cmocka_unit_test_setup(clearing, set_up),
		cmocka_unit_test_setup(reset, set_up),
	};

	return cmocka_run_group_tests_name("virtual GIC: injected LPIs", tests, NULL, NULL);
}
