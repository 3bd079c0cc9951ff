/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest ITS commands: what they mean, and F15, F16: what they may never reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "irq_rig.h"

#define P0   (&rig_partitions[0])
#define MAPI 0x0bu

/* Fails the test when a physical command names what partition 0 does not own. */
static void only_partition_0(void *context, const struct model_its_command *command)
{
	bool vpe = command->opcode == ITS_VMOVI || command->opcode == ITS_VSYNC ||
		   command->opcode == ITS_VMAPTI || command->opcode == ITS_VINVALL;
	bool device = command->opcode == ITS_INT || command->opcode == ITS_CLEAR ||
		      command->opcode == ITS_INV || command->opcode == ITS_DISCARD ||
		      command->opcode == ITS_VMAPTI || command->opcode == ITS_VMOVI;

	(void)context;
	assert_true(vpe || device);
	if (device) {
		assert_int_equal(command->device, RIG_DEVICE(0).v);
		assert_in_range(command->event, 0, RIG_VECTORS - 1);
	}
	if (vpe) {
		assert_in_range(command->vpe, rig_vpe(0, 0), rig_vpe(0, 1));
	}
}

static void direct_delivery(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_true(rig_lands(0, event, 0, RIG_VLPI + event));
		assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI + event));
	}
	assert_int_equal(model_its_pending_count(rig_vpe(0, 0)), RIG_VECTORS);
	assert_int_equal(model_its_pending_count(rig_vpe(0, 1)), 0);
	rig_check();
}

/* F15: an event nobody mapped is dropped, whoever sends it. */
static void unmapped_events(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(1);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_true(rig_mapc(0, 0, 0, true));
	assert_true(rig_mapd(0, RIG_VIRTUAL, 2, true));
	assert_true(rig_mapti(0, RIG_VIRTUAL, 1, RIG_VLPI, 0));
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 4).dropped);
	assert_true(model_its_msi(0, 0).dropped);
	assert_true(model_its_msi(RIG_DEVICE(1).v + 1, 0).dropped);
	assert_true(rig_lands(0, 1, 0, RIG_VLPI));
	rig_check();
}

/* F16: every EventID and DeviceID from one queue; the neighbour's routes stay as they were. */
static void sweep(void **state)
{
	static const unsigned opcodes[] = {ITS_INT,  ITS_CLEAR, ITS_INV, ITS_DISCARD,
					   ITS_MOVI, ITS_MAPTI, MAPI,	 ITS_MAPD};
	struct its_command command;

	(void)state;
	rig_start();
	rig_guest_usual(0);
	rig_guest_usual(1);
	model_its_watch(only_partition_0, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(opcodes); i++) {
		for (uint32_t device = 0; device < 0x10000; device += device < 0x400 ? 1 : 0x101) {
			command = its_event_command(opcodes[i], (device_id_t){device},
						    (event_id_t){device & 3});
			command.word[1] |= (uint64_t)RIG_VLPI << 32;
			if (device != RIG_VIRTUAL) {
				uint64_t refused = rig_refused(0);

				assert_true(rig_command(0, command));
				assert_int_equal(rig_refused(0), refused + 1);
			}
		}
		for (uint64_t event = 0; event < 0x10000; event += event < 64 ? 1 : 0x81) {
			command = its_event_command(opcodes[i], (device_id_t){RIG_VIRTUAL},
						    (event_id_t){(uint32_t)event});
			command.word[1] |= (uint64_t)RIG_VLPI << 32;
			assert_true(rig_command(0, command));
		}
		command = its_event_command(opcodes[i], (device_id_t){UINT32_MAX},
					    (event_id_t){UINT32_MAX});
		assert_true(rig_command(0, command));
	}
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_true(rig_lands(1, event, 0, RIG_VLPI + event));
	}
	assert_int_equal(rig_refused(1), 0);
	assert_int_equal(models_log_count("partition 0: ITS command"), 4);
	assert_int_equal(models_log_count("partition 1"), 0);
	rig_check();
}

