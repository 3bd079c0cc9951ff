/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several messages of one MSI capability on QEMU's devices: an xHCI controller has sixteen
 * interrupters and no MSI-X. Two partitions have one each; their guests say the same.
 */
#include "rig.h"

#include "tree.h"

#define MESSAGES 16u
#define TABLES	 (GUEST_RAM_BASE + 0x20000) /* an event ring segment table for each interrupter */
#define RINGS	 (GUEST_RAM_BASE + 0x21000)
#define DOORBELL (GUEST_ITS_DOORBELL + 0x40)

/* xHCI 1.2, 5.3 to 5.5. */
#define XHCI_RTSOFF 0x18
#define USBCMD_INTE 4u
#define INTERRUPTER 0x20 /* the first one, in the runtime registers; and the size of each */
#define IMAN	    0x00
#define IMAN_IE	    2u
#define ERSTSZ	    0x08
#define ERSTBA	    0x10
#define ERDP	    0x18
#define ERDP_BUSY   8u
#define RING_TRBS   16u
#define TRB_SIZE    16u

#define MSI_ENABLE  1u
#define MSI_SIXTEEN (4u << 4)

static struct hv_hooks hooks;
static partition_id_t parts[2];

static void its_write(partition_id_t p, unsigned reg, unsigned size, uint64_t value)
{
	assert_true(hv_host_write(p, GUEST_ITS_BASE + reg, size, value));
}

static uint64_t its_read(partition_id_t p, unsigned reg)
{
	uint64_t value = 0;

	assert_true(hv_host_read(p, GUEST_ITS_BASE + reg, 8, &value));
	return value;
}

/* The guest's slot 1 of its bus. */
static uint64_t config_read(partition_id_t p, unsigned reg, unsigned size)
{
	uint64_t value = 0;

	assert_true(hv_host_read(p, GUEST_ECAM_BASE + (1u << 15) + reg, size, &value));
	return value;
}

static void config_write(partition_id_t p, unsigned reg, unsigned size, uint64_t value)
{
	assert_true(hv_host_write(p, GUEST_ECAM_BASE + (1u << 15) + reg, size, value));
}

static uintptr_t registers(partition_id_t p)
{
	return glue.sides[p.v].assignments[0].identity.bars[0].cpu_address.v;
}

static const void *table_of(partition_id_t p)
{
	return glue.sides[p.v].irq.vpes[0].pending_table;
}

/* Message `data`, and those after it, are the interrupters'; `events` have a vLPI. */
static void boot_guest(partition_id_t p, unsigned events, uint16_t data)
{
	struct rig_guest guest = {p, its_write, its_read};
	unsigned at = (unsigned)config_read(p, PCI_CAP_POINTER, 1);

	rig_guest_its(&guest);
	hooks.lpi_write(p, 0, 0x70, RIG_PROPERTY | (IRQ_LPI_BITS - 1), 8);
	hooks.lpi_enable(p, 0, true);
	rig_guest_command(&guest, its_mapc(0, 0));
	rig_guest_events(&guest, (device_id_t){1u << 3}, events, RIG_VLPI);
	config_write(p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (unsigned hop = 0; hop < 48 && config_read(p, at, 1) != PCI_CAP_ID_MSI; hop++) {
		at = (unsigned)config_read(p, at + 1, 1);
	}
	assert_int_equal(config_read(p, at + 2, 2) >> 1 & 7, 4); /* it can send sixteen */
	config_write(p, at + 4, 4, DOORBELL);
	config_write(p, at + 8, 4, 0);
	config_write(p, at + 12, 2, data);
	config_write(p, at + 2, 2, MSI_ENABLE | MSI_SIXTEEN);
	arch_mmio_write32(registers(p) + (arch_mmio_read32(registers(p)) & 0xff), USBCMD_INTE);
}

static void set_up(const char *name, unsigned events, uint16_t data)
{
	struct dt_walk bridge;
	struct glue_machine legs = {
		.host_bridge = &bridge,
		.smmu = {QTEST_SMMU},
		.smmu_size = 0x20000,
		.its = {QTEST_ITS},
		.cores = RIG_CORES,
	};

	rig_machine(name, RIG_MACHINE,
		    RIG_DEVICES("-device", "pcie-root-port,id=p1,addr=1", "-device",
				"nec-usb-xhci,bus=p1,msi=on,msix=off", "-device",
				"pcie-root-port,id=p2,addr=2,chassis=2", "-device",
				"nec-usb-xhci,bus=p2,msi=on,msix=off"));
	bridge = tree_find((const void *)QTEST_FDT, "pci-host-ecam-generic");
	for (unsigned i = 0; i < 2; i++) {
		parts[i] = hv_host_partition(i ? "b" : "a", 1, i);
		hv_host_function(parts[i], "usb", (rid_t){(uint16_t)(0x100 * (i + 1))});
		legs.redistributors[i].base = QTEST_GICR + i * 0x40000ul;
	}
	assert_int_equal(glue_start(&legs, &hooks), STATUS_OK);
	for (unsigned i = 0; i < RIG_CORES; i++) {
		assert_int_equal(hooks.core_up(i), STATUS_OK);
	}
	hooks.cores_up();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hooks.partition_start(parts[i]), STATUS_OK);
		assert_true(glue.sides[parts[i].v].assignments[0].attached);
		hooks.vcpu_enter(parts[i], 0);
		boot_guest(parts[i], events, data);
	}
}

