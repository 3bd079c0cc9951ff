/* SPDX-License-Identifier: BSD-2-Clause */
/* LPIs in list registers: when one goes straight there, when it waits; moving and clearing. */
#include "lr_rig.h"

#include "model_lr.h"

static bool looks(unsigned vcpu)
{
	return p.vcpus[vcpu].alert;
}

/* The vCPU is where it is taken: the guest has it when it goes on, and EL2 does nothing more. */
static void straight_into_a_list_register(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		power_on(4, kind);
		map(5, 0, LPI, ON);
		map(90, 0, LPI + 1, ON);
		for (unsigned i = 0; i < 8; i++) {
			unsigned slot = i & 2 ? 90 : 5, intid = i & 2 ? LPI + 1 : LPI;
			bool ticks = i & 1, ended = i & 4; /* it is in nobody's way */

			if (ticks) {
				timer(0);
			}
			if (ticks && ended) {
				assert_comes(0, TIMER);
			}
			on(0);
			vgic_lpi_pend(&p, slot);
			assert_false(looks(0) || kicked[0] || kicked[1]);
			assert_true(signals(0));
			if (ticks && !ended) {
				assert_comes(0, TIMER);
			}
			assert_int_equal(acknowledge(0), intid);
			vgic_lpi_pend(&p, slot ^ 5 ^ 90); /* while that one is handled */
			assert_false(looks(0));
			end(0, intid);
			assert_comes(0, intid ^ LPI ^ (LPI + 1));
			assert_quiet();
		}
	}
}

/* Everything that must keep it out of this core's list registers; it comes when that is over. */
static void waits(void **state)
{
	(void)state;
	for (unsigned why = 0; why < 8; why++) {
		power_on(4, true);
		map(5, why == 0, LPI, why == 1 ? ON & ~1 : ON);
		map(6, 0, LPI + 1, ON);
		on(0);
		if (why == 3) {
			gicd(0, 0, 4, 0);
		} else if (why == 4) {
			vgic_cpu_stop(&p.vcpus[0]);
		} else if (why == 5) {
			vgic_lpi_pend(&p, 6);
		} else if (why == 6) {
			pend(SPI);
		} else if (why == 7) {
			map(5, 0, 0, 0);
		}
		on(why == 2);
		vgic_lpi_pend(&p, 5);
		/* A disabled one wakes nobody; one that is nothing, neither. */
		assert_int_equal(looks(why == 0), why != 1 && why != 7);
		assert_int_equal(kicked[0], why == 2);
		assert_int_equal(kicked[1], why == 0);
		assert_int_equal(p.gic.lpis[0].pending, why == 7 ? 0 : 1 << 5);
		if (why == 4) {
			vgic_cpu_start(&p.vcpus[0]);
		}
		enter(0);
		settle();
		if (why == 1) {
			assert_quiet();
			map(5, 0, LPI, ON);
		} else if (why == 3) {
			assert_quiet();
			gicd(1, 0, 4, 2);
		} else if (why == 5) {
			assert_comes(0, LPI);
			assert_comes(0, LPI + 1);
			continue;
		} else if (why == 6) {
			assert_comes(0, SPI);
		} else if (why == 7) {
			map(5, 0, LPI, ON);
			assert_quiet();
			continue;
		}
		assert_comes(why == 0, LPI);
		assert_quiet();
	}
}

/* With two list registers: the lane is free again, but something more urgent waits for any. */
static void not_past_what_waits(void **state)
{
	(void)state;
	power_on(2, false);
	map(5, 0, LPI, 0x11);
	map(6, 0, LPI + 1, 0x41);
	on(0);
	vgic_redistributor_write(&p, SGI_BASE + 0x407, 1, 0x20);
	priority(SPI, 0x30);
	ring(5, 0);
	sgi(0, 0, 7);
	pend(SPI);
	assert_int_equal(acknowledge(0), LPI);
	ring(6, 0);
	end(0, LPI);
	assert_comes(0, 7);
	assert_comes(0, SPI);
	assert_comes(0, LPI + 1);
	assert_quiet();
}

