/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds every function and numbers the buses (PCIe 7.3, PCI-to-PCI bridge 1.2 chapter 3), depth
 * first without recursion: functions[] is the tree. A bridge stands before everything below it,
 * and the functions of one bus stand side by side.
 */
#include "bus.h"

#include <string.h>

#include "clock.h"
#include "log.h"

#define MULTIFUNCTION 0x80

/* The first bus, and the buses of root complexes that lie beside it in the same ECAM. */
struct root {
	unsigned number, reserve; /* reserve: buses after it that its own VFs reach */
	unsigned first;		  /* index of its first function */
};

struct walk {
	struct pci_bus *bus;
	struct root roots[PCI_BUS_MAX_ROOTS];
	unsigned root_count;
	unsigned last_bus; /* highest number given out */
	unsigned limit;	   /* highest there is: the next root bus begins after it */
	enum status status;
};

static bool is_present(const struct pci_bus *bus, rid_t rid)
{
	uint16_t vendor = pci_config_read16(bus, rid, PCI_VENDOR_ID);

	/* 0x0001 means "not ready" where the root complex shows configuration retries (2.3.2). */
	return vendor != 0xffff && vendor != 0 && vendor != 1;
}

/* Whatever firmware left: no decode, no bus mastering, no INTx, no ROM, no buses behind it. */
static void quiesce(const struct pci_bus *bus, rid_t rid, uint8_t header_type)
{
	pci_config_write16(bus, rid, PCI_COMMAND, PCI_COMMAND_INTX_OFF);
	if (header_type == 1) {
		pci_config_write16(bus, rid, PCI_BRIDGE_CONTROL, 0);
		pci_config_write32(bus, rid, PCI_BRIDGE_BUSES, 0);
		pci_config_write32(bus, rid, PCI_BRIDGE_ROM, 0);
	} else {
		pci_config_write32(bus, rid, PCI_ROM, 0);
	}
}

static void read_identity(const struct pci_bus *bus, struct pci_function *f)
{
	f->vendor = pci_config_read16(bus, f->rid, PCI_VENDOR_ID);
	f->device = pci_config_read16(bus, f->rid, PCI_DEVICE_ID);
	f->class_revision = pci_config_read32(bus, f->rid, PCI_REVISION);
	f->interrupt_pin = pci_config_read8(bus, f->rid, PCI_INTERRUPT_PIN);
	if (!pci_is_bridge(f)) {
		f->subsystem_vendor = pci_config_read16(bus, f->rid, PCI_SUBSYSTEM);
		f->subsystem = pci_config_read16(bus, f->rid, PCI_SUBSYSTEM + 2);
	}
	pci_read_capabilities(bus, f->rid, &f->caps);
	f->express_type = PCI_EXPRESS_NONE;
	if (f->caps.express) {
		uint16_t at = f->caps.express;

		f->express_type = pci_config_read16(bus, f->rid, at + PCI_EXPRESS_FLAGS) >> 4 & 0xf;
		f->device_control = pci_config_read16(bus, f->rid, at + PCI_EXPRESS_DEVCTL);
		f->link_control = pci_config_read16(bus, f->rid, at + PCI_EXPRESS_LNKCTL);
	}
}

/*
 * Below a conventional bridge nobody has a requester id of his own: a PCI Express bridge puts
 * (secondary bus, 0) in its place, another its own (PCI Express to PCI bridge 1.0, 2.3). The
 * outermost has the last word.
 */
static void set_requester(struct pci_function *f, const struct pci_function *port)
{
	f->requester = f->rid;
	if (port && port->behind_conventional_bridge) {
		f->requester = port->requester;
	} else if (port && pci_express_is_conventional(port->express_type)) {
		f->requester = port->rid;
		if (port->express_type == PCI_EXPRESS_TO_PCI) {
			f->requester.v = (uint16_t)(port->secondary << 8);
		}
	} else {
		return;
	}
	f->behind_conventional_bridge = true;
}

/* Records the function at `rid`; returns how many buses beyond its own its VFs can reach. */
static unsigned scan_function(struct walk *walk, uint16_t parent, rid_t rid)
{
	struct pci_bus *bus = walk->bus;
	uint8_t header = pci_config_read8(bus, rid, PCI_HEADER_TYPE) & (uint8_t)~MULTIFUNCTION;

	quiesce(bus, rid, header);
	if (header > 1) {
		log_warn("%s: header type %u is unknown; left off", pci_name(rid), header);
		return 0;
	}
	if (bus->function_count == PCI_BUS_MAX_FUNCTIONS) {
		if (walk->status != STATUS_NO_MEMORY) {
			log_warn("%s: more than %u functions; it and the rest are left off",
				 pci_name(rid), PCI_BUS_MAX_FUNCTIONS);
		}
		walk->status = STATUS_NO_MEMORY;
		return 0;
	}
	struct pci_function *f = &bus->functions[bus->function_count++];

	*f = (struct pci_function){.rid = rid, .header_type = header, .parent = parent};

	struct pci_function *port = pci_parent(bus, f);

	set_requester(f, port);
	read_identity(bus, f);
	pci_fence_function(bus, f);
	if (port && pci_express_is_link(port->express_type) && (rid.v & 0xff) == 0) {
		pci_port_forward_ari(bus, port, f);
	}
	return f->caps.sriov && !pci_is_bridge(f) ? pci_sriov_prepare(bus, f) : 0;
}

