/* SPDX-License-Identifier: BSD-2-Clause */
/* The injected path: guest ITS commands, what EL2 takes, F21 (storms) and F25 (pending at revoke).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "irq_rig.h"

#define P0	  (&rig_partitions[0])
#define ID(p)	  ((partition_id_t){p})
#define LIMIT	  2000u
#define WINDOW_NS 10000000ull

static const struct model_its_config gicv3 = {
	.cores = 4, .page_code = 3, .no_virtual = true, .no_vlpis = true};

/* Partition 0's event is taken on the core of `vcpu` and pending there, as `vlpi`. */
static void assert_lands(unsigned event, unsigned vcpu, uint32_t vlpi)
{
	struct model_its_delivery delivery = model_its_msi(RIG_DEVICE(0).v, event);

	assert_true(delivery.physical && !delivery.dropped);
	assert_int_equal(delivery.vpe, P0->vpes[vcpu].core);
	assert_int_equal(rig_take(delivery.vpe), 1);
	assert_true(rig_lpi(0, event)->pending);
	assert_int_equal(rig_lpi(0, event)->vcpu, vcpu);
	assert_int_equal(rig_lpi(0, event)->intid, vlpi);
	hv_lpi_clear(ID(0), event);
}

static void start(void)
{
	rig_start_with(&gicv3);
	rig_guest_usual(0);
	rig_guest_usual(1);
	clock_sleep_ns(2 * WINDOW_NS); /* since the machine's start */
}

static void delivery(void **state)
{
	const struct model_its_config kinds[] = {
		gicv3,
		{.cores = 4, .page_code = 3, .no_virtual = true},
		{.cores = 4, .page_code = 3, .no_vlpis = true},
		{.cores = 4, .page_code = 3, .gicv41 = true},
		{.cores = 4, .page_code = 3, .no_virtual = true, .pta = true},
		{.cores = 4, .page_code = 3, .no_virtual = true, .not_snooping = true},
	};
	const char *why[] = {"no-gicv4", "no-gicv4", "no-gicv4", "gicv4.1", "no-gicv4", "no-gicv4"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		rig_start_with(&kinds[i]);
		rig_guest_usual(0);
		assert_string_equal(P0->why_injected, why[i]);
		assert_int_equal(models_log_count(why[i]), 1);
		for (unsigned event = 0; event < RIG_VECTORS; event++) {
			assert_lands(event, 0, RIG_VLPI + event);
		}
		assert_true(model_its_msi(RIG_DEVICE(0).v, RIG_VECTORS).dropped);
		assert_int_equal(hv_host_lpis_pending(ID(1), 0), 0);
		rig_check();
	}
}

/* Everything the ITS and the redistributors read is cleaned: DISCARD's, MAPTI's, INV's and SYNC's.
 */
static void not_snooping(void **state)
{
	(void)state;
	rig_start_with(&(struct model_its_config){
		.cores = 4, .page_code = 3, .no_virtual = true, .not_snooping = true});
	rig_guest_usual(0);
	unsigned before = model_counters.cleans;

	assert_true(rig_mapti(0, RIG_VIRTUAL, 0, RIG_VLPI, 0));
	assert_int_equal(model_counters.cleans - before,
			 2 + 2 + 2); /* commands, bytes, off and on */
	rig_check();
}

/* vPEs for one partition only: the second is injected, and both work. */
static void out_of_vpes(void **state)
{
	static struct irq_partition third;
	struct guest_memory memory = {0};
	unsigned core = 0;

	(void)state;
	rig_start();
	rig_arena.size = rig_arena.used;
	rig_guest_usual(0);
	memory = P0->memory;
	assert_int_equal(irq_partition_init(&third, ID(2), &memory, 1, &core), STATUS_OK);
	assert_string_equal(third.why_injected, "no-vpes-left");
	assert_null(P0->why_injected);
	assert_int_equal(irq_device_bind(&third, (device_id_t){0x300}, (device_id_t){8}, 1),
			 STATUS_OK);
	assert_int_equal(irq_vcpu_resident(&third, 0), STATUS_OK);
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	rig_check();
}

/* Priority and enable reach the virtual GIC at MAPTI, INV and INVALL, and EnableLPIs counts. */
static void properties(void **state)
{
	(void)state;
	start();
	assert_int_equal(rig_lpi(0, 0)->property, 0xa1);
	rig_property(0, RIG_VLPI, 0x40);
	assert_int_equal(rig_lpi(0, 0)->property, 0xa1);
	assert_true(rig_event(0, ITS_INV, RIG_VIRTUAL, 0));
	assert_int_equal(rig_lpi(0, 0)->property, 0x40);
	assert_lands(0, 0, RIG_VLPI); /* held there while it is off: EL2 knows */
	rig_property(0, RIG_VLPI, 0x81);
	assert_true(rig_invall(0, 0));
	assert_int_equal(rig_lpi(0, 0)->property, 0x81);
	vredist_lpi_enable(P0, 0, false);
	assert_int_equal(rig_lpi(0, 0)->property, 0);
	vredist_lpi_enable(P0, 0, true);
	assert_int_equal(rig_lpi(0, 0)->property, 0x81);
	rig_check();
}

