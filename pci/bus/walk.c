/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds every function and numbers the buses (PCIe 7.3, PCI-to-PCI bridge 1.2 chapter 3), depth
 * first without recursion: functions[] is the tree. A bridge stands before everything below it,
 * and the functions of one bus stand side by side.
 */
#include "bus.h"

#include <string.h>

#include "log.h"

#define MULTIFUNCTION 0x80

struct walk {
	struct pci_bus *bus;
	unsigned last_bus; /* highest number given out */
	enum status status;
};

static bool is_present(const struct pci_bus *bus, rid_t rid)
{
	uint16_t vendor = pci_config_read16(bus, rid, PCI_VENDOR_ID);

	/* 0x0001 means "not ready" where the root complex shows configuration retries (2.3.2). */
	return vendor != 0xffff && vendor != 0 && vendor != 1;
}

/* Whatever firmware left: no decode, no bus mastering, no ROM, no buses behind it. */
static void quiesce(const struct pci_bus *bus, rid_t rid, uint8_t header_type)
{
	pci_config_write16(bus, rid, PCI_COMMAND, 0);
	if (header_type == 1) {
		pci_config_write16(bus, rid, PCI_BRIDGE_CONTROL, 0);
		pci_config_write32(bus, rid, PCI_BRIDGE_BUSES, 0);
		pci_config_write32(bus, rid, PCI_BRIDGE_ROM, 0);
	} else {
		pci_config_write32(bus, rid, PCI_ROM, 0);
	}
}

static bool is_conventional(const struct pci_function *bridge)
{
	return bridge->express_type != PCI_EXPRESS_ROOT_PORT &&
	       bridge->express_type != PCI_EXPRESS_UPSTREAM &&
	       bridge->express_type != PCI_EXPRESS_DOWNSTREAM;
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
		uint16_t at = f->caps.express + PCI_EXPRESS_FLAGS;

		f->express_type = pci_config_read16(bus, f->rid, at) >> 4 & 0xf;
	}
}

/* Records the function at `rid`; returns how many buses beyond its own its VFs can reach. */
static unsigned scan_function(struct walk *walk, uint8_t parent, rid_t rid)
{
	struct pci_bus *bus = walk->bus;
	uint8_t header = pci_config_read8(bus, rid, PCI_HEADER_TYPE) & (uint8_t)~MULTIFUNCTION;
	char name[PCI_NAME_LENGTH];

	quiesce(bus, rid, header);
	if (header > 1) {
		log_warn("%s: header type %u is unknown; left off", pci_name(rid, name), header);
		return 0;
	}
	if (bus->function_count == PCI_BUS_MAX_FUNCTIONS) {
		log_warn("%s: more than %u functions; left off", pci_name(rid, name),
			 PCI_BUS_MAX_FUNCTIONS);
		walk->status = STATUS_NO_MEMORY;
		return 0;
	}
	struct pci_function *f = &bus->functions[bus->function_count++];
	struct pci_function *port;

	f->rid = rid;
	f->header_type = header;
	f->parent = parent;
	port = pci_parent(bus, f);
	f->behind_conventional_bridge =
		port && (port->behind_conventional_bridge || is_conventional(port));
	read_identity(bus, f);
	pci_fence_function(bus, f);
	if (port && pci_holds_device_0_only(port) && (rid.v & 0xff) == 0) {
		pci_port_forward_ari(bus, port, f);
	}
	return f->caps.sriov && !pci_is_bridge(f) ? pci_sriov_prepare(bus, f) : 0;
}

/* ARI: function 0 starts a list of ascending function numbers (7.8.7.2). */
static unsigned next_by_ari(const struct pci_bus *bus, rid_t rid)
{
	uint16_t ari = pci_find_extended_capability(bus, rid, PCI_EXT_CAP_ID_ARI);
	unsigned next = ari ? pci_config_read8(bus, rid, ari + PCI_ARI_NEXT_FUNCTION) : 0;

	return next > (rid.v & 0xffu) ? next : 256;
}

/* The device/function number to look at after `rid`; 256 at the end of the bus. */
static unsigned next_devfn(const struct pci_bus *bus, const struct pci_function *port, rid_t rid,
			   bool present)
{
	unsigned devfn = rid.v & 0xff;
	rid_t function_0 = {(uint16_t)(rid.v & ~7u)};
	unsigned next = devfn + 1;

	if (port && port->ari_forwarding) {
		return present ? next_by_ari(bus, rid) : 256;
	}
	if (devfn % 8 == 0 &&
	    !(present && pci_config_read8(bus, function_0, PCI_HEADER_TYPE) & MULTIFUNCTION)) {
		next = devfn + 8;
	}
	return port && pci_holds_device_0_only(port) && next > 7 ? 256 : next;
}

