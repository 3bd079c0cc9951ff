/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes sense about the virtual wires. */
#include "rules.h"

#include <string.h>

/* The end at `to`, unless the config gives it one: its own, marked as locally administered. */
static void derive_port_mac(struct wire *wire)
{
	if (!wire->has_port_mac) {
		memcpy(wire->port_mac, wire->mac, sizeof(wire->port_mac));
		wire->port_mac[0] |= 2;
		wire->port_mac[1] ^= 0x80;
	}
}

static void end_rules(const struct config *config, const struct wire *wire, struct report *report)
{
	const struct partition *from = &config->partitions[wire->from];
	const struct partition *to = wire->to < 0 ? NULL : &config->partitions[wire->to];

	if (!to) {
		report_add(report, SEVERITY_RULE, wire->path, "'to' names no partition%s%s",
			   wire->to_name ? ": " : "", wire->to_name ? wire->to_name : "");
		report_fix(report, "write the label or the name of the partition at the other end");
	} else if (to == from) {
		report_add(report, SEVERITY_RULE, wire->path, "a wire from %s to itself",
			   from->name);
		report_fix(report, "name another partition in 'to'");
	}
	if (from->pf_service || (to && to->pf_service)) {
		report_add(report, SEVERITY_RULE, wire->path,
			   "a PF service has no driver for a wire");
		report_fix(report, "take it to another partition");
	}
}

/* What somebody else has, neither end may have: they meet on the host's bridge. */
static void both_ends(const struct wire *wire, const char *path, const uint8_t mac[6],
		      struct report *report)
{
	rules_check_mac_twin(wire->path, wire->mac, path, mac, report);
	rules_check_mac_twin(wire->path, wire->port_mac, path, mac, report);
}

static void mac_rules(const struct config *config, const struct wire *wire, struct report *report)
{
	if (!wire->has_mac) {
		report_add(report, SEVERITY_RULE, wire->path, "it needs a MAC address");
		report_fix(report, "add mac-address = [52 54 00 ca 07 00];");
		return;
	}
	rules_check_mac(wire->path, wire->mac, report);
	if (wire->has_port_mac) {
		rules_check_mac(wire->path, wire->port_mac, report);
	}
	rules_check_mac_twin(wire->path, wire->port_mac, wire->path, wire->mac, report);
	for (const struct wire *w = config->wires; w != wire; w++) {
		rules_check_mac_twin(wire->path, wire->mac, w->path, w->mac, report);
		rules_check_mac_twin(wire->path, wire->mac, w->path, w->port_mac, report);
		if (memcmp(wire->mac, w->mac, sizeof(w->mac)) != 0) {
			rules_check_mac_twin(wire->path, wire->port_mac, w->path, w->mac, report);
			rules_check_mac_twin(wire->path, wire->port_mac, w->path, w->port_mac,
					     report);
		}
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		for (unsigned j = 0; j < config->partitions[i].device_count; j++) {
			const struct device *d = &config->partitions[i].devices[j];

			if (d->has_mac) {
				both_ends(wire, d->path, d->mac, report);
			}
		}
	}
	for (unsigned i = 0; i < config->machine.device_count; i++) {
		const struct machine_device *card = &config->machine.devices[i];

		if (card->has_mac) {
			both_ends(wire, card->path, card->mac, report);
		}
	}
}

void rules_check_wires(struct config *config, struct report *report)
{
	for (unsigned i = 0; i < config->wire_count; i++) {
		struct wire *wire = &config->wires[i];

		derive_port_mac(wire);
		end_rules(config, wire, report);
		mac_rules(config, wire, report);
		if (config->machine.its_off) {
			report_add(report, SEVERITY_RULE, wire->path,
				   "the machine has no ITS, so a wire cannot interrupt");
			report_fix(report, "remove its-off from /machine, or this wire");
		}
	}
	for (unsigned i = 0; i < config->partition_count; i++) {
		const struct partition *partition = &config->partitions[i];
		unsigned ends = config_wire_ends(config, i);

		if (ends && ends + partition->device_count > MAX_DEVICES) {
			report_add(report, SEVERITY_RULE, partition->path,
				   "%u devices and %u ends of wires", partition->device_count,
				   ends);
			report_fix(report, "a partition has at most %d of both together",
				   MAX_DEVICES);
		}
		if (partition->io_host && partition->pf_service) {
			report_add(report, SEVERITY_RULE, partition->path,
				   "it is both io-host and pf-service");
			report_fix(report, "remove one: a PF service hosts nothing");
		}
	}
	if (config->wires_left_out) {
		report_add(report, SEVERITY_RULE, "/partitions", "%u wires",
			   config->wire_count + config->wires_left_out);
		report_fix(report, "a machine has at most %d", MAX_WIRES);
	}
}