/* What is pending, here or still in the redistributor, goes along with MOVI, MAPC and MOVALL. */
static void moving(void **state)
{
	(void)state;
	start();
	assert_false(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_int_equal(rig_take(0), 1);
	assert_false(model_its_msi(RIG_DEVICE(0).v, 0).dropped); /* and once more, not taken yet */
	assert_true(rig_movi(0, RIG_VIRTUAL, 0, 1));
	assert_int_equal(hv_host_lpis_pending(ID(0), 0), 0);
	assert_int_equal(hv_host_lpis_pending(ID(0), 1), 1);
	assert_int_equal(rig_take(0), 0);
	assert_int_equal(rig_take(1), 1);
	assert_lands(0, 1, RIG_VLPI);
	assert_true(rig_mapc(0, 1, 0, true));
	assert_lands(0, 0, RIG_VLPI);
	assert_true(rig_movall(0, 0, 1));
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_lands(event, 1, RIG_VLPI + event);
	}
	rig_check();
}

/* INT rings; CLEAR, DISCARD, MAPC and MAPD V=0, the ITS off: what is pending on either side ends.
 */
static void clearing(void **state)
{
	(void)state;
	start();
	assert_true(rig_event(0, ITS_INT, RIG_VIRTUAL, 2));
	assert_int_equal(rig_take(0), 1);
	assert_true(rig_lpi(0, 2)->pending);
	assert_true(rig_event(0, ITS_INT, RIG_VIRTUAL, 2));
	assert_true(rig_event(0, ITS_CLEAR, RIG_VIRTUAL, 2));
	assert_false(rig_lpi(0, 2)->pending);
	assert_int_equal(rig_take(0), 0);
	assert_lands(2, 0, RIG_VLPI + 2);
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned event = 0; event < RIG_VECTORS; event++) {
			assert_false(model_its_msi(RIG_DEVICE(0).v, event).dropped);
		}
		assert_int_equal(rig_take(0), RIG_VECTORS);
		for (unsigned event = 0; event < RIG_VECTORS; event++) {
			assert_false(model_its_msi(RIG_DEVICE(0).v, event).dropped);
		}
		if (round == 0) {
			assert_true(rig_mapd(0, RIG_VIRTUAL, 2, false));
		} else if (round == 1) {
			assert_true(rig_mapc(0, 0, 0, false));
		} else if (round == 2) {
			vits_write(P0, 0, 4, 0);
			vits_write(P0, 0, 4, 1);
		} else {
			for (unsigned event = 0; event < RIG_VECTORS; event++) {
				assert_true(rig_event(0, ITS_DISCARD, RIG_VIRTUAL, event));
			}
		}
		assert_int_equal(hv_host_lpis_pending(ID(0), 0), 0);
		assert_int_equal(rig_take(0), 0);
		assert_int_equal(model_its_physical_pending(0), 0);
		rig_guest_usual(0);
		assert_lands(3, 0, RIG_VLPI + 3);
	}
	rig_check();
}

/* An INTID that stands for nothing, whatever it is, changes nothing. */
static void foreign_intids(void **state)
{
	(void)state;
	start();
	for (uint32_t intid = 8192; intid < 1u << 14; intid++) {
		uint32_t number = intid - 8192;

		if (number % 256 >= RIG_VECTORS || number / 256 >= RIG_PARTITIONS) {
			hv_host_lpi_taken(irq_route_taken(0, intid));
		}
	}
	hv_host_lpi_taken(irq_route_taken(0, UINT32_MAX));
	hv_host_lpi_taken(irq_route_taken(0, 0));
	for (unsigned p = 0; p < HV_MAX_PARTITIONS; p++) {
		for (unsigned vcpu = 0; vcpu < GUEST_MAX_VCPUS; vcpu++) {
			assert_int_equal(hv_host_lpis_pending(ID((uint8_t)p), vcpu), 0);
		}
	}
	rig_check();
}

/* F25: pending on both sides when the device goes, and one that comes too late. */
static void revoke_while_pending(void **state)
{
	uint32_t late;

	(void)state;
	start();
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_false(model_its_msi(RIG_DEVICE(0).v, event).dropped);
	}
	late = model_its_acknowledge(0);
	assert_int_equal(late, 8192);
	hv_host_lpi_taken(irq_route_taken(0, model_its_acknowledge(0)));
	assert_int_equal(irq_device_unbind(P0, RIG_DEVICE(0), hv_pause), STATUS_OK);
	hv_host_lpi_taken(irq_route_taken(0, late));
	for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
		assert_int_equal(hv_host_lpis_pending(ID(0), vcpu), 0);
		assert_int_equal(model_its_physical_pending(vcpu), 0);
	}
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	/* The next owner starts with nothing; nor does the place's next device. */
	assert_int_equal(irq_device_bind(&rig_partitions[1], RIG_DEVICE(0), (device_id_t){0x10}, 4),
			 STATUS_OK);
	assert_int_equal(irq_device_bind(P0, (device_id_t){0x200}, (device_id_t){RIG_VIRTUAL}, 4),
			 STATUS_OK);
	hv_host_lpi_taken(irq_route_taken(0, late));
	assert_int_equal(rig_take(0) + rig_take(1) + rig_take(2) + rig_take(3), 0);
	assert_int_equal(hv_host_lpis_pending(ID(0), 0) + hv_host_lpis_pending(ID(1), 0), 0);
	rig_check();
}

