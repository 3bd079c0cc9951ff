/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct or hosted: the one place that decides. A device of its own, by default; a wire to the
 * partition that owns the adapter when the config says so, or when it leaves the choice to us and
 * no VF is free.
 */
#include "rules.h"

#include <string.h>

struct wire *config_add_wire(struct config *config)
{
	if (config->wire_count == MAX_WIRES) {
		config->wires_left_out++;
		return NULL;
	}
	return &config->wires[config->wire_count++];
}

unsigned config_wire_ends(const struct config *config, unsigned partition)
{
	unsigned ends = 0;

	for (unsigned i = 0; i < config->wire_count; i++) {
		ends += config->wires[i].from == partition;
		ends += config->wires[i].to == (int)partition;
	}
	return ends;
}

static int partition_named(const struct config *config, const char *name)
{
	for (unsigned i = 0; name && i < config->partition_count; i++) {
		if (strcmp(config->partitions[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* The partition that has the whole function for itself; -1: nobody. */
static int owner_of(const struct config *config, int function)
{
	for (unsigned i = 0; i < config->partition_count; i++) {
		for (unsigned j = 0; j < config->partitions[i].device_count; j++) {
			const struct device *device = &config->partitions[i].devices[j];

			if (function >= 0 && device->function == function &&
			    device->way == PATH_DIRECT) {
				return (int)i;
			}
		}
	}
	return -1;
}

static bool vf_is_taken(const struct config *config, int pf, uint32_t index)
{
	for (unsigned i = 0; i < config->partition_count; i++) {
		for (unsigned j = 0; j < config->partitions[i].device_count; j++) {
			const struct device *device = &config->partitions[i].devices[j];

			if (device->vf_of == pf && device->way == PATH_DIRECT &&
			    device->has_index && device->index == index) {
				return true;
			}
		}
	}
	return false;
}

/* The lowest VF of the adapter that nobody has; -1: none is left, or a service does not drive it.
 */
static int free_vf(struct config *config, const struct device *device)
{
	const struct machine_device *pf = machine_at(&config->machine, device->vf_of);
	int owner = owner_of(config, device->vf_of);
	uint32_t usable = pf && pf->model ? pf->model->usable_vfs : 0;

	if (owner < 0 || !config->partitions[owner].pf_service) {
		return -1;
	}
	for (uint32_t index = 0; index < usable && index < pf->total_vfs; index++) {
		if (!vf_is_taken(config, device->vf_of, index)) {
			return (int)index;
		}
	}
	return -1;
}

/* Who hosts it; -1 after saying why nobody does. */
static int host_of(struct config *config, const struct device *device, struct report *report)
{
	int adapter = device->vf_of >= 0 ? device->vf_of : device->function;
	int host = device->has_to ? partition_named(config, device->to) : owner_of(config, adapter);
	const char *no_vf = device->way == PATH_AUTO ? "no VF is free, and " : "";

	if (host < 0) {
		report_add(report, SEVERITY_RULE, device->path,
			   device->has_to ? "%s'to' names no partition%s%s"
					  : "%snobody owns %s, so nobody can host it%s",
			   no_vf,
			   !device->has_to ? bdf_text(adapter)
			   : device->to	   ? ": "
					   : "",
			   device->has_to && device->to ? device->to : "");
		report_fix(
			report,
			device->has_to
				? "write the label or name of a partition that is marked io-host"
				: "give function = \"%s\"; to a partition that is marked io-host, "
				  "or name a host with to = <&NAME>;",
			bdf_text(adapter));
	} else if (!config->partitions[host].io_host) {
		report_add(report, SEVERITY_RULE, device->path,
			   "%s%s, which would host it, is not marked io-host", no_vf,
			   config->partitions[host].path);
		report_fix(report,
			   config->partitions[host].pf_service
				   ? "a PF service hosts nothing: name a host with to = <&NAME>;"
				   : "add io-host; there, or name another with to = <&NAME>;");
		host = -1;
	}
	return host;
}

/* The device becomes a wire. */
static void host(struct config *config, unsigned partition, const struct device *device, int to)
{
	struct wire *wire = config_add_wire(config);

	if (wire) {
		*wire = (struct wire){
			.path = device->path,
			.name = device->name,
			.why = device->way == PATH_AUTO ? "no-vf-free" : "asked",
			.from = partition,
			.to = to,
			.to_name = config->partitions[to].name,
			.has_mac = device->has_mac,
		};
		memcpy(wire->mac, device->mac, sizeof(wire->mac));
	}
}

/* Properties that say nothing on this path. */
static void idle_properties(const struct device *device, struct report *report)
{
	bool direct = device->way == PATH_DIRECT;

	if (direct && device->has_to) {
		report_add(report, SEVERITY_RULE, device->path,
			   "'to' is for path = \"hosted\" or \"auto\"");
		report_fix(report, "remove it, or add path = \"hosted\";");
	}
	if (!direct && (device->has_index || device->has_vlan)) {
		report_add(report, SEVERITY_RULE, device->path,
			   "index and vlan are for path = \"direct\"");
		report_fix(report, "remove them: the VF is chosen, and a wire has no VLAN");
	}
	if (!direct && device->keep_without_reset) {
		report_add(report, SEVERITY_RULE, device->path,
			   "keep-without-reset is for path = \"direct\"");
		report_fix(report, "remove it: a VF has a reset, and a wire needs none");
	}
}

/* The adapter that is to be hosted, or whose VF is wanted, must be one. False after saying so. */
static bool adapter_is_sound(struct config *config, const struct device *device,
			     struct report *report)
{
	int adapter = device->vf_of >= 0 ? device->vf_of : device->function;
	const struct machine_device *found = rules_given_device(config, device, adapter, report);

	if (!found || !found->model) {
		return false; /* said, or the machine's rules will */
	}
	if (device->has_vf_of && !found->model->vfs) {
		report_add(report, SEVERITY_RULE, device->path, "%s (%s) makes no VFs",
			   bdf_text(adapter), found->model->name);
		report_fix(report, "write function instead of vf-of, and path = \"hosted\";");
		return false;
	}
	if (device->way == PATH_AUTO && !device->has_vf_of) {
		report_add(report, SEVERITY_RULE, device->path,
			   "path = \"auto\" looks for a free VF, and function names no PF");
		report_fix(report, "write vf-of = \"%s\"; if that makes VFs, or path = \"hosted\";",
			   bdf_text(adapter));
		return false;
	}
	return true;
}

/* True: it is a device of its partition's own, or its fault is still to be said. */
static bool decide(struct config *config, unsigned partition, struct device *device,
		   struct report *report)
{
	int vf = -1, to;

	if (device->way == PATH_UNKNOWN) {
		return false; /* schema_check() has said so, and nothing else can be */
	}
	idle_properties(device, report);
	if (device->way == PATH_DIRECT || device->has_function == device->has_vf_of ||
	    (device->function < 0 && device->vf_of < 0)) {
		return true; /* rules_check() says what is wrong, as schema_check() of an address */
	}
	if (!adapter_is_sound(config, device, report)) {
		device->way = PATH_UNKNOWN;
		return false;
	}
	if (device->way == PATH_AUTO) {
		vf = free_vf(config, device);
	}
	if (vf >= 0) {
		device->way = PATH_DIRECT;
		device->chosen = device->has_index = true;
		device->index = (uint32_t)vf;
		return true;
	}
	to = host_of(config, device, report);
	if (to < 0) {
		device->way = PATH_UNKNOWN;
		return false;
	}
	host(config, partition, device, to);
	return false;
}

/*
 * In the order of their partitions, as the ports of a host are, whether they were wires or devices;
 * of one partition the wires come first.
 */
static void sort_wires(struct config *config)
{
	for (unsigned i = 1; i < config->wire_count; i++) {
		struct wire wire = config->wires[i];
		unsigned at = i;

		for (; at > 0 && config->wires[at - 1].from > wire.from; at--) {
			config->wires[at] = config->wires[at - 1];
		}
		config->wires[at] = wire;
	}
}

void paths_decide(struct config *config, struct report *report)
{
	for (unsigned i = 0; i < config->wire_count; i++) {
		config->wires[i].to = partition_named(config, config->wires[i].to_name);
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		struct partition *partition = &config->partitions[i];

		for (unsigned j = 0; j < partition->device_count;) {
			if (decide(config, i, &partition->devices[j], report)) {
				j++;
				continue;
			}
			partition->device_count--;
			memmove(&partition->devices[j], &partition->devices[j + 1],
				(partition->device_count - j) * sizeof(struct device));
		}
	}
	sort_wires(config);
}
