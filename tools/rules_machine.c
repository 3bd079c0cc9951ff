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

static void place_rules(struct machine *machine, const struct machine_device *device,
			struct report *report)
{
	const struct machine_device *port =
		device->behind ? machine_find(machine, device->behind) : NULL;

	if (device->has_at == (device->behind != NULL)) {
		report_add(report, SEVERITY_SHAPE, device->path, "%s",
			   device->behind ? "has both 'at' and 'behind'" : "has no place");
		report_fix(report, "write either at = \"0000:00:04.0\"; or behind = \"PORT\";");
	} else if (device->behind && (!port || (port->model && !port->model->port))) {
		report_add(report, SEVERITY_RULE, device->path, "there is no port '%s'",
			   device->behind);
		report_fix(report, "add %s { model = \"pcie-root-port\"; at = \"0000:00:01.0\"; };",
			   device->behind);
	} else if (device->behind && device->model && device->model->port) {
		report_add(report, SEVERITY_RULE, device->path,
			   "a root port cannot be behind another");
		report_fix(report, "place it with at = \"0000:00:SS.0\";");
	} else if (device->at >= 0 && (device->at >> 8 || device->at & 7 || device->at == 0)) {
		report_add(report, SEVERITY_RULE, device->path, "cannot be at %s",
			   bdf_text(device->at));
		report_fix(report, "use function 0 of a slot 01 to 1f of bus 00 (slot 00 is the "
				   "host bridge; other buses are behind ports)");
	} else if (machine_makes_vfs(device) && device->slot > IGB_LAST_SLOT) {
		report_add(report, SEVERITY_RULE, device->path,
			   "in slot %02x there is no room for its VFs, 16 slots further",
			   (unsigned)device->slot);
		report_fix(report, "use a slot up to 0e, or put it behind a port");
	}
}

/* Two devices in one place, or one in the slots another's VFs will take. */
static void neighbour_rules(const struct machine_device *device,
			    const struct machine_device *before, struct report *report)
{
	const struct machine_device *low = device->slot < before->slot ? device : before;
	int apart = device->slot < before->slot ? before->slot - device->slot
						: device->slot - before->slot;

	if (device->behind && before->behind && strcmp(device->behind, before->behind) == 0) {
		report_add(report, SEVERITY_RULE, device->path, "behind '%s' is %s already",
			   device->behind, before->name);
		report_fix(report, "give each device a port of its own");
	} else if (device->slot < 0 || before->slot < 0) {
		return;
	} else if (apart == 0) {
		report_add(report, SEVERITY_RULE, device->path, "slot %02x is taken by %s",
			   (unsigned)device->slot, before->name);
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
	unsigned external = 0;

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
			if (device->has_mac && before->has_mac) {
				rules_check_mac_twin(device->path, device->mac, before->path,
						     before->mac, report);
			}
		}
		external += device->network && strcmp(device->network, "external") == 0;
	}
	if (external > 1) {
		report_add(report, SEVERITY_RULE, "/machine/devices",
			   "%u devices have network = \"external\"", external);
		report_fix(report, "only one can have it");
	}
	if (machine->devices_left_out) {
		report_add(report, SEVERITY_RULE, "/machine/devices", "%u devices",
			   machine->device_count + machine->devices_left_out);
		report_fix(report, "the root bus has room for %d", MAX_MACHINE_DEVICES - 1);
	}
}

void rules_check_machine(struct machine *machine, struct report *report)
{
	machine_rules(machine, report);
	device_rules(machine, report);
}
