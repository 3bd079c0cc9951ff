/* SPDX-License-Identifier: BSD-2-Clause */
#include "joint.h"

#include "tree.h"

struct hv_hooks joint_hooks;

void joint_start(unsigned frames)
{
	struct dt_walk bridge = tree_find((const void *)QTEST_FDT, "pci-host-ecam-generic");
	struct glue_machine legs = {
		.host_bridge = &bridge,
		.smmu = {QTEST_SMMU},
		.smmu_size = 0x20000,
		.its = {QTEST_ITS},
		.cores = RIG_CORES,
	};

	for (unsigned i = 0; i < RIG_CORES; i++) {
		legs.redistributors[i].base = QTEST_GICR + (uintptr_t)i * frames;
	}
	assert_int_equal(glue_start(&legs, &joint_hooks), STATUS_OK);
	for (unsigned i = 0; i < RIG_CORES; i++) {
		assert_int_equal(joint_hooks.core_up(i), STATUS_OK);
	}
	joint_hooks.cores_up();
}

void joint_partition(partition_id_t p)
{
	assert_int_equal(joint_hooks.partition_start(p), STATUS_OK);
	for (unsigned i = 0; i < hv_partition(p).device_count; i++) {
		assert_true(joint_assignment(p, i)->attached);
	}
	joint_hooks.vcpu_enter(p, 0);
}

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

struct rig_guest joint_guest(partition_id_t p)
{
	struct rig_guest guest = {p, its_write, its_read};

	rig_guest_its(&guest);
	joint_hooks.lpi_write(p, 0, 0x70, RIG_PROPERTY | (IRQ_LPI_BITS - 1), 8);
	joint_hooks.lpi_enable(p, 0, true);
	rig_guest_command(&guest, its_mapc(0, 0));
	return guest;
}

const struct assignment *joint_assignment(partition_id_t p, unsigned device)
{
	return &glue.sides[p.v].assignments[device];
}

struct rig_device joint_device(partition_id_t p, unsigned device)
{
	const struct assignment *given = joint_assignment(p, device);

	return (struct rig_device){given->identity.rid, given->identity.bars[0].cpu_address.v};
}

device_id_t joint_device_id(unsigned device)
{
	return (device_id_t){(device + 1) << 3};
}

static uint64_t config_address(unsigned device, unsigned reg)
{
	return GUEST_ECAM_BASE + ((device + 1ull) << 15) + reg;
}

uint32_t joint_config_read(partition_id_t p, unsigned device, unsigned reg, unsigned size)
{
	uint64_t value = 0;

	assert_true(hv_host_read(p, config_address(device, reg), size, &value));
	return (uint32_t)value;
}

void joint_config_write(partition_id_t p, unsigned device, unsigned reg, unsigned size,
			uint32_t value)
{
	assert_true(hv_host_write(p, config_address(device, reg), size, value));
}

unsigned joint_capability(partition_id_t p, unsigned device, uint8_t id)
{
	unsigned at = joint_config_read(p, device, PCI_CAP_POINTER, 1);

	for (unsigned hop = 0; hop < 48 && at && joint_config_read(p, device, at, 1) != id; hop++) {
		at = joint_config_read(p, device, at + 1, 1);
	}
	assert_int_not_equal(at, 0);
	return at;
}

const void *joint_pending(partition_id_t p)
{
	return glue.sides[p.v].irq.vpes[0].pending_table;
}
