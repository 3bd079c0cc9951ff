/* SPDX-License-Identifier: BSD-2-Clause */
/* Which physical function a request means, what may be shown of it, and where its BARs go. */
#include "assignment.h"

#include <string.h>

#include "log.h"

bool assignment_error(const struct assignment *a, const char *format, ...)
{
	char text[LOG_LINE];
	va_list arguments;

	va_start(arguments, format);
	format_text(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_error("%s %s (%s): %s", pci_name(assignment_rid(a)), hv_partition_name(a->owner),
		  a->request->label, text);
	return false;
}

/* A VF's ids are its PF's, but for the device's. */
static void identify(struct assignment *a)
{
	const struct pci_function *f = a->function;
	const struct vf *vf = a->vf;
	const struct pci_capabilities *caps = vf ? &vf->caps : &f->caps;
	uint16_t vectors = caps->msix_vectors;

	a->identity = (struct pci_virt_identity){
		.rid = vf ? vf->rid : f->rid,
		.is_vf = vf != NULL,
		.vendor = f->vendor,
		.device = vf ? vf->device : f->device,
		.subsystem_vendor = f->subsystem_vendor,
		.subsystem = f->subsystem,
		.class_revision = f->class_revision,
		.caps = *caps,
		/* The rest stays masked. */
		.msix_vectors = vectors < IRQ_DEVICE_MAX_EVENTS ? vectors : IRQ_DEVICE_MAX_EVENTS,
	};
	memcpy(a->identity.bars, vf ? vf->bars : f->bars, sizeof(a->identity.bars));
}

/*
 * pci/bus gives each BAR pages of its own, so what is left of one is nobody's. The BARs of VFs lie
 * side by side: a page that several share, registers or MSI-X tables, cannot be given to one. I/O
 * BARs: ports.c.
 */
static bool place_bars(struct assignment *a)
{
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space == PCI_SPACE_NONE && bar->size) {
			return assignment_error(
				a, "refused: one of its BARs has no address below 4 GiB");
		}
		if (bar->space < PCI_SPACE_MEM32) {
			continue;
		}
		if (a->vf && bar->size < PAGE_SIZE) {
			unsigned sharers = (unsigned)(PAGE_SIZE / bar->size);
			unsigned first = a->vf->index / sharers * sharers;

			return assignment_error(a,
						"refused: its BAR %u shares a page with those of "
						"VFs %u to %u of %s; give the whole card to one "
						"partition",
						i, first, first + sharers - 1,
						pci_name(a->function->rid));
		}
		if (!range_inside(bar->cpu_address.v, bar->size, GUEST_PCI_MMIO_BASE,
				  GUEST_PCI_MMIO_SIZE)) {
			return assignment_error(
				a, "refused: a BAR is outside what its guest can be shown");
		}
		bar->pci_address = bar->cpu_address.v; /* the guest's bridge translates nothing */
	}
	return true;
}

static bool find_vf(struct assignment *a)
{
	if (!a->request->wants_vf) {
		return true;
	}
	a->pool = glue_pool_of(a->function);
	a->vf = a->pool ? vf_by_index(a->pool, a->request->vf_index) : NULL;
	return a->vf ||
	       assignment_error(a,
				"refused: VF %u: it has %u VFs, of which %u are enabled; use a "
				"lower index",
				a->request->vf_index, a->function->total_vfs,
				a->pool ? a->pool->count : 0);
}

/* Below a conventional bridge the first of its owner there speaks for all. */
static unsigned speaks_as(const struct assignment *a)
{
	const struct partition_side *side = &glue.sides[a->owner.v];

	for (unsigned i = 0; i < side->count && a->function->behind_conventional_bridge; i++) {
		const struct pci_function *f = side->assignments[i].function;

		if (f && f->requester.v == a->function->requester.v) {
			return side->assignments[i].slot;
		}
	}
	return a->slot;
}

static const char *find_ids(struct assignment *a)
{
	rid_t requester = a->vf ? a->vf->rid : a->function->requester;

	a->speaks_as = speaks_as(a);
	if (a->request->bypasses_smmu ||
	    pci_bus_stream_id(&glue.bus, requester, &a->stream) != STATUS_OK) {
		return "its bus bypasses the SMMU";
	}
	if (pci_bus_device_id(&glue.bus, requester, &a->device) != STATUS_OK) {
		return "its interrupts do not go to the ITS";
	}
	return NULL;
}

static const char *find_function(const struct assignment *a)
{
	if (a->stuck) {
		return "it is quarantined until the machine restarts";
	}
	if (!glue.iommu_ready) {
		return "the machine has no SMMU that fences its DMA";
	}
	if (!glue.sides[a->owner.v].irq_ready) {
		return "there is no ITS to deliver its interrupts";
	}
	return a->function ? NULL : "there is no such function in the machine";
}

bool assignment_locate(struct assignment *a)
{
	const char *why = find_function(a);

	if (!why) {
		if (!find_vf(a)) {
			return false;
		}
		identify(a);
		if (!assignment_check(a) || !intx_offer(a)) {
			return false;
		}
		why = find_ids(a);
	}
	return why ? assignment_error(a, "refused: %s", why) : place_bars(a);
}

const struct assignment *assignment_twin(const struct assignment *a)
{
	const struct partition_side *side = &glue.sides[a->owner.v];

	for (unsigned i = 0; i < side->count; i++) {
		const struct assignment *other = &side->assignments[i];

		if (other != a && other->attached && other->stream.v == a->stream.v) {
			return other;
		}
	}
	return NULL;
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
