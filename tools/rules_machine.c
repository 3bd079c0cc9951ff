/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes sense about the machine and its devices. */
#include "rules.h"

#include <string.h>

typedef unsigned long long ull;

/* igb's VFs are 16 and 17 slots further on its bus, which has 32. */
#define IGB_LAST_SLOT 14

static void machine_rules(const struct machine *machine, struct report *report)
{
	static const char path[] = "/machine";

	if (machine->has_cores && (machine->cores > MAX_CORES || machine->cores == 0)) {
		report_add(report, SEVERITY_RULE, path, "cores = <%u>", machine->cores);
		report_fix(report, "the hypervisor runs on 1 to %d", MAX_CORES);
	}
	if (machine->gic != 3 && machine->gic != 4) {
		report_add(report, SEVERITY_RULE, path, "gic = <%u> is not supported",
			   machine->gic);
		report_fix(report,
			   "use <4> (interrupts straight into the guest) or <3> (injected)");
	}
	if (machine->smmu_stage != 1 && machine->smmu_stage != 2) {
		report_add(report, SEVERITY_RULE, path, "smmu-stage = <%u>", machine->smmu_stage);
		report_fix(report, "use <2> (QEMU's SMMU as it is) or <1> (one without stage 2)");
	}
	if (machine->memory_size % BLOCK) {
		report_add(report, SEVERITY_RULE, path,
			   "memory-size 0x%llx is not a multiple of 2 MiB",
			   (ull)machine->memory_size);
		report_fix(report, "use 0x%llx", (ull)(machine->memory_size / BLOCK * BLOCK));
	}
	if (machine->has_memory_size && (machine->memory_size < MACHINE_MEMORY_MIN ||
					 machine->memory_size > MACHINE_MEMORY_MAX)) {
		report_add(report, SEVERITY_RULE, path, "memory-size 0x%llx is out of range",
			   (ull)machine->memory_size);
		report_fix(report, "use 0x%llx to 0x%llx (256 MiB to 255 GiB)", MACHINE_MEMORY_MIN,
			   MACHINE_MEMORY_MAX);
	}
}

/* --- the machine's devices ------------------------------------------------------------------ */

/* What may be behind what; NULL: nothing is wrong. */
static const char *misplaced(const struct machine_device *device)
{
	const struct machine_device *port = device->parent;
	uint8_t type = device->model->port ? device->model->express_type : PCI_EXPRESS_NONE;
	bool behind_switch = port && port->model->express_type == PCI_EXPRESS_UPSTREAM;
	bool on_root = !port || machine_is_expander(port);

	if (machine_is_expander(device) && port) {
		return "pxb-pcie belongs on the root bus: place it with at = \"0000:00:SS.0\";";
	}
	if (behind_switch != (type == PCI_EXPRESS_DOWNSTREAM)) {
		return "behind an x3130-upstream are xio3130-downstream, and they are nowhere else";
	}
	if (type == PCI_EXPRESS_ROOT_PORT && !on_root) {
		return "a root port cannot be behind another: place it with at = "
		       "\"0000:00:SS.0\";, or behind a pxb-pcie";
	}
	if (port && machine_is_expander(port) && !device->model->port) {
		return "QEMU takes nothing but ports behind a pxb-pcie: put a pcie-root-port "
		       "between";
	}
	if (type == PCI_EXPRESS_UPSTREAM && on_root) {
		return "a switch needs a port above it: put its x3130-upstream behind a "
		       "pcie-root-port";
	}
	if (port && pci_express_is_link(port->model->express_type) && device->slot) {
		return "a port has one slot: leave slot out";
	}
	if (port && port->model->express_type == PCI_EXPRESS_TO_PCI && !device->slot) {
		return "slot 0 behind a pcie-pci-bridge is its own: use slot = <1>; to <31>;";
	}
	return NULL;
}

static void bus_number_rules(const struct machine *machine, const struct machine_device *device,
			     struct report *report)
{
	if (!machine_is_expander(device)) {
		return;
	}
	if (device->bus_number == 0 || device->bus_number > 255) {
		report_add(report, SEVERITY_RULE, device->path, "bus-number = <%u>",
			   device->bus_number);
		report_fix(report, "a pxb-pcie needs a root bus of its own, 1 to 255");
	}
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *other = &machine->devices[i];
		bool twin = other > device && machine_is_expander(other) &&
			    other->bus_number == device->bus_number;

