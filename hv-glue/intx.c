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
	return !f->intx_stoppable || (!f->caps.msi && !f->caps.msix_vectors);
}

/*
 * A function of another partition on the same line, one that needs it if there is; or one of its
 * own whose interrupt is another, but would be the same line of the guest.
 */
static const struct assignment *find_rival(const struct assignment *a)
{
	const struct assignment *rival = NULL;

	for (unsigned n = 0; n < glue.assignment_count; n++) {
		const struct assignment *b = &glue.assignments[n];
		intid_t line;

		if (b->function && !b->request->wants_vf &&
		    pci_bus_line(&glue.bus, b->function, &line) &&
		    line.v % GUEST_INTX_LINES == a->line.v % GUEST_INTX_LINES &&
		    partition_is(b->owner, a->owner) == (line.v != a->line.v) &&
		    (!rival || needs_line(b->function))) {
			rival = b;
		}
	}
	return rival;
}

bool intx_offer(struct assignment *a)
{
	const struct assignment *rival;

	if (a->vf || !pci_bus_line(&glue.bus, a->function, &a->line)) {
		return true;
	}
	rival = find_rival(a);
	if (!rival || needs_line(a->function)) {
		/* The pin that leads to this line from its slot in the guest. */
		a->identity.interrupt_pin = (uint8_t)((a->line.v - a->slot) % GUEST_INTX_LINES + 1);
	}
	return !rival || !needs_line(rival->function) || !needs_line(a->function) ||
	       assignment_error(a,
				"refused: it shares interrupt line %u with %s of %s, and neither "
				"can do without; give both to one partition, or move one",
				a->line.v, pci_name(rival->request->function),
				hv_partition_name(rival->owner));
}