/* The neighbour's device by its physical DeviceID, and by the guest's own name for another. */
static void foreign_device(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(1);
	model_its_watch(only_partition_0, NULL);
	assert_true(rig_mapc(0, 0, 0, true));
	assert_true(rig_mapd(0, RIG_DEVICE(1).v, 2, true));
	assert_true(rig_mapd(0, RIG_DEVICE(0).v, 2, true)); /* not what this guest calls it */
	assert_true(rig_mapd(0, 0, 2, true));
	assert_true(rig_mapd(0, RIG_DEVICE(1).v, 2, false));
	assert_true(rig_mapti(0, RIG_DEVICE(1).v, 0, RIG_VLPI, 0));
	assert_true(rig_event(0, ITS_DISCARD, RIG_DEVICE(1).v, 0));
	assert_int_equal(rig_refused(0), 6);
	assert_int_equal(models_log_count("partition 0: ITS command 0x08 for DeviceID 0x182"), 2);
	assert_true(rig_lands(1, 0, 0, RIG_VLPI));
	rig_check();
}

static void out_of_range(void **state)
{
	unsigned refused = 0;

	(void)state;
	rig_start();
	assert_true(rig_mapc(0, 0, 0, true));
	/* Before MAPD nothing can be mapped. */
	assert_true(rig_mapti(0, RIG_VIRTUAL, 0, RIG_VLPI, 0));
	assert_int_equal(rig_refused(0), ++refused);
	/* A MAPD larger than our ITT is taken, and counts only as far as ours. */
	assert_true(rig_mapd(0, RIG_VIRTUAL, 16, true));
	assert_true(rig_mapti(0, RIG_VIRTUAL, RIG_VECTORS, RIG_VLPI, 0));
	assert_int_equal(rig_refused(0), ++refused);
	assert_true(rig_mapti(0, RIG_VIRTUAL, RIG_VECTORS - 1, RIG_VLPI, 0));
	/* A smaller one counts as far as the guest's. */
	assert_true(rig_mapd(0, RIG_VIRTUAL, 1, true));
	assert_true(rig_mapti(0, RIG_VIRTUAL, 2, RIG_VLPI, 0));
	assert_int_equal(rig_refused(0), ++refused);
	assert_true(rig_mapd(0, RIG_VIRTUAL, 17, true));
	assert_int_equal(rig_refused(0), ++refused);
	/* INTIDs: LPIs only, below 1 << IRQ_LPI_BITS. */
	const uint32_t bad[] = {0, 27, 1023, 8191, 1u << IRQ_LPI_BITS, UINT32_MAX};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(rig_mapti(0, RIG_VIRTUAL, 0, bad[i], 0));
		assert_int_equal(rig_refused(0), ++refused);
	}
	assert_true(rig_mapti(0, RIG_VIRTUAL, 0, 8192, 0));
	assert_true(rig_mapti(0, RIG_VIRTUAL, 1, (1u << IRQ_LPI_BITS) - 1, 0));
	assert_true(rig_lands(0, 0, 0, 8192));
	assert_true(rig_lands(0, 1, 0, (1u << IRQ_LPI_BITS) - 1));
	/* Collections and vCPUs. */
	assert_true(rig_mapti(0, RIG_VIRTUAL, 0, RIG_VLPI, IRQ_PARTITION_COLLECTIONS));
	assert_true(rig_mapc(0, IRQ_PARTITION_COLLECTIONS, 0, true));
	assert_true(rig_mapc(0, 0, RIG_VCPUS, true));
	assert_true(rig_mapc(0, 0xffff, 0xffff, false));
	assert_true(rig_movi(0, RIG_VIRTUAL, 0, IRQ_PARTITION_COLLECTIONS));
	assert_true(rig_movi(0, RIG_VIRTUAL, 0, 5)); /* not mapped */
	assert_true(rig_invall(0, 5));
	assert_true(rig_invall(0, 0xffff));
	assert_true(rig_movall(0, 0, RIG_VCPUS));
	assert_true(rig_movall(0, 0xffff, 0));
	assert_true(rig_command(0, its_sync(RIG_VCPUS)));
	assert_int_equal(rig_refused(0), refused += 11);
	/* The EventID is the INTID, so never an LPI here. */
	assert_true(rig_event(0, MAPI, RIG_VIRTUAL, 0));
	assert_int_equal(rig_refused(0), ++refused);
	assert_true(rig_lands(0, 0, 0, 8192)); /* no refusal changed anything */
	rig_check();
}

