/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_its_parts.h"

/* --- ITS registers ------------------------------------------------------------------------------
 */

static void its_enable(bool enable)
{
	if (enable == model_its.its.enabled) {
		return;
	}
	model_its.its.enabled = enable;
	model_its.its.quiescent_at = models_time() + QUIET_NS;
	if (!enable) {
		return;
	}
	if (!(model_its.its.cbaser & BIT(63)) || !mits_table_entries(1) || !mits_table_entries(4)) {
		mits_complain("the ITS was enabled without a queue or a table");
		return;
	}
	for (unsigned n = 0; n < 8; n++) {
		uint64_t page = KIB(4) << (2 * field_get(BITS(9, 8), model_its.its.baser[n]));
		uint64_t size = (field_get(BITS(7, 0), model_its.its.baser[n]) + 1) * page;

		if (!(model_its.its.baser[n] & BIT(63))) {
			continue;
		}
		if ((model_its.its.baser[n] & BITS(47, 12)) & (page - 1)) {
			mits_complain("GITS_BASER%u is not aligned to its page size", n);
		} else if (!mits_is_zero(model_its.its.baser[n] & BITS(47, 12), size)) {
			mits_complain("the table of GITS_BASER%u is not clear", n);
		}
	}
}

static uint64_t shareable(uint64_t value)
{
	return model_its.config.not_snooping ? value & ~BITS(11, 10) : value;
}

static void baser_write(unsigned n, uint64_t value)
{
	uint64_t fixed = model_its.its.baser[n] & (BITS(58, 56) | BITS(52, 48));

	if (model_its.its.enabled || models_time() < model_its.its.quiescent_at) {
		mits_complain("GITS_BASER%u written while the ITS is enabled or not quiescent", n);
	}
	if (!field_get(BITS(58, 56), fixed)) {
		mits_complain("GITS_BASER%u is not implemented", n);
		return;
	}
	if (model_its.config.page_code != 3) {
		value = (value & ~BITS(9, 8)) | (uint64_t)model_its.config.page_code << 8;
	}
	value &= ~BIT(62); /* flat tables only */
	model_its.its.baser[n] = fixed | shareable(value & ~(BITS(58, 56) | BITS(52, 48)));
}

static uint64_t its_typer(void)
{
	uint64_t device_bits = model_its.config.device_bits ? model_its.config.device_bits : 16;

	return (uint64_t)!model_its.config.no_physical |
	       (uint64_t)!model_its.config.no_virtual << 1 | (ITT_ENTRY - 1) << 4 | 15ull << 8 |
	       (device_bits - 1) << 13 | (uint64_t)model_its.config.pta << 19 | 0x3full << 32;
}

static uint64_t its_read(void *context, uint64_t offset, unsigned bytes)
{
	(void)context;
	if (offset == 0x00 && bytes == 4) {
		return model_its.its.enabled |
		       (!model_its.its.enabled && models_time() >= model_its.its.quiescent_at
				? BIT(31)
				: 0);
	}
	if (bytes == 8 && offset >= 0x100 && offset < 0x140) {
		return model_its.its.baser[(offset - 0x100) / 8];
	}
	if (bytes == 8) {
		switch (offset) {
		case 0x08:
			return its_typer();
		case 0x80:
			return model_its.its.cbaser;
		case 0x88:
			return model_its.its.cwriter;
		case 0x90:
			mits_progress();
			return model_its.its.creadr | model_its.its.stalled;
		default:
			break;
		}
	}
	mits_complain("%u-byte read of ITS register 0x%llx", bytes, (unsigned long long)offset);
	return 0;
}

static void its_write(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	(void)context;
	if (offset == 0x00 && bytes == 4) {
		its_enable(value & 1);
	} else if (bytes == 8 && offset >= 0x100 && offset < 0x140) {
		baser_write((unsigned)(offset - 0x100) / 8, value);
	} else if (bytes == 8 && offset == 0x80) {
		if (model_its.its.enabled || models_time() < model_its.its.quiescent_at) {
			mits_complain("GITS_CBASER written while the ITS is enabled");
		}
		model_its.its.cbaser = shareable(value);
		model_its.its.creadr = 0;
	} else if (bytes == 8 && offset == 0x88) {
		uint64_t size = (field_get(BITS(7, 0), model_its.its.cbaser) + 1) * KIB(4);

		if (value & ~BITS(19, 5) || value >= size) {
			mits_complain("GITS_CWRITER 0x%llx", (unsigned long long)value);
		}
		model_its.its.cwriter = value & BITS(19, 5);
		model_its.its.progress_at = models_time();
	} else {
		mits_complain("%u-byte write of ITS register 0x%llx", bytes,
			      (unsigned long long)offset);
	}
}

/* --- redistributors -----------------------------------------------------------------------------
 */

static struct vpe *vpe_with_table(unsigned core, uint64_t table)
{
	for (unsigned i = 0; i < MODEL_ITS_VPES; i++) {
		if (model_its.vpes[i].seen_valid && model_its.vpes[i].vpt == table &&
		    model_its.vpes[i].core == core) {
			return &model_its.vpes[i];
		}
	}
	return NULL;
}

