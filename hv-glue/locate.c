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

/* A function with more has the rest masked since its reset; the guest is not told of them. */
static uint16_t vectors_shown(uint16_t vectors)
{
	return vectors < IRQ_DEVICE_MAX_EVENTS ? vectors : IRQ_DEVICE_MAX_EVENTS;
}

static void identify_function(struct assignment *a)
{
	const struct pci_function *f = a->function;

	a->identity = (struct pci_virt_identity){
		.rid = f->rid,
		.vendor = f->vendor,
		.device = f->device,
		.subsystem_vendor = f->subsystem_vendor,
		.subsystem = f->subsystem,
		.class_revision = f->class_revision,
		.caps = f->caps,
		.msix_vectors = vectors_shown(f->msix_vectors),
	};
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		a->identity.bars[i] = f->bars[i];
	}
}

static void identify_vf(struct assignment *a, const struct vf *vf)
{
	a->identity = (struct pci_virt_identity){
		.rid = vf->rid,
		.is_vf = true,
		.vendor = vf->vendor,
		.device = vf->device,
		.subsystem_vendor = a->function->subsystem_vendor,
		.subsystem = a->function->subsystem,
		.class_revision = a->function->class_revision,
		.caps = vf->caps,
		.msix_vectors = vectors_shown(vf->msix_vectors),
	};
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		a->identity.bars[i] = vf->bars[i];
	}
}

/*
 * pci/bus gives each BAR pages of its own, so what is left of one is nobody's. The BARs of VFs lie
 * side by side: a page that two of them share cannot be given to one. A guest has no port for I/O.
 */
static enum status check_bars(struct assignment *a)
{
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space == PCI_SPACE_NONE && bar->size) {
			return assignment_refuse(a, STATUS_NO_SPACE,
						 "one of its BARs has no address");
		}
		if (bar->space == PCI_SPACE_IO) {
			bar->space = PCI_SPACE_NONE;
			bar->size = 0;
		}
		if (bar->space == PCI_SPACE_NONE) {
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
			return assignment_refuse(a, STATUS_UNSUPPORTED, "a BAR lies above 4 GiB");
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
		identify_function(a);
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
	identify_vf(a, vf);
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
	if (pci_bus_stream_id(&glue.bus, requester, &a->stream) != STATUS_OK) {
		return assignment_refuse(a, STATUS_UNSUPPORTED, "its bus bypasses the SMMU");
	}
	if (pci_bus_device_id(&glue.bus, requester, &a->device) != STATUS_OK) {
		return assignment_refuse(a, STATUS_UNSUPPORTED,
					 "its interrupts do not go to the ITS");
	}
	return check_bars(a);
}

void assignment_unmap_bars(const struct assignment *a, unsigned count)
{
	for (unsigned i = count; i-- > 0;) {
		const struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space != PCI_SPACE_NONE) {
			hv_unmap_device(a->owner, (ipa_t){bar->cpu_address.v},
					align_up(bar->size, PAGE_SIZE));
		}
	}
}

enum status assignment_map_bars(const struct assignment *a)
{
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		const struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space == PCI_SPACE_NONE) {
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
