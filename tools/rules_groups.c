/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must go together, and what cannot change hands: isolation groups and resets. The hypervisor
 * refuses the same at boot (hv-glue/together.c).
 */
#include "rules.h"

/* How a config's device asks for a function of the machine, whole or one of its VFs. */
static int function_of(const struct device *device)
{
	return device->function >= 0 ? device->function : device->vf_of;
}

/* The device of a partition that has this function whole; any that names it when `whole` is false.
 */
static const struct device *asks_for(const struct partition *partition, int function, bool whole)
{
	for (unsigned i = 0; i < partition->device_count; i++) {
		const struct device *device = &partition->devices[i];

		if (function >= 0 && (whole ? device->function : function_of(device)) == function) {
			return device;
		}
	}
	return NULL;
}

/* A device of another partition that names this function; NULL: none. */
static const struct device *rival(const struct config *config, unsigned partition, int function)
{
	for (unsigned i = 0; i < config->partition_count; i++) {
		const struct device *found = asks_for(&config->partitions[i], function, false);

		if (i != partition && found) {
			return found;
		}
	}
	return NULL;
}

/* What of the group is not the partition's, as text; "" when all of it is. */
static const char *not_its_own(const struct config *config, unsigned partition,
			       const struct machine_device *found)
{
	const char *list = "";

	for (unsigned i = 0; i < config->machine.device_count; i++) {
		const struct machine_device *member = &config->machine.devices[i];
		const struct device *other = rival(config, partition, member->rid);

		if (member->group != found->group || !member->model || member->model->port ||
		    (!other && asks_for(&config->partitions[partition], member->rid, true))) {
			continue;
		}
		list = keep_printf("%s%s%s (%s), which %s has", list, *list ? "; " : "",
				   bdf_text(member->rid), member->name,
				   other ? other->path : "nobody");
	}
	return list;
}

/* What a reset of the bus `found` is on would hit of others; NULL: there is no such reset. */
static const char *bus_reset_hits(const struct config *config, unsigned partition,
				  const struct machine_device *found)
{
	const char *list = "";

	if (!found->parent || machine_is_expander(found->parent)) {
		return NULL;
	}
	for (unsigned i = 0; i < config->machine.device_count; i++) {
		const struct machine_device *other = &config->machine.devices[i];

		if (other == found || other->parent != found->parent || !other->model) {
			continue;
		}
		if (other->model->port || rival(config, partition, other->rid)) {
			list = keep_printf("%s%s%s (%s)", list, *list ? ", " : "",
					   bdf_text(other->rid), other->name);
		}
	}
	return list;
}

static void reset_rules(const struct config *config, unsigned partition,
			const struct device *device, const struct machine_device *found,
			struct report *report)
{
	const char *hits = bus_reset_hits(config, partition, found);

	if (device->function < 0 || found->model->flr || device->keep_without_reset ||
	    (hits && !*hits)) {
		return;
	}
	report_add(report, SEVERITY_RULE, device->path,
		   "%s (%s) has no function-level reset, and %s%s", bdf_text(found->rid),
		   found->model_name, hits ? "a reset of its bus would hit " : "its bus has none",
		   hits ? hits : "");
	report_fix(report,
		   "put it behind a port of its own, or add keep-without-reset;: it is then %s's "
		   "until the machine restarts",
		   config->partitions[partition].name);
}

void rules_check_group(const struct config *config, unsigned partition, const struct device *device,
		       struct report *report)
{
	const struct machine_device *found = machine_at(&config->machine, function_of(device));
	const char *others;

	if (!found || !found->model || found->model->port) {
		return;
	}
	if (device->keep_without_reset && device->function < 0) {
		report_add(report, SEVERITY_RULE, device->path, "a VF has a reset");
		report_fix(report, "remove keep-without-reset");
	}
	reset_rules(config, partition, device, found, report);
	if (!machine_shares_group(&config->machine, found)) {
		return; /* a PF and its VFs may have several owners: that is the card's to keep
			   apart */
	}
	others = not_its_own(config, partition, found);
	if (*others) {
		report_add(report, SEVERITY_RULE, device->path,
			   "%s is in one isolation group with %s", bdf_text(found->rid), others);
		report_fix(
			report,
			"give the whole group to %s, or put a pcie-root-port with ACS above each",
			config->partitions[partition].name);
	}
}
