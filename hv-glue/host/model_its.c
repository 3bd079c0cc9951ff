/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_its_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct model_its_state model_its;

__attribute__((format(printf, 1, 2))) void mits_complain(const char *format, ...)
{
	char text[sizeof(model_its.first)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "model_its: %s\n", text);
	if (!model_its.complaints++) {
		memcpy(model_its.first, text, sizeof(model_its.first));
	}
}

unsigned model_its_complaints(void)
{
	return model_its.complaints;
}

const char *model_its_first_complaint(void)
{
	return model_its.complaints ? model_its.first : "";
}

void model_its_watch(void (*watch)(void *, const struct model_its_command *), void *context)
{
	model_its.watcher = watch;
	model_its.watcher_context = context;
}

unsigned model_its_count(unsigned opcode)
{
	return model_its.its.count[opcode & 63];
}

void model_its_hang_now(void)
{
	model_its.its.hung = true;
}

/* --- what a test sees ----------------------------------------------------------------------------
 */

struct model_its_delivery model_its_msi(uint32_t device_id, uint32_t event)
{
	const struct model_its_delivery dropped = {.dropped = true};
	const struct device *device = mits_device_find(device_id);

	if (!model_its.its.enabled || !device || !device->seen_valid || event >> device->bits) {
		return dropped;
	}
	const struct entry *entry = &device->seen[event];

	if (!entry->valid || (!entry->physical && !model_its.vpes[entry->vpe].seen_valid)) {
		return dropped;
	}
	mits_lpis_of(entry)->cached[entry->vlpi / 8] |= (uint8_t)(1u << entry->vlpi % 8);
	return (struct model_its_delivery){
		.physical = entry->physical, .vpe = entry->vpe, .vlpi = entry->vlpi};
}

bool model_its_pending(uint16_t vpe, uint32_t vlpi)
{
	return model_its.vpes[vpe].seen_valid && mits_pending_get(&model_its.vpes[vpe].lpis, vlpi);
}

bool model_its_signalled(uint16_t vpe, uint32_t vlpi)
{
	const struct entry entry = {.vpe = vpe, .vlpi = vlpi};

	if (!model_its_pending(vpe, vlpi) || !mits_vpe_resident(&model_its.vpes[vpe])) {
		return false;
	}
	mits_property_fill(&entry);
	return model_its.vpes[vpe].lpis.property[vlpi - LPI_BASE] & 1;
}

unsigned model_its_pending_count(uint16_t vpe)
{
	unsigned count = 0;

	for (uint32_t vlpi = LPI_BASE; vlpi < TABLE_BYTES * 8; vlpi++) {
		count += model_its_pending(vpe, vlpi);
	}
	return count;
}

uint32_t model_its_acknowledge(unsigned core)
{
	struct redistributor *rd = &model_its.rds[core];
	uint32_t best = 1023;
	unsigned priority = 256;

	for (uint32_t lpi = LPI_BASE; (rd->ctlr & 1) && lpi < TABLE_BYTES * 8; lpi++) {
		const struct entry entry = {.physical = true, .vpe = (uint16_t)core, .vlpi = lpi};

		if (!mits_pending_get(&rd->lpis, lpi)) {
			continue;
		}
		mits_property_fill(&entry);
		if ((rd->lpis.property[lpi - LPI_BASE] & 1) &&
		    (rd->lpis.property[lpi - LPI_BASE] & 0xfcu) < priority) {
			priority = rd->lpis.property[lpi - LPI_BASE] & 0xfcu;
			best = lpi;
		}
	}
	if (best != 1023) {
		mits_pending_clear(&rd->lpis, best);
	}
	return best;
}

unsigned model_its_physical_pending(unsigned core)
{
	unsigned count = 0;

	for (uint32_t lpi = LPI_BASE; lpi < TABLE_BYTES * 8; lpi++) {
		count += mits_pending_get(&model_its.rds[core].lpis, lpi);
	}
	return count;
}

bool model_its_device_mapped(uint32_t device_id)
{
	const struct device *device = mits_device_find(device_id);

	return device && device->seen_valid;
}

bool model_its_event_mapped(uint32_t device_id, uint32_t event)
{
	const struct device *device = mits_device_find(device_id);

	return device && device->seen_valid && !(event >> device->bits) &&
	       device->seen[event].valid;
}

void model_its_start(const struct model_its_config *wanted)
{
	const uint64_t types[2][3] = {{1, 4, 2}, {4, 2, 1}};

	memset(&model_its, 0, sizeof(model_its));
	model_its.config = *wanted;
	model_its.its.enabled = model_its.config.its_on;
	for (unsigned i = 0; i < 3; i++) {
		model_its.its.baser[i + 2 * model_its.config.types_shuffled] =
			types[model_its.config.types_shuffled][i] << 56 | 7ull << 48;
	}
	for (unsigned core = 0; core < model_its.config.cores; core++) {
		model_its.rds[core].ctlr = model_its.config.lpis_on;
	}
	mits_add_frames();
}
