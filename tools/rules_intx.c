/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INTx: functions that have nothing else and share a line must be one partition's. The hypervisor
 * says so too (hv-glue/intx.c); what QEMU's `virt` does with the lines is written down here.
 */
#include "rules.h"

#define FIRST_INTID 35
#define LINES	    4

/* All models use pin A. Bridges swizzle it by slot (a link has slot 0), and so does the root bus.
 */
static int line_of(const struct machine_device *device)
{
	int line = device->devfn >> 3;

	if (device->parent && device->parent->model->express_type == PCI_EXPRESS_NONE) {
		return line % LINES; /* an expander's bus is a root bus */
	}
	if (device->parent) {
		bool link = device->parent->model->express_type == PCI_EXPRESS_ROOT_PORT ||
			    device->parent->model->express_type == PCI_EXPRESS_DOWNSTREAM;

		line = (link ? 0 : line) + line_of(device->parent);
	}
	return line % LINES;
}

/* The function a device of a partition is, when it has INTx only; NULL: it can do without. */
static const struct machine_device *needs_line(struct config *config, const struct device *device)
{
	const struct machine_device *found = machine_at(&config->machine, device->function);

	return found && found->model && found->model->intx_only && found->devfn >= 0 ? found : NULL;
}

void rules_check_intx(struct config *config, unsigned index, const struct device *device,
		      struct report *report)
{
	const struct machine_device *own = needs_line(config, device);

	for (unsigned p = 0; own && p < config->partition_count; p++) {
		const struct partition *other = &config->partitions[p];

		for (unsigned i = 0; p != index && i < other->device_count; i++) {
			const struct machine_device *rival = needs_line(config, &other->devices[i]);

			if (rival && line_of(rival) == line_of(own)) {
				report_add(report, SEVERITY_RULE, device->path,
					   "%s shares interrupt line %d with %s of %s, and neither "
					   "can do without",
					   bdf_text(own->rid), FIRST_INTID + line_of(own),
					   bdf_text(rival->rid), other->name);
				report_fix(report, "give both to one partition, or move one to "
						   "another slot");
			}
		}
	}
}
