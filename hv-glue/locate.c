/* SPDX-License-Identifier: BSD-2-Clause */
/* Which physical function a request means, what may be shown of it, and where its BARs go. */
#include "assignment.h"

#include "log.h"

enum status assignment_refuse(const struct assignment *a, enum status status, const char *format,
			      ...)
{
	char name[PCI_NAME_LENGTH], why[LOG_LINE];
	va_list arguments;

	va_start(arguments, format);
	format_text(why, sizeof(why), format, arguments);
	va_end(arguments);
	log_error("%s %s (%s): refused: %s", pci_name(assignment_rid(a), name),
		  hv_partition_name(a->owner), a->request->label, why);
	return status;
}

/* Of the function or the VF; the rest is the function's in both cases. */
static void identify(struct assignment *a, const struct pci_virt_identity *own,
		     const struct pci_bar bars[PCI_BUS_BARS])
{
	const struct pci_function *f = a->function;

	a->identity = *own;
	a->identity.vendor = f->vendor;
	a->identity.subsystem_vendor = f->subsystem_vendor;
	a->identity.subsystem = f->subsystem;
	a->identity.class_revision = f->class_revision;
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		a->identity.bars[i] = bars[i];
	}
	if (own->msix_vectors > IRQ_DEVICE_MAX_EVENTS) {
		a->identity.msix_vectors = IRQ_DEVICE_MAX_EVENTS; /* the rest stays masked */
	}
}

/*
 * pci/bus gives each BAR pages of its own, so what is left of one is nobody's. The BARs of VFs lie
 * side by side: a page that two of them share cannot be given to one. I/O BARs: ports.c.
 */
static enum status check_bars(struct assignment *a)
{
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space == PCI_SPACE_NONE && bar->size) {
			return assignment_refuse(a, STATUS_NO_SPACE,
						 "one of its BARs has no address below 4 GiB");
		}
		if (bar->space < PCI_SPACE_MEM32) {
			continue;
		}
		if (a->identity.is_vf && bar->size < PAGE_SIZE) {
			return assignment_refuse(
				a, STATUS_UNSUPPORTED,
				"its BARs share pages with those of the card's other VFs; "
				"give the whole card to one partition");
		}
		if (!range_inside(bar->cpu_address.v, bar->size, GUEST_PCI_MMIO_BASE,
				  GUEST_PCI_MMIO_SIZE)) {
			return assignment_refuse(a, STATUS_UNSUPPORTED,
						 "a BAR is outside what its guest can be shown");
		}
		bar->pci_address = bar->cpu_address.v; /* the guest's bridge translates nothing */
	}
	return STATUS_OK;
}

static enum status locate_function(struct assignment *a)
{
	rid_t rid = a->request->function;

	a->function = pci_bus_find(&glue.bus, rid);
	if (!a->function || a->function->header_type != 0) {
		return assignment_refuse(a, STATUS_NOT_FOUND,
					 "there is no such function in the machine");
	}
	if (!a->request->wants_vf) {
		identify(a,
			 &(struct pci_virt_identity){.rid = rid,
						     .device = a->function->device,
						     .caps = a->function->caps,
						     .msix_vectors = a->function->msix_vectors},
			 a->function->bars);
		return STATUS_OK;
	}
	a->pool = glue_pool_of(a->function);

	struct vf *vf = a->pool ? vf_by_index(a->pool, a->request->vf_index) : NULL;

	if (!vf) {
		return assignment_refuse(
			a, STATUS_NOT_FOUND,
			"VF %u: it has %u VFs, of which %u are enabled; use a lower index",
			a->request->vf_index, a->function->total_vfs, a->pool ? a->pool->count : 0);
	}
	identify(a,
		 &(struct pci_virt_identity){.rid = vf->rid,
					     .is_vf = true,
					     .device = vf->device,
					     .caps = vf->caps,
					     .msix_vectors = vf->msix_vectors},
		 vf->bars);
	return STATUS_OK;
}

enum status assignment_locate(struct assignment *a)
{
	rid_t requester;
	enum status status;

	if (a->stuck) {
		return assignment_refuse(a, STATUS_STATE,
					 "it is quarantined until the machine restarts");
	}
	if (!glue.iommu_ready) {
		return assignment_refuse(a, STATUS_UNSUPPORTED,
					 "the machine has no SMMU that fences its DMA");
	}
	if (!glue.sides[a->owner.v].irq_ready) {
		return assignment_refuse(a, STATUS_UNSUPPORTED,
					 "there is no ITS to deliver its interrupts");
	}
	status = locate_function(a);
	if (status == STATUS_OK) {
		status = assignment_check(a);
	}
	if (status != STATUS_OK) {
		return status;
	}
	requester = a->request->wants_vf ? a->identity.rid : a->function->requester;
	a->speaks_as = assignment_speaks_as(a);
	if (a->request->bypasses_smmu ||
	    pci_bus_stream_id(&glue.bus, requester, &a->stream) != STATUS_OK) {
		return assignment_refuse(a, STATUS_UNSUPPORTED, "its bus bypasses the SMMU");
	}
	if (pci_bus_device_id(&glue.bus, requester, &a->device) != STATUS_OK) {
		return assignment_refuse(a, STATUS_UNSUPPORTED,
					 "its interrupts do not go to the ITS");
	}
	status = check_bars(a);
	return status == STATUS_OK ? intx_offer(a) : status;
}

void assignment_unmap_bars(const struct assignment *a, unsigned count)
{
	for (unsigned i = count; i-- > 0;) {
		const struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space >= PCI_SPACE_MEM32) {
			hv_unmap_device(a->owner, (ipa_t){bar->cpu_address.v},
					align_up(bar->size, PAGE_SIZE));
		}
	}
}

enum status assignment_map_bars(const struct assignment *a)
{
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		const struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space < PCI_SPACE_MEM32) {
			continue;
		}
		enum status status =
			hv_map_device(a->owner, (ipa_t){bar->cpu_address.v}, bar->cpu_address,
				      align_up(bar->size, PAGE_SIZE));

		if (status != STATUS_OK) {
			assignment_unmap_bars(a, i);
			return status;
		}
	}
	return STATUS_OK;
}
