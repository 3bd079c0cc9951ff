/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_its_parts.h"

#include <string.h>

uint8_t *mits_memory(uint64_t address)
{
	return (uint8_t *)(uintptr_t)address;
}

bool mits_is_zero(uint64_t address, size_t size)
{
	const uint8_t *p = mits_memory(address);

	for (size_t i = 0; i < size; i++) {
		if (p[i]) {
			return false;
		}
	}
	return true;
}

/* --- lookups -----------------------------------------------------------------------------------
 */

struct device *mits_device_find(uint32_t id)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (model_its.devices[i].used && model_its.devices[i].id == id) {
			return &model_its.devices[i];
		}
	}
	return NULL;
}

struct device *mits_device_get(uint32_t id)
{
	struct device *device = mits_device_find(id);

	for (unsigned i = 0; !device && i < SLOTS; i++) {
		if (!model_its.devices[i].used) {
			device = &model_its.devices[i];
			device->used = true;
			device->id = id;
		}
	}
	if (!device) {
		mits_complain("the model has no room for another DeviceID");
	}
	return device;
}

unsigned mits_processor_of(unsigned core)
{
	return model_its.config.cores - 1 - core;
}

static uint64_t rdbase_of(unsigned core)
{
	return model_its.config.pta ? (MODEL_GICR_BASE + core * MODEL_GICR_STRIDE) >> 16
				    : mits_processor_of(core);
}

/* CORES: none. */
unsigned mits_core_of(uint64_t rdbase)
{
	for (unsigned core = 0; core < model_its.config.cores; core++) {
		if (rdbase_of(core) == rdbase) {
			return core;
		}
	}
	return CORES;
}

bool mits_vpe_resident(const struct vpe *vpe)
{
	const struct redistributor *rd = &model_its.rds[vpe->core];

	return vpe->valid && (rd->vpendbaser & BIT(63)) &&
	       (rd->vpendbaser & BITS(51, 16)) == vpe->vpt;
}

bool mits_rd_dirty(const struct redistributor *rd)
{
	return models_time() < rd->dirty_until || (model_its.config.vpend_hangs && rd->dirty_until);
}

uint64_t mits_table_entries(unsigned type)
{
	for (unsigned n = 0; n < 8; n++) {
		uint64_t baser = model_its.its.baser[n];
		uint64_t page = KIB(4) << (2 * field_get(BITS(9, 8), baser));

		if (field_get(BITS(58, 56), baser) == type && (baser & BIT(63))) {
			return (field_get(BITS(7, 0), baser) + 1) * page /
			       (field_get(BITS(52, 48), baser) + 1);
		}
	}
	return 0;
}

/* --- pending and property ------------------------------------------------------------------------
 */

struct lpis *mits_lpis_of(const struct entry *entry)
{
	return entry->physical ? &model_its.rds[entry->vpe].lpis : &model_its.vpes[entry->vpe].lpis;
}

void mits_pending_clear(struct lpis *lpis, uint32_t lpi)
{
	lpis->cached[lpi / 8] &= (uint8_t) ~(1u << lpi % 8);
	mits_memory(lpis->pending_table)[lpi / 8] &= (uint8_t) ~(1u << lpi % 8);
}

bool mits_pending_get(const struct lpis *lpis, uint32_t lpi)
{
	return ((lpis->cached[lpi / 8] | mits_memory(lpis->pending_table)[lpi / 8]) >> lpi % 8) & 1;
}

void mits_pending_flush(struct lpis *lpis)
{
	for (unsigned i = 0; i < TABLE_BYTES; i++) {
		if (lpis->cached[i]) {
			mits_memory(lpis->pending_table)[i] |= lpis->cached[i];
			lpis->cached[i] = 0;
		}
	}
}

void mits_property_fill(const struct entry *entry)
{
	const struct vpe *vpe = &model_its.vpes[entry->physical ? 0 : entry->vpe];
	const struct redistributor *rd = &model_its.rds[entry->physical ? entry->vpe : vpe->core];
	uint64_t table = (entry->physical ? rd->propbaser : rd->vpropbaser) & BITS(51, 12);
	struct lpis *lpis = mits_lpis_of(entry);

	if ((entry->physical || mits_vpe_resident(vpe)) &&
	    !lpis->property_cached[entry->vlpi - LPI_BASE]) {
		lpis->property[entry->vlpi - LPI_BASE] = mits_memory(table)[entry->vlpi - LPI_BASE];
		lpis->property_cached[entry->vlpi - LPI_BASE] = true;
	}
}

void mits_effect_add(int what, const struct entry *entry)
{
	if (model_its.effect_count == ARRAY_SIZE(model_its.effects)) {
		mits_complain("%u effects wait for a sync", model_its.effect_count);
		return;
	}
	model_its.effects[model_its.effect_count++] = (struct effect){
		.what = what, .physical = entry->physical, .vpe = entry->vpe, .vlpi = entry->vlpi};
}

static void effect_apply(const struct effect *effect)
{
	struct entry entry = {
		.physical = effect->physical, .vpe = effect->vpe, .vlpi = effect->vlpi};
	struct lpis *lpis = mits_lpis_of(&entry);

	switch (effect->what) {
	case SET:
		lpis->cached[effect->vlpi / 8] |= (uint8_t)(1u << effect->vlpi % 8);
		break;
	case CLEAR_ONE:
		mits_pending_clear(lpis, effect->vlpi);
		break;
	case DROP_PROPERTY:
		lpis->property_cached[effect->vlpi - LPI_BASE] = false;
		mits_property_fill(&entry);
		break;
	case DROP_ALL:
		memset(lpis->property_cached, 0, sizeof(lpis->property_cached));
		break;
	}
}

/* What was said to a vPE, or to a redistributor about physical LPIs, holds from now on. */
static void target_sync(bool physical, unsigned target)
{
	unsigned left = 0;

	for (unsigned i = 0; i < model_its.effect_count; i++) {
		const struct effect *effect = &model_its.effects[i];

		if (effect->physical == physical && effect->vpe == target) {
			effect_apply(effect);
		} else {
			model_its.effects[left++] = *effect;
		}
	}
	model_its.effect_count = left;
	for (unsigned i = 0; i < SLOTS; i++) {
		for (unsigned n = 0; model_its.devices[i].used && n < EVENTS; n++) {
			struct entry *now = &model_its.devices[i].now[n];
			struct entry *seen = &model_its.devices[i].seen[n];

			if ((seen->valid && seen->physical == physical && seen->vpe == target) ||
			    (now->valid && now->physical == physical && now->vpe == target)) {
				*seen = *now;
			}
		}
	}
}

void mits_vpe_sync(uint16_t id)
{
	model_its.vpes[id].seen_valid = model_its.vpes[id].valid;
	target_sync(false, id);
}

void mits_core_sync(unsigned core)
{
	target_sync(true, core);
	for (unsigned i = 0; i < SLOTS; i++) {
		struct device *device = &model_its.devices[i];

		device->seen_valid = device->valid;
		if (device->used && !device->valid) {
			memset(device->seen, 0, sizeof(device->seen));
			device->used = false;
		}
	}
	for (unsigned i = 0; i < MODEL_ITS_VPES; i++) {
		struct vpe *vpe = &model_its.vpes[i];

		if (vpe->core == core && vpe->leaving) {
			mits_pending_flush(&vpe->lpis);
			vpe->leaving = false;
			vpe->seen_valid = false;
		}
	}
}
