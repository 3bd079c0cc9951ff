/* SPDX-License-Identifier: BSD-2-Clause */
/* List registers: order, whose it is, what is switched off. F25 */
#include "lr_rig.h"

#include "bits.h"
#include "model_lr.h"

/* --- order --------------------------------------------------------------------------------------
 */

/* The most urgent first, and one that is more urgent comes in between. */
static void priorities(void **state)
{
	(void)state;
	priority(SPI, 0x80);
	priority(SPI + 1, 0x40);
	priority(SPI + 2, 0xa0);
	for (unsigned i = 0; i < 3; i++) {
		pend(SPI + i);
	}
	assert_int_equal(acknowledge(0), SPI + 1);
	assert_false(signals(0));
	priority(SPI + 3, 0x20);
	pend(SPI + 3);
	assert_comes(0, SPI + 3);
	end(0, SPI + 1);
	assert_comes(0, SPI);
	assert_comes(0, SPI + 2);
	assert_quiet();
}

/* However few list registers there are; also what comes late and is more urgent. */
static void more_than_list_registers(void **state)
{
	static const unsigned counts[] = {2, 3, 4, 16};

	(void)state;
	for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
		power_on(counts[c], true);
		for (unsigned i = 0; i < 24; i++) {
			priority(SPI + i, (uint8_t)(0xf0 - 8 * i));
		}
		for (unsigned i = 0; i < 24; i += 2) {
			pend(SPI + i);
		}
		assert_comes(0, SPI + 22);
		for (unsigned i = 1; i < 22; i += 2) {
			pend(SPI + i);
		}
		for (unsigned i = 22; i-- > 0;) {
			assert_comes(0, SPI + i);
		}
		assert_quiet();
	}
}

/* Every list register is active, one inside the other; one more waits for the first that is not. */
static void all_active(void **state)
{
	static const unsigned counts[] = {2, 4, 16};

	(void)state;
	for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
		unsigned n = counts[c];

		power_on(n, true);
		for (unsigned i = 0; i <= n; i++) {
			priority(SPI + i, (uint8_t)(0xe0 - 8 * i));
		}
		for (unsigned i = 0; i < n; i++) {
			pend(SPI + i);
			assert_int_equal(acknowledge(0), SPI + i);
		}
		pend(SPI + n);
		for (unsigned i = n; i-- > 0;) {
			if (signals(0)) {
				assert_comes(0, SPI + n);
				n = 0;
			}
			end(0, SPI + i);
		}
		if (n) {
			assert_comes(0, SPI + n);
		}
		assert_quiet();
	}
}

/* A level's line is looked at again at its end; what is latched once is taken once. */
static void levels_and_edges(void **state)
{
	(void)state;
	line(1, true);
	assert_comes(0, UART);
	assert_int_equal(acknowledge(0), UART);
	assert_false(signals(0));
	line(0, false);
	end(0, UART);
	assert_quiet();
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	pend(SPI); /* again, while it is active */
	assert_false(signals(0));
	end(0, SPI);
	assert_comes(0, SPI);
	assert_quiet();
}

/* --- whose it is --------------------------------------------------------------------------------
 */

/* The line rings again after the end, for the new target alone: its list register is the old one's.
 */
static void wire_moved_while_active(void **state)
{
	(void)state;
	wire();
	assert_int_equal(acknowledge(0), INTX);
	route(INTX, 1);
	assert_true(model_lr_physical_active(WIRE));
	end(0, INTX);
	assert_false(model_lr_physical_active(WIRE));
	for (unsigned i = 0; i < 3; i++) {
		wire();
		assert_false(signals(0));
		assert_comes(1, INTX);
		assert_false(model_lr_physical_active(WIRE));
	}
	route(INTX, 0);
	wire();
	assert_comes(0, INTX);
	assert_quiet();
}

static void moved_while_pending(void **state)
{
	(void)state;
	wire();
	pend(SPI);
	route(INTX, 1);
	route(SPI, 1);
	assert_false(signals(0));
	assert_comes(1, INTX);
	assert_comes(1, SPI);
	assert_quiet();
}

/* The next one is the new target's, and not before the old one has ended this one. */
static void moved_while_active(void **state)
{
	(void)state;
	priority(UART, 0x80);
	priority(SPI, 0x40);
	line(0, true);
	assert_int_equal(acknowledge(0), UART);
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	route(SPI, 1);
	route(UART, 1);
	pend(SPI);
	assert_quiet();
	end(0, SPI);
	assert_false(signals(0));
	assert_comes(1, SPI);
	assert_false(signals(1));
	end(0, UART);
	assert_false(signals(0));
	assert_int_equal(acknowledge(1), UART);
	line(0, false);
	end(1, UART);
	assert_quiet();
}

