/* SPDX-License-Identifier: BSD-2-Clause */
/* SR-IOV on and off, in the order of PCIe 5.0 9.3.3; the state of each VF is pool.c's. */
#include "vf.h"

#include "clock.h"

#define VF_APPEAR_NS 100000000ull /* 9.3.3.3.1: VFE set, to the first access of a VF */

static uint16_t sriov_read(const struct vf_pool *pool, uint16_t offset)
{
	return pci_config_read16(pool->bus, pool->pf->rid, pool->pf->caps.sriov + offset);
}

static void sriov_write(const struct vf_pool *pool, uint16_t offset, uint16_t value)
{
	pci_config_write16(pool->bus, pool->pf->rid, pool->pf->caps.sriov + offset, value);
}

/* All that can be refused before a register is written. */
static enum status check(const struct vf_pool *pool, unsigned count)
{
	const struct pci_function *pf = pool->pf;
	uint16_t pages = pf->caps.sriov + PCI_SRIOV_SUPPORTED_PAGES;

	if (!pf->caps.sriov || !pf->total_vfs ||
	    !(pci_config_read32(pool->bus, pf->rid, pages) & PCI_SRIOV_PAGE_4K)) {
		return STATUS_UNSUPPORTED;
	}
	if (sriov_read(pool, PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_VFE) {
		return STATUS_BUSY;
	}
	if (count == 0 || count > pf->total_vfs || count > VF_POOL_MAX ||
	    count > sriov_read(pool, PCI_SRIOV_INITIAL_VFS)) {
		return STATUS_RANGE;
	}
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		if (pf->vf_bars[i].space == PCI_SPACE_NONE && pf->vf_bars[i].size) {
			return STATUS_NO_SPACE;
		}
	}
	return STATUS_OK;
}

/*
 * Writes NumVFs and learns where that puts the VFs; page size, ARI bit and VF BARs, which come
 * before, are pci/bus's. With VFE still off nothing may answer there:
 * what does is somebody else, whom a VF would shadow.
 */
static enum status place_vfs(struct vf_pool *pool, unsigned count)
{
	const struct pci_function *pf = pool->pf;

	sriov_write(pool, PCI_SRIOV_NUM_VFS, (uint16_t)count);
	uint16_t offset = sriov_read(pool, PCI_SRIOV_VF_OFFSET);
	uint16_t stride = sriov_read(pool, PCI_SRIOV_VF_STRIDE);

	if (offset == 0 || (stride == 0 && count > 1)) {
		return STATUS_RANGE;
	}
	for (unsigned i = 0; i < count; i++) {
		uint32_t rid = pf->rid.v + offset + i * stride;

		if (!pci_bus_vf_reachable(pool->bus, pf, rid) ||
		    pci_config_read32(pool->bus, (rid_t){(uint16_t)rid}, PCI_COMMAND) != ~0u) {
			return STATUS_RANGE;
		}
		pool->vfs[i].rid.v = (uint16_t)rid;
	}
	return STATUS_OK;
}

static void switch_on(const struct vf_pool *pool)
{
	sriov_write(pool, PCI_SRIOV_CONTROL,
		    (pool->pf->ari_hierarchy ? PCI_SRIOV_CONTROL_ARI : 0) | PCI_SRIOV_CONTROL_VFE |
			    PCI_SRIOV_CONTROL_MSE);
	clock_sleep_ns(VF_APPEAR_NS);
}

/* 9.2.1.1: VF i's slice of a VF BAR starts i slices after it. */
static struct pci_bar slice(const struct pci_bar *all, unsigned index)
{
	struct pci_bar bar = *all;

	bar.pci_address += index * bar.size; /* size 0: there is none */
	bar.cpu_address.v += index * bar.size;
	return bar;
}

static enum status read_vf(const struct vf_pool *pool, struct vf *vf, unsigned index)
{
	enum status status = pci_function_wait(pool->bus, vf->rid);

	if (status != STATUS_OK) {
		return status;
	}
	vf->index = (uint16_t)index;
	vf->owner = PARTITION_NONE;
	vf->device = sriov_read(pool, PCI_SRIOV_VF_DEVICE);
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		vf->bars[i] = slice(&pool->pf->vf_bars[i], index);
	}
	pci_read_capabilities(pool->bus, vf->rid, &vf->caps);
	if (!vf->caps.express) {
		return STATUS_TIMEOUT;
	}
	pci_config_write16(pool->bus, vf->rid, PCI_COMMAND, PCI_COMMAND_MEMORY);
	vf->state = VF_FREE;
	return STATUS_OK;
}

enum status vf_enable(struct vf_pool *pool, const struct pci_bus *bus, struct pci_function *pf,
		      unsigned count)
{
	if (pool->count) {
		return STATUS_BUSY;
	}
	pool->bus = bus;
	pool->pf = pf;
	enum status status = check(pool, count);

	if (status != STATUS_OK) {
		return status;
	}
	status = place_vfs(pool, count);
	if (status == STATUS_OK) {
		switch_on(pool);
	}
	for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
		status = read_vf(pool, &pool->vfs[i], i);
	}
	if (status != STATUS_OK) {
		pci_sriov_off(bus, pf);
	} else {
		pool->count = count;
	}
	return status;
}
