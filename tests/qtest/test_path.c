/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each partition was given works for it and for nobody else: DMA and interrupts of an edu, a
 * VF of an igb and an nvme, with all rooms joined.
 */
#include "path_rig.h"

#include <string.h>

#include "gic.h"

/* nvme: the admin queues (NVMe 1.4, 3.1 and 4.2). */
#define NVME_CC	      0x14
#define NVME_STATUS   0x1c
#define NVME_AQA      0x24
#define NVME_ASQ      0x28
#define NVME_ACQ      0x30
#define NVME_TAIL     0x1000
#define NVME_ENABLE   0x00460001u
#define NVME_IDENTIFY 6

static void dma_and_interrupts_reach_their_guest(void **state)
{
	const void *table;

	(void)state;
	path_set_up("path", PATH_PLAIN);
	path_stores_land(PATH_BUFFER);
	path_ring();
	table = joint_pending(a);
	assert_true(rig_pending(table, PATH_EDU_VLPI));
	assert_int_equal(rig_pending_count(table), 1);
	assert_int_equal(rig_pending_count(joint_pending(b)), 0);
	assert_int_equal(*hv_host_ram(b, PATH_BUFFER), PATH_FILL);
	rig_end();
}

static bool is_recorded[0x200]; /* by stream */

static void note_stream(void *context, const struct iommu_event *event)
{
	(void)context;
	assert_in_range(event->stream.v, 0, ARRAY_SIZE(is_recorded) - 1);
	is_recorded[event->stream.v] = true;
}

/* F09: the edu at slot 6 was given to nobody; its bus mastering is on all the same. */
static void what_nobody_owns_reaches_nothing(void **state)
{
	const rid_t stray = {0x030};
	(void)state;
	path_set_up("path-nobody", PATH_PLAIN);
	struct rig_device edu = rig_open(&glue.bus, pci_bus_find(&glue.bus, stray));
	const uint64_t places[] = {PATH_BUFFER, pa_of(hv_host_ram(a, PATH_BUFFER)).v,
				   pa_of(hv_host_ram(b, PATH_BUFFER)).v};

	memset(is_recorded, 0, sizeof(is_recorded));
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		rig_edu_store(&edu, places[i], 64);
	}
	assert_int_equal(*hv_host_ram(a, PATH_BUFFER), PATH_FILL);
	assert_int_equal(*hv_host_ram(b, PATH_BUFFER), PATH_FILL);
	/* Its message: by the partitions' address of the doorbell, and by the machine's. */
	rig_edu_msi(&glue.bus, &edu, JOINT_DOORBELL, 0);
	rig_edu_interrupt(&edu);
	rig_edu_msi(&glue.bus, &edu, QTEST_ITS + 0x10040, 0);
	rig_edu_interrupt(&edu);
	while (iommu_events(note_stream, NULL)) {
	}
	assert_true(is_recorded[stray.v]);
	assert_int_equal(rig_pending_count(joint_pending(a)), 0);
	assert_int_equal(rig_pending_count(joint_pending(b)), 0);
	/* Those who own theirs go on. */
	assert_true(path_vf_sends(a, PATH_A_VF) && path_vf_sends(b, PATH_B_VF));
	qtest_stop();
}