/* Private interrupts stay with their vCPU. */
static void software_interrupts(void **state)
{
	(void)state;
	sgi(0, 0, 3);
	assert_comes(0, 3);
	sgi(0, 1, 4);
	assert_false(signals(0));
	assert_int_equal(acknowledge(1), 4);
	sgi(0, 1, 4);
	sgi(1, 1, 5);
	end(1, 4);
	assert_int_equal(acknowledge(1) + acknowledge(1), 4 + MODEL_LR_SPURIOUS);
	end(1, 4);
	assert_comes(1, 5);
	on(1);
	vgic_send_sgi(&p.vcpus[1], BIT(40) | 6u << 24); /* all but oneself */
	enter(1);
	settle();
	assert_comes(0, 6);
	assert_quiet();
}

/* Into the first list register while everything else is there, too; its end is the physical one's.
 */
static void timers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		timer(0);
		timer(1);
		pend(SPI + i);
		assert_comes(1, TIMER);
		assert_comes(0, TIMER);
		assert_comes(0, SPI + i);
		assert_false(model_lr_physical_active(TIMER));
		assert_quiet();
	}
	gicr(0, 0x180, 1u << TIMER);
	timer(0);
	assert_quiet();
	gicr(0, 0x280, 1u << TIMER); /* its pending state is the physical one's */
	gicr(0, 0x100, 1u << TIMER);
	assert_comes(0, TIMER);
	assert_quiet();
}

/* --- switched off -------------------------------------------------------------------------------
 */

static void disabled_in_a_list_register(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		uint64_t block = how == 0 ? 0x180 : 0x080;

		pend(SPI);
		sgi(0, 0, 1);
		assert_true(signals(0));
		if (how == 2) {
			gicd(1, 0, 4, 0);
		} else {
			gicd(1, block + SPI / 8, 4, how == 0);
			gicr(0, block, how == 0 ? ~0u : 0);
		}
		assert_quiet();
		gicd(1, 0, 4, 2);
		gicd(1, (how == 0 ? 0x100 : 0x080) + SPI / 8, 4, ~0u);
		gicr(0, how == 0 ? 0x100 : 0x080, ~0u);
		assert_int_equal(acknowledge(0), 1);
		end(0, 1);
		assert_comes(0, SPI);
		assert_quiet();
	}
}

/* Pending once more while it is active, then disabled: it waits when that one has ended. */
static void disabled_while_active(void **state)
{
	(void)state;
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	pend(SPI);
	enable(SPI, false);
	end(0, SPI);
	assert_quiet();
	enable(SPI, true);
	assert_comes(0, SPI);
	assert_quiet();
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	pend(SPI);
	set_bit(0x280, SPI); /* and what is cleared meanwhile never comes */
	end(0, SPI);
	assert_quiet();
}

/* --- lives --------------------------------------------------------------------------------------
 */

/* F25: nothing of the life before, in software or in the interface; nothing is lost by CPU_OFF. */
static void lives(void **state)
{
	(void)state;
	map(5, 0, LPI, ON);
	ring(5, 0);
	pend(SPI);
	route(SPI + 1, 1);
	pend(SPI + 1);
	sgi(0, 0, 2);
	assert_int_equal(acknowledge(0), 2);
	on(0);
	vgic_cpu_stop(&p.vcpus[0]);
	assert_false(model_lr_signals());
	vgic_cpu_start(&p.vcpus[0]);
	assert_comes(0, SPI);
	assert_comes(0, LPI);
	ring(5, 0);
	pend(SPI);
	timer(0);
	for (unsigned v = 0; v < VCPUS; v++) {
		on(v);
		vgic_cpu_stop(&p.vcpus[v]);
	}
	vgic_reset(&p);
	for (unsigned v = 0; v < VCPUS; v++) {
		on(v);
		vgic_cpu_start(&p.vcpus[v]);
	}
	gicd(0, 0, 4, 2);
	for (unsigned bank = 1; bank < VGIC_BANKS; bank++) {
		gicd(0, 0x080 + 4 * bank, 4, ~0u);
		gicd(0, 0x100 + 4 * bank, 4, ~0u);
	}
	gicr(0, 0x080, ~0u);
	gicr(0, 0x100, ~0u);
	assert_quiet();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(priorities),
		T(more_than_list_registers),
		T(all_active),
		T(levels_and_edges),
		T(wire_moved_while_active),
		T(moved_while_pending),
		T(moved_while_active),
		T(software_interrupts),
		T(timers),
		T(disabled_in_a_list_register),
		T(disabled_while_active),
		T(lives),
	};

	return cmocka_run_group_tests_name("virtual GIC: list registers", tests, NULL, NULL);
}