/* Records a whole bus before any bridge on it gets numbers, so that no stale range is left. */
static void scan_bus(struct walk *walk, uint8_t parent)
{
	struct pci_bus *bus = walk->bus;
	const struct pci_function *port = parent == PCI_BUS_ROOT ? NULL : &bus->functions[parent];
	unsigned number = walk->last_bus;
	unsigned reserve = 0;

	for (unsigned devfn = 0; devfn < 256;) {
		rid_t rid = {(uint16_t)(number << 8 | devfn)};
		bool present = is_present(bus, rid);
		unsigned extra = present ? scan_function(walk, parent, rid) : 0;

		reserve = extra > reserve ? extra : reserve;
		devfn = next_devfn(bus, port, rid, present);
	}
	if (number + reserve <= bus->host.bus_last) {
		walk->last_bus += reserve;
	} else {
		log_warn("bus %02x: no %u bus numbers left for its VFs", number, reserve);
	}
}

static void write_buses(const struct pci_bus *bus, const struct pci_function *bridge)
{
	pci_config_write32(bus, bridge->rid, PCI_BRIDGE_BUSES,
			   (uint32_t)bridge->subordinate << 16 | (uint32_t)bridge->secondary << 8 |
				   bridge->rid.v >> 8);
}

/* Everything not numbered yet goes below `bridge`, until close_bridge() knows better. */
static bool open_bridge(struct walk *walk, struct pci_function *bridge)
{
	char name[PCI_NAME_LENGTH];

	if (walk->last_bus == walk->bus->host.bus_last) {
		log_warn("%s: no bus number left; what is below stays unseen",
			 pci_name(bridge->rid, name));
		walk->status = walk->status ? walk->status : STATUS_NO_SPACE;
		return false;
	}
	bridge->secondary = (uint8_t)++walk->last_bus;
	bridge->subordinate = walk->bus->host.bus_last;
	write_buses(walk->bus, bridge);
	return true;
}

static void close_bridge(struct walk *walk, struct pci_function *bridge)
{
	bridge->subordinate = (uint8_t)walk->last_bus;
	write_buses(walk->bus, bridge);
}

/* The first bridge on `parent`'s bus at or after index `from`; PCI_BUS_ROOT when there is none. */
static uint8_t next_bridge(const struct pci_bus *bus, uint8_t parent, unsigned from)
{
	for (unsigned i = from; i < bus->function_count; i++) {
		if (bus->functions[i].parent == parent && pci_is_bridge(&bus->functions[i])) {
			return (uint8_t)i;
		}
	}
	return PCI_BUS_ROOT;
}

/* Each bridge is opened at most once and closed at most once, so this ends. */
static void walk_tree(struct walk *walk)
{
	struct pci_function *functions = walk->bus->functions;
	uint8_t parent = PCI_BUS_ROOT;
	unsigned from = 0;

	scan_bus(walk, parent);
	for (;;) {
		uint8_t bridge = next_bridge(walk->bus, parent, from);

		if (bridge != PCI_BUS_ROOT) {
			from = bridge + 1u;
			if (open_bridge(walk, &functions[bridge])) {
				scan_bus(walk, bridge);
				parent = bridge;
			}
		} else if (parent != PCI_BUS_ROOT) {
			close_bridge(walk, &functions[parent]);
			from = parent + 1u;
			parent = functions[parent].parent;
		} else {
			return;
		}
	}
}

static void report(const struct pci_bus *bus)
{
	char name[PCI_NAME_LENGTH];

	for (unsigned i = 0; i < bus->function_count; i++) {
		const struct pci_function *f = &bus->functions[i];

		log_info("%s: %04x:%04x class %06x, %u VFs, %u MSI-X%s", pci_name(f->rid, name),
			 f->vendor, f->device, f->class_revision >> 8, f->total_vfs,
			 f->msix_vectors,
			 f->behind_conventional_bridge ? ", behind a conventional bridge" : "");
	}
}

enum status pci_bus_enumerate(struct pci_bus *bus, const struct pci_host *host)
{
	struct walk walk = {.bus = bus, .last_bus = host->bus_first, .status = STATUS_OK};

	if (host->bus_first > host->bus_last || host->window_count > PCI_BUS_MAX_WINDOWS ||
	    host->ecam_size < MIB(host->bus_last - host->bus_first + 1)) {
		return STATUS_INVALID;
	}
	memset(bus, 0, sizeof(*bus));
	bus->host = *host;
	walk_tree(&walk);
	bus->bus_count = (uint8_t)(walk.last_bus - host->bus_first + 1);
	pci_assign(bus);
	report(bus);
	return walk.status;
}
