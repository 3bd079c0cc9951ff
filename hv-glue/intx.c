/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INTx. A line is one partition's alone: who holds it down stops all that hear of it. What the
 * config says decides, not who comes first:
 * - All functions on a line that anybody was given are of one partition: each of them has INTx.
 * - Else those that can do with messages, and be told to leave the line alone, do.
 * - Of those that cannot, all must be of one partition: they have INTx, else nobody gets them.
 */
#include "assignment.h"

static bool needs_line(const struct pci_function *f)
{
	return !f->intx_stoppable || (!f->caps.msi && !f->msix_vectors);
}

/*
 * A function of another partition on the same line, one that needs it if there is; or one of its
 * own whose interrupt is another, but would be the same line of the guest.
 */
static const struct pci_function *find_rival(const struct assignment *a, partition_id_t *owner)
{
	const struct pci_function *rival = NULL;

	for (unsigned n = 0; n < HV_MAX_PARTITIONS * HV_MAX_DEVICES; n++) {
		const struct partition_side *side = &glue.sides[n / HV_MAX_DEVICES];
		const struct assignment *b = &side->assignments[n % HV_MAX_DEVICES];
		const struct pci_function *f;
		intid_t line;

		if (n % HV_MAX_DEVICES >= side->count || b->request->wants_vf) {
			continue;
		}
		f = pci_bus_find(&glue.bus, b->request->function);
		if (f && pci_bus_line(&glue.bus, f, &line) &&
		    line.v % GUEST_INTX_LINES == a->line.v % GUEST_INTX_LINES &&
		    partition_is(b->owner, a->owner) == (line.v != a->line.v) &&
		    (!rival || needs_line(f))) {
			rival = f;
			*owner = b->owner;
		}
	}
	return rival;
}

enum status intx_offer(struct assignment *a)
{
	partition_id_t owner = PARTITION_NONE;
	char name[PCI_NAME_LENGTH];
	const struct pci_function *rival;

	if (a->request->wants_vf || !pci_bus_line(&glue.bus, a->function, &a->line)) {
		return STATUS_OK;
	}
	rival = find_rival(a, &owner);
	if (rival && needs_line(rival) && needs_line(a->function)) {
		return assignment_refuse(
			a, STATUS_UNSUPPORTED,
			"it shares interrupt line %u with %s of %s, and neither can "
			"do without; give both to one partition, or move one",
			a->line.v, pci_name(rival->rid, name), hv_partition_name(owner));
	}
	if (!rival || needs_line(a->function)) {
		/* The pin that leads to this line from its slot in the guest. */
		a->identity.interrupt_pin = (uint8_t)((a->line.v - a->slot) % GUEST_INTX_LINES + 1);
	}
	return STATUS_OK;
}
