/* SPDX-License-Identifier: BSD-2-Clause */
/* attach.c backwards: hide it → unroute its vectors → abort its stream → reset → nobody's. */
#include "assignment.h"

#include "log.h"

/* What its owner left in it is gone before it is nobody's; else it stays that owner's. */
static enum status give_back(struct assignment *a)
{
	enum status status;

	if (a->request->wants_vf) {
		status = vf_quarantine(a->pool, a->vf, a->owner);
		return status == STATUS_OK ? assignment_reset(a) : status;
	}
	status = assignment_reset(a);
	a->kept = status == STATUS_UNSUPPORTED;
	if (status != STATUS_OK) {
		return a->kept ? STATUS_OK : status;
	}
	lock_acquire(&glue.owners_lock);
	glue.owners[a->function - glue.bus.functions] = PARTITION_NONE;
	lock_release(&glue.owners_lock);
	return STATUS_OK;
}

void detach(struct assignment *a)
{
	char name[PCI_NAME_LENGTH];
	const char *step = NULL;
	enum status status;

	if (!a->attached) {
		return;
	}
	a->attached = false;
	pci_virt_remove(&glue.sides[a->owner.v].bridge, a->slot);
	assignment_unmap_bars(a, PCI_BUS_BARS);
	status = irq_device_unbind(&glue.sides[a->owner.v].irq, a->device);
	if (status != STATUS_OK) {
		step = "its vectors are not confirmed gone";
		a->stuck = true;
	}
	status = iommu_detach(a->stream, &a->tables, a->owner);
	if (status != STATUS_OK) {
		step = "its stream is not confirmed aborting";
		a->stuck = true;
	}
	if (!a->stuck) {
		status = give_back(a);
		step = status != STATUS_OK ? "it does not come back from its reset" : NULL;
		a->stuck = step != NULL;
	}
	if (a->stuck) {
		assignment_quarantine(a);
		log_error("%s %s (%s): %s: %s; it stays quarantined until the machine restarts",
			  pci_name(assignment_rid(a), name), hv_partition_name(a->owner),
			  a->request->label, step, status_name(status));
	}
}