static void lpis(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		power_on(4, kind);
		for (unsigned slot = 0; slot < 40; slot++) {
			map(slot, slot & 1, LPI + slot, (uint8_t)(0xf9 - 8 * (slot % 16)));
		}
		for (unsigned slot = 0; slot < 16; slot++) {
			ring(slot, slot & 1);
			ring(slot, slot & 1); /* twice is once */
		}
		for (unsigned slot = 16; slot-- > 0;) {
			assert_comes(slot & 1, LPI + slot);
		}
		assert_quiet();
		for (unsigned i = 0; i < 3; i++) { /* pending again while the guest handles it */
			ring(2, 0);
			assert_int_equal(acknowledge(0), LPI + 2);
			ring(2, 0);
			ring(34, 0);
			timer(0);
			end(0, LPI + 2);
			assert_int_equal(acknowledge(0), TIMER);
			end(0, TIMER);
			assert_comes(0, LPI + 2);
			assert_comes(0, LPI + 34);
			assert_quiet();
		}
	}
}

/* What was taken on one vCPU rings for the other; what was not, goes along. */
static void lpis_move(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		power_on(4, kind);
		map(5, 0, LPI, ON);
		map(6, 1, LPI + 1, ON);
		ring(5, 0);
		map_only(1, 5, 1, LPI, ON);
		settle();
		assert_false(signals(0));
		assert_comes(1, LPI);
		map(5, 0, LPI, ON);
		ring(5, 0);
		assert_int_equal(acknowledge(0), LPI);
		/* It moves, and rings on its new core before the old one's kick is taken. */
		sgi(0, 1, 1);
		ring_only(6, 1);
		map_only(1, 5, 1, LPI, ON);
		ring_only(5, 1);
		settle();
		assert_comes(1, 1);
		unsigned first = acknowledge(1);

		end(1, first);
		assert_comes(1, LPI + LPI + 1 - first);
		end(0, LPI);
		assert_quiet();
	}
}

/* CLEAR, or another INTID, while a list register has it. */
static void lpis_cleared(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		power_on(4, true);
		map(5, 0, LPI, ON);
		ring(5, 0);
		assert_true(signals(0));
		on(1);
		if (how == 0) {
			vgic_lpi_clear(&p, 5);
		} else {
			map_only(1, 5, 0, how == 1 ? 0 : LPI + 1, ON);
		}
		settle();
		assert_quiet();
		map(5, 0, LPI + how, ON);
		ring(5, 0);
		assert_comes(0, LPI + how);
		map(5, 0, LPI + how, ON & ~1); /* disabled: it waits */
		ring(5, 0);
		assert_quiet();
		map(5, 0, LPI + how, ON);
		assert_comes(0, LPI + how);
	}
}

/* A guest may give two events one INTID: never in two list registers. */
static void one_intid_twice(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		power_on(4, kind);
		for (unsigned slot = 0; slot < 4; slot++) {
			map(slot, 0, LPI, ON);
		}
		for (unsigned round = 0; round < 4; round++) {
			for (unsigned i = 0; i < 4; i++) {
				ring((round + i) % 4, 0);
			}
			assert_comes(0, LPI);
			ring(round, 0);
			assert_int_equal(acknowledge(0), LPI);
			ring((round + 1) % 4, 0);
			pend(SPI);
			end(0, LPI);
			assert_comes(0, SPI);
			assert_comes(0, LPI);
			assert_quiet();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(straight_into_a_list_register),
		T(waits),
		T(not_past_what_waits),
		T(lpis),
		T(lpis_move),
		T(lpis_cleared),
		T(one_intid_twice),
	};

	return cmocka_run_group_tests_name("virtual GIC: injected LPIs", tests, NULL, NULL);
}
