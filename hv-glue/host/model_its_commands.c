/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical ITS's commands, IHI 0069H 5.3. */
#include "model_its_parts.h"

#include <string.h>

/* --- commands ----------------------------------------------------------------------------------
 */

/* Bits that a command may have set; a zero row: unknown. */
static const uint64_t legal[64][4] = {
	[0x03] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* INT */
	[0x04] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* CLEAR */
	[0x0c] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* INV */
	[0x0f] = {BITS(63, 32) | 0xff, BITS(31, 0)},			   /* DISCARD */
	[0x01] = {BITS(63, 32) | 0xff, BITS(31, 0), BITS(15, 0)},	   /* MOVI */
	[0x0a] = {BITS(63, 32) | 0xff, BITS(63, 0), BITS(15, 0)},	   /* MAPTI */
	[0x05] = {0xff, 0, BITS(51, 16)},				   /* SYNC */
	[0x08] = {BITS(63, 32) | 0xff, BITS(4, 0), BIT(63) | BITS(51, 8)}, /* MAPD */
	[0x09] = {0xff, 0, BIT(63) | BITS(51, 0)},			   /* MAPC */
	[0x0d] = {0xff, 0, BITS(15, 0)},				   /* INVALL */
	[0x21] = {BITS(63, 32) | 0xff, BITS(47, 0), BITS(63, 32) | 1},	   /* VMOVI */
	[0x25] = {0xff, BITS(47, 32)},					   /* VSYNC */
	[0x29] = {0xff, BITS(47, 32), BIT(63) | BITS(51, 16),
		  BITS(51, 16) | BITS(4, 0)},		    /* VMAPP */
	[0x2a] = {BITS(63, 32) | 0xff, BITS(47, 0), ~0ull}, /* VMAPTI */
	[0x2d] = {0xff, BITS(47, 32)},			    /* VINVALL */
};

static bool device_ok(const struct model_its_command *c)
{
	if (!c->device) {
		mits_complain("command 0x%02x names DeviceID 0", c->opcode);
		return false;
	}
	if (c->device >= mits_table_entries(1) ||
	    c->device >> (model_its.config.device_bits ? model_its.config.device_bits : 16)) {
		mits_complain("command 0x%02x: DeviceID 0x%x is out of range", c->opcode,
			      c->device);
		return false;
	}
	return true;
}

/* The event's entry, when its device is mapped and its ITT reaches so far. */
static struct entry *entry_of(const struct model_its_command *c, struct device **found)
{
	struct device *device = device_ok(c) ? mits_device_find(c->device) : NULL;

	if (!device || !device->valid) {
		mits_complain("command 0x%02x: DeviceID 0x%x is not mapped", c->opcode, c->device);
		return NULL;
	}
	if (c->event >> device->bits) {
		mits_complain("command 0x%02x: DeviceID 0x%x EventID 0x%x is beyond its ITT",
			      c->opcode, c->device, c->event);
		return NULL;
	}
	*found = device;
	return &device->now[c->event];
}

static struct entry *mapped_entry_of(const struct model_its_command *c, struct device **found)
{
	struct entry *entry = entry_of(c, found);

	if (entry && !entry->valid) {
		mits_complain("command 0x%02x: DeviceID 0x%x EventID 0x%x is not mapped", c->opcode,
			      c->device, c->event);
		return NULL;
	}
	return entry;
}

static bool vpe_ok(const struct model_its_command *c)
{
	if (c->vpe >= mits_table_entries(2) || c->vpe >= MODEL_ITS_VPES ||
	    !model_its.vpes[c->vpe].valid) {
		mits_complain("command 0x%02x: vPE %u is not mapped", c->opcode, c->vpe);
		return false;
	}
	return true;
}

static void do_mapd(const struct model_its_command *c, unsigned bits, uint64_t itt)
{
	struct device *device = device_ok(c) ? mits_device_get(c->device) : NULL;

	if (!device) {
		return;
	}
	if (device->valid == c->valid) {
		mits_complain("MAPD V=%d of DeviceID 0x%x twice", c->valid, c->device);
	}
	memset(device->now, 0, sizeof(device->now));
	device->valid = c->valid;
	if (!c->valid) {
		return;
	}
	if (bits > 6 || !mits_is_zero(itt, (size_t)ITT_ENTRY << bits)) {
		mits_complain("MAPD DeviceID 0x%x: %u bits, ITT %s", c->device, bits,
			      bits > 6 ? "too large for the model" : "not clear");
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		struct device *other = &model_its.devices[i];
		uint64_t size = (uint64_t)ITT_ENTRY << (bits > other->bits ? bits : other->bits);

		if (other != device && other->used && itt < other->itt + size &&
		    other->itt < itt + size) {
			mits_complain("MAPD DeviceID 0x%x: its ITT is DeviceID 0x%x's", c->device,
				      other->id);
		}
	}
	device->bits = bits;
	device->itt = itt;
}

