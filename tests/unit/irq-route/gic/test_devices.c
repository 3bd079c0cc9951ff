/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose events are whose: bind, unbind (F25), partition reset, residency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "irq_rig.h"

#define P0 (&rig_partitions[0])
#define P1 (&rig_partitions[1])

static const device_id_t other = {0x200};
static const device_id_t name = {0x10};

static void bind_refusals(void **state)
{
	(void)state;
	rig_start();
	unsigned mapd = model_its_count(ITS_MAPD);

	assert_int_equal(irq_device_bind(P0, (device_id_t){0}, name, 1), STATUS_INVALID);
	assert_int_equal(irq_device_bind(P0, other, name, 0), STATUS_RANGE);
	assert_int_equal(irq_device_bind(P0, other, name, IRQ_DEVICE_MAX_EVENTS + 1), STATUS_RANGE);
	assert_int_equal(irq_device_bind(P0, (device_id_t){0x10000}, name, 1), STATUS_RANGE);
	assert_int_equal(irq_device_bind(P0, (device_id_t){UINT32_MAX}, name, 1), STATUS_RANGE);
	assert_int_equal(irq_device_bind(P0, other, (device_id_t){0x10000}, 1), STATUS_RANGE);
	/* Bound: here, and to the neighbour. The guest's name: taken. */
	assert_int_equal(irq_device_bind(P0, RIG_DEVICE(0), name, 1), STATUS_BUSY);
	assert_int_equal(irq_device_bind(P0, RIG_DEVICE(1), name, 1), STATUS_BUSY);
	assert_int_equal(irq_device_bind(P0, other, (device_id_t){RIG_VIRTUAL}, 1), STATUS_BUSY);
	assert_int_equal(irq_device_unbind(P0, RIG_DEVICE(1), hv_pause), STATUS_NOT_FOUND);
	assert_int_equal(irq_device_unbind(P0, (device_id_t){0}, hv_pause), STATUS_NOT_FOUND);
	assert_int_equal(model_its_count(ITS_MAPD), mapd);
	assert_true(model_its_device_mapped(RIG_DEVICE(1).v));
	rig_check();
}

/* Fewer device bits than the table has room for: GITS_TYPER counts. */
static void device_bits(void **state)
{
	(void)state;
	rig_start_with(&(struct model_its_config){.cores = 4, .page_code = 3, .device_bits = 9});
	assert_int_equal(irq_device_bind(P0, other, name, 1), STATUS_RANGE);
	assert_int_equal(irq_device_bind(P0, (device_id_t){0x1ff}, name, 1), STATUS_OK);
	rig_check();
}

static void bind_limits(void **state)
{
	(void)state;
	rig_start();
	assert_int_equal(irq_device_bind(P0, other, name, 1), STATUS_OK);
	assert_int_equal(P0->devices[1].event_limit, 2); /* MAPD's least */
	assert_int_equal(irq_device_unbind(P0, other, hv_pause), STATUS_OK);
	assert_int_equal(irq_device_bind(P0, other, name, 5), STATUS_OK);
	assert_int_equal(P0->devices[1].event_limit, 8);
	assert_int_equal(irq_device_unbind(P0, other, hv_pause), STATUS_OK);
	assert_int_equal(irq_device_bind(P0, (device_id_t){0xffff}, name, 32), STATUS_OK);
	rig_check();
}

/* F25: interrupts pending and in flight when the device is taken away. */
static void revoke_while_pending(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_true(rig_movi(0, RIG_VIRTUAL, 1, 1));
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_false(model_its_msi(RIG_DEVICE(0).v, event).dropped);
	}
	assert_int_equal(irq_device_unbind(P0, RIG_DEVICE(0), hv_pause), STATUS_OK);
	assert_int_equal(model_its_pending_count(rig_vpe(0, 0)), 0);
	assert_int_equal(model_its_pending_count(rig_vpe(0, 1)), 0);
	assert_false(model_its_device_mapped(RIG_DEVICE(0).v));
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_true(model_its_msi(RIG_DEVICE(0).v, event).dropped);
		assert_true(rig_event(0, ITS_INT, RIG_VIRTUAL, event));
	}
	assert_int_equal(rig_refused(0), RIG_VECTORS);
	/* The next owner starts with nothing, and the ITT that was used is clear again. */
	assert_int_equal(irq_device_bind(P1, RIG_DEVICE(0), name, RIG_VECTORS), STATUS_OK);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_true(rig_mapc(1, 0, 1, true));
	assert_true(rig_mapd(1, name.v, 2, true));
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_true(rig_mapti(1, name.v, 0, 9000, 0));
	struct model_its_delivery delivery = model_its_msi(RIG_DEVICE(0).v, 0);

	assert_int_equal(delivery.vpe, rig_vpe(1, 1));
	assert_int_equal(delivery.vlpi, 9000);
	/* The old owner cannot name it. */
	assert_true(rig_event(0, ITS_DISCARD, name.v, 0));
	assert_true(rig_event(0, ITS_DISCARD, RIG_VIRTUAL, 0));
	assert_int_equal(rig_refused(0), RIG_VECTORS + 2);
	rig_check();
}

