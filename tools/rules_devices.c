/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes sense about the devices of the partitions. */
#include "rules.h"

#include <string.h>

/* Where igb's VFs are, counted from the PF. */
#define VF_OFFSET 0x80
#define VF_STRIDE 2

/* --- MAC addresses -------------------------------------------------------------------------- */

void rules_check_mac(const char *path, const uint8_t mac[6], struct report *report)
{
	static const uint8_t zero[6];

	if (memcmp(mac, zero, 6) == 0) {
		report_add(report, SEVERITY_RULE, path, "the MAC address is zero");
		report_fix(report, "choose one, for example [52 54 00 ca 05 00]");
	} else if (mac[0] & 1) {
		report_add(report, SEVERITY_RULE, path, "MAC address %s is a group's (multicast)",
			   mac_text(mac));
		report_fix(report, "clear the lowest bit of the first byte: %02x", mac[0] & 0xfe);
	}
}

void rules_check_mac_twin(const char *path, const uint8_t mac[6], const char *other_path,
			  const uint8_t other[6], struct report *report)
{
	if (memcmp(mac, other, 6) == 0) {
		report_add(report, SEVERITY_RULE, path, "MAC address %s is that of %s too",
			   mac_text(mac), other_path);
		report_fix(report, "choose another");
	}
}

/* --- the partitions' devices ---------------------------------------------------------------- */

static const struct partition *function_owner(const struct config *config, int function)
{
	for (unsigned i = 0; i < config->partition_count; i++) {
		for (unsigned j = 0; j < config->partitions[i].device_count; j++) {
			if (config->partitions[i].devices[j].function == function) {
				return &config->partitions[i];
			}
		}
	}
	return NULL;
}

static const char *machine_functions(const struct machine *machine)
{
	const char *list = "";

	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		if (device->rid >= 0 && device->model && !device->model->port) {
			list = keep_printf("%s%s%s (%s)", list, *list ? ", " : "",
					   bdf_text(device->rid), device->name);
		}
	}
	return *list ? keep_printf("the machine has %s", list)
		     : "the machine has none: add it to /machine/devices";
}

/* The PF one of whose VFs has this address; NULL: it is no VF's. */
static const struct machine_device *pf_of(const struct machine *machine, int function)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];
		int first = device->rid + VF_OFFSET;

		if (machine_makes_vfs(device) && device->rid >= 0 && function >= first &&
		    function < first + VF_STRIDE * (int)device->model->vfs &&
		    (function - first) % VF_STRIDE == 0) {
			return device;
		}
	}
	return NULL;
}

static void report_no_device(const struct machine *machine, const struct device *device,
			     int function, struct report *report)
{
	const struct machine_device *pf = pf_of(machine, function);

	if (pf) {
		report_add(report, SEVERITY_RULE, device->path, "%s is a VF of %s",
			   bdf_text(function), pf->name);
		report_fix(report, "write vf-of = \"%s\"; index = <%d>; and its mac-address",
			   bdf_text(pf->rid), (function - pf->rid - VF_OFFSET) / VF_STRIDE);
	} else {
		report_add(report, SEVERITY_RULE, device->path, "the machine has no device at %s",
			   bdf_text(function));
		report_fix(report, "%s", machine_functions(machine));
	}
}

const struct machine_device *rules_given_device(struct config *config, const struct device *device,
						int function, struct report *report)
{
	struct machine *machine = &config->machine;
	const struct machine_device *found = machine_at(machine, function);

	if (!found) {
		report_no_device(machine, device, function, report);
	} else if (found->model && found->model->port) {
		report_add(report, SEVERITY_RULE, device->path,
			   "%s is a port, which no partition can own", bdf_text(function));
		report_fix(report, "give the device behind it; %s", machine_functions(machine));
		return NULL;
	}
	return found;
}

