/* SPDX-License-Identifier: BSD-2-Clause */
/* From a dump to a machine as the rules know it: what sits where, who isolates, who resets. */
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#define CAP_EXPRESS  0x10
#define CAP_MSI	     0x05
#define CAP_MSIX     0x11
#define EXT_ACS	     0x0d
#define EXT_SRIOV    0x10
#define DEVCAP_FLR   (1u << 28)
#define ACS_REDIRECT 0x1d /* source validation, request and completion redirect, upstream */
#define ACS_WANTED   0x1f
#define USABLE_VFS   7 /* the hypervisor's most of one PF */
#define CLASS_HOST   0x0600

static const struct {
	uint16_t vendor, device;
	const char *model;
} known[] = {
	{0x1b36, 0x000c, "pcie-root-port"},
	{0x104c, 0x8232, "x3130-upstream"},
	{0x104c, 0x8233, "xio3130-downstream"},
	{0x1b36, 0x000e, "pcie-pci-bridge"},
	{0x8086, 0x10c9, "igb"},
	{0x1234, 0x11e8, "edu"},
	{0x1b36, 0x0010, "nvme"},
	{0x8086, 0x10d3, "e1000e"},
	{0x1af4, 0x1000, "virtio-net-pci"},
	{0x1af4, 0x1041, "virtio-net-pci"},
	{0x10ec, 0x8139, "rtl8139"},
	{0x10ec, 0x8029, "ne2k_pci"},
};

const char *dump_model(const struct dump_function *function)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (dump_value(function, 0, 2) == known[i].vendor &&
		    dump_value(function, 2, 2) == known[i].device) {
			return known[i].model;
		}
	}
	return NULL;
}

static uint8_t express_type(const struct dump_function *function)
{
	unsigned at = dump_capability(function, CAP_EXPRESS);

	return at ? (uint8_t)(dump_value(function, at + 2, 2) >> 4 & 0xf) : PCI_EXPRESS_NONE;
}

/* As pci/bus/port.c has it: all that it has and we want is on; a downstream port must have it. */
static bool isolates(const struct dump_function *function)
{
	unsigned at = dump_extended(function, EXT_ACS);
	uint32_t needed = express_type(function) == PCI_EXPRESS_DOWNSTREAM
				  ? ACS_REDIRECT
				  : dump_value(function, at + 4, 2);

	return at && !(needed & ACS_WANTED & ~dump_value(function, at + 6, 2));
}

static bool has_reset(const struct dump_function *function)
{
	unsigned at = dump_capability(function, CAP_EXPRESS);

	return at && (dump_value(function, at + 4, 4) & DEVCAP_FLR);
}

/* A bridge that has no such capability is a conventional one. */
static uint8_t model_type(const struct dump_function *function)
{
	uint8_t type = express_type(function);

	return dump_is_bridge(function) && type == PCI_EXPRESS_NONE ? PCI_EXPRESS_TO_PCI : type;
}

static const struct model *model_of(const struct dump_function *function)
{
	struct model *model = keep_alloc(sizeof(*model));
	const char *name = dump_model(function);
	unsigned sriov = dump_extended(function, EXT_SRIOV);

	*model = (struct model){
		.name = name ? name
			     : keep_printf("%04x:%04x", dump_value(function, 0, 2),
					   dump_value(function, 2, 2)),
		.options = "",
		.vfs = sriov ? dump_value(function, sriov + 0x0e, 2) : 0,
		.port = dump_is_bridge(function),
		.express_type = model_type(function),
		.acs = isolates(function),
		.flr = has_reset(function),
		.intx_only =
			!dump_capability(function, CAP_MSI) && !dump_capability(function, CAP_MSIX),
	};
	model->usable_vfs = model->vfs < USABLE_VFS ? model->vfs : USABLE_VFS;
	return model;
}

/* By address: a bridge comes before what is below it, those of one bus side by side. */
static int by_address(const void *a, const void *b)
{
	const struct machine_device *left = a, *right = b;

	return left->rid - right->rid;
}

static void add_device(struct machine *machine, const struct dump *dump,
		       const struct dump_function *function)
{
	if (machine->device_count == MAX_MACHINE_DEVICES) {
		machine->devices_left_out++;
		return;
	}
	struct machine_device *device = &machine->devices[machine->device_count++];

	*device = (struct machine_device){
		.path = keep_printf("%s of %s", bdf_text(function->rid), dump->file),
		.model = model_of(function),
		.rid = function->rid,
		.at = function->rid >> 8 ? -1 : function->rid,
		.devfn = function->rid & 0xff,
		.requester = function->rid,
		.secondary = dump_is_bridge(function) ? (int)dump_value(function, 0x19, 1) : 0,
		.smmu_bypass = !dump_is_fenced(dump, function->rid),
	};
	device->model_name = device->name = device->model->name;
	device->total_vfs = device->model->vfs;
	device->group = device;
}

static void find_parents(struct machine *machine)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		struct machine_device *device = &machine->devices[i];

		for (unsigned j = 0; j < machine->device_count; j++) {
			const struct machine_device *port = &machine->devices[j];

			if (port != device && port->secondary &&
			    port->secondary == device->rid >> 8) {
				device->parent = port;
				device->behind = port->name;
			}
		}
	}
}

static void find_groups(struct machine *machine)
{
	static struct pci_group_node nodes[MAX_MACHINE_DEVICES];

	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		nodes[i] = (struct pci_group_node){
			.rid = (uint16_t)device->rid,
			.parent = device->parent ? (uint16_t)(device->parent - machine->devices)
						 : PCI_GROUP_ROOT,
			.express_type = device->model->express_type,
			.bridge = device->model->port,
			.isolates = device->model->acs,
		};
	}
	pci_group(nodes, machine->device_count);
	for (unsigned i = 0; i < machine->device_count; i++) {
		struct machine_device *device = &machine->devices[i];
		const struct machine_device *above = device->parent;

		device->group = &machine->devices[nodes[i].group];
		if (above && above->requester != above->rid) {
			device->requester = above->requester;
		} else if (above && pci_express_is_conventional(above->model->express_type)) {
			device->requester = device->rid & 0xff00;
		}
	}
}

void dump_to_machine(const struct dump *dump, struct machine *machine)
{
	machine->device_count = 0;
	machine->devices_left_out = 0;
	machine->measured = true;
	machine->smmu_off = !dump->smmu;
	machine->its_off = !dump->its;
	machine->smmu_bypass = false;
	for (unsigned i = 0; i < dump->count; i++) {
		const struct dump_function *function = &dump->functions[i];

		if (dump_is_machine(function) && !dump_is_vf(function) &&
		    dump_value(function, 0x0a, 2) != CLASS_HOST) {
			add_device(machine, dump, function);
		}
	}
	qsort(machine->devices, machine->device_count, sizeof(machine->devices[0]), by_address);
	find_parents(machine);
	find_groups(machine);
}