/* What a guest had mapped is not the next device's at the same place. */
static void unbind_forgets(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_int_equal(irq_device_unbind(P0, RIG_DEVICE(0), hv_pause), STATUS_OK);
	assert_int_equal(irq_device_bind(P0, other, (device_id_t){RIG_VIRTUAL}, RIG_VECTORS),
			 STATUS_OK);
	assert_true(rig_mapc(0, 0, 1, true)); /* would route every event of the collection */
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_true(model_its_msi(other.v, event).dropped);
	}
	rig_check();
}

/* Over and over: the arena does not shrink. */
static void bind_again(void **state)
{
	(void)state;
	rig_start();
	size_t used = rig_arena.used;

	for (unsigned i = 0; i < 100; i++) {
		struct irq_partition *p = &rig_partitions[i % 2];

		assert_int_equal(irq_device_bind(p, (device_id_t){0x200 + i}, name, 32), STATUS_OK);
		assert_int_equal(irq_device_unbind(p, (device_id_t){0x200 + i}, hv_pause),
				 STATUS_OK);
	}
	assert_int_equal(rig_arena.used, used);
	rig_check();
}

/* F25 for a whole partition: everything pending, then a reboot. */
static void reset(void **state)
{
	static unsigned char zero[sizeof(P0->collections)];

	(void)state;
	rig_start();
	rig_guest_usual(0);
	rig_guest_usual(1);
	assert_true(rig_movi(0, RIG_VIRTUAL, 1, 1));
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_false(model_its_msi(RIG_DEVICE(0).v, event).dropped);
	}
	assert_int_equal(irq_partition_reset(P0, hv_pause), STATUS_STATE); /* resident */
	rig_guest_residency(0, false);
	assert_false(model_its_msi(RIG_DEVICE(0).v, 2).dropped); /* and still they come */
	assert_int_equal(irq_partition_reset(P0, hv_pause), STATUS_OK);
	for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
		assert_int_equal(model_its_pending_count(rig_vpe(0, vcpu)), 0);
	}
	for (unsigned i = 0; i < (1u << IRQ_LPI_BITS) - LPI_FIRST; i++) {
		assert_int_equal(((uint8_t *)P0->property_table)[i], 0);
	}
	assert_memory_equal(P0->collections, zero, sizeof(zero));
	assert_int_equal(vits_read(P0, 0, 4), GITS_CTLR_QUIESCENT);
	assert_int_equal(vits_read(P0, 0x80, 8), 0);
	assert_int_equal(vits_read(P0, 0x90, 8), 0);
	assert_int_equal(vits_read(P0, 0x100, 8) >> 63, 0);
	assert_int_equal(vredist_lpi_read(P0, 0, GICR_PROPBASER.offset), 0);
	assert_true(P0->devices[0].bound);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	/* Ten boots, and the neighbour does not notice. */
	for (unsigned boot = 0; boot < 10; boot++) {
		rig_guest_residency(0, true);
		rig_guest_boot(0);
		rig_guest_usual(0);
		assert_true(rig_lands(0, 0, 0, RIG_VLPI));
		assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
		assert_int_equal(model_its_pending_count(rig_vpe(0, 0)), 1);
		rig_guest_residency(0, false);
		assert_int_equal(irq_partition_reset(P0, hv_pause), STATUS_OK);
	}
	assert_true(rig_lands(1, 0, 0, RIG_VLPI));
	/* No MAPD yet, no ITT: also of a guest that states no tables, which would empty them. */
	vits_write(P0, 0x80, 8, GITS_TABLE_VALID | RIG_QUEUE);
	vits_write(P0, 0, 4, 1);
	assert_true(rig_mapc(0, 0, 0, true) && rig_mapti(0, RIG_VIRTUAL, 0, RIG_VLPI, 0));
	assert_int_equal(rig_refused(0), 1);
	rig_check();
}

static uint64_t sent, longest_step;