static void vpend_write(unsigned core, uint64_t value)
{
	struct redistributor *rd = &model_its.rds[core];
	bool was = rd->vpendbaser & BIT(63);
	bool now = value & BIT(63);
	struct vpe *vpe = vpe_with_table(core, value & BITS(51, 16));

	if (model_its.config.no_vlpis) {
		mits_complain("core %u: VPENDBASER, which this GIC does not have", core);
	}
	if (mits_rd_dirty(rd)) {
		mits_complain("core %u: VPENDBASER written while Dirty", core);
	}
	if (!vpe) {
		mits_complain("core %u: VPENDBASER is no pending table of a vPE mapped here", core);
		return;
	}
	rd->dirty_until = models_time() + QUIET_NS;
	if (was && now) {
		mits_complain("core %u: VPENDBASER changed while Valid", core);
	} else if (now) {
		if (field_get(BITS(4, 0), rd->vpropbaser) != 13) {
			mits_complain("core %u: VPROPBASER.IDbits is not the vPE's", core);
		}
		if (vpe->fresh != (bool)(value & BIT(62))) {
			mits_complain("core %u: IDAI of the vPE's table is wrong", core);
		}
		if (!(value & BIT(61)) &&
		    !mits_is_zero(vpe->vpt + TABLE_BYTES / 2, TABLE_BYTES / 2)) {
			mits_complain("core %u: PendingLast = 0, but something is", core);
		}
		rd->vpendbaser = shareable(value);
	} else if (was) {
		mits_pending_flush(&vpe->lpis);
		vpe->fresh = false;
		mits_memory(vpe->vpt)[8] = 0x5a; /* the IMPLEMENTATION DEFINED area, used */
		rd->vpendbaser = value & ~(BIT(62) | BIT(61));
	}
}

static uint64_t rd_read(void *context, uint64_t offset, unsigned bytes)
{
	unsigned core = (unsigned)(offset / MODEL_GICR_STRIDE);
	struct redistributor *rd = &model_its.rds[core];
	bool last = core == model_its.config.cores - 1;

	(void)context;
	switch ((offset % MODEL_GICR_STRIDE) << 4 | bytes) {
	case 0x00 << 4 | 4:
		return rd->ctlr | (models_time() < rd->rwp_until ? BIT(3) : 0);
	case 0x08 << 4 | 8:
		return (uint64_t)!model_its.config.no_plpis |
		       (uint64_t)!model_its.config.no_vlpis << 1 | BIT(2) | (uint64_t)last << 4 |
		       (uint64_t)model_its.config.gicv41 << 7 |
		       (uint64_t)mits_processor_of(core) << 8;
	case 0x70 << 4 | 8:
		return rd->propbaser;
	case 0x78 << 4 | 8:
		return rd->pendbaser & ~BIT(62);
	case 0x20070 << 4 | 8:
		return rd->vpropbaser;
	case 0x20078 << 4 | 8:
		return rd->vpendbaser | (mits_rd_dirty(rd) ? BIT(60) : 0);
	default:
		mits_complain("%u-byte read of redistributor register 0x%llx", bytes,
			      (unsigned long long)offset);
		return 0;
	}
}

static void rd_tables_write(unsigned core, uint64_t offset, uint64_t value)
{
	struct redistributor *rd = &model_its.rds[core];

	if (rd->ctlr & 1) {
		mits_complain("core %u: LPI table registers written while LPIs are on", core);
	}
	if (offset == 0x70) {
		rd->propbaser = shareable(value);
		if (!mits_is_zero(value & BITS(51, 12), 8192)) {
			mits_complain("core %u: the physical property table enables something",
				      core);
		}
	} else {
		rd->pendbaser = shareable(value);
		rd->lpis.pending_table = value & BITS(51, 16);
		if (!(value & BIT(62)) || !mits_is_zero(value & BITS(51, 16), TABLE_BYTES)) {
			mits_complain("core %u: PENDBASER.PTZ, but not clear", core);
		}
	}
}

static void ctlr_write(unsigned core, uint32_t value)
{
	struct redistributor *rd = &model_its.rds[core];

	if (model_its.config.lpis_stuck && (rd->ctlr & 1)) {
		value |= 1;
	}
	if (!(rd->ctlr & 1) && (value & 1) &&
	    (field_get(BITS(4, 0), rd->propbaser) != 13 || !(rd->pendbaser & BITS(51, 16)))) {
		mits_complain("core %u: LPIs enabled without tables", core);
	}
	rd->ctlr = value & 1;
	rd->rwp_until = models_time() + QUIET_NS;
}

static void rd_write(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	unsigned core = (unsigned)(offset / MODEL_GICR_STRIDE);
	struct redistributor *rd = &model_its.rds[core];

	(void)context;
	switch ((offset % MODEL_GICR_STRIDE) << 4 | bytes) {
	case 0x00 << 4 | 4:
		ctlr_write(core, (uint32_t)value);
		break;
	case 0x70 << 4 | 8:
	case 0x78 << 4 | 8:
		rd_tables_write(core, offset % MODEL_GICR_STRIDE, value);
		break;
	case 0x20070 << 4 | 8:
		if ((rd->vpendbaser & BIT(63)) || mits_rd_dirty(rd)) {
			mits_complain("core %u: VPROPBASER written while a vPE is resident", core);
		}
		rd->vpropbaser = shareable(value);
		break;
	case 0x20078 << 4 | 8:
		vpend_write(core, value);
		break;
	default:
		mits_complain("%u-byte write of redistributor register 0x%llx", bytes,
			      (unsigned long long)offset);
		break;
	}
}

void mits_add_frames(void)
{
	models_add(&(struct model){
		.base = MODEL_ITS_BASE, .size = 0x10000, .read = its_read, .write = its_write});
	models_add(&(struct model){.base = MODEL_GICR_BASE,
				   .size = model_its.config.cores * MODEL_GICR_STRIDE,
				   .read = rd_read,
				   .write = rd_write});
}