/* Opcodes a GICv3 ITS does not have, the GICv4 ones above all. */
static void unknown_commands(void **state)
{
	unsigned refused = 0;

	(void)state;
	rig_start();
	rig_guest_usual(0);
	model_its_watch(only_partition_0, NULL);
	for (unsigned opcode = 0; opcode < 256; opcode++) {
		if (opcode == ITS_MOVI || (opcode >= ITS_INT && opcode <= ITS_SYNC) ||
		    (opcode >= ITS_MAPD && opcode <= ITS_DISCARD)) {
			continue;
		}
		struct its_command command = {{opcode | (uint64_t)RIG_VIRTUAL << 32,
					       (uint64_t)rig_vpe(1, 0) << 32, ITS_W2_VALID, 13}};

		assert_true(rig_command(0, command));
		assert_int_equal(rig_refused(0), ++refused);
	}
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	rig_check();
}

static void moving(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	/* MOVI takes the pending state along. */
	assert_true(rig_movi(0, RIG_VIRTUAL, 0, 1));
	assert_false(model_its_pending(rig_vpe(0, 0), RIG_VLPI));
	assert_true(model_its_pending(rig_vpe(0, 1), RIG_VLPI));
	assert_true(model_its_signalled(rig_vpe(0, 1), RIG_VLPI));
	assert_true(rig_lands(0, 0, 1, RIG_VLPI));
	/* MAPC takes every event of its collection along, and no other. */
	assert_true(rig_mapc(0, 0, 1, true));
	assert_true(rig_lands(0, 1, 1, RIG_VLPI + 1));
	assert_true(rig_mapc(0, 1, 0, true));
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	assert_true(rig_lands(0, 1, 1, RIG_VLPI + 1));
	/* To where it is already: nothing. */
	unsigned moved = model_its_count(ITS_VMOVI);

	assert_true(rig_mapc(0, 1, 0, true));
	assert_true(rig_movi(0, RIG_VIRTUAL, 0, 1));
	assert_int_equal(model_its_count(ITS_VMOVI), moved);
	/* MOVALL. */
	assert_true(rig_movall(0, 1, 0));
	assert_int_equal(model_its_pending_count(rig_vpe(0, 1)), 0);
	assert_true(model_its_pending(rig_vpe(0, 0), RIG_VLPI + 1));
	assert_true(rig_movall(0, 0, 0));
	assert_int_equal(rig_refused(0), 0);
	rig_check();
}

/* Events whose collection is unmapped are dropped, and come back with it. */
static void collection_comes_and_goes(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_true(rig_mapc(0, 0, 0, false));
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_true(rig_event(0, ITS_INT, RIG_VIRTUAL, 0)); /* nowhere to be pending */
	assert_int_equal(rig_refused(0), 1);
	assert_true(rig_mapc(0, 0, 1, true));
	assert_true(rig_lands(0, 0, 1, RIG_VLPI));
	assert_true(model_its_signalled(rig_vpe(0, 1), RIG_VLPI));
	/* Mapped before its collection; moved while it has none. */
	assert_true(rig_mapti(0, RIG_VIRTUAL, 2, 9000, 7));
	assert_true(model_its_msi(RIG_DEVICE(0).v, 2).dropped);
	assert_true(rig_movi(0, RIG_VIRTUAL, 2, 1));
	assert_true(rig_lands(0, 2, 1, 9000));
	assert_true(rig_event(0, ITS_DISCARD, RIG_VIRTUAL, 2));
	assert_true(model_its_msi(RIG_DEVICE(0).v, 2).dropped);
	assert_true(rig_event(0, ITS_DISCARD, RIG_VIRTUAL, 2));
	assert_int_equal(rig_refused(0), 2);
	rig_check();
}

