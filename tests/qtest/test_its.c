/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq-route/ on QEMU's GICv4: an edu's MSI becomes a pending bit in the table of the vPE that its
 * partition's guest named, or nothing at all. The SMMU is left alone: QEMU's bypasses after reset.
 */
#include "rig.h"

#include <string.h>

#include "gic.h"

#define DOORBELL (QTEST_ITS + 0x10040)
#define VIRTUAL	 ((device_id_t){0x08}) /* what each guest calls its edu */

static struct pci_bus bus;
static struct rig_device edu, other;
static struct irq_partition parts[2];

static void its_write(partition_id_t p, unsigned reg, unsigned size, uint64_t value)
{
	vits_write(&parts[p.v], reg, size, value);
}

static uint64_t its_read(partition_id_t p, unsigned reg)
{
	return vits_read(&parts[p.v], reg, 8);
}

static struct rig_guest guest_of(unsigned p)
{
	return (struct rig_guest){{(uint8_t)p}, its_write, its_read};
}

static void boot_guest(unsigned p)
{
	struct rig_guest guest = guest_of(p);

	rig_guest_its(&guest);
	vredist_lpi_write(&parts[p], 0, GICR_PROPBASER.offset, 8,
			  RIG_PROPERTY | (IRQ_LPI_BITS - 1));
	vredist_lpi_enable(&parts[p], 0, true);
	rig_guest_command(&guest, its_mapc(0, 0));
}

/* Two partitions with an edu each; their guests have mapped events 0 to 3. */
static void set_up(const char *name)
{
	rig_machine(name, RIG_MACHINE, RIG_DEVICES(RIG_EDU("4"), RIG_EDU("5")));
	rig_enumerate(&bus);
	rig_its();
	edu = rig_open(&bus, rig_function(&bus, 0x1234, 0x11e8, 0));
	other = rig_open(&bus, rig_function(&bus, 0x1234, 0x11e8, 1));
	for (unsigned p = 0; p < 2; p++) {
		partition_id_t id = hv_host_partition(p ? "b" : "a", 1, p);
		struct rig_guest guest = guest_of(p);
		device_id_t device;

		assert_int_equal(
			irq_partition_init(&parts[p], id, hv_guest_memory(id), 1, &(unsigned){p}),
			STATUS_OK);
		assert_int_equal(pci_bus_device_id(&bus, p ? other.rid : edu.rid, &device),
				 STATUS_OK);
		assert_int_equal(irq_device_bind(&parts[p], device, VIRTUAL, 4), STATUS_OK);
		boot_guest(p);
		rig_guest_events(&guest, VIRTUAL, 4, RIG_VLPI + 16 * p);
		assert_int_equal(parts[p].counters.refused, 0);
	}
}

static const void *table_of(unsigned p)
{
	return parts[p].vpes[0].pending_table;
}

static void interrupt(const struct rig_device *device, uint64_t address, uint16_t event)
{
	rig_edu_msi(&bus, device, address, event);
	rig_edu_interrupt(device);
}

static void an_msi_is_pending_for_its_own_partition(void **state)
{
	(void)state;
	set_up("its-msi");
	interrupt(&edu, DOORBELL, 2);
	assert_true(rig_pending(table_of(0), RIG_VLPI + 2));
	assert_int_equal(rig_pending_count(table_of(0)), 1);
	assert_int_equal(rig_pending_count(table_of(1)), 0);
	/* The same number from the other device is the other's interrupt. */
	interrupt(&other, DOORBELL, 2);
	assert_true(rig_pending(table_of(1), RIG_VLPI + 16 + 2));
	assert_int_equal(rig_pending_count(table_of(1)), 1);
	assert_int_equal(rig_pending_count(table_of(0)), 1);
	rig_end();
}

static void events_that_nobody_mapped_are_dropped(void **state)
{
	(void)state;
	set_up("its-unmapped");
	for (unsigned event = 4; event < 64; event++) {
		interrupt(&edu, DOORBELL, (uint16_t)event);
	}
	interrupt(&edu, DOORBELL, 0xffff);
	assert_int_equal(rig_pending_count(table_of(0)), 0);
	assert_int_equal(rig_pending_count(table_of(1)), 0);
	qtest_stop(); /* QEMU complains of each */
}

/* QEMU takes a CPU's store for DeviceID 0's: that one must have nothing. */
static void a_cpu_s_store_to_the_doorbell_is_nobody_s(void **state)
{
	(void)state;
	set_up("its-cpu");
	for (uint32_t event = 0; event < 8; event++) {
		arch_mmio_write32(DOORBELL, event);
	}
	assert_int_equal(rig_pending_count(table_of(0)), 0);
	assert_int_equal(rig_pending_count(table_of(1)), 0);
	assert_int_equal(irq_device_bind(&parts[0], (device_id_t){0}, VIRTUAL, 4), STATUS_INVALID);
	qtest_stop();
}

