/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The joint with all its legs on QEMU's devices: two partitions, what each was given, a guest that
 * drives it through its virtual bus and virtual ITS, DMA and interrupts of an edu, a VF of an igb
 * and an nvme.
 */
#include "rig.h"

#include <string.h>

#include "gic.h"
#include "tree.h"

#define FILL	  0xa5
#define BUFFER	  (GUEST_RAM_BASE + 0x20000)
#define RING	  (GUEST_RAM_BASE + 0x28000)
#define DOORBELL  (GUEST_ITS_DOORBELL + 0x40)
#define EDU_VLPI  (RIG_VLPI + 4)
#define MACHINE_3 "gic-version=3,iommu=smmuv3"

/* igb: of the PF, and of a VF (82576 datasheet, chapters 8 and 9). */
#define IGB_CTRL_EXT	    0x0018
#define IGB_PFRSTD	    0x4000
#define IGB_TCTL	    0x0400
#define IGB_TCTL_EN	    2
#define IGB_VFTE	    0x0c90 /* a VF may send: its own FLR takes that away */
#define VF_TDBAL	    0x3800
#define VF_TDLEN	    0x3808
#define VF_TDH		    0x3810
#define VF_TDT		    0x3818
#define VF_TXDCTL	    0x3828
#define VF_TXDCTL_EN	    (1u << 25)
#define TX_DATA_EOP_RS_DEXT 0x2b300000u /* advanced data descriptor, end of packet, report */
#define TX_DONE		    1

/* nvme: the admin queues (NVMe 1.4, 3.1 and 4.2). */
#define NVME_CC	      0x14
#define NVME_STATUS   0x1c
#define NVME_AQA      0x24
#define NVME_ASQ      0x28
#define NVME_ACQ      0x30
#define NVME_TAIL     0x1000
#define NVME_ENABLE   0x00460001u
#define NVME_IDENTIFY 6

static struct hv_hooks hooks;
static bool stage_1; /* of the SMMU, alone: only an older machine has that */
static partition_id_t a, b;
enum { A_VF, A_EDU }; /* in the order of their configs */
enum { B_VF, B_NVME };

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

static uint32_t config_read(partition_id_t p, unsigned device, unsigned reg, unsigned size)
{
	uint64_t value = 0;

	assert_true(hv_host_read(p, GUEST_ECAM_BASE + ((device + 1ull) << 15) + reg, size, &value));
	return (uint32_t)value;
}

static void config_write(partition_id_t p, unsigned device, unsigned reg, unsigned size,
			 uint32_t value)
{
	assert_true(hv_host_write(p, GUEST_ECAM_BASE + ((device + 1ull) << 15) + reg, size, value));
}

/* In the guest's own list. */
static unsigned capability(partition_id_t p, unsigned device, uint8_t id)
{
	unsigned at = config_read(p, device, PCI_CAP_POINTER, 1);

	for (unsigned hop = 0; hop < 48 && at && config_read(p, device, at, 1) != id; hop++) {
		at = config_read(p, device, at + 1, 1);
	}
	assert_int_not_equal(at, 0);
	return at;
}

static const struct assignment *assignment(partition_id_t p, unsigned device)
{
	return &glue.sides[p.v].assignments[device];
}

static struct rig_device device_of(partition_id_t p, unsigned device)
{
	const struct assignment *given = assignment(p, device);

	return (struct rig_device){given->identity.rid, given->identity.bars[0].cpu_address.v};
}