static void do_vmapp(const struct model_its_command *c, unsigned bits, uint64_t vpt)
{
	struct vpe *vpe = &model_its.vpes[c->vpe % MODEL_ITS_VPES];

	if (c->vpe >= mits_table_entries(2) || c->vpe >= MODEL_ITS_VPES) {
		mits_complain("VMAPP: vPE %u is out of range", c->vpe);
		return;
	}
	if (vpe->valid == c->valid || mits_vpe_resident(vpe)) {
		mits_complain("VMAPP V=%d of vPE %u: mapped so already, or resident", c->valid,
			      c->vpe);
	}
	vpe->valid = c->valid;
	if (!c->valid) {
		if (mits_rd_dirty(&model_its.rds[vpe->core])) {
			mits_complain("VMAPP V=0 of vPE %u: its redistributor is still Dirty",
				      c->vpe);
		}
		vpe->leaving = true;
		return;
	}
	if (c->core == CORES || bits != 14) {
		mits_complain("VMAPP vPE %u: no such redistributor, or %u bits", c->vpe, bits);
	}
	if (vpe->leaving) {
		mits_complain("VMAPP vPE %u: no SYNC since it was unmapped", c->vpe);
	}
	for (unsigned i = 0; i < MODEL_ITS_VPES; i++) {
		if (&model_its.vpes[i] != vpe && model_its.vpes[i].valid &&
		    model_its.vpes[i].vpt == vpt) {
			mits_complain("VMAPP vPE %u: its pending table is vPE %u's", c->vpe, i);
		}
	}
	if (!mits_is_zero(vpt, TABLE_BYTES / 2)) {
		mits_complain("VMAPP vPE %u: the first half of its pending table is not clear",
			      c->vpe);
	}
	vpe->fresh = true;
	vpe->core = c->core % CORES;
	vpe->vpt = vpt;
	vpe->lpis.pending_table = vpt;
}

static void do_vmapti(const struct model_its_command *c, uint32_t doorbell)
{
	struct device *device;
	struct entry *entry = entry_of(c, &device);

	if (!entry || !vpe_ok(c)) {
		return;
	}
	if (entry->valid) {
		mits_complain("VMAPTI: DeviceID 0x%x EventID 0x%x is mapped already", c->device,
			      c->event);
	}
	if (c->intid < LPI_BASE || c->intid >> 14 || doorbell != 1023) {
		mits_complain("VMAPTI: vINTID %u, doorbell %u", c->intid, doorbell);
		return;
	}
	*entry = (struct entry){.valid = true, .vpe = c->vpe, .vlpi = c->intid};
	mits_memory(device->itt)[(size_t)c->event * ITT_ENTRY] = 0x5a;
	mits_property_fill(entry);
}

/* Pending state goes along. */
static void move(struct entry *entry, uint16_t to)
{
	struct entry target = *entry;

	target.vpe = to;
	if (mits_pending_get(mits_lpis_of(entry), entry->vlpi)) {
		mits_effect_add(SET, &target);
		mits_effect_add(CLEAR_ONE, entry);
	}
	*entry = target;
	mits_property_fill(entry);
}

static void do_vmovi(const struct model_its_command *c)
{
	struct device *device;
	struct entry *entry = mapped_entry_of(c, &device);

	if (!entry || !vpe_ok(c)) {
		return;
	}
	move(entry, c->vpe);
}

/* CORES: it is not mapped. */
static unsigned collection_core(const struct model_its_command *c, uint64_t icid)
{
	if (icid >= CORES || !model_its.its.collection[icid]) {
		mits_complain("command 0x%02x: collection %u is not mapped", c->opcode,
			      (unsigned)icid);
		return CORES;
	}
	return model_its.its.collection[icid] - 1;
}

static void do_mapti(const struct model_its_command *c, uint32_t lpi, uint64_t icid)
{
	struct device *device;
	struct entry *entry = entry_of(c, &device);
	unsigned core = collection_core(c, icid);

	if (!entry || core == CORES) {
		return;
	}
	if (entry->valid) {
		mits_complain("MAPTI: DeviceID 0x%x EventID 0x%x is mapped already", c->device,
			      c->event);
	}
	if (lpi < LPI_BASE || lpi >> 14) {
		mits_complain("MAPTI: pINTID %u", lpi);
		return;
	}
	for (unsigned i = 0; i < SLOTS * EVENTS; i++) {
		const struct entry *other = &model_its.devices[i / EVENTS].now[i % EVENTS];

		if (other->valid && other->physical && other->vlpi == lpi) {
			mits_complain("MAPTI: LPI %u is another event's", lpi);
		}
	}
	*entry =
		(struct entry){.valid = true, .physical = true, .vpe = (uint16_t)core, .vlpi = lpi};
	mits_memory(device->itt)[(size_t)c->event * ITT_ENTRY] = 0x5a;
	mits_property_fill(entry);
}

static void do_movi(const struct model_its_command *c, uint64_t icid)
{
	struct device *device;
	struct entry *entry = mapped_entry_of(c, &device);
	unsigned core = collection_core(c, icid);

	if (entry && core != CORES) {
		if (!entry->physical) {
			mits_complain("MOVI of a virtual LPI");
			return;
		}
		move(entry, (uint16_t)core);
	}
}

