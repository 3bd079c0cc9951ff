/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LPI side of a redistributor: physical tables once for each core (IHI 0069H 5.1), and which
 * vPE is resident (chapter 6, GICR_VPENDBASER).
 */
#include "gic.h"

#include "clock.h"

void gic_clean(const volatile void *p, size_t size)
{
	if (gic.clean_tables) {
		arch_clean(p, size);
	}
}

enum status redistributor_probe(unsigned core, mmio_t frame, bool rdbase_is_address)
{
	uint64_t typer = mmio_read64(frame, GICR_TYPER);

	if (!(typer & GICR_TYPER_PLPIS)) {
		log_error("GIC: core %u takes no LPIs (GICR_TYPER.PLPIS)", core);
		return STATUS_UNSUPPORTED;
	}
	if (!(typer & GICR_TYPER_VLPIS)) {
		gic.why_injected = "no-gicv4";
	} else if (typer & GICR_TYPER_RVPEID) {
		gic.why_injected = "gicv4.1"; /* its vPE tables are not supported yet */
	}
	gic.cores[core] = (struct gic_core){
		.frame = frame,
		.rdbase = rdbase_is_address ? frame.base >> 16
					    : field_get(GICR_TYPER_PROCESSOR, typer),
		.dirty_while_valid = typer & GICR_TYPER_DIRTY,
	};
	return STATUS_OK;
}

uint64_t gic_set_table(mmio_t frame, reg64_t reg, uint64_t value, uint64_t cache, const void *table,
		       size_t size)
{
	mmio_write64(frame, reg,
		     value | field_prep(GICR_TABLE_SHAREABILITY, GIC_SHARE_INNER) |
			     (uint64_t)GIC_CACHE_WRITE_BACK << field_shift(cache));
	uint64_t got = mmio_read64(frame, reg);

	if (got & GICR_TABLE_SHAREABILITY) {
		return got;
	}
	gic.clean_tables = true;
	gic_clean(table, size);
	mmio_write64(frame, reg, value | (uint64_t)GIC_CACHE_NONE << field_shift(cache));
	return mmio_read64(frame, reg);
}

static bool lpis_settled(void *context)
{
	const mmio_t *frame = context;

	return !(mmio_read32(*frame, GICR_CTLR) & GICR_CTLR_RWP);
}

/* Firmware may have left LPIs on; some redistributors cannot turn them off again. */
static enum status lpis_off(mmio_t frame)
{
	uint32_t ctlr = mmio_read32(frame, GICR_CTLR);

	if (!(ctlr & GICR_CTLR_ENABLE_LPIS)) {
		return STATUS_OK;
	}
	mmio_write32(frame, GICR_CTLR, ctlr & ~(uint32_t)GICR_CTLR_ENABLE_LPIS);
	enum status status = clock_poll(lpis_settled, &frame, GIC_TIMEOUT_NS);

	if (status == STATUS_OK && (mmio_read32(frame, GICR_CTLR) & GICR_CTLR_ENABLE_LPIS)) {
		status = STATUS_STATE;
	}
	return status;
}

enum status irq_route_core_init(unsigned core)
{
	if (core >= gic.core_count) {
		return STATUS_RANGE;
	}
	struct gic_core *self = &gic.cores[core];
	enum status status = lpis_off(self->frame);

	if (status != STATUS_OK) {
		log_error("GIC: core %u: firmware left LPIs on and they stay on: %s", core,
			  status_name(status));
		return status;
	}
	(void)gic_set_table(self->frame, GICR_PROPBASER,
			    pa_of(gic.property_table).v |
				    field_prep(GICR_PROP_ID_BITS, IRQ_LPI_BITS - 1),
			    GICR_TABLE_INNER_CACHE, gic.property_table, GIC_PROPERTY_SIZE);
	(void)gic_set_table(self->frame, GICR_PENDBASER,
			    pa_of(self->pending_table).v | GICR_PEND_PTZ, GICR_TABLE_INNER_CACHE,
			    self->pending_table, GIC_PENDING_SIZE);
	mmio_write32(self->frame, GICR_CTLR,
		     mmio_read32(self->frame, GICR_CTLR) | (uint32_t)GICR_CTLR_ENABLE_LPIS);
	arch_barrier();

	struct its_batch batch = {.count = 0};

	its_batch_add(&batch, its_mapc(core, self->rdbase));
	its_batch_add(&batch, its_invall(core));
	its_batch_add(&batch, its_sync(self->rdbase));
	status = its_batch_run(&batch);
	self->takes_lpis = status == STATUS_OK;
	return status;
}

static bool vpe_settled(void *context)
{
	const mmio_t *frame = context;

	return !(mmio_read64(*frame, GICR_VPENDBASER) & GICR_VPEND_DIRTY);
}

enum status irq_vcpu_resident(struct irq_partition *partition, unsigned vcpu)
{
	struct irq_vpe *vpe = &partition->vpes[vcpu];
	struct gic_core *core = &gic.cores[vpe->core];
	uint64_t value = GICR_VPEND_VALID | GICR_VPEND_PENDING_LAST;

	if (partition->why_injected) {
		return STATUS_OK;
	}
	if (vpe->resident || (mmio_read64(core->frame, GICR_VPENDBASER) & GICR_VPEND_VALID)) {
		return STATUS_STATE;
	}
	enum status status = clock_poll(vpe_settled, &core->frame, GIC_TIMEOUT_NS);

	if (status != STATUS_OK) {
		return status;
	}
	(void)gic_set_table(core->frame, GICR_VPROPBASER,
			    pa_of(partition->property_table).v |
				    field_prep(GICR_PROP_ID_BITS, IRQ_LPI_BITS - 1),
			    GICR_TABLE_INNER_CACHE, partition->property_table, GIC_PROPERTY_SIZE);
	if (vpe->impdef_unused) {
		value |= GICR_VPEND_IDAI;
	}
	value |= gic.clean_tables
			 ? field_prep(GICR_TABLE_INNER_CACHE, GIC_CACHE_NONE)
			 : field_prep(GICR_TABLE_SHAREABILITY, GIC_SHARE_INNER) |
				   field_prep(GICR_TABLE_INNER_CACHE, GIC_CACHE_WRITE_BACK);
	mmio_write64(core->frame, GICR_VPENDBASER, value | pa_of(vpe->pending_table).v);
	vpe->resident = true;
	return core->dirty_while_valid ? clock_poll(vpe_settled, &core->frame, GIC_TIMEOUT_NS)
				       : STATUS_OK;
}

enum status irq_vcpu_nonresident(struct irq_partition *partition, unsigned vcpu)
{
	struct irq_vpe *vpe = &partition->vpes[vcpu];
	mmio_t frame = gic.cores[vpe->core].frame;

	if (!vpe->resident) {
		return partition->why_injected ? STATUS_OK : STATUS_STATE;
	}
	uint64_t value = mmio_read64(frame, GICR_VPENDBASER);

	mmio_write64(frame, GICR_VPENDBASER,
		     value & ~(GICR_VPEND_VALID | GICR_VPEND_PENDING_LAST | GICR_VPEND_IDAI));
	enum status status = clock_poll(vpe_settled, &frame, GIC_TIMEOUT_NS);

	if (status == STATUS_OK) {
		vpe->impdef_unused = mmio_read64(frame, GICR_VPENDBASER) & GICR_VPEND_IDAI;
		vpe->resident = false;
		arch_barrier();
	}
	return status;
}
