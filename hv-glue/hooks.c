/* SPDX-License-Identifier: BSD-2-Clause */
#include "hooks.h"

#include "clock.h"
#include "log.h"

static uint64_t config_read(void *context, uint64_t offset, unsigned size)
{
	return pci_virt_read(context, offset, size);
}

static void config_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	const struct pci_virt *bridge = context;

	pci_virt_write(context, offset, size, value);
	wires_configured(bridge->owner, (unsigned)(offset >> 15));
}

/* Without an ITS its frame reads as zero: a guest's driver sees that there is none. */
static uint64_t its_read(void *context, uint64_t offset, unsigned size)
{
	struct partition_side *side = context;

	return side->irq_ready ? vits_read(&side->irq, (uint32_t)offset, size) : 0;
}

static void its_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct partition_side *side = context;

	if (side->irq_ready) {
		vits_write(&side->irq, (uint32_t)offset, size, value);
	}
}

enum status hooks_trap(partition_id_t id, struct partition_side *side)
{
	const struct hv_mmio_region regions[] = {
		/* The doorbell page behind the frame is for devices only: it stays unmapped. */
		{{GUEST_ITS_BASE},
		 GUEST_ITS_DOORBELL - GUEST_ITS_BASE,
		 HV_EXIT_ITS,
		 side,
		 its_read,
		 its_write},
		{{GUEST_ECAM_BASE},
		 GUEST_ECAM_SIZE,
		 HV_EXIT_CONFIG,
		 &side->bridge,
		 config_read,
		 config_write},
		{{GUEST_PCI_PIO_BASE},
		 GUEST_PCI_PIO_SIZE,
		 HV_EXIT_CONFIG,
		 side,
		 ports_read,
		 ports_write},
	};
	enum status status = STATUS_OK;

	for (unsigned i = 0; i < ARRAY_SIZE(regions) && status == STATUS_OK; i++) {
		status = hv_trap_region(id, &regions[i]);
	}
	return status;
}

static enum status core_up(unsigned core)
{
	return glue.irq_ready ? irq_route_core_init(core) : STATUS_OK;
}

/* A device that cannot be attached was said so; the partition runs without it. */
static enum status partition_start(partition_id_t id)
{
	struct partition_side *side = &glue.sides[id.v];

	for (unsigned i = 0; i < side->count; i++) {
		struct assignment *a = &side->assignments[i];

		a->refused = attach(a) != STATUS_OK;
		hv_pause();
		if (!a->refused) {
			log_info("%s -> %s (%s): direct%s; DMA by SMMU stage %u, interrupts %s",
				 pci_name(a->identity.rid), hv_partition_name(id),
				 a->request->label,
				 a->request->vf_was_free ? ", for a VF was free" : "",
				 iommu_stage1() ? 1 : 2,
				 side->irq.why_injected ? "injected" : "as vLPIs");
		}
	}
	wires_start(id);
	if (glue.dump_pci) {
		dump();
	}
	return STATUS_OK;
}

static void partition_stop(partition_id_t id)
{
	struct partition_side *side = &glue.sides[id.v];

	for (unsigned i = side->count; i-- > 0;) {
		detach_close(&side->assignments[i]);
		hv_pause();
	}
	for (unsigned line = 0; line < GUEST_INTX_LINES; line++) {
		hv_wire(id, line, (intid_t){0});
	}
	for (unsigned i = side->count; i-- > 0;) {
		detach_release(&side->assignments[i]);
		hv_pause();
	}
	wires_stop(id);
	if (side->irq_ready && irq_partition_reset(&side->irq, hv_pause) != STATUS_OK) {
		side->irq_ready = false;
		log_error("%s: its virtual ITS did not reset; its devices get no interrupts",
			  hv_partition_name(id));
	}
}

static void vcpu_enter(partition_id_t id, unsigned vcpu)
{
	struct partition_side *side = &glue.sides[id.v];

	if (side->irq_ready && irq_vcpu_resident(&side->irq, vcpu) != STATUS_OK) {
		log_error("%s: vcpu %u gets no interrupts from devices", hv_partition_name(id),
			  vcpu);
	}
}