static void do_event(const struct model_its_command *c)
{
	struct device *device;
	struct entry *entry = mapped_entry_of(c, &device);

	if (!entry) {
		return;
	}
	switch (c->opcode) {
	case 0x03:
		mits_effect_add(SET, entry);
		break;
	case 0x0c:
		mits_effect_add(DROP_PROPERTY, entry);
		break;
	case 0x0f:
		mits_effect_add(CLEAR_ONE, entry);
		entry->valid = false;
		mits_memory(device->itt)[(size_t)c->event * ITT_ENTRY] = 0xa5;
		break;
	default:
		mits_effect_add(CLEAR_ONE, entry);
		break;
	}
}

static void do_collection(const struct model_its_command *c, unsigned icid)
{
	if (icid >= CORES || icid >= mits_table_entries(4)) {
		mits_complain("command 0x%02x: collection %u", c->opcode, icid);
	} else if (c->opcode == 0x09) {
		if (c->core == CORES || !c->valid) {
			mits_complain("MAPC: no such redistributor");
		}
		if (c->core != CORES && !(model_its.rds[c->core].ctlr & 1)) {
			mits_complain("MAPC to a redistributor whose LPIs are off");
		}
		model_its.its.collection[icid] = c->core + 1;
	} else if (!model_its.its.collection[icid]) {
		mits_complain("INVALL of collection %u, not mapped", icid);
	} else {
		mits_effect_add(
			DROP_ALL,
			&(struct entry){.physical = true,
					.vpe = (uint16_t)(model_its.its.collection[icid] - 1)});
	}
}

static void execute(const uint64_t *w)
{
	struct model_its_command c = {
		.opcode = (unsigned)(w[0] & 0xff),
		.device = (uint32_t)(w[0] >> 32),
		.event = (uint32_t)w[1],
		.vpe = (uint16_t)(w[1] >> 32),
		.intid = (uint32_t)w[2],
		.core = mits_core_of(field_get(BITS(51, 16), w[2])),
		.valid = w[2] >> 63,
	};

	if (c.opcode >= 64 || !legal[c.opcode][0]) {
		mits_complain("unknown command 0x%02x", c.opcode);
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (w[i] & ~legal[c.opcode][i]) {
			mits_complain("command 0x%02x: reserved bits in word %u: 0x%llx", c.opcode,
				      i, (unsigned long long)w[i]);
		}
	}
	model_its.its.count[c.opcode]++;
	if (model_its.watcher) {
		model_its.watcher(model_its.watcher_context, &c);
	}
	switch (c.opcode) {
	case 0x01:
		do_movi(&c, w[2] & 0xffff);
		break;
	case 0x0a:
		do_mapti(&c, (uint32_t)(w[1] >> 32), w[2] & 0xffff);
		break;
	case 0x05:
		if (c.core == CORES) {
			mits_complain("SYNC: no such redistributor");
		} else {
			mits_core_sync(c.core);
		}
		break;
	case 0x08:
		do_mapd(&c, (unsigned)(w[1] & 31) + 1, w[2] & BITS(51, 8));
		break;
	case 0x09:
	case 0x0d:
		do_collection(&c, (unsigned)(w[2] & 0xffff));
		break;
	case 0x21:
		do_vmovi(&c);
		break;
	case 0x25:
		if (vpe_ok(&c)) {
			mits_vpe_sync(c.vpe);
		}
		break;
	case 0x29:
		do_vmapp(&c, (unsigned)(w[3] & 31) + 1, w[3] & BITS(51, 16));
		break;
	case 0x2a:
		do_vmapti(&c, (uint32_t)(w[2] >> 32));
		break;
	case 0x2d:
		if (vpe_ok(&c)) {
			mits_effect_add(DROP_ALL, &(struct entry){.vpe = c.vpe});
		}
		break;
	default:
		do_event(&c);
		break;
	}
}

/* A few commands for each tick of time, none at the instant of the doorbell. */
void mits_progress(void)
{
	uint64_t size = (field_get(BITS(7, 0), model_its.its.cbaser) + 1) * KIB(4);

	if (!model_its.its.enabled || model_its.its.hung || model_its.its.stalled ||
	    models_time() <= model_its.its.progress_at) {
		return;
	}
	model_its.its.progress_at = models_time();
	for (unsigned i = 0; i < STEP_COMMANDS && model_its.its.creadr != model_its.its.cwriter;
	     i++) {
		model_its.its.taken++;
		model_its.its.hung =
			model_its.config.hang_at && model_its.its.taken >= model_its.config.hang_at;
		model_its.its.stalled = model_its.config.stall_at &&
					model_its.its.taken >= model_its.config.stall_at;
		if (model_its.its.hung || model_its.its.stalled) {
			return;
		}
		execute((const uint64_t *)(const void *)mits_memory(
			(model_its.its.cbaser & BITS(51, 12)) + model_its.its.creadr));
		model_its.its.creadr = (model_its.its.creadr + 32) % size;
	}
}