static void after_an_unbind_no_event_lands(void **state)
{
	(void)state;
	set_up("its-unbind");
	device_id_t device = {edu.rid.v};

	interrupt(&edu, DOORBELL, 1);
	assert_true(rig_pending(table_of(0), RIG_VLPI + 1));
	assert_int_equal(irq_device_unbind(&parts[0], device, hv_pause), STATUS_OK);
	assert_false(rig_pending(table_of(0), RIG_VLPI + 1)); /* discarded with its event */
	for (uint16_t event = 0; event < 4; event++) {
		interrupt(&edu, DOORBELL, event);
	}
	assert_int_equal(rig_pending_count(table_of(0)), 0);
	/* Its next owner's guest has mapped nothing yet. */
	assert_int_equal(irq_device_bind(&parts[1], device, (device_id_t){0x10}, 4), STATUS_OK);
	interrupt(&edu, DOORBELL, 1);
	assert_int_equal(rig_pending_count(table_of(0)), 0);
	assert_int_equal(rig_pending_count(table_of(1)), 0);
	qtest_stop();
}

static void a_partition_s_reset_leaves_nothing_pending(void **state)
{
	(void)state;
	set_up("its-reset");
	for (uint16_t event = 0; event < 4; event++) {
		interrupt(&edu, DOORBELL, event);
		interrupt(&other, DOORBELL, event);
	}
	assert_int_equal(rig_pending_count(table_of(0)), 4);
	assert_int_equal(irq_partition_reset(&parts[0], hv_pause), STATUS_OK);
	assert_int_equal(rig_pending_count(table_of(0)), 0);
	interrupt(&edu, DOORBELL, 0);
	assert_int_equal(rig_pending_count(table_of(0)), 0);
	assert_int_equal(rig_pending_count(table_of(1)), 4);
	qtest_stop();
}

/* GICR_VPENDBASER, on the redistributor itself. */
static void a_resident_vpe_has_its_core(void **state)
{
	(void)state;
	set_up("its-resident");
	mmio_t frame = {QTEST_GICR};

	assert_int_equal(irq_vcpu_resident(&parts[0], 0), STATUS_OK);
	uint64_t value = mmio_read64(frame, GICR_VPENDBASER);

	assert_true(value & GICR_VPEND_VALID);
	assert_int_equal(value & GICR_PEND_ADDRESS, pa_of(table_of(0)).v);
	interrupt(&edu, DOORBELL, 3);
	assert_true(rig_pending(table_of(0), RIG_VLPI + 3));
	assert_int_equal(irq_vcpu_nonresident(&parts[0], 0), STATUS_OK);
	value = mmio_read64(frame, GICR_VPENDBASER);
	assert_false(value & GICR_VPEND_VALID);
	assert_true(value & GICR_VPEND_PENDING_LAST);
	rig_end();
}

/* A physical LPI: what a core without virtual ones, or our own, would get. */
static void a_physical_lpi_is_pending_at_its_core(void **state)
{
	static unsigned char itt[4096] __attribute__((aligned(4096)));
	struct its_batch batch = {.count = 0};
	struct its_command mapti;

	(void)state;
	set_up("its-lpi");
	device_id_t device = {edu.rid.v};

	assert_int_equal(irq_device_unbind(&parts[0], device, hv_pause), STATUS_OK);
	its_batch_add(&batch, its_mapd(device, 2, pa_of(itt)));
	mapti = its_event_command(ITS_MAPTI, device, (event_id_t){1});
	mapti.word[1] |= field_prep(ITS_W1_INTID, LPI_FIRST + 40);
	mapti.word[2] = field_prep(ITS_W2_ICID, 1);
	its_batch_add(&batch, mapti);
	its_batch_add(&batch, its_sync(gic.cores[1].rdbase));
	assert_int_equal(its_batch_run(&batch), STATUS_OK);
	interrupt(&edu, DOORBELL, 1);
	uint64_t pendbaser = mmio_read64((mmio_t){QTEST_GICR + 0x40000}, GICR_PENDBASER);

	assert_int_equal(pendbaser & GICR_PEND_ADDRESS, pa_of(gic.cores[1].pending_table).v);
	assert_true(rig_pending(va_of((pa_t){pendbaser & GICR_PEND_ADDRESS}), LPI_FIRST + 40));
	assert_false(rig_pending(gic.cores[0].pending_table, LPI_FIRST + 40));
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_msi_is_pending_for_its_own_partition, rig_tear_down),
		cmocka_unit_test_teardown(events_that_nobody_mapped_are_dropped, rig_tear_down),
		cmocka_unit_test_teardown(a_cpu_s_store_to_the_doorbell_is_nobody_s, rig_tear_down),
		cmocka_unit_test_teardown(after_an_unbind_no_event_lands, rig_tear_down),
		cmocka_unit_test_teardown(a_partition_s_reset_leaves_nothing_pending,
					  rig_tear_down),
		cmocka_unit_test_teardown(a_resident_vpe_has_its_core, rig_tear_down),
		cmocka_unit_test_teardown(a_physical_lpi_is_pending_at_its_core, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
