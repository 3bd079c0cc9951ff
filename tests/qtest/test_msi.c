/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several messages of one MSI capability on QEMU's devices: an xHCI controller has sixteen
 * interrupters and no MSI-X. Two partitions have one each; their guests say the same.
 */
#include "joint.h"

#define MESSAGES 16u
#define TABLES	 (GUEST_RAM_BASE + 0x20000) /* an event ring segment table for each interrupter */
#define RINGS	 (GUEST_RAM_BASE + 0x21000)

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

static partition_id_t parts[2];

static uintptr_t registers(partition_id_t p)
{
	return joint_device(p, 0).bar;
}

/* Message `data`, and those after it, are the interrupters'; `events` have a vLPI. */
static void boot_guest(partition_id_t p, unsigned events, uint16_t data)
{
	struct rig_guest guest = joint_guest(p);
	unsigned at = joint_capability(p, 0, PCI_CAP_ID_MSI);

	rig_guest_events(&guest, joint_device_id(0), events, RIG_VLPI);
	joint_config_write(p, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(joint_config_read(p, 0, at + 2, 2) >> 1 & 7, 4); /* it can send sixteen */
	joint_config_write(p, 0, at + 4, 4, (uint32_t)JOINT_DOORBELL);
	joint_config_write(p, 0, at + 8, 4, 0);
	joint_config_write(p, 0, at + 12, 2, data);
	joint_config_write(p, 0, at + 2, 2, MSI_ENABLE | MSI_SIXTEEN);
	arch_mmio_write32(registers(p) + (arch_mmio_read32(registers(p)) & 0xff), USBCMD_INTE);
}

static void set_up(const char *name, unsigned events, uint16_t data)
{
	rig_machine(name, RIG_MACHINE,
		    RIG_DEVICES("-device", "pcie-root-port,id=p1,addr=1", "-device",
				"nec-usb-xhci,bus=p1,msi=on,msix=off", "-device",
				"pcie-root-port,id=p2,addr=2,chassis=2", "-device",
				"nec-usb-xhci,bus=p2,msi=on,msix=off"));
	for (unsigned i = 0; i < 2; i++) {
		parts[i] = hv_host_partition(i ? "b" : "a", 1, i);
		hv_host_function(parts[i], "usb", (rid_t){(uint16_t)(0x100 * (i + 1))});
	}
	joint_start(0x40000);
	for (unsigned i = 0; i < 2; i++) {
		joint_partition(parts[i]);
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
		assert_true(rig_pending(joint_pending(parts[0]), RIG_VLPI + 16 + n));
		assert_int_equal(rig_pending_count(joint_pending(parts[0])), i + 1);
	}
	assert_int_equal(rig_pending_count(joint_pending(parts[1])), 0);
	interrupt(parts[1], 6);
	assert_true(rig_pending(joint_pending(parts[1]), RIG_VLPI + 16 + 6));
	assert_int_equal(rig_pending_count(joint_pending(parts[1])), 1);
	rig_end();
}

/* A driver that uses five: the capability knows powers of two only, so the device has sixteen. */
static void five_of_sixteen_are_five(void **state)
{
	(void)state;
	set_up("msi-five", 5, 0);
	for (unsigned n = MESSAGES; n-- > 0;) {
		interrupt(parts[0], n);
		assert_int_equal(rig_pending_count(joint_pending(parts[0])), n < 5 ? 5 - n : 0);
		assert_int_equal(rig_pending(joint_pending(parts[0]), RIG_VLPI + n), n < 5);
	}
	assert_int_equal(rig_pending_count(joint_pending(parts[1])), 0);
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