/* MAPTI over a mapped event, and every way of unmapping: nothing pending stays behind. */
static void remapping(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	assert_true(rig_mapti(0, RIG_VIRTUAL, 0, 9000, 1));
	assert_int_equal(model_its_pending_count(rig_vpe(0, 0)), 0);
	assert_true(rig_lands(0, 0, 1, 9000));
	assert_true(rig_mapd(0, RIG_VIRTUAL, 2, true)); /* again: an empty ITT */
	assert_true(rig_mapc(0, 1, 1, true));
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_int_equal(model_its_pending_count(rig_vpe(0, 1)), 0);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 0).dropped);
	assert_true(rig_mapti(0, RIG_VIRTUAL, 3, 9000, 1));
	assert_true(rig_lands(0, 3, 1, 9000));
	assert_true(rig_mapd(0, RIG_VIRTUAL, 2, false));
	assert_int_equal(model_its_pending_count(rig_vpe(0, 1)), 0);
	assert_true(model_its_msi(RIG_DEVICE(0).v, 3).dropped);
	assert_true(rig_mapti(0, RIG_VIRTUAL, 3, 9000, 1));
	assert_int_equal(rig_refused(0), 1);
	/* The physical MAPD is bind's alone. */
	assert_int_equal(model_its_count(ITS_MAPD), RIG_PARTITIONS);
	rig_check();
}

static void int_and_clear(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	assert_true(rig_event(0, ITS_INT, RIG_VIRTUAL, 2));
	assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI + 2));
	assert_true(rig_event(0, ITS_CLEAR, RIG_VIRTUAL, 2));
	assert_int_equal(model_its_pending_count(rig_vpe(0, 0)), 0);
	rig_check();
}

