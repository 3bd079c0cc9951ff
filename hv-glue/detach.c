/* SPDX-License-Identifier: BSD-2-Clause */
/* attach.c backwards: hide it → unroute its vectors → abort its stream → reset → nobody's. */
#include "assignment.h"

static void keep_quarantined(struct assignment *a, const char *why, enum status status)
{
	a->stuck = true;
	assignment_quarantine(a);
	assignment_error(a, "%s: %s; it stays quarantined until the machine restarts", why,
			 status_name(status));
}

void detach_close(struct assignment *a)
{
	enum status vectors = STATUS_OK, stream = STATUS_OK;

	if (!a->attached) {
		return;
	}
	a->attached = false;
	pci_virt_remove(&glue.sides[a->owner.v].bridge, a->slot);
	assignment_unmap_bars(a, PCI_BUS_BARS);
	if (!assignment_twin(a)) { /* the last of them; unconfirmed, the stream stays taken */
		vectors = irq_device_unbind(&glue.sides[a->owner.v].irq, a->device, hv_pause);
		stream = iommu_detach(a->stream, &a->tables, a->owner);
	}
	a->closed = vectors == STATUS_OK && stream == STATUS_OK;
	if (stream != STATUS_OK) {
		keep_quarantined(a, "its stream is not confirmed aborting", stream);
	} else if (vectors != STATUS_OK) {
		keep_quarantined(a, "its vectors are not confirmed gone", vectors);
	}
}

void detach_release(struct assignment *a)
{
	enum status status;

	if (!a->closed) {
		return;
	}
	a->closed = false;
	/* What its owner left in it is gone before it is nobody's; else it stays that owner's. */
	status = a->vf ? vf_quarantine(a->pool, a->vf, a->owner) : STATUS_OK;
	if (status == STATUS_OK) {
		status = assignment_reset(a);
	}
	if (status != STATUS_OK) {
		keep_quarantined(a, "it does not come back from its reset", status);
	}
}
