/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vf/ on QEMU's igb and nvme. A VF is there when QEMU decodes its BARs where vf_enable() says, and
 * its registers answer there.
 */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define IGB "-device", "pcie-root-port,id=p1,addr=1", "-device", "igb,bus=p1,mac=52:54:00:ca:00:01"
#define NVME                                                                                       \
	"-device", "pcie-root-port,id=p2,addr=2,chassis=2", "-device", "nvme-subsys,id=s",         \
		"-device",                                                                         \
		"nvme,bus=p2,subsys=s,serial=a,sriov_max_vfs=4,sriov_vq_flexible=8,"               \
		"sriov_vi_flexible=4,max_ioqpairs=10,msix_qsize=5"

#define VF_MSIX_TABLE 0x0
#define NVME_VERSION  0x8

static struct pci_bus bus;
static struct vf_pool pool;

static void set_up(const char *name)
{
	rig_machine(name, RIG_MACHINE, RIG_DEVICES(IGB, NVME));
	rig_enumerate(&bus);
	memset(&pool, 0, sizeof(pool));
}

/* Does QEMU's map of all physical addresses have a region of that name there? */
static bool decodes(const char *region, uint64_t address, uint64_t size)
{
	static char map[256 * 1024];
	char line[128];

	qtest_monitor("info mtree -f", map, sizeof(map));
	snprintf(line, sizeof(line), "%016lx-%016lx ", address, address + size - 1);
	for (const char *at = strstr(map, line); at; at = strstr(at + 1, line)) {
		const char *end = strchr(at, '\n');
		const char *found = strstr(at, region);

		if (found && (!end || found < end)) {
			return true;
		}
	}
	return false;
}

static void an_igb_s_vfs_appear_where_we_say(void **state)
{
	(void)state;
	set_up("vf-igb");
	struct pci_function *pf = rig_function(&bus, 0x8086, 0x10c9, 0);

	assert_int_equal(vf_enable(&pool, &bus, pf, 7), STATUS_OK);
	for (unsigned i = 0; i < pool.count; i++) {
		const struct vf *vf = vf_by_index(&pool, (uint16_t)i);
		uint64_t table = vf->bars[3].cpu_address.v;

		assert_int_equal(vf->rid.v, pf->rid.v + 0x80 + 2 * i);
		assert_int_equal(vf->device, 0x10ca);
		assert_int_equal(vf->caps.msix_vectors, 3);
		assert_int_equal(vf->bars[0].size, 0x4000);
		assert_true(decodes("igb", vf->bars[0].cpu_address.v, 0x4000));
		/* Each has a table of its own behind its BAR. */
		arch_mmio_write32(table + VF_MSIX_TABLE + 8, 0x1000 + i);
	}
	for (unsigned i = 0; i < pool.count; i++) {
		uint64_t table = vf_by_index(&pool, (uint16_t)i)->bars[3].cpu_address.v;

		assert_int_equal(arch_mmio_read32(table + VF_MSIX_TABLE + 8), 0x1000 + i);
	}
	rig_end();
}