/* ARI: function 0 starts a list of ascending function numbers (7.8.7.2). */
static unsigned next_by_ari(const struct pci_bus *bus, rid_t rid)
{
	struct pci_capabilities caps;

	pci_read_capabilities(bus, rid, &caps);
	unsigned next = caps.ari ? pci_config_read8(bus, rid, caps.ari + PCI_ARI_NEXT_FUNCTION) : 0;

	return next > (rid.v & 0xffu) ? next : 256;
}

/* The device/function number to look at after `rid`; 256 at the end of the bus. */
static unsigned next_devfn(const struct pci_bus *bus, const struct pci_function *port, rid_t rid,
			   bool present)
{
	unsigned devfn = rid.v & 0xff;
	unsigned next = devfn + 1;

	if (port && port->ari_forwarding) {
		return present ? next_by_ari(bus, rid) : 256;
	}
	if (devfn % 8 == 0 &&
	    !(present && pci_config_read8(bus, rid, PCI_HEADER_TYPE) & MULTIFUNCTION)) {
		next = devfn + 8;
	}
	return port && pci_express_is_link(port->express_type) && next > 7 ? 256 : next;
}

/*
 * Records a whole bus before any bridge on it gets numbers, so that no stale range is left. Returns
 * how many buses beyond it the VFs there can reach.
 */
static unsigned scan_bus(struct walk *walk, uint16_t parent, unsigned number)
{
	struct pci_bus *bus = walk->bus;
	const struct pci_function *port = parent == PCI_BUS_ROOT ? NULL : &bus->functions[parent];
	unsigned reserve = 0;

	for (unsigned devfn = 0; devfn < 256;) {
		rid_t rid = {(uint16_t)(number << 8 | devfn)};
		bool present = is_present(bus, rid);
		unsigned extra = present ? scan_function(walk, parent, rid) : 0;

		reserve = extra > reserve ? extra : reserve;
		devfn = next_devfn(bus, port, rid, present);
	}
	return reserve;
}

static void reserve_buses(struct walk *walk, unsigned count)
{
	if (walk->last_bus + count <= walk->limit) {
		walk->last_bus += count;
	} else {
		log_warn("bus %02x: no %u bus numbers left for its VFs", walk->last_bus, count);
	}
}

/* --- root buses ------------------------------------------------------------------------------ */

/* What leads to root complexes beside this one shows as one more host bridge (class 0600). */
static bool has_expanders(const struct pci_bus *bus)
{
	for (unsigned i = 0; i < bus->function_count; i++) {
		if (bus->functions[i].class_revision >> 16 == 0x0600 &&
		    bus->functions[i].rid.v & 0xff) {
			return true;
		}
	}
	return false;
}

static bool answers(const struct pci_bus *bus, unsigned number)
{
	for (unsigned devfn = 0; devfn < 256; devfn += 8) {
		if (is_present(bus, (rid_t){(uint16_t)(number << 8 | devfn)})) {
			return true;
		}
	}
	return false;
}

static void scan_root(struct walk *walk, unsigned number)
{
	if (walk->root_count == PCI_BUS_MAX_ROOTS) {
		log_warn("bus %02x: more than %u root buses; left off", number, PCI_BUS_MAX_ROOTS);
		walk->status = STATUS_NO_MEMORY;
		return;
	}
	struct root *root = &walk->roots[walk->root_count++];

	root->number = number;
	root->first = walk->bus->function_count;
	root->reserve = scan_bus(walk, PCI_BUS_ROOT, number);
}

/* While no bridge has a number yet, whoever answers beyond the first bus is a root bus. */
static void scan_roots(struct walk *walk)
{
	const struct pci_host *host = &walk->bus->host;

	scan_root(walk, host->bus_first);
	if (!has_expanders(walk->bus)) {
		return;
	}
	for (unsigned number = host->bus_first + 1u; number <= host->bus_last; number++) {
		if (answers(walk->bus, number)) {
			scan_root(walk, number);
		}
	}
}

/* --- bridges --------------------------------------------------------------------------------- */

