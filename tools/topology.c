/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sits where: bus numbers as the hypervisor will give them, isolation groups, aliases. Nothing
 * here reports; a device whose place makes no sense keeps the number -1.
 */
#include "config.h"

#include <string.h>

#define MAX_DEPTH 8 /* of ports behind ports */

bool machine_is_expander(const struct machine_device *device)
{
	return device->model && device->model->port &&
	       device->model->express_type == PCI_EXPRESS_NONE;
}

/* --- places ---------------------------------------------------------------------------------- */

static bool is_port(const struct machine_device *device)
{
	return device->model && device->model->port;
}

/* Ports may have been written in a circle. */
static bool reaches_root(const struct machine_device *device)
{
	for (unsigned depth = 0; device && depth <= MAX_DEPTH; depth++) {
		device = device->parent;
	}
	return !device;
}

static void place(struct machine *machine, struct machine_device *device)
{
	const struct machine_device *port =
		device->behind ? machine_find(machine, device->behind) : NULL;

	device->rid = -1;
	device->secondary = 0;
	device->requester = -1;
	device->group = device;
	device->devfn = -1;
	device->parent = port && is_port(port) ? port : NULL;
	if (device->behind ? device->parent && device->slot < 32 && device->function < 8
			   : device->at >= 0 && device->at >> 8 == 0) {
		device->devfn =
			device->behind ? (int)(device->slot << 3 | device->function) : device->at;
	}
}

/* --- bus numbers ----------------------------------------------------------------------------- */

/* The devices in the order in which the hypervisor finds them. */
struct order {
	struct machine_device *devices[MAX_MACHINE_DEVICES];
	unsigned count;
	int last_bus;
};

/* The device on the bus below `port` that comes after `after`; NULL: none. */
static struct machine_device *next_on_bus(struct machine *machine,
					  const struct machine_device *port,
					  const struct machine_device *after)
{
	struct machine_device *next = NULL;

	for (unsigned i = 0; i < machine->device_count; i++) {
		struct machine_device *device = &machine->devices[i];

		if (device->parent == port && device->devfn > (after ? after->devfn : -1) &&
		    reaches_root(device) && (!next || device->devfn < next->devfn)) {
			next = device;
		}
	}
	return next;
}

static void list_bus(struct order *order, struct machine *machine,
		     const struct machine_device *port, int number)
{
	struct machine_device *device = NULL;

	while ((device = next_on_bus(machine, port, device)) != NULL) {
		device->rid = number << 8 | device->devfn;
		device->requester = device->rid;
		order->devices[order->count++] = device;
	}
}

/* As deep as ports are behind ports. */
static void number_below(struct order *order, struct machine *machine,
			 const struct machine_device *port)
{
	struct machine_device *device = NULL;

	while ((device = next_on_bus(machine, port, device)) != NULL) {
		if (is_port(device) && !machine_is_expander(device)) {
			device->secondary = ++order->last_bus;
			list_bus(order, machine, device, device->secondary);
			number_below(order, machine, device);
		}
	}
}

/* The expander with the lowest bus number above `number`. */
static const struct machine_device *next_expander(const struct machine *machine, uint32_t number)
{
	const struct machine_device *next = NULL;

	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		if (machine_is_expander(device) && device->bus_number > number &&
		    device->bus_number < 256 && (!next || device->bus_number < next->bus_number)) {
			next = device;
		}
	}
	return next;
}

static void number_root(struct order *order, struct machine *machine,
			const struct machine_device *expander)
{
	order->last_bus = expander ? (int)expander->bus_number : 0;
	list_bus(order, machine, expander, order->last_bus);
	number_below(order, machine, expander);
}

/* --- groups and aliases ---------------------------------------------------------------------- */

static const struct machine_device *bridge_above(const struct machine_device *device)
{
	return device->parent && !machine_is_expander(device->parent) ? device->parent : NULL;
}

static uint16_t index_of(const struct order *order, const struct machine_device *device)
{
	uint16_t i = 0;

	while (i < order->count && order->devices[i] != device) {
		i++;
	}
	return i < order->count ? i : PCI_GROUP_ROOT;
}

static void find_groups(const struct order *order)
{
	static struct pci_group_node nodes[MAX_MACHINE_DEVICES];

	for (unsigned i = 0; i < order->count; i++) {
		const struct machine_device *device = order->devices[i];
		const struct machine_device *above = bridge_above(device);
		bool bridge = is_port(device) && !machine_is_expander(device);

		nodes[i] = (struct pci_group_node){
			.rid = (uint16_t)device->rid,
			.parent = above ? index_of(order, above) : PCI_GROUP_ROOT,
			.express_type = bridge ? device->model->express_type : PCI_EXPRESS_NONE,
			.bridge = bridge,
			.isolates = device->model && device->model->acs && !device->acs_off};
	}
	pci_group(nodes, order->count);
	for (unsigned i = 0; i < order->count; i++) {
		order->devices[i]->group = order->devices[nodes[i].group];
	}
}

/* Below a bridge to conventional PCI all speak as device 0 of the bus below it. */
static void find_aliases(const struct order *order)
{
	for (unsigned i = 0; i < order->count; i++) {
		struct machine_device *device = order->devices[i];
		const struct machine_device *above = bridge_above(device);

		if (above && above->requester != above->rid) {
			device->requester = above->requester;
		} else if (above && pci_express_is_conventional(above->model->express_type)) {
			device->requester = device->rid & 0xff00;
		}
	}
}

void machine_number(struct machine *machine)
{
	struct order order = {.count = 0};
	const struct machine_device *expander = NULL;

	for (unsigned i = 0; i < machine->device_count; i++) {
		place(machine, &machine->devices[i]);
	}
	number_root(&order, machine, NULL);
	while ((expander = next_expander(machine, expander ? expander->bus_number : 0)) != NULL) {
		number_root(&order, machine, expander);
	}
	find_groups(&order);
	find_aliases(&order);
}

/* --- questions ------------------------------------------------------------------------------- */

const char *machine_bypass(const struct machine *machine, const struct machine_device *device)
{
	const struct machine_device *root = device;

	if (machine->measured) {
		return device && device->smmu_bypass ? "what makes it so (no iommu-map covers it)"
						     : NULL;
	}

	while (root && root->parent && reaches_root(root)) {
		root = root->parent;
	}
	if (root && root != device && machine_is_expander(root)) {
		return root->smmu_bypass ? keep_printf("smmu-bypass from %s", root->path) : NULL;
	}
	return machine->smmu_bypass ? "smmu-bypass from /machine" : NULL;
}

bool machine_shares_group(const struct machine *machine, const struct machine_device *device)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *other = &machine->devices[i];

		if (other != device && other->group == device->group) {
			return true;
		}
	}
	return false;
}
