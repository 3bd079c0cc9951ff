/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `causeway` makes lspci's input and a machine's description of (docs/config.md, "Dumps").
 * Each line says whose it is, because lines of several cores may mix. Rows of zeroes are left out.
 */
#include "hooks.h"

#include "log.h"

static void dump_space(struct pci_virt *bridge, const char *view, rid_t rid, unsigned end)
{
	for (unsigned at = 0; at < end; at += 16) {
		uint32_t w[4];

		for (unsigned i = 0; i < 4; i++) {
			w[i] = bridge ? pci_virt_peek(bridge, rid.v >> 3, at + 4 * i)
				      : pci_config_read32(&glue.bus, rid, (uint16_t)(at + 4 * i));
		}
		if (w[0] | w[1] | w[2] | w[3]) {
			log_info("@pci %s %s %03x: %08x %08x %08x %08x", view, pci_name(rid), at,
				 w[0], w[1], w[2], w[3]);
		}
	}
}

static void dump_function(const struct pci_function *f)
{
	dump_space(NULL, "-", f->rid, f->caps.express ? 0x1000 : 0x100);
	for (unsigned i = 0; i < 2 * PCI_BUS_BARS; i++) {
		unsigned n = i % PCI_BUS_BARS;
		const struct pci_bar *bar = i < PCI_BUS_BARS ? &f->bars[n] : &f->vf_bars[n];

		if (bar->size) {
			log_info("@%s %s %u space=%u address=0x%lx size=0x%lx",
				 i < PCI_BUS_BARS ? "bar" : "vf-bar", pci_name(f->rid), n,
				 bar->space, bar->pci_address, bar->size);
		}
	}
}

void dump(void)
{
	log_info("@machine smmu=%u its=%u", glue.iommu_ready, glue.irq_ready);
	for (unsigned i = 0; i < glue.bus.host.iommu_map_count; i++) {
		log_info("@iommu-map rid=0x%x count=0x%x", glue.bus.host.iommu_map[i].rid_base,
			 glue.bus.host.iommu_map[i].length);
	}
	for (unsigned i = 0; i < glue.bus.function_count; i++) {
		dump_function(&glue.bus.functions[i]);
	}
	for (unsigned p = 0; p < glue.pool_count; p++) {
		for (unsigned i = 0; i < glue.pools[p].count; i++) {
			dump_space(NULL, "-", glue.pools[p].vfs[i].rid, 0x1000);
		}
	}
	for (unsigned i = 0; i < hv_partition_count() * PCI_VIRT_SLOTS; i++) {
		partition_id_t id = {(uint8_t)(i / PCI_VIRT_SLOTS)};

		dump_space(&glue.sides[id.v].bridge, hv_partition_name(id),
			   (rid_t){(uint16_t)(i % PCI_VIRT_SLOTS << 3)}, PCI_VIRT_SHADOW_BYTES);
	}
	log_info("@end");
}
