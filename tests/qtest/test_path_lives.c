/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition's devices from life to life: its guest's FLR, a stop amid a transfer, fifty starts,
 * an SMMU that refuses a command of them.
 */
#include "path_rig.h"

static void a_guest_s_flr_is_a_reset_of_its_vf_alone(void **state)
{
	(void)state;
	path_set_up("path-flr", PATH_PLAIN);
	unsigned express = joint_capability(a, PATH_A_VF, PCI_CAP_ID_EXPRESS);
	uintptr_t table = joint_assignment(a, PATH_A_VF)->identity.bars[3].cpu_address.v;
	uintptr_t others = joint_assignment(b, PATH_B_VF)->identity.bars[3].cpu_address.v;

	arch_mmio_write32(table + 8, 0x77);
	arch_mmio_write32(others + 8, 0x88);
	joint_config_write(a, PATH_A_VF, express + 8, 2, 0x8000);
	assert_int_equal(arch_mmio_read32(table + 8), 0);
	assert_int_equal(arch_mmio_read32(others + 8), 0x88);
	assert_int_equal(joint_config_read(a, PATH_A_VF, PCI_VENDOR_ID, 2), 0x8086);
	assert_int_equal(joint_config_read(a, PATH_A_VF, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	joint_config_write(a, PATH_A_VF, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_true(path_vf_sends(a, PATH_A_VF)); /* its stream is as it was */
	qtest_stop();
}

static void after_a_stop_nothing_lands(void **state)
{
	(void)state;
	path_set_up("path-stop", PATH_PLAIN);
	struct rig_device edu = joint_device(a, PATH_A_EDU);
	const void *table = joint_pending(a);

	path_stores_land(PATH_BUFFER);
	/* One transfer is on its way when the partition stops. */
	*hv_host_ram(a, PATH_BUFFER) = PATH_FILL;
	qtest_freeze(true);
	rig_edu_store_begin(&edu, PATH_BUFFER, 64);
	joint_hooks.vcpu_leave(a, 0);
	joint_hooks.partition_stop(a);
	/* And should its bus mastering come back on, by whatever mistake. */
	pci_config_write16(&glue.bus, edu.rid, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	qtest_freeze(false);
	rig_edu_finish(&edu);
	assert_int_equal(*hv_host_ram(a, PATH_BUFFER), PATH_FILL);
	rig_edu_store(&edu, PATH_BUFFER, 64);
	assert_int_equal(*hv_host_ram(a, PATH_BUFFER), PATH_FILL);
	rig_edu_interrupt(&edu);
	assert_int_equal(rig_pending_count(table), 0);
	assert_int_equal(joint_config_read(a, PATH_A_EDU, PCI_VENDOR_ID, 2), 0xffff);
	assert_true(path_vf_sends(b, PATH_B_VF)); /* the other partition is not concerned */
	qtest_stop();
}

static void a_partition_can_come_back_fifty_times(void **state)
{
	(void)state;
	path_set_up("path-again", PATH_PLAIN);
	for (unsigned i = 0; i < 50; i++) {
		joint_hooks.vcpu_leave(a, 0);
		joint_hooks.partition_stop(a);
		assert_false(joint_assignment(a, PATH_A_VF)->attached);
		assert_int_equal(joint_hooks.partition_start(a), STATUS_OK);
		assert_true(joint_assignment(a, PATH_A_VF)->attached &&
			    joint_assignment(a, PATH_A_EDU)->attached);
		joint_hooks.vcpu_enter(a, 0);
	}
	path_boot_guest(a);
	path_stores_land(PATH_BUFFER);
	path_ring();
	assert_true(rig_pending(joint_pending(a), PATH_EDU_VLPI));
	assert_true(path_vf_sends(a, PATH_A_VF));
	assert_int_equal(hv_host_mapped(a), 3);
	qtest_stop();
}

/* With bus mastering on, by whatever mistake; where it was attached it works, nowhere else. */
static void edu_acts(bool attached)
{
	struct rig_device edu = joint_device(a, PATH_A_EDU);
	uint16_t command = pci_config_read16(&glue.bus, edu.rid, PCI_COMMAND);

	pci_config_write16(&glue.bus, edu.rid, PCI_COMMAND, command | PCI_COMMAND_MASTER);
	*hv_host_ram(a, PATH_BUFFER) = PATH_FILL;
	rig_edu_store(&edu, PATH_BUFFER, 64);
	if (attached ||
	    !joint_assignment(a, PATH_A_EDU)->stuck) { /* stuck: a's own, QEMU was never told */
		assert_int_equal(*hv_host_ram(a, PATH_BUFFER), attached ? 0 : PATH_FILL);
	}
	rig_edu_store(&edu, pa_of(hv_host_ram(b, PATH_BUFFER)).v, 64);
	assert_int_equal(*hv_host_ram(b, PATH_BUFFER), PATH_FILL);
}

/*
 * F36: the SMMU refuses a command of a's stop, or of its next start, each once. A device is
 * attached and works, or it is not; what was not confirmed is nobody's from then on.
 */
static void a_refused_command_leaves_nothing_half(void **state)
{
	unsigned refused = 0, stuck = 0, without = 0;

	(void)state;
	for (unsigned n = 1;; n++, refused++) {
		path_set_up("path-refused", PATH_PLAIN);
		uint64_t errors = iommu_totals().command_errors;

		rig_refuse_command(n);
		joint_hooks.vcpu_leave(a, 0);
		joint_hooks.partition_stop(a);
		assert_false(joint_assignment(a, PATH_A_EDU)->attached ||
			     joint_assignment(a, PATH_A_VF)->attached);
		assert_int_equal(joint_hooks.partition_start(a), STATUS_OK);
		if (!rig_command_refused()) {
			break;
		}
		assert_int_equal(iommu_totals().command_errors, errors + 1);
		unsigned missing = !joint_assignment(a, PATH_A_EDU)->attached +
				   !joint_assignment(a, PATH_A_VF)->attached;

		assert_int_equal(missing, 1); /* the one it was about */
		without++;
		stuck += joint_assignment(a, PATH_A_EDU)->stuck +
			 joint_assignment(a, PATH_A_VF)->stuck;
		edu_acts(joint_assignment(a, PATH_A_EDU)->attached);
		assert_true(path_vf_sends(b, PATH_B_VF)); /* who stood by */
		/* What can be had again is. */
		joint_hooks.partition_stop(a);
		assert_int_equal(joint_hooks.partition_start(a), STATUS_OK);
		for (unsigned i = 0; i < 2; i++) {
			assert_true(joint_assignment(a, i)->attached !=
				    joint_assignment(a, i)->stuck);
		}
		edu_acts(joint_assignment(a, PATH_A_EDU)->attached);
		qtest_stop();
	}
	assert_int_equal(refused, 16); /* of two devices: abort, drop; rest, on; a SYNC each */
	assert_int_equal(without, 16);
	assert_int_equal(stuck, 8);
	qtest_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATH_TEST(a_guest_s_flr_is_a_reset_of_its_vf_alone),
		PATH_TEST(after_a_stop_nothing_lands),
		PATH_TEST(a_partition_can_come_back_fifty_times),
		PATH_TEST(a_refused_command_leaves_nothing_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
