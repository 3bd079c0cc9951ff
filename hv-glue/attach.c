/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claim the function → reset it → bind its stream → route its vectors → show it to the guest.
 * What can fail comes first; until the last line the stream aborts or bus mastering is off.
 */
#include "assignment.h"

/* Of a whole function it is enough that `stuck` keeps its only owner away. */
void assignment_quarantine(const struct assignment *a)
{
	if (a->vf) {
		(void)!vf_quarantine(a->pool, a->vf, a->owner); /* it may be dead already */
	}
}

/*
 * A PF with VFs is not reset, because that would take them away: its owner re-initialises it. Nor
 * is a function without any reset, which has one owner for good.
 */
enum status assignment_reset(struct assignment *a)
{
	const struct pci_function *f = a->function;
	enum status status;

	if (!pci_bus_still_there(&glue.bus, f->rid, f->vendor, f->device)) {
		return STATUS_NOT_FOUND;
	}
	if (a->vf) {
		return vf_reset(a->pool, a->vf);
	}
	if (glue_pool_of(f)) {
		return STATUS_OK;
	}
	status = pci_function_reset(&glue.bus, f->rid, f->caps.express);
	return status == STATUS_UNSUPPORTED ? assignment_bus_reset(a) : status;
}

static unsigned vectors_of(const struct assignment *a)
{
	return a->function->behind_conventional_bridge ? IRQ_DEVICE_MAX_EVENTS
	       : a->identity.msix_vectors	       ? a->identity.msix_vectors
	       : a->identity.caps.msi		       ? IRQ_DEVICE_MAX_EVENTS
						       : 1;
}

static enum status show(struct assignment *a)
{
	struct pci_virt *bridge = &glue.sides[a->owner.v].bridge;
	enum status status = assignment_map_bars(a);

	if (status != STATUS_OK) {
		return status;
	}
	hv_pause();
	status = pci_virt_add(bridge, a->slot, &a->identity);
	if (status == STATUS_OK && a->vf) {
		status = vf_assigned(a->pool, a->vf, a->owner);
		if (status != STATUS_OK) {
			pci_virt_remove(bridge, a->slot);
		}
	}
	if (status != STATUS_OK) {
		assignment_unmap_bars(a, PCI_BUS_BARS);
	}
	return status;
}

/* STATUS_DENIED: an iommu_attach() that failed has seen to it already. */
static bool stream_aborts(const struct assignment *a)
{
	enum status status = iommu_detach(a->stream, &a->tables, a->owner);

	return status == STATUS_OK || status == STATUS_DENIED;
}

enum status attach(struct assignment *a)
{
	struct irq_partition *irq = &glue.sides[a->owner.v].irq;
	const struct assignment *twin = NULL;
	const char *step = "claim";
	enum status status;

	if (!assignment_locate(a)) {
		return STATUS_DENIED;
	}
	hv_pause();
	/* A whole function is asked for once, or was refused just now. */
	status = a->vf ? vf_claim(a->pool, a->vf, a->owner) : STATUS_OK;
	if (status != STATUS_OK) {
		goto failed;
	}
	step = "reset";
	status = assignment_reset(a);
	if (status != STATUS_OK) {
		a->stuck = true;
		goto undo_claim;
	}
	hv_pause();
	step = "bind the stream of";
	hv_device_tables(a->owner, &a->tables);
	twin = assignment_twin(a);
	status = twin ? STATUS_OK : iommu_attach(a->stream, &a->tables, a->owner);
	if (status_is_unconfirmed(status)) {
		goto undo_stream;
	}
	if (status != STATUS_OK) {
		goto undo_claim;
	}
	step = "route the vectors of";
	if (!twin) {
		status = irq_device_bind(irq, a->device, (device_id_t){a->speaks_as << 3},
					 vectors_of(a));
	}
	if (status != STATUS_OK) {
		a->stuck = status_is_unconfirmed(status);
		goto undo_stream;
	}
	hv_pause();
	step = "show";
	status = show(a);
	if (status != STATUS_OK) {
		goto undo_vectors;
	}
	if (a->identity.interrupt_pin) {
		hv_wire(a->owner, a->line.v % GUEST_INTX_LINES, a->line);
	}
	a->attached = true;
	return STATUS_OK;

undo_vectors:
	a->stuck |= !twin && irq_device_unbind(irq, a->device, hv_pause) != STATUS_OK;
undo_stream:
	a->stuck |= !twin && !stream_aborts(a);
undo_claim:
	if (!a->stuck && a->vf) {
		a->stuck = vf_unclaim(a->pool, a->vf, a->owner) != STATUS_OK;
	}
	if (a->stuck) {
		assignment_quarantine(a);
	}
failed:
	assignment_error(a, "cannot %s it: %s; the partition runs without it%s", step,
			 status_name(status),
			 a->stuck ? "; it stays quarantined until the machine restarts" : "");
	return status;
}
