/* SPDX-License-Identifier: BSD-2-Clause */
#include "path_rig.h"

#include <string.h>

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

partition_id_t a, b;

void path_boot_guest(partition_id_t p)
{
	struct rig_guest guest = joint_guest(p);

	for (unsigned device = 0; device < hv_partition(p).device_count; device++) {
		joint_config_write(p, device, PCI_COMMAND, 2,
				   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		rig_guest_events(&guest, joint_device_id(device), 1, RIG_VLPI + 4 * device);
	}
}

void path_set_up(const char *name, enum path_machine machine)
{
	bool gic3 = machine == PATH_GIC3, stage_1 = machine == PATH_STAGE_1;

	rig_machine(name, gic3 ? "gic-version=3,iommu=smmuv3" : RIG_MACHINE,
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
	joint_start(gic3 ? 0x20000 : 0x40000);
	rig_fill(a, PATH_FILL);
	rig_fill(b, PATH_FILL);
	joint_partition(a);
	joint_partition(b);
	path_boot_guest(a);
	path_boot_guest(b);
}

void path_stores_land(uint64_t at)
{
	struct rig_device edu = joint_device(a, PATH_A_EDU);

	*hv_host_ram(a, at) = PATH_FILL;
	rig_edu_store(&edu, at, 64);
	assert_int_equal(*hv_host_ram(a, at), 0);
}

void path_ring(void)
{
	unsigned at = joint_capability(a, PATH_A_EDU, PCI_CAP_ID_MSI);
	struct rig_device edu = joint_device(a, PATH_A_EDU);

	joint_config_write(a, PATH_A_EDU, at + 4, 4, (uint32_t)JOINT_DOORBELL);
	joint_config_write(a, PATH_A_EDU, at + 8, 4, 0);
	joint_config_write(a, PATH_A_EDU, at + 12, 2, 0);
	joint_config_write(a, PATH_A_EDU, at + 2, 2, 1);
	rig_edu_interrupt(&edu);
}

bool path_vf_sends(partition_id_t p, unsigned device)
{
	volatile uint32_t *descriptor = (volatile uint32_t *)hv_host_ram(p, PATH_RING);
	uintptr_t vf = joint_device(p, device).bar;
	uintptr_t pf = pci_bus_find(&glue.bus, (rid_t){0x100})->bars[0].cpu_address.v;
	pci_config_write16(&glue.bus, (rid_t){0x100}, PCI_COMMAND,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	arch_mmio_write32(pf + IGB_CTRL_EXT, IGB_PFRSTD);
	arch_mmio_write32(pf + IGB_TCTL, IGB_TCTL_EN);
	arch_mmio_write32(pf + IGB_VFTE, 0xff);
	memset(hv_host_ram(p, PATH_RING), 0, 128);
	descriptor[0] = (uint32_t)PATH_BUFFER;
	descriptor[2] = TX_DATA_EOP_RS_DEXT | 64;
	descriptor[3] = 64u << 14;
	arch_mmio_write32(vf + VF_TXDCTL, 0);
	arch_mmio_write32(vf + VF_TDBAL, (uint32_t)PATH_RING);
	arch_mmio_write32(vf + VF_TDBAL + 4, 0);
	arch_mmio_write32(vf + VF_TDLEN, 128);
	arch_mmio_write32(vf + VF_TDH, 0);
	arch_mmio_write32(vf + VF_TXDCTL, VF_TXDCTL_EN);
	arch_mmio_write32(vf + VF_TDT, 1);
	return descriptor[3] & TX_DONE;
}