static void boot_guest(partition_id_t p)
{
	struct rig_guest guest = {p, its_write, its_read};

	rig_guest_its(&guest);
	hooks.lpi_write(p, 0, 0x70, RIG_PROPERTY | (IRQ_LPI_BITS - 1), 8);
	hooks.lpi_enable(p, 0, true);
	rig_guest_command(&guest, its_mapc(0, 0));
	for (unsigned device = 0; device < hv_partition(p).device_count; device++) {
		config_write(p, device, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		rig_guest_events(&guest, (device_id_t){(device + 1) << 3}, 1,
				 RIG_VLPI + 4 * device);
	}
}

static void set_up(const char *name, const char *machine)
{
	struct dt_walk bridge;
	struct glue_machine legs = {
		.host_bridge = &bridge,
		.smmu = {QTEST_SMMU},
		.smmu_size = 0x20000,
		.its = {QTEST_ITS},
		.cores = RIG_CORES,
	};

	rig_machine(name, machine,
		    RIG_DEVICES("-machine", stage_1 ? "type=virt-9.1" : "type=virt", "-global",
				stage_1 ? "arm-smmuv3.stage=1" : "arm-smmuv3.stage=nested",
				"-device", "pcie-root-port,id=p1,addr=1", "-device", "igb,bus=p1",
				"-device", "pcie-root-port,id=p2,addr=2,chassis=2", "-device",
				"nvme,bus=p2,serial=a", RIG_EDU("4"), RIG_EDU("6")));
	a = hv_host_partition("a", 1, 0);
	b = hv_host_partition("b", 1, 1);
	hv_host_vf(a, "eth", (rid_t){0x100}, 0);
	hv_host_function(a, "dma", (rid_t){0x020})->keep_without_reset = true;
	hv_host_vf(b, "eth", (rid_t){0x100}, 1);
	hv_host_function(b, "disk", (rid_t){0x200});
	bridge = tree_find((const void *)QTEST_FDT, "pci-host-ecam-generic");
	for (unsigned i = 0; i < RIG_CORES; i++) {
		unsigned frames = strcmp(machine, MACHINE_3) == 0 ? 0x20000 : 0x40000;

		legs.redistributors[i].base = QTEST_GICR + i * frames;
	}
	assert_int_equal(glue_start(&legs, &hooks), STATUS_OK);
	for (unsigned i = 0; i < RIG_CORES; i++) {
		assert_int_equal(hooks.core_up(i), STATUS_OK);
	}
	hooks.cores_up();
	rig_fill(a, FILL);
	rig_fill(b, FILL);
	assert_int_equal(hooks.partition_start(a), STATUS_OK);
	assert_int_equal(hooks.partition_start(b), STATUS_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(assignment(a, i)->attached);
		assert_true(assignment(b, i)->attached);
		hooks.vcpu_enter(i ? b : a, 0);
		boot_guest(i ? b : a);
	}
}

/* The guest points its edu's MSI at event 0; it fires. */
static void ring(void)
{
	unsigned at = capability(a, A_EDU, PCI_CAP_ID_MSI);
	struct rig_device edu = device_of(a, A_EDU);

	config_write(a, A_EDU, at + 4, 4, (uint32_t)DOORBELL);
	config_write(a, A_EDU, at + 8, 4, 0);
	config_write(a, A_EDU, at + 12, 2, 0);
	config_write(a, A_EDU, at + 2, 2, 1);
	rig_edu_interrupt(&edu);
}

static void stores_land(uint64_t at)
{
	struct rig_device edu = device_of(a, A_EDU);

	*hv_host_ram(a, at) = FILL;
	rig_edu_store(&edu, at, 64);
	assert_int_equal(*hv_host_ram(a, at), 0);
}

static void dma_and_interrupts_reach_their_guest(void **state)
{
	const void *table;

	(void)state;
	set_up("path", RIG_MACHINE);
	stores_land(BUFFER);
	ring();
	table = glue.sides[a.v].irq.vpes[0].pending_table;
	assert_true(rig_pending(table, EDU_VLPI));
	assert_int_equal(rig_pending_count(table), 1);
	assert_int_equal(rig_pending_count(glue.sides[b.v].irq.vpes[0].pending_table), 0);
	assert_int_equal(*hv_host_ram(b, BUFFER), FILL);
	rig_end();
}

/* The VF fetches a descriptor from its partition's RAM and writes "done" back to it. */
static bool vf_sends(partition_id_t p, unsigned device)
{
	volatile uint32_t *descriptor = (volatile uint32_t *)hv_host_ram(p, RING);
	uintptr_t vf = device_of(p, device).bar;
	uintptr_t pf = pci_bus_find(&glue.bus, (rid_t){0x100})->bars[0].cpu_address.v;
	pci_config_write16(&glue.bus, (rid_t){0x100}, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	arch_mmio_write32(pf + IGB_CTRL_EXT, IGB_PFRSTD);
	arch_mmio_write32(pf + IGB_TCTL, IGB_TCTL_EN);
	arch_mmio_write32(pf + IGB_VFTE, 0xff);
	memset(hv_host_ram(p, RING), 0, 128);
	descriptor[0] = (uint32_t)BUFFER;
	descriptor[2] = TX_DATA_EOP_RS_DEXT | 64;
	descriptor[3] = 64u << 14;
	arch_mmio_write32(vf + VF_TXDCTL, 0);
	arch_mmio_write32(vf + VF_TDBAL, (uint32_t)RING);
	arch_mmio_write32(vf + VF_TDBAL + 4, 0);
	arch_mmio_write32(vf + VF_TDLEN, 128);
	arch_mmio_write32(vf + VF_TDH, 0);
	arch_mmio_write32(vf + VF_TXDCTL, VF_TXDCTL_EN);
	arch_mmio_write32(vf + VF_TDT, 1);
	return descriptor[3] & TX_DONE;
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
	set_up("path-nobody", RIG_MACHINE);
	struct rig_device edu = rig_open(&glue.bus, pci_bus_find(&glue.bus, stray));
	const uint64_t places[] = {BUFFER, pa_of(hv_host_ram(a, BUFFER)).v,
				   pa_of(hv_host_ram(b, BUFFER)).v};

	memset(is_recorded, 0, sizeof(is_recorded));
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		rig_edu_store(&edu, places[i], 64);
	}
	assert_int_equal(*hv_host_ram(a, BUFFER), FILL);
	assert_int_equal(*hv_host_ram(b, BUFFER), FILL);
	/* Its message: by the partitions' address of the doorbell, and by the machine's. */
	rig_edu_msi(&glue.bus, &edu, DOORBELL, 0);
	rig_edu_interrupt(&edu);
	rig_edu_msi(&glue.bus, &edu, QTEST_ITS + 0x10040, 0);
	rig_edu_interrupt(&edu);
	while (iommu_events(note_stream, NULL)) {
	}
	assert_true(is_recorded[stray.v]);
	assert_int_equal(rig_pending_count(glue.sides[a.v].irq.vpes[0].pending_table), 0);
	assert_int_equal(rig_pending_count(glue.sides[b.v].irq.vpes[0].pending_table), 0);
	/* Those who own theirs go on. */
	assert_true(vf_sends(a, A_VF) && vf_sends(b, B_VF));
	qtest_stop();
}

static void a_vf_reaches_its_own_partition(void **state)
{
	(void)state;
	set_up("path-vf", RIG_MACHINE);
	assert_true(vf_sends(a, A_VF));
	assert_true(vf_sends(b, B_VF));
	assert_int_equal(iommu_totals().records, 0);
	/* With bus mastering off, which is the guest's to say, it fetches nothing. */
	config_write(a, A_VF, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_false(vf_sends(a, A_VF));
	qtest_stop();
}

static void a_guest_s_flr_is_a_reset_of_its_vf_alone(void **state)
{
	(void)state;
	set_up("path-flr", RIG_MACHINE);
	unsigned express = capability(a, A_VF, PCI_CAP_ID_EXPRESS);
	uintptr_t table = assignment(a, A_VF)->identity.bars[3].cpu_address.v;
	uintptr_t others = assignment(b, B_VF)->identity.bars[3].cpu_address.v;

	arch_mmio_write32(table + 8, 0x77);
	arch_mmio_write32(others + 8, 0x88);
	config_write(a, A_VF, express + 8, 2, 0x8000);
	assert_int_equal(arch_mmio_read32(table + 8), 0);
	assert_int_equal(arch_mmio_read32(others + 8), 0x88);
	assert_int_equal(config_read(a, A_VF, PCI_VENDOR_ID, 2), 0x8086);
	assert_int_equal(config_read(a, A_VF, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	config_write(a, A_VF, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_true(vf_sends(a, A_VF)); /* its stream is as it was */
	qtest_stop();
}

/* The page an Identify command of b's nvme fills; false when nothing came of it. */
static bool identify(uint64_t buffer)
{
	uintptr_t nvme = device_of(b, B_NVME).bar;
	uint32_t *command = (uint32_t *)hv_host_ram(b, RING);
	volatile uint32_t *answer = (volatile uint32_t *)hv_host_ram(b, RING + 0x1000);

	arch_mmio_write32(nvme + NVME_CC, 0);
	assert_true(qtest_wait32(nvme + NVME_STATUS, 1, 0));
	memset(command, 0, 64);
	memset(hv_host_ram(b, RING + 0x1000), 0, 64);
	command[0] = NVME_IDENTIFY;
	command[6] = (uint32_t)buffer;
	command[10] = 1; /* the controller */
	arch_mmio_write32(nvme + NVME_AQA, 3 << 16 | 3);
	arch_mmio_write64(nvme + NVME_ASQ, RING);
	arch_mmio_write64(nvme + NVME_ACQ, RING + 0x1000);
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
	set_up("path-nvme", RIG_MACHINE);
	assert_true(identify(BUFFER));
	assert_int_equal(*hv_host_ram(b, BUFFER), 0x36); /* the vendor: 1b36 */
	assert_int_equal(*hv_host_ram(a, BUFFER), FILL);
	/* To a's memory, by its physical address: refused. */
	(void)identify(pa_of(hv_host_ram(a, BUFFER)).v);
	assert_int_equal(*hv_host_ram(a, BUFFER), FILL);
	assert_int_not_equal(iommu_totals().records + iommu_events(NULL, NULL), 0);
	qtest_stop();
}

static void after_a_stop_nothing_lands(void **state)
{
	(void)state;
	set_up("path-stop", RIG_MACHINE);
	struct rig_device edu = device_of(a, A_EDU);
	const void *table = glue.sides[a.v].irq.vpes[0].pending_table;

	stores_land(BUFFER);
	/* One transfer is on its way when the partition stops. */
	*hv_host_ram(a, BUFFER) = FILL;
	qtest_freeze(true);
	rig_edu_store_begin(&edu, BUFFER, 64);
	hooks.vcpu_leave(a, 0);
	hooks.partition_stop(a);
	/* And should its bus mastering come back on, by whatever mistake. */
	pci_config_write16(&glue.bus, edu.rid, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	qtest_freeze(false);
	rig_edu_finish(&edu);
	assert_int_equal(*hv_host_ram(a, BUFFER), FILL);
	rig_edu_store(&edu, BUFFER, 64);
	assert_int_equal(*hv_host_ram(a, BUFFER), FILL);
	rig_edu_interrupt(&edu);
	assert_int_equal(rig_pending_count(table), 0);
	assert_int_equal(config_read(a, A_EDU, PCI_VENDOR_ID, 2), 0xffff);
	assert_true(vf_sends(b, B_VF)); /* the other partition is not concerned */
	qtest_stop();
}

static void a_partition_can_come_back_fifty_times(void **state)
{
	(void)state;
	set_up("path-again", RIG_MACHINE);
	for (unsigned i = 0; i < 50; i++) {
		hooks.vcpu_leave(a, 0);
		hooks.partition_stop(a);
		assert_false(assignment(a, A_VF)->attached);
		assert_int_equal(hooks.partition_start(a), STATUS_OK);
		assert_true(assignment(a, A_VF)->attached && assignment(a, A_EDU)->attached);
		hooks.vcpu_enter(a, 0);
	}
	boot_guest(a);
	stores_land(BUFFER);
	ring();
	assert_true(rig_pending(glue.sides[a.v].irq.vpes[0].pending_table, EDU_VLPI));
	assert_true(vf_sends(a, A_VF));
	assert_int_equal(hv_host_mapped(a), 3);
	qtest_stop();
}

/* Without GICv4: a physical LPI becomes pending at the vCPU's core, which hands it on. */
static void without_gicv4_interrupts_are_injected(void **state)
{
	(void)state;
	set_up("path-gic3", MACHINE_3);
	stores_land(BUFFER);
	ring();
	const void *table = gic.cores[0].pending_table;
	uint32_t intid = LPI_FIRST;

	assert_int_equal(rig_pending_count(table), 1);
	assert_int_equal(rig_pending_count(gic.cores[1].pending_table), 0);
	while (!rig_pending(table, intid)) {
		intid++;
	}
	assert_int_equal(hv_host_lpis_pending(a, 0), 0);
	hv_host_lpi_taken(hooks.lpi(0, intid));
	assert_int_equal(hv_host_lpis_pending(a, 0), 1);
	assert_int_equal(hv_host_lpis_pending(b, 0), 0);
	rig_end();
}

/* The same DMA and interrupts when the SMMU can only walk stage 1. */
static void without_stage_2_dma_is_fenced_by_stage_1(void **state)
{
	(void)state;
	stage_1 = true;
	set_up("path-stage1", RIG_MACHINE);
	stage_1 = false;
	assert_true(iommu_stage1());
	struct rig_device edu = device_of(a, A_EDU);

	stores_land(BUFFER);
	rig_edu_store(&edu, pa_of(hv_host_ram(b, BUFFER)).v, 64);
	assert_int_equal(*hv_host_ram(b, BUFFER), FILL);
	ring();
	assert_true(rig_pending(glue.sides[a.v].irq.vpes[0].pending_table, EDU_VLPI));
	assert_true(vf_sends(b, B_VF));
	hooks.vcpu_leave(a, 0);
	hooks.partition_stop(a);
	pci_config_write16(&glue.bus, edu.rid, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	*hv_host_ram(a, BUFFER) = FILL;
	rig_edu_store(&edu, BUFFER, 64);
	assert_int_equal(*hv_host_ram(a, BUFFER), FILL);
	qtest_stop();
}

/* With bus mastering on, by whatever mistake; where it was attached it works, nowhere else. */
static void edu_acts(bool attached)
{
	struct rig_device edu = device_of(a, A_EDU);
	uint16_t command = pci_config_read16(&glue.bus, edu.rid, PCI_COMMAND);

	pci_config_write16(&glue.bus, edu.rid, PCI_COMMAND, command | PCI_COMMAND_MASTER);
	*hv_host_ram(a, BUFFER) = FILL;
	rig_edu_store(&edu, BUFFER, 64);
	if (attached || !assignment(a, A_EDU)->stuck) { /* stuck: a's own, QEMU was never told */
		assert_int_equal(*hv_host_ram(a, BUFFER), attached ? 0 : FILL);
	}
	rig_edu_store(&edu, pa_of(hv_host_ram(b, BUFFER)).v, 64);
	assert_int_equal(*hv_host_ram(b, BUFFER), FILL);
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
		set_up("path-refused", RIG_MACHINE);
		uint64_t errors = iommu_totals().command_errors;

		rig_refuse_command(n);
		hooks.vcpu_leave(a, 0);
		hooks.partition_stop(a);
		assert_false(assignment(a, A_EDU)->attached || assignment(a, A_VF)->attached);
		assert_int_equal(hooks.partition_start(a), STATUS_OK);
		if (!rig_command_refused()) {
			break;
		}
		assert_int_equal(iommu_totals().command_errors, errors + 1);
		unsigned missing = !assignment(a, A_EDU)->attached + !assignment(a, A_VF)->attached;

		assert_int_equal(missing, 1); /* the one it was about */
		without++;
		stuck += assignment(a, A_EDU)->stuck + assignment(a, A_VF)->stuck;
		edu_acts(assignment(a, A_EDU)->attached);
		assert_true(vf_sends(b, B_VF)); /* who stood by */
		/* What can be had again is. */
		hooks.partition_stop(a);
		assert_int_equal(hooks.partition_start(a), STATUS_OK);
		for (unsigned i = 0; i < 2; i++) {
			assert_true(assignment(a, i)->attached != assignment(a, i)->stuck);
		}
		edu_acts(assignment(a, A_EDU)->attached);
		qtest_stop();
	}
	assert_int_equal(refused, 16); /* of two devices: abort, drop; rest, on; a SYNC each */
	assert_int_equal(without, 16);
	assert_int_equal(stuck, 8);
	qtest_stop();
}

#define PATH_TEST(name) cmocka_unit_test_teardown(name, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATH_TEST(dma_and_interrupts_reach_their_guest),
		PATH_TEST(what_nobody_owns_reaches_nothing),
		PATH_TEST(a_vf_reaches_its_own_partition),
		PATH_TEST(a_guest_s_flr_is_a_reset_of_its_vf_alone),
		PATH_TEST(an_nvme_works_for_its_partition_alone),
		PATH_TEST(after_a_stop_nothing_lands),
		PATH_TEST(a_partition_can_come_back_fifty_times),
		PATH_TEST(without_gicv4_interrupts_are_injected),
		PATH_TEST(without_stage_2_dma_is_fenced_by_stage_1),
		PATH_TEST(a_refused_command_leaves_nothing_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