/* F25 for a whole partition: ten boots with everything pending; the neighbour does not notice. */
static void reset(void **state)
{
	(void)state;
	start();
	for (unsigned boot = 0; boot < 10; boot++) {
		for (unsigned event = 0; event < RIG_VECTORS; event++) {
			assert_false(model_its_msi(RIG_DEVICE(0).v, event).dropped);
		}
		hv_host_lpi_taken(irq_route_taken(0, model_its_acknowledge(0)));
		rig_guest_residency(0, false);
		assert_int_equal(irq_partition_reset(P0, hv_pause), STATUS_OK);
		assert_int_equal(hv_host_lpis_pending(ID(0), 0), 0);
		assert_int_equal(model_its_physical_pending(0), 0);
		assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
		rig_guest_residency(0, true);
		rig_guest_boot(0);
		rig_guest_usual(0);
		assert_lands(0, 0, RIG_VLPI);
	}
	assert_false(model_its_msi(RIG_DEVICE(1).v, 0).dropped);
	assert_int_equal(rig_take(2), 1);
	assert_true(rig_lpi(1, 0)->pending);
	rig_check();
}

static void ring(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		assert_false(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
		rig_take(0);
		hv_lpi_clear(ID(0), 0);
	}
}

/* F21: at most so many in a window; then off, and on again by the alarm, with what rang meanwhile.
 */
static void storm(void **state)
{
	(void)state;
	start();
	ring(2 * LIMIT - 1);
	assert_int_equal(rig_storms, 0);
	ring(1);
	assert_int_equal(rig_storms, 1);
	assert_int_equal(P0->counters.storms, 1);
	assert_int_equal(hv_host_alarm(), WINDOW_NS);
	for (unsigned i = 0; i < 1000; i++) { /* all of its events, and nothing is taken */
		assert_false(model_its_msi(RIG_DEVICE(0).v, i % RIG_VECTORS).dropped);
		assert_int_equal(rig_take(0), 0);
	}
	/* The guest cannot switch it on: by INV, a new mapping, or another vCPU. */
	assert_true(rig_event(0, ITS_INV, RIG_VIRTUAL, 0));
	assert_true(rig_mapti(0, RIG_VIRTUAL, 1, RIG_VLPI + 1, 1));
	assert_true(rig_movi(0, RIG_VIRTUAL, 2, 1));
	assert_false(model_its_msi(RIG_DEVICE(0).v, 1).dropped);
	assert_int_equal(rig_take(0) + rig_take(1), 0);
	/* The neighbour rings. */
	assert_false(model_its_msi(RIG_DEVICE(1).v, 0).dropped);
	assert_int_equal(rig_take(2), 1);
	irq_route_alarm(1); /* another core's */
	assert_int_equal(rig_take(0) + rig_take(1), 0);
	irq_route_alarm(0);
	assert_int_equal(rig_take(0), 2); /* events 0 and 3 */
	assert_int_equal(rig_take(1), 2);
	assert_true(rig_lpi(0, 0)->pending);
	rig_check();
}

/* The same number spread over more time is no storm. */
static void busy_is_no_storm(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < 8; i++) {
		ring(LIMIT);
		clock_sleep_ns(WINDOW_NS);
	}
	assert_int_equal(rig_storms, 0);
	rig_check();
}

/* Masked when it is taken away: its next owner's rings. */
static void storm_and_revoke(void **state)
{
	(void)state;
	start();
	ring(2 * LIMIT);
	assert_int_equal(rig_storms, 1);
	assert_int_equal(irq_device_unbind(P0, RIG_DEVICE(0), hv_pause), STATUS_OK);
	irq_route_alarm(0);
	assert_int_equal(irq_device_bind(P0, RIG_DEVICE(0), (device_id_t){RIG_VIRTUAL}, 4),
			 STATUS_OK);
	rig_guest_usual(0);
	assert_lands(0, 0, RIG_VLPI);
	rig_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivery),
		cmocka_unit_test(out_of_vpes),
		cmocka_unit_test(not_snooping),
		cmocka_unit_test(properties),
		cmocka_unit_test(moving),
		cmocka_unit_test(clearing),
		cmocka_unit_test(foreign_intids),
		cmocka_unit_test(revoke_while_pending),
		cmocka_unit_test(reset),
		cmocka_unit_test(storm),
		cmocka_unit_test(busy_is_no_storm),
		cmocka_unit_test(storm_and_revoke),
	};

	return cmocka_run_group_tests_name("irq-route: injected interrupts", tests, NULL, NULL);
}
