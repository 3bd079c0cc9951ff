/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_config.h"

#include <string.h>

#include "models.h"

#define ECAM_BUSES  16
#define RESET_NS    100000000ull
#define DEVCTL	    8
#define DEVCTL_HIGH (DEVCTL + 1)
#define FLR_HIGH    0x80

static void violate(struct model_config *model, const char *what)
{
	model->violations++;
	model->violation = what;
}

static struct model_function *function_at(struct model_config *model, uint64_t offset)
{
	for (unsigned i = 0; i < model->count; i++) {
		if (model->functions[i].rid.v == offset / MODEL_CONFIG_BYTES) {
			return &model->functions[i];
		}
	}
	return NULL;
}

static bool sound(struct model_config *model, uint64_t offset, unsigned bytes)
{
	if (bytes > 4 || offset % bytes != 0) {
		violate(model, "configuration access is misaligned or too wide");
		return false;
	}
	return true;
}

static uint64_t config_read(void *context, uint64_t offset, unsigned bytes)
{
	struct model_config *model = context;
	struct model_function *function = function_at(model, offset);

	if (!sound(model, offset, bytes) || !function ||
	    models_time() < function->silent_until_ns) {
		return ~0ull;
	}
	function->reads++;
	return model_config_get(function, (unsigned)(offset % MODEL_CONFIG_BYTES), bytes);
}

static void reset(struct model_function *function)
{
	function->resets++;
	memcpy(function->space, function->initial, sizeof(function->space));
	model_config_put(function, PCI_COMMAND, 2, 0);
	function->silent_until_ns = function->dies ? UINT64_MAX : models_time() + RESET_NS;
}

static void write_byte(struct model_function *function, unsigned offset, uint8_t value)
{
	uint8_t old = function->space[offset];
	bool clears = offset == PCI_STATUS || offset == PCI_STATUS + 1;
	uint8_t new = clears ? (uint8_t)(old & ~value) : value;

	if (function->express && offset == (unsigned)function->express + DEVCTL_HIGH) {
		new &= (uint8_t)~FLR_HIGH;
	}
	function->changed[offset] |= old ^ new;
	function->space[offset] = new;
}

static void config_write(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	struct model_config *model = context;
	struct model_function *function = function_at(model, offset);
	unsigned reg = (unsigned)(offset % MODEL_CONFIG_BYTES);
	bool resets = false;

	if (!sound(model, offset, bytes) || !function) {
		return;
	}
	if (models_time() < function->silent_until_ns) {
		if (function->silent_until_ns != UINT64_MAX) {
			violate(model, "configuration write to a function in reset");
		}
		return;
	}
	if (reg == PCI_COMMAND && bytes == 4) {
		violate(model, "one write spans Command and Status");
	}
	model->log[model->logged++ % MODEL_CONFIG_LOG] = (struct model_config_write){
		function->rid, (uint16_t)reg, (uint8_t)bytes, (uint32_t)value};
	function->writes++;
	for (unsigned i = 0; i < bytes; i++) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		resets |= function->express &&
			  reg + i == (unsigned)function->express + DEVCTL_HIGH && (byte & FLR_HIGH);
		write_byte(function, reg + i, byte);
	}
	if (resets) {
		reset(function);
	}
}

void model_config_init(struct model_config *model, uintptr_t base)
{
	struct pci_host *host = &model->bus.host;

	memset(model, 0, sizeof(*model));
	host->ecam = base;
	host->ecam_size = MIB(ECAM_BUSES);
	host->bus_last = ECAM_BUSES - 1;
	model->bus.bus_count = ECAM_BUSES;
	models_add(&(struct model){base, host->ecam_size, model, config_read, config_write});
}

struct model_function *model_config_add(struct model_config *model, rid_t rid)
{
	struct model_function *function = &model->functions[model->count++];

	function->rid = rid;
	for (unsigned i = 0; i < MODEL_CONFIG_BYTES; i++) {
		function->space[i] = (uint8_t)((i * 37 + 11) | 0x11);
	}
	return function;
}

void model_config_put(struct model_function *function, unsigned offset, unsigned bytes,
		      uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++) {
		function->space[offset + i] = (uint8_t)(value >> (8 * i));
	}
}

uint32_t model_config_get(const struct model_function *function, unsigned offset, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		value |= (uint32_t)function->space[offset + i] << (8 * i);
	}
	return value;
}

void model_config_settle(struct model_function *function)
{
	memcpy(function->initial, function->space, sizeof(function->initial));
}