		if (twin || (other->secondary && other->secondary == (int)device->bus_number)) {
			report_add(report, SEVERITY_RULE, device->path,
				   "bus %02x is needed by %s too", device->bus_number, other->name);
			report_fix(report, "choose a higher bus-number");
			return;
		}
	}
}

static void slot_rules(const struct machine_device *device, struct report *report)
{
	const struct machine_device *port = device->parent;
	bool alone = port && pci_express_is_link(port->model->express_type);

	if (device->behind && (device->slot > 31 || device->function > 7)) {
		report_add(report, SEVERITY_RULE, device->path, "slot %u, function %u",
			   device->slot, device->function);
		report_fix(report, "slots are 0 to 31, functions 0 to 7");
	} else if (machine_makes_vfs(device) && !alone && device->devfn >> 3 > IGB_LAST_SLOT) {
		report_add(report, SEVERITY_RULE, device->path,
			   "in slot %02x there is no room for its VFs, 16 slots further",
			   (unsigned)device->devfn >> 3);
		report_fix(report, "use a slot up to 0e, or put it behind a port");
	} else if (!device->behind && (device->slot || device->function)) {
		report_add(report, SEVERITY_RULE, device->path,
			   "slot and function are for devices behind a port");
		report_fix(report, "write them in at = \"0000:00:SS.F\";");
	}
}

static void place_rules(struct machine *machine, const struct machine_device *device,
			struct report *report)
{
	const char *wrong = device->model ? misplaced(device) : NULL;

	if (device->has_at == (device->behind != NULL)) {
		report_add(report, SEVERITY_SHAPE, device->path, "%s",
			   device->behind ? "has both 'at' and 'behind'" : "has no place");
		report_fix(report, "write either at = \"0000:00:04.0\"; or behind = \"PORT\";");
	} else if (device->behind && !device->parent) {
		report_add(report, SEVERITY_SHAPE, device->path, "there is no port '%s'",
			   device->behind);
		report_fix(report, "add %s { model = \"pcie-root-port\"; at = \"0000:00:01.0\"; };",
			   device->behind);
	} else if (wrong) {
		report_add(report, SEVERITY_SHAPE, device->path, "cannot be there: %.*s",
			   (int)strcspn(wrong, ":"), wrong);
		report_fix(report, "%s", strchr(wrong, ':') ? strchr(wrong, ':') + 2 : "move it");
	} else if (device->at >= 0 && (device->at >> 8 || device->at >> 3 == 0)) {
		report_add(report, SEVERITY_RULE, device->path, "cannot be at %s",
			   bdf_text(device->at));
		report_fix(report, "use slot 01 to 1f of bus 00 (slot 00 is the host bridge; other "
				   "buses are behind ports)");
	} else if (device->devfn >= 0 && device->rid < 0 &&
		   !machine_at_place(machine, device->parent, device->devfn, device)) {
		report_add(report, SEVERITY_SHAPE, device->path,
			   "is behind itself, or behind too many ports");
		report_fix(report, "a chain of ports begins on the root bus");
	} else {
		slot_rules(device, report);
		bus_number_rules(machine, device, report);
	}
	if (device->devfn >= 0 && device->devfn & 7 &&
	    !machine_at_place(machine, device->parent, device->devfn & ~7, device)) {
		report_add(report, SEVERITY_RULE, device->path,
			   "function %d of a slot whose function 0 is empty", device->devfn & 7);
		report_fix(report, "nobody finds it: put something in function 0");
	}
}

/* Two devices in one place, or one in the slots another's VFs will take. */
static void neighbour_rules(const struct machine_device *device,
			    const struct machine_device *before, struct report *report)
{
	int slot = device->devfn >> 3, other = before->devfn >> 3;
	const struct machine_device *low = slot < other ? device : before;
	int apart = slot < other ? other - slot : slot - other;

	if (device->devfn < 0 || before->devfn < 0 || device->parent != before->parent) {
		return;
	}
	if (device->devfn == before->devfn && device->parent &&
	    pci_express_is_link(device->parent->model->express_type)) {
		report_add(report, SEVERITY_RULE, device->path, "behind '%s' is %s already",
			   device->behind, before->name);
		report_fix(report, "give each device a port of its own, or another function");
	} else if (device->devfn == before->devfn) {
		report_add(report, SEVERITY_RULE, device->path, "slot %02x is taken by %s",
			   (unsigned)slot, before->name);
		report_fix(report, "use another slot");
	} else if (machine_makes_vfs(low) && (apart == 16 || apart == 17)) {
		report_add(report, SEVERITY_RULE, device->path,
			   "%s and %s collide: one is in a slot of the other's VFs, 16 or 17 "
			   "further",
			   device->name, before->name);
		report_fix(report, "use another slot, or put one behind a port");
	} else if (machine_makes_vfs(device) && machine_makes_vfs(before) && apart == 1) {
		report_add(report, SEVERITY_RULE, device->path,
			   "the slots of %s and %s adjoin, so their VFs' slots overlap",
			   device->name, before->name);
		report_fix(report, "leave a slot between them, or put one behind a port");
	}
}