static void a_vf_reaches_its_own_partition(void **state)
{
	(void)state;
	path_set_up("path-vf", PATH_PLAIN);
	assert_true(path_vf_sends(a, PATH_A_VF));
	assert_true(path_vf_sends(b, PATH_B_VF));
	assert_int_equal(iommu_totals().records, 0);
	/* With bus mastering off, which is the guest's to say, it fetches nothing. */
	joint_config_write(a, PATH_A_VF, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_false(path_vf_sends(a, PATH_A_VF));
	qtest_stop();
}

/* The page an Identify command of b's nvme fills; false when nothing came of it. */
static bool identify(uint64_t buffer)
{
	uintptr_t nvme = joint_device(b, PATH_B_NVME).bar;
	uint32_t *command = (uint32_t *)hv_host_ram(b, PATH_RING);
	volatile uint32_t *answer = (volatile uint32_t *)hv_host_ram(b, PATH_RING + 0x1000);

	arch_mmio_write32(nvme + NVME_CC, 0);
	assert_true(qtest_wait32(nvme + NVME_STATUS, 1, 0));
	memset(command, 0, 64);
	memset(hv_host_ram(b, PATH_RING + 0x1000), 0, 64);
	command[0] = NVME_IDENTIFY;
	command[6] = (uint32_t)buffer;
	command[10] = 1; /* the controller */
	arch_mmio_write32(nvme + NVME_AQA, 3 << 16 | 3);
	arch_mmio_write64(nvme + NVME_ASQ, PATH_RING);
	arch_mmio_write64(nvme + NVME_ACQ, PATH_RING + 0x1000);
	arch_mmio_write32(nvme + NVME_CC, NVME_ENABLE);
	if (!qtest_wait32(nvme + NVME_STATUS, 1, 1)) {
		return false;
	}
	arch_mmio_write32(nvme + NVME_TAIL, 1);
	for (unsigned i = 0; i < 2000 && !(answer[3] >> 16); i++) {
		arch_mmio_read32(nvme + NVME_STATUS); /* it works while we wait */
	}
	return answer[3] >> 17 == 0 && answer[3] >> 16;
}

static void an_nvme_works_for_its_partition_alone(void **state)
{
	(void)state;
	path_set_up("path-nvme", PATH_PLAIN);
	assert_true(identify(PATH_BUFFER));
	assert_int_equal(*hv_host_ram(b, PATH_BUFFER), 0x36); /* the vendor: 1b36 */
	assert_int_equal(*hv_host_ram(a, PATH_BUFFER), PATH_FILL);
	/* To a's memory, by its physical address: refused. */
	(void)identify(pa_of(hv_host_ram(a, PATH_BUFFER)).v);
	assert_int_equal(*hv_host_ram(a, PATH_BUFFER), PATH_FILL);
	assert_int_not_equal(iommu_totals().records + iommu_events(NULL, NULL), 0);
	qtest_stop();
}

/* Without GICv4: a physical LPI becomes pending at the vCPU's core, which hands it on. */
static void without_gicv4_interrupts_are_injected(void **state)
{
	(void)state;
	path_set_up("path-gic3", PATH_GIC3);
	path_stores_land(PATH_BUFFER);
	path_ring();
	const void *table = gic.cores[0].pending_table;
	uint32_t intid = LPI_FIRST;

	assert_int_equal(rig_pending_count(table), 1);
	assert_int_equal(rig_pending_count(gic.cores[1].pending_table), 0);
	while (!rig_pending(table, intid)) {
		intid++;
	}
	assert_int_equal(hv_host_lpis_pending(a, 0), 0);
	hv_host_lpi_taken(joint_hooks.lpi(0, intid));
	assert_int_equal(hv_host_lpis_pending(a, 0), 1);
	assert_int_equal(hv_host_lpis_pending(b, 0), 0);
	rig_end();
}

/* The same DMA and interrupts when the SMMU can only walk stage 1. */
static void without_stage_2_dma_is_fenced_by_stage_1(void **state)
{
	(void)state;
	path_set_up("path-stage1", PATH_STAGE_1);
	assert_true(iommu_stage1());
	struct rig_device edu = joint_device(a, PATH_A_EDU);

	path_stores_land(PATH_BUFFER);
	rig_edu_store(&edu, pa_of(hv_host_ram(b, PATH_BUFFER)).v, 64);
	assert_int_equal(*hv_host_ram(b, PATH_BUFFER), PATH_FILL);
	path_ring();
	assert_true(rig_pending(joint_pending(a), PATH_EDU_VLPI));
	assert_true(path_vf_sends(b, PATH_B_VF));
	joint_hooks.vcpu_leave(a, 0);
	joint_hooks.partition_stop(a);
	pci_config_write16(&glue.bus, edu.rid, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	*hv_host_ram(a, PATH_BUFFER) = PATH_FILL;
	rig_edu_store(&edu, PATH_BUFFER, 64);
	assert_int_equal(*hv_host_ram(a, PATH_BUFFER), PATH_FILL);
	qtest_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATH_TEST(dma_and_interrupts_reach_their_guest),
		PATH_TEST(what_nobody_owns_reaches_nothing),
		PATH_TEST(a_vf_reaches_its_own_partition),
		PATH_TEST(an_nvme_works_for_its_partition_alone),
		PATH_TEST(without_gicv4_interrupts_are_injected),
		PATH_TEST(without_stage_2_dma_is_fenced_by_stage_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