/* What an owner left in a VF is gone after vf_reset(), as far as an FLR reaches. */
static void an_flr_takes_an_owner_s_state_away(void **state)
{
	struct vf *vf, *next;

	(void)state;
	set_up("vf-flr");
	struct pci_function *pf = rig_function(&bus, 0x8086, 0x10c9, 0);

	assert_int_equal(vf_enable(&pool, &bus, pf, 2), STATUS_OK);
	vf = vf_by_index(&pool, 0);
	assert_int_equal(vf_claim(&pool, vf, (partition_id_t){0}), STATUS_OK);
	next = vf_by_index(&pool, 1);
	uint64_t table = vf->bars[3].cpu_address.v, others = next->bars[3].cpu_address.v;

	pci_config_write16(&bus, vf->rid, vf->caps.msix + 2, 0x8000);
	pci_config_write16(&bus, vf->rid, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	arch_mmio_write32(table, 0x12340000);
	arch_mmio_write32(table + 8, 0x77);
	arch_mmio_write32(others + 8, 0x88);
	pci_config_write16(&bus, next->rid, next->caps.msix + 2, 0x8000);
	assert_int_equal(vf_reset(&pool, vf), STATUS_OK);
	assert_int_equal(pci_config_read16(&bus, vf->rid, vf->caps.msix + 2) & 0xc000, 0);
	assert_int_equal(pci_config_read16(&bus, vf->rid, PCI_COMMAND), PCI_COMMAND_MEMORY);
	assert_int_equal(arch_mmio_read32(table), 0);
	assert_int_equal(arch_mmio_read32(table + 8), 0);
	/* Its neighbour noticed nothing. */
	assert_int_equal(arch_mmio_read32(others + 8), 0x88);
	assert_int_equal(pci_config_read16(&bus, next->rid, next->caps.msix + 2) & 0x8000, 0x8000);
	rig_end();
}

static void an_nvme_s_vfs_appear_too(void **state)
{
	(void)state;
	set_up("vf-nvme");
	struct pci_function *pf = rig_function(&bus, 0x1b36, 0x0010, 0);

	assert_int_equal(pf->total_vfs, 4);
	assert_int_equal(vf_enable(&pool, &bus, pf, 4), STATUS_OK);
	for (unsigned i = 0; i < 4; i++) {
		const struct vf *vf = vf_by_index(&pool, (uint16_t)i);

		assert_int_equal(vf->rid.v, pf->rid.v + 1 + i);
		assert_int_equal(vf->bars[0].size, pf->vf_bars[0].size);
		/* Offline until its PF makes it so: it answers 0, where nobody would be ~0. */
		assert_int_equal(arch_mmio_read32(vf->bars[0].cpu_address.v + NVME_VERSION), 0);
		assert_true(vf->caps.express != 0);
	}
	qtest_stop(); /* QEMU complains of each access to an offline one */
}

static void vfs_that_are_too_many_are_refused(void **state)
{
	(void)state;
	set_up("vf-range");
	struct pci_function *nvme = rig_function(&bus, 0x1b36, 0x0010, 0);

	assert_int_equal(vf_enable(&pool, &bus, nvme, 5), STATUS_RANGE);
	assert_int_equal(pci_config_read16(&bus, nvme->rid, nvme->caps.sriov + PCI_SRIOV_CONTROL) &
				 PCI_SRIOV_CONTROL_VFE,
			 0);
	/* And the function is none the worse. */
	assert_int_equal(vf_enable(&pool, &bus, nvme, 1), STATUS_OK);
	rig_end();
}

static void vfs_go_with_their_pf_s_reset(void **state)
{
	(void)state;
	set_up("vf-disable");
	struct pci_function *pf = rig_function(&bus, 0x8086, 0x10c9, 0);

	assert_int_equal(vf_enable(&pool, &bus, pf, 3), STATUS_OK);
	rid_t rid = vf_by_index(&pool, 2)->rid;
	uint64_t address = vf_by_index(&pool, 2)->bars[3].cpu_address.v;

	assert_int_not_equal(pci_config_read32(&bus, rid, PCI_COMMAND), ~0u);
	assert_int_equal(pci_function_reset(&bus, pf->rid, pf->caps.express), STATUS_OK);
	assert_int_equal(pci_config_read32(&bus, rid, PCI_COMMAND), ~0u);
	assert_int_equal(arch_mmio_read32(address), ~0u); /* nobody decodes it */
	/* They can be had again, at the same place. */
	pci_config_write16(&bus, pf->rid, PCI_COMMAND, pf->decode);
	memset(&pool, 0, sizeof(pool));
	assert_int_equal(vf_enable(&pool, &bus, pf, 7), STATUS_OK);
	assert_int_equal(arch_mmio_read32(address), 0);
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_igb_s_vfs_appear_where_we_say, rig_tear_down),
		cmocka_unit_test_teardown(an_flr_takes_an_owner_s_state_away, rig_tear_down),
		cmocka_unit_test_teardown(an_nvme_s_vfs_appear_too, rig_tear_down),
		cmocka_unit_test_teardown(vfs_that_are_too_many_are_refused, rig_tear_down),
		cmocka_unit_test_teardown(vfs_go_with_their_pf_s_reset, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