static void option_rules(const struct machine_device *device, struct report *report)
{
	if (device->acs_off && !(device->model->port && device->model->acs)) {
		report_add(report, SEVERITY_RULE, device->path, "%s has no ACS to turn off",
			   device->model_name);
		report_fix(report, "remove acs-off");
	}
	if (device->smmu_bypass && !machine_is_expander(device)) {
		report_add(report, SEVERITY_RULE, device->path, "%s has no root bus of its own",
			   device->model_name);
		report_fix(report, "smmu-bypass is for a pxb-pcie, or for /machine");
	}
	if (device->bus_number && !machine_is_expander(device)) {
		report_add(report, SEVERITY_RULE, device->path, "%s gets its bus number",
			   device->model_name);
		report_fix(report, "bus-number is for a pxb-pcie");
	}
}

static void model_rules(const struct machine_device *device, struct report *report)
{
	if (!device->model) {
		if (device->model_name) {
			report_add(report, SEVERITY_SHAPE, device->path, "unknown model \"%s\"",
				   device->model_name);
			report_fix(report, "known are %s", machine_model_names());
		}
		return;
	}
	option_rules(device, report);
	if (!device->model->network && (device->has_mac || device->network)) {
		report_add(report, SEVERITY_RULE, device->path, "%s is no network device",
			   device->model_name);
		report_fix(report, "remove mac-address and network");
	}
	if (!device->model->disk && device->disk) {
		report_add(report, SEVERITY_RULE, device->path, "%s is no disk",
			   device->model_name);
		report_fix(report, "remove disk");
	}
	if (device->network && strcmp(device->network, "none") != 0 &&
	    strcmp(device->network, "lan") != 0 && strcmp(device->network, "external") != 0) {
		report_add(report, SEVERITY_RULE, device->path, "unknown network \"%s\"",
			   device->network);
		report_fix(report, "use \"none\", \"lan\" for a cable that all such cards share, "
				   "or \"external\" for 'causeway run --external'");
	}
	if (device->has_total_vfs &&
	    (device->total_vfs == 0 || device->total_vfs > device->model->vfs)) {
		report_add(report, SEVERITY_RULE, device->path, "total-vfs = <%u>",
			   device->total_vfs);
		if (device->model->vfs) {
			report_fix(report, "%s has 1 to %u", device->model_name,
				   device->model->vfs);
		} else {
			report_fix(report, "remove it: %s makes no VFs", device->model_name);
		}
	}
}

static void device_rules(struct machine *machine, struct report *report)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		model_rules(device, report);
		place_rules(machine, device, report);
		if (device->has_mac) {
			rules_check_mac(device->path, device->mac, report);
		}
		for (unsigned j = 0; j < i; j++) {
			const struct machine_device *before = &machine->devices[j];

			neighbour_rules(device, before, report);
			if (device->disk && before->disk &&
			    strcmp(device->disk, before->disk) == 0) {
				report_add(report, SEVERITY_RULE, device->path,
					   "disk \"%s\" is that of %s too", device->disk,
					   before->path);
				report_fix(report, "give each a file of its own");
			}
			if (device->has_mac && before->has_mac) {
				rules_check_mac_twin(device->path, device->mac, before->path,
						     before->mac, report);
			}
		}
	}
	if (machine->devices_left_out) {
		report_add(report, SEVERITY_RULE, "/machine/devices", "%u devices",
			   machine->device_count + machine->devices_left_out);
		report_fix(report, "a machine has at most %d", MAX_MACHINE_DEVICES);
	}
}

void rules_check_machine(struct machine *machine, struct report *report)
{
	machine_rules(machine, report);
	device_rules(machine, report);
}