static void count_step(void)
{
	uint64_t now = rig_physical_commands();

	assert_int_equal(P0->lock.next, P0->lock.serving); /* an interrupt may want it */
	longest_step = now - sent > longest_step ? now - sent : longest_step;
	sent = now;
}

/* F71: as large as a partition gets, still no step is longer than this. */
static void reset_in_steps(void **state)
{
	struct guest_memory memory = {0};
	unsigned cores[GUEST_MAX_VCPUS];

	(void)state;
	assert_int_equal(
		rig_machine(&(struct model_its_config){.cores = GUEST_MAX_VCPUS, .page_code = 3}),
		STATUS_OK);
	for (unsigned i = 0; i < GUEST_MAX_VCPUS; i++) {
		cores[i] = i;
		assert_int_equal(irq_route_core_init(i), STATUS_OK);
	}
	assert_int_equal(
		irq_partition_init(P0, (partition_id_t){0}, &memory, GUEST_MAX_VCPUS, cores),
		STATUS_OK);
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		assert_int_equal(irq_device_bind(P0, (device_id_t){0x100 + i}, (device_id_t){8 * i},
						 IRQ_DEVICE_MAX_EVENTS),
				 STATUS_OK);
		for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
			P0->events[i * IRQ_DEVICE_MAX_EVENTS + n] =
				(struct irq_event){.mapped = true, .vlpi = 8192 + n};
		}
	}
	P0->collections[0].mapped = true;
	vits_write(P0, 0, 4, 1); /* opens them all */
	assert_int_equal(model_its_count(ITS_VMAPTI), IRQ_PARTITION_SLOTS);
	sent = rig_physical_commands();
	longest_step = 0;
	assert_int_equal(irq_partition_reset(P0, count_step), STATUS_OK);
	assert_int_equal(sent, rig_physical_commands());
	assert_int_equal(model_its_count(ITS_DISCARD), IRQ_PARTITION_SLOTS);
	assert_int_equal(longest_step, 3 * GUEST_MAX_VCPUS); /* the vPEs mapped again */
	rig_check();
}

/* A vCPU that is away keeps what came meanwhile. */
static void residency(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_int_equal(irq_vcpu_resident(P0, 0), STATUS_STATE);
	assert_int_equal(irq_vcpu_nonresident(P0, 0), STATUS_OK);
	assert_int_equal(irq_vcpu_nonresident(P0, 0), STATUS_STATE);
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	assert_false(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	assert_int_equal(irq_vcpu_resident(P0, 0), STATUS_OK);
	assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	rig_check();
}

static void residency_hangs(void **state)
{
	struct guest_memory memory = {0};
	unsigned core = 0;

	(void)state;
	assert_int_equal(rig_machine(&(struct model_its_config){
				 .cores = 1, .page_code = 3, .vpend_hangs = true}),
			 STATUS_OK);
	assert_int_equal(irq_route_core_init(0), STATUS_OK);
	assert_int_equal(irq_partition_init(P0, (partition_id_t){0}, &memory, 1, &core), STATUS_OK);
	assert_int_equal(irq_vcpu_resident(P0, 0), STATUS_TIMEOUT);
	/* It may hold the tables still: no reset can scrub them. */
	assert_int_equal(irq_partition_reset(P0, hv_pause), STATUS_STATE);
}

static void partition_limits(void **state)
{
	static struct irq_partition third;
	struct guest_memory memory = {0};
	unsigned cores[GUEST_MAX_VCPUS] = {0};

	(void)state;
	rig_start();
	cores[0] = 4;
	assert_int_equal(irq_partition_init(&third, (partition_id_t){2}, &memory, 1, cores),
			 STATUS_RANGE);
	cores[0] = 0;
	rig_arena.size = rig_arena.used;
	assert_int_equal(irq_partition_init(&third, (partition_id_t){2}, &memory, 1, cores),
			 STATUS_OK);
	assert_string_equal(third.why_injected, "no-vpes-left");
	assert_int_equal(models_log_count("partition 2: no vPEs or no memory left for them"), 1);
	rig_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bind_refusals),   cmocka_unit_test(device_bits),
		cmocka_unit_test(bind_limits),	   cmocka_unit_test(revoke_while_pending),
		cmocka_unit_test(unbind_forgets),  cmocka_unit_test(bind_again),
		cmocka_unit_test(reset),	   cmocka_unit_test(residency),
		cmocka_unit_test(residency_hangs), cmocka_unit_test(partition_limits),
		cmocka_unit_test(reset_in_steps),
	};

	return cmocka_run_group_tests_name("irq-route: devices and vPEs", tests, NULL, NULL);
}