/* An event ring whose consumer is not where the producer is: the interrupter has something. */
static void interrupt(partition_id_t p, unsigned n)
{
	uintptr_t at = registers(p) + (arch_mmio_read32(registers(p) + XHCI_RTSOFF) & ~31u) +
		       INTERRUPTER * (n + 1ul);
	uint32_t table = (uint32_t)TABLES + 64 * n,
		 ring = (uint32_t)RINGS + RING_TRBS * TRB_SIZE * n;
	volatile uint32_t *segment = (volatile uint32_t *)hv_host_ram(p, table);

	segment[0] = ring;
	segment[1] = 0;
	segment[2] = RING_TRBS;
	arch_mmio_write32(at + IMAN, IMAN_IE);
	arch_mmio_write32(at + ERSTSZ, 1);
	arch_mmio_write32(at + ERSTBA, table);
	arch_mmio_write32(at + ERSTBA + 4, 0);
	arch_mmio_write32(at + ERDP + 4, 0);
	arch_mmio_write32(at + ERDP, (ring + TRB_SIZE) | ERDP_BUSY);
}

static void each_message_is_an_interrupt_of_its_own(void **state)
{
	(void)state;
	set_up("msi-each", IRQ_DEVICE_MAX_EVENTS, 16);
	for (unsigned i = 0; i < MESSAGES; i++) {
		unsigned n = (5 * i + 3) % MESSAGES; /* in any order */

		interrupt(parts[0], n);
		assert_true(rig_pending(table_of(parts[0]), RIG_VLPI + 16 + n));
		assert_int_equal(rig_pending_count(table_of(parts[0])), i + 1);
	}
	assert_int_equal(rig_pending_count(table_of(parts[1])), 0);
	interrupt(parts[1], 6);
	assert_true(rig_pending(table_of(parts[1]), RIG_VLPI + 16 + 6));
	assert_int_equal(rig_pending_count(table_of(parts[1])), 1);
	rig_end();
}

/* A driver that uses five: the capability knows powers of two only, so the device has sixteen. */
static void five_of_sixteen_are_five(void **state)
{
	(void)state;
	set_up("msi-five", 5, 0);
	for (unsigned n = MESSAGES; n-- > 0;) {
		interrupt(parts[0], n);
		assert_int_equal(rig_pending_count(table_of(parts[0])), n < 5 ? 5 - n : 0);
		assert_int_equal(rig_pending(table_of(parts[0]), RIG_VLPI + n), n < 5);
	}
	assert_int_equal(rig_pending_count(table_of(parts[1])), 0);
	qtest_stop(); /* QEMU complains of those that nobody mapped */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_message_is_an_interrupt_of_its_own, rig_tear_down),
		cmocka_unit_test_teardown(five_of_sixteen_are_five, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