/* Priority and enable follow the guest's table at INV and INVALL, not before. */
static void properties(void **state)
{
	const uint8_t *ours = NULL;

	(void)state;
	rig_start();
	rig_guest_usual(0);
	ours = (const uint8_t *)P0->property_table + RIG_VLPI - LPI_FIRST;
	assert_int_equal(*ours, 0xa3);
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	rig_property(0, RIG_VLPI, 0xff & ~1);
	assert_int_equal(*ours, 0xa3);
	assert_true(rig_event(0, ITS_INV, RIG_VIRTUAL, 0));
	assert_int_equal(*ours, 0xfe);
	assert_false(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	rig_property(0, RIG_VLPI, 0x01);
	assert_true(rig_invall(0, 0));
	assert_int_equal(*ours, 0x03);
	assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	/* MAPTI reads it as well. */
	rig_property(0, 9000, 0x41);
	assert_true(rig_mapti(0, RIG_VIRTUAL, 1, 9000, 0));
	assert_true(rig_lands(0, 1, 0, 9000));
	assert_true(model_its_signalled(rig_vpe(0, 0), 9000));
	/* The neighbour's table is another one. */
	assert_ptr_not_equal(P0->property_table, rig_partitions[1].property_table);
	rig_check();
}

/* EnableLPIs = 0: delivered, not signalled; on: as the guest's table says. */
static void lpis_off(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	vredist_lpi_enable(P0, 0, false);
	assert_true(rig_lands(0, 0, 0, RIG_VLPI));
	assert_false(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	assert_true(rig_event(0, ITS_INV, RIG_VIRTUAL, 0));
	assert_false(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	/* The other vCPU's are on: moved there, it rings. */
	assert_true(rig_movi(0, RIG_VIRTUAL, 0, 1));
	assert_true(model_its_signalled(rig_vpe(0, 1), RIG_VLPI));
	assert_true(rig_movi(0, RIG_VIRTUAL, 0, 0));
	assert_false(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	vredist_lpi_enable(P0, 0, true);
	assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	rig_check();
}

/* A configuration table that is too short, or outside RAM: disabled. */
static void bad_property_table(void **state)
{
	const uint64_t bad[] = {0, 0xffffffffff00d, GUEST_RAM_BASE + RIG_RAM_SIZE + 13,
				RIG_PROPERTY | 12, RIG_PROPERTY};

	(void)state;
	rig_start();
	rig_guest_usual(0);
	rig_property(0, 9000, 0xa1);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		vredist_lpi_enable(P0, 0, false);
		vredist_lpi_enable(P0, 1, false);
		vredist_lpi_write(P0, 0, GICR_PROPBASER.offset, 8, bad[i]);
		vredist_lpi_enable(P0, 0, true);
		vredist_lpi_enable(P0, 1, true);
		assert_true(rig_mapti(0, RIG_VIRTUAL, 0, 9000, 0));
		assert_true(rig_lands(0, 0, 0, 9000));
		/* 1 << 13 INTIDs do not reach 9000; 0 has no LPI at all. */
		assert_false(model_its_signalled(rig_vpe(0, 0), 9000));
	}
	rig_check();
}

/* The guest rewrites a slot while it is being read: what was checked is what is used. */
static struct its_command flip_to;
static unsigned flips;

static void flip(void *context)
{
	(void)context;
	flips++;
	for (uint64_t slot = 0; slot < RIG_QUEUE_SIZE; slot += sizeof(flip_to)) {
		memcpy(rig_ram(0, RIG_QUEUE + slot), &flip_to, sizeof(flip_to));
	}
}

static void concurrent_mutation(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	rig_guest_usual(1);
	model_its_watch(only_partition_0, NULL);
	flip_to = its_event_command(ITS_VMAPTI, RIG_DEVICE(1), (event_id_t){0});
	flip_to.word[1] |= field_prep(ITS_W1_VPE, rig_vpe(1, 0));
	flip_to.word[2] = 9000;
	models_observer(flip, NULL); /* at each store that the ITS could see */
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_true(rig_mapti(0, RIG_VIRTUAL, event, 9000 + event, 1));
		assert_true(rig_event(0, ITS_INT, RIG_VIRTUAL, event));
	}
	models_observer(NULL, NULL);
	assert_true(flips > 10);
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_true(rig_lands(0, event, 1, 9000 + event));
		assert_true(rig_lands(1, event, 0, RIG_VLPI + event));
	}
	assert_int_equal(rig_refused(0), 0);
	rig_check();
}

/* The dearest command is bounded: all events of all devices, moved by one MAPC. */
static void bounded_cost(void **state)
{
	(void)state;
	rig_start();
	for (uint32_t d = 0; d < IRQ_PARTITION_MAX_DEVICES; d++) {
		if (d) {
			assert_int_equal(irq_device_bind(P0, (device_id_t){0x200 + d},
							 (device_id_t){0x20 + d}, 32),
					 STATUS_OK);
		}
	}
	assert_true(rig_mapc(0, 0, 0, true));
	for (uint32_t d = 1; d < IRQ_PARTITION_MAX_DEVICES; d++) {
		assert_true(rig_mapd(0, 0x20 + d, 5, true));
		for (uint32_t event = 0; event < 32; event++) {
			assert_true(rig_mapti(0, 0x20 + d, event, 8192 + d * 32 + event, 0));
		}
	}
	uint64_t before = rig_physical_commands();

	assert_true(rig_mapc(0, 0, 1, true));
	assert_true(rig_physical_commands() - before <=
		    2ull * IRQ_PARTITION_MAX_DEVICES * IRQ_DEVICE_MAX_EVENTS + GUEST_MAX_VCPUS);
	/* And a queue full of them is taken in slices. */
	for (uint64_t slot = 0; slot < RIG_QUEUE_SIZE; slot += sizeof(struct its_command)) {
		struct its_command mapc = its_mapc(0, (slot / sizeof(mapc)) & 1);

		memcpy(rig_ram(0, RIG_QUEUE + slot), &mapc, sizeof(mapc));
	}
	uint64_t reader = vits_read(P0, 0x90, 8);

	before = rig_physical_commands();
	vits_write(P0, 0x88, 8, (reader + RIG_QUEUE_SIZE - 32) % RIG_QUEUE_SIZE);
	assert_true(rig_physical_commands() - before <= 255 + 520);
	assert_int_not_equal(vits_read(P0, 0x90, 8), vits_read(P0, 0x88, 8));
	assert_int_equal(rig_refused(0), 0);
	rig_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unmapped_events),
		cmocka_unit_test(sweep),
		cmocka_unit_test(foreign_device),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(unknown_commands),
		cmocka_unit_test(concurrent_mutation),
		cmocka_unit_test(direct_delivery),
		cmocka_unit_test(moving),
		cmocka_unit_test(collection_comes_and_goes),
		cmocka_unit_test(remapping),
		cmocka_unit_test(int_and_clear),
		cmocka_unit_test(properties),
		cmocka_unit_test(lpis_off),
		cmocka_unit_test(bad_property_table),
		cmocka_unit_test(bounded_cost),
	};

	return cmocka_run_group_tests_name("irq-route: guest ITS commands", tests, NULL, NULL);
}