static void isolation_rules(struct machine *machine, const struct device *device,
			    struct report *report)
{
	const struct machine_device *found =
		machine_at(machine, device->function >= 0 ? device->function : device->vf_of);
	const char *bypass = machine_bypass(machine, found);

	if (machine->smmu_off || bypass) {
		report_add(report, SEVERITY_RULE, device->path,
			   machine->smmu_off
				   ? "the machine has no SMMU, so nothing can fence its DMA"
				   : "its bus bypasses the SMMU, so nothing can fence its DMA");
		report_fix(report, "remove %s, or this device",
			   machine->smmu_off ? "smmu-off from /machine" : bypass);
	}
	if (machine->its_off) {
		report_add(report, SEVERITY_RULE, device->path,
			   "the machine has no ITS, so its interrupts cannot reach the partition");
		report_fix(report, "remove its-off from /machine, or this device");
	}
}

static void function_rules(struct config *config, const struct device *device,
			   struct report *report)
{
	rules_given_device(config, device, device->function, report);
	if (device->has_index || device->has_mac || device->has_vlan) {
		report_add(report, SEVERITY_RULE, device->path,
			   "index, mac-address and vlan are for VFs");
		report_fix(report, "remove them, or write vf-of instead of function");
	}
}

static void vf_index_rules(const struct machine_device *pf, const struct device *device,
			   struct report *report)
{
	uint32_t usable = pf->model ? pf->model->usable_vfs : 0;

	if (!device->has_index || !pf->model) {
		return;
	}
	if (device->index >= pf->total_vfs) {
		report_add(report, SEVERITY_RULE, device->path, "index %u, but %s has %u VFs",
			   device->index, pf->name, pf->total_vfs);
		report_fix(report, "use 0 to %u",
			   (pf->total_vfs < usable ? pf->total_vfs : usable) - 1);
	} else if (device->index >= usable) {
		report_add(report, SEVERITY_RULE, device->path,
			   "index %u: of the %u VFs of %s only %u can be used, as its queue pairs "
			   "are shared out to VFs and the PF must keep one",
			   device->index, pf->model->vfs, pf->model->name, usable);
		report_fix(report, "use 0 to %u", usable - 1);
	}
}

static void vf_owner_rules(const struct config *config, const struct device *device,
			   struct report *report)
{
	const struct partition *owner = function_owner(config, device->vf_of);

	if (!owner) {
		report_add(
			report, SEVERITY_RULE, device->path,
			"nobody owns the PF %s: a VF works only while a PF service drives its PF",
			bdf_text(device->vf_of));
		report_fix(report,
			   "add a partition with pf-service; and devices { nic { function = "
			   "\"%s\"; }; };",
			   bdf_text(device->vf_of));
	} else if (!owner->pf_service) {
		report_add(report, SEVERITY_RULE, device->path,
			   "the PF %s belongs to %s, which is not a PF service",
			   bdf_text(device->vf_of), owner->path);
		report_fix(report,
			   "mark that partition with pf-service if it is one; a function is given "
			   "away either whole or as VFs");
	}
}

static void vf_rules(struct config *config, const struct device *device, struct report *report)
{
	const struct machine_device *pf = rules_given_device(config, device, device->vf_of, report);

	if (pf && pf->model && !pf->model->vfs) {
		report_add(report, SEVERITY_RULE, device->path, "%s (%s) makes no VFs",
			   bdf_text(device->vf_of), pf->model->name);
		report_fix(report, "write function instead of vf-of");
	} else if (pf) {
		vf_index_rules(pf, device, report);
		vf_owner_rules(config, device, report);
	}
	if (!device->has_index) {
		report_add(report, SEVERITY_RULE, device->path, "a VF needs its index");
		report_fix(report, "add index = <0>;");
	}
	if (device->has_mac) {
		rules_check_mac(device->path, device->mac, report);
	} else {
		report_add(report, SEVERITY_RULE, device->path, "a VF needs a MAC address");
		report_fix(report, "add mac-address = [52 54 00 ca 05 00];");
	}
	if (device->vlan > 4094) {
		report_add(report, SEVERITY_RULE, device->path, "vlan %u", device->vlan);
		report_fix(report, "use 1 to 4094, or 0 for none");
	}
}

