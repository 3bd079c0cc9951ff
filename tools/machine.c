/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine can be made of, and how its addresses are written. */
#include "config.h"

#include <stdio.h>
#include <string.h>

/*
 * igb: of its 8 VFs only 7 can be used. The PF must own a pair of queues beyond those of the
 * enabled VFs, and queue q belongs to VF q mod 8 as soon as that VF is enabled.
 */
static const struct model models[] = {
	{.name = "pcie-root-port",
	 .options = "",
	 .port = true,
	 .express_type = PCI_EXPRESS_ROOT_PORT,
	 .acs = true},
	{.name = "igb", .options = "", .vfs = 8, .usable_vfs = 7, .network = true, .flr = true},
	{.name = "edu", .options = ",dma_mask=0xffffffffffffffff"},
	{.name = "nvme", .options = "", .disk = true, .flr = true},
	/* Their option ROMs are not packaged, and nothing would run them. */
	{.name = "e1000e", .options = ",romfile=", .network = true},
	{.name = "virtio-net-pci", .options = ",iommu_platform=on,romfile=", .network = true},
	{.name = "rtl8139", .options = ",romfile=", .network = true, .intx_only = true},
	{.name = "ne2k_pci", .options = ",romfile=", .network = true, .intx_only = true},
	{.name = "x3130-upstream",
	 .options = "",
	 .port = true,
	 .express_type = PCI_EXPRESS_UPSTREAM},
	{.name = "xio3130-downstream",
	 .options = "",
	 .port = true,
	 .express_type = PCI_EXPRESS_DOWNSTREAM},
	{.name = "pcie-pci-bridge",
	 .options = "",
	 .port = true,
	 .express_type = PCI_EXPRESS_TO_PCI},
	{.name = "pxb-pcie", .options = "", .port = true, .express_type = PCI_EXPRESS_NONE},
};

#define MODEL_COUNT (sizeof(models) / sizeof(models[0]))

const struct model *machine_model(const char *name)
{
	for (unsigned i = 0; i < MODEL_COUNT; i++) {
		if (strcmp(models[i].name, name) == 0) {
			return &models[i];
		}
	}
	return NULL;
}

const char *machine_model_names(void)
{
	const char *names = models[0].name;

	for (unsigned i = 1; i < MODEL_COUNT; i++) {
		names = keep_printf("%s, %s", names, models[i].name);
	}
	return names;
}

bool machine_makes_vfs(const struct machine_device *device)
{
	return device->model && device->model->vfs > 0;
}

struct machine_device *machine_find(struct machine *machine, const char *name)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		if (strcmp(machine->devices[i].name, name) == 0) {
			return &machine->devices[i];
		}
	}
	return NULL;
}

const struct machine_device *machine_at(const struct machine *machine, int rid)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		if (rid >= 0 && machine->devices[i].rid == rid) {
			return &machine->devices[i];
		}
	}
	return NULL;
}

const struct machine_device *machine_at_place(const struct machine *machine,
					      const struct machine_device *parent, int devfn,
					      const struct machine_device *except)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		if (device != except && device->parent == parent && device->devfn == devfn) {
			return device;
		}
	}
	return NULL;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int bdf_parse(const char *text)
{
	static const char shape[] = "0000:hh:hh.h";
	int digits[5], count = 0;

	if (strlen(text) != sizeof(shape) - 1) {
		return -1;
	}
	for (unsigned i = 0; shape[i]; i++) {
		if (shape[i] != 'h') {
			if (text[i] != shape[i]) {
				return -1;
			}
		} else if ((digits[count++] = hex_value(text[i])) < 0) {
			return -1;
		}
	}
	if (digits[2] > 1 || digits[4] > 7) {
		return -1;
	}
	return digits[0] << 12 | digits[1] << 8 | digits[2] << 7 | digits[3] << 3 | digits[4];
}

const char *bdf_text(int rid)
{
	return keep_printf("0000:%02x:%02x.%x", rid >> 8 & 0xff, rid >> 3 & 0x1f, rid & 7);
}

const char *mac_text(const uint8_t mac[6])
{
	return keep_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			   mac[5]);
}