static void vcpu_leave(partition_id_t id, unsigned vcpu)
{
	struct partition_side *side = &glue.sides[id.v];

	if (side->irq_ready && irq_vcpu_nonresident(&side->irq, vcpu) != STATUS_OK) {
		log_error("%s: vcpu %u: its redistributor did not let go", hv_partition_name(id),
			  vcpu);
	}
}

static uint64_t lpi_read(partition_id_t id, unsigned vcpu, uint32_t offset)
{
	return vredist_lpi_read(&glue.sides[id.v].irq, vcpu, offset);
}

static void lpi_write(partition_id_t id, unsigned vcpu, uint32_t offset, uint64_t value,
		      unsigned size)
{
	vredist_lpi_write(&glue.sides[id.v].irq, vcpu, offset, size, value);
}

static void lpi_enable(partition_id_t id, unsigned vcpu, bool enable)
{
	if (glue.sides[id.v].irq_ready) {
		vredist_lpi_enable(&glue.sides[id.v].irq, vcpu, enable);
	}
}

#define STORM_LINES 4 /* a second */

/* One of its partition's devices rang too often: see irq_route_taken(). */
void hooks_storm(partition_id_t id, device_id_t device)
{
	struct partition_side *side = &glue.sides[id.v];

	for (unsigned i = 0; i < side->count; i++) {
		const struct assignment *a = &side->assignments[i];

		if (a->attached && a->device.v == device.v &&
		    log_allowed(&side->storm_quota, clock_ns(), STORM_LINES, CLOCK_SECOND)) {
			assignment_error(a, "too many interrupts: masked for 10 ms; moderate them "
					    "in its driver");
		}
	}
}

static void report_device(const struct partition_side *side, const struct assignment *a)
{
	const char *why = a->attached ? side->irq.why_injected : NULL;

	log_info("@device partition=%s function=%s kind=%s dma=%s interrupts=%s label=%s "
		 "guest=0000:00:%02x.0 state=%s direct=%s config=%lu its=%lu faults=%lu "
		 "masked=%lu%s%s",
		 hv_partition_name(a->owner), pci_name(assignment_rid(a)),
		 a->request->wants_vf ? "VF" : "function",
		 !a->attached	  ? "none"
		 : iommu_stage1() ? "smmu-stage1"
				  : "smmu-stage2",
		 !a->attached				      ? "none"
		 : pci_virt_uses_intx(&side->bridge, a->slot) ? "intx"
		 : why					      ? "injected"
							      : "vlpi",
		 a->request->label, a->slot,
		 a->stuck      ? "quarantined"
		 : a->attached ? "assigned"
		 : a->refused  ? "refused"
			       : "off",
		 a->request->vf_was_free ? "vf-free" : "asked",
		 side->bridge.slots[a->slot].accesses, side->irq.counters.mmio,
		 iommu_stream_counters(a->stream).faults, side->irq.counters.storms,
		 why ? " why=" : "", why ? why : "");
}

static void report(void)
{
	for (unsigned p = 0; p < hv_partition_count(); p++) {
		for (unsigned i = 0; i < glue.sides[p].count; i++) {
			report_device(&glue.sides[p], &glue.sides[p].assignments[i]);
		}
	}
	log_info("@pool name=smmu used=%lu", glue.iommu_arena.used);
	log_info("@pool name=its used=%lu", glue.irq_arena.used);
	wires_report();
	faults_report();
}

static void alarm(unsigned core)
{
	irq_route_alarm(core);
	wires_alarm(core);
}

void hooks_fill(struct hv_hooks *hooks)
{
	*hooks = (struct hv_hooks){
		.core_up = core_up,
		.cores_up = glue_start_interrupts,
		.partition_start = partition_start,
		.partition_stop = partition_stop,
		.vcpu_enter = vcpu_enter,
		.vcpu_leave = vcpu_leave,
		.lpi_read = lpi_read,
		.lpi_write = lpi_write,
		.lpi_enable = lpi_enable,
		.lpi = irq_route_taken,
		.alarm = alarm,
		.device_interrupt = faults_handle,
		.report = report,
		.dump = dump,
	};
}