/* What this device and one listed before it must not share. */
static void twin_rules(const struct device *device, const struct device *before,
		       struct report *report)
{
	if (device->function >= 0 && device->function == before->function) {
		report_add(report, SEVERITY_RULE, device->path,
			   "function %s is given to %s already", bdf_text(device->function),
			   before->path);
		report_fix(report, "a function has one owner: remove one");
	}
	if (device->vf_of >= 0 && device->vf_of == before->vf_of && device->has_index &&
	    before->has_index && device->index == before->index) {
		report_add(report, SEVERITY_RULE, device->path,
			   "VF %u of %s is given to %s already", device->index,
			   bdf_text(device->vf_of), before->path);
		report_fix(report, "use another index");
	}
	if (device->vf_of >= 0 && before->vf_of >= 0 && device->has_mac && before->has_mac) {
		rules_check_mac_twin(device->path, device->mac, before->path, before->mac, report);
	}
}

static void check_device(struct config *config, unsigned index, const struct device *device,
			 struct report *report)
{
	if (device->has_function == device->has_vf_of) {
		report_add(report, SEVERITY_SHAPE, device->path, "%s",
			   device->has_function ? "has both function and vf-of"
						: "names no function");
		report_fix(report, "write function = \"0000:BB:DD.F\"; for a whole function, or "
				   "vf-of = \"0000:BB:DD.F\"; for a VF of that PF");
		return;
	}
	isolation_rules(&config->machine, device, report);
	if (device->function >= 0) {
		function_rules(config, device, report);
	} else if (device->vf_of >= 0) {
		vf_rules(config, device, report);
	}
	rules_check_group(config, index, device, report);
	for (unsigned i = 0; i <= index; i++) {
		const struct partition *other = &config->partitions[i];

		for (unsigned j = 0; j < other->device_count && &other->devices[j] != device; j++) {
			twin_rules(device, &other->devices[j], report);
		}
	}
	for (unsigned i = 0; device->vf_of >= 0 && i < config->machine.device_count; i++) {
		const struct machine_device *nic = &config->machine.devices[i];

		if (device->has_mac && nic->has_mac) {
			rules_check_mac_twin(device->path, device->mac, nic->path, nic->mac,
					     report);
		}
	}
}

static void service_rules(struct config *config, const struct partition *partition,
			  struct report *report)
{
	unsigned pfs = 0;

	for (unsigned i = 0; i < partition->device_count; i++) {
		const struct machine_device *device =
			machine_at(&config->machine, partition->devices[i].function);

		pfs += device && machine_makes_vfs(device);
	}
	if (pfs != 1) {
		report_add(report, SEVERITY_RULE, partition->path,
			   "a PF service owns exactly one PF, this one owns %u", pfs);
		report_fix(
			report, "%s",
			pfs ? "use one service for each PF"
			    : "add devices { nic { function = \"0000:BB:DD.F\"; }; };, or remove "
			      "pf-service");
	}
}

void rules_check_devices(struct config *config, unsigned index, struct report *report)
{
	const struct partition *partition = &config->partitions[index];

	for (unsigned i = 0; i < partition->device_count; i++) {
		check_device(config, index, &partition->devices[i], report);
		rules_check_intx(config, index, &partition->devices[i], report);
	}
	if (partition->pf_service) {
		service_rules(config, partition, report);
	}
	if (partition->devices_left_out) {
		report_add(report, SEVERITY_RULE, partition->path, "%u devices",
			   partition->device_count + partition->devices_left_out);
		report_fix(report, "a partition has at most %d", MAX_DEVICES);
	}
}