static void write_buses(const struct pci_bus *bus, const struct pci_function *bridge)
{
	pci_config_write32(bus, bridge->rid, PCI_BRIDGE_BUSES,
			   (uint32_t)bridge->subordinate << 16 | (uint32_t)bridge->secondary << 8 |
				   bridge->rid.v >> 8);
}

/* Everything not numbered yet goes below `bridge`, until walk_tree() knows better. */
static bool open_bridge(struct walk *walk, struct pci_function *bridge)
{
	if (walk->last_bus == walk->limit) {
		log_warn("%s: no bus number left; what is below stays unseen",
			 pci_name(bridge->rid));
		walk->status = walk->status ? walk->status : STATUS_NO_SPACE;
		return false;
	}
	bridge->secondary = (uint8_t)++walk->last_bus;
	bridge->subordinate = (uint8_t)walk->limit;
	bridge->below = (uint16_t)walk->bus->function_count;
	write_buses(walk->bus, bridge);
	return true;
}

/* The first bridge on bus `number` at or after index `from`; the count when there is none. */
static unsigned next_bridge(const struct pci_bus *bus, unsigned number, unsigned from)
{
	const struct pci_function *functions = bus->functions;

	while (from < bus->function_count && functions[from].rid.v >> 8 == number) {
		if (pci_is_bridge(&functions[from])) {
			return from;
		}
		from++;
	}
	return bus->function_count;
}

/*
 * The tree below one root bus, whose functions begin at index `from`. Each bridge is opened at most
 * once and closed at most once, and each function looked at once.
 */
static void walk_tree(struct walk *walk, unsigned root, unsigned from)
{
	struct pci_function *functions = walk->bus->functions;
	uint16_t parent = PCI_BUS_ROOT;

	for (;;) {
		unsigned number = parent == PCI_BUS_ROOT ? root : functions[parent].secondary;
		unsigned bridge = next_bridge(walk->bus, number, from);

		if (bridge != walk->bus->function_count) {
			from = bridge + 1;
			if (open_bridge(walk, &functions[bridge])) {
				parent = (uint16_t)bridge;
				from = functions[bridge].below;
				reserve_buses(walk,
					      scan_bus(walk, parent, functions[bridge].secondary));
			}
		} else if (parent != PCI_BUS_ROOT) {
			functions[parent].subordinate = (uint8_t)walk->last_bus;
			write_buses(walk->bus, &functions[parent]);
			from = parent + 1u;
			parent = functions[parent].parent;
		} else {
			return;
		}
	}
}

static void walk_roots(struct walk *walk)
{
	scan_roots(walk);
	for (unsigned i = 0; i < walk->root_count; i++) {
		const struct root *root = &walk->roots[i];

		walk->last_bus = root->number;
		walk->limit =
			i + 1 < walk->root_count ? root[1].number - 1 : walk->bus->host.bus_last;
		reserve_buses(walk, root->reserve);
		walk_tree(walk, root->number, root->first);
	}
}

static struct pci_group_node nodes[PCI_BUS_MAX_FUNCTIONS]; /* boot core, once */

static void find_groups(struct pci_bus *bus)
{
	for (unsigned i = 0; i < bus->function_count; i++) {
		const struct pci_function *f = &bus->functions[i];

		nodes[i] = (struct pci_group_node){.rid = f->rid.v,
						   .parent = f->parent,
						   .express_type = f->express_type,
						   .bridge = pci_is_bridge(f),
						   .isolates = pci_isolates(bus, f)};
	}
	pci_group(nodes, bus->function_count);
	for (unsigned i = 0; i < bus->function_count; i++) {
		bus->functions[i].group = nodes[i].group;
	}
}

static void report(const struct pci_bus *bus)
{
	for (unsigned i = 0; i < bus->function_count; i++) {
		const struct pci_function *f = &bus->functions[i];

		log_info("%s: %04x:%04x class %06x, %u VFs, %u MSI-X%s%s%s", pci_name(f->rid),
			 f->vendor, f->device, f->class_revision >> 8, f->total_vfs,
			 f->caps.msix_vectors,
			 f->behind_conventional_bridge ? ", behind a conventional bridge" : "",
			 f->group == i ? "" : ", in the group of ",
			 f->group == i ? "" : pci_name(bus->functions[f->group].rid));
	}
}

enum status pci_bus_enumerate(struct pci_bus *bus, const struct pci_host *host)
{
	struct walk walk = {.bus = bus, .status = STATUS_OK};
	uint64_t start = clock_ns();

	bus->host = *host;
	bus->function_count = 0;
	walk_roots(&walk);
	bus->bus_count = (uint16_t)(walk.last_bus - host->bus_first + 1);
	find_groups(bus);
	pci_assign(bus);
	start = clock_ns() - start;
	report(bus);
	log_info("PCI: %u functions, %u buses, enumerated in %lu ns", bus->function_count,
		 bus->bus_count, start);
	return walk.status;
}
