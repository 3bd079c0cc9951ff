/* SPDX-License-Identifier: BSD-2-Clause */
#include "models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch_mmio.h"
#include "clock.h"
#include "log.h"

#define MAX_MODELS   16
#define LOG_LINES    512
#define POLL_STEP_NS 1000

static struct model models[MAX_MODELS];
static unsigned model_count;
static uint64_t now;
static void (*time_hook)(void *, uint64_t);
static void *time_context;
static void (*observer)(void *);
static void *observer_context;
static void (*turn)(bool waiting);
static char lines[LOG_LINES][LOG_LINE + 1];
static unsigned line_count;

struct model_counters model_counters;

void models_reset(void)
{
	model_count = 0;
	now = 0;
	time_hook = NULL;
	observer = NULL;
	turn = NULL;
	line_count = 0;
	memset(&model_counters, 0, sizeof(model_counters));
}

void models_add(const struct model *model)
{
	if (model_count == MAX_MODELS) {
		fprintf(stderr, "too many models\n");
		abort();
	}
	models[model_count++] = *model;
}

uint64_t models_time(void)
{
	return now;
}

void models_time_hook(void (*hook)(void *, uint64_t), void *context)
{
	time_hook = hook;
	time_context = context;
}

void models_observer(void (*new_observer)(void *), void *context)
{
	observer = new_observer;
	observer_context = context;
}

void models_turn(void (*new_turn)(bool waiting))
{
	turn = new_turn;
}

static void take_turns(bool waiting)
{
	if (turn) {
		turn(waiting);
	}
}

void arch_relax(void)
{
	take_turns(true);
}

static void observe(void)
{
	take_turns(false);
	if (observer) {
		observer(observer_context);
	}
}

static struct model *model_at(uintptr_t address, unsigned bytes)
{
	for (unsigned i = 0; i < model_count; i++) {
		if (address >= models[i].base && address - models[i].base < models[i].size) {
			return &models[i];
		}
	}
	fprintf(stderr, "no model answers a %u-byte access at %#lx\n", bytes,
		(unsigned long)address);
	abort();
}

static uint64_t model_read(uintptr_t address, unsigned bytes)
{
	struct model *model = model_at(address, bytes);

	take_turns(false);
	model_counters.reads++;
	return model->read(model->context, address - model->base, bytes);
}

static void model_write(uintptr_t address, unsigned bytes, uint64_t value)
{
	struct model *model = model_at(address, bytes);

	model_counters.writes++;
	observe();
	model->write(model->context, address - model->base, bytes, value);
}

uint8_t arch_mmio_read8(uintptr_t address)
{
	return (uint8_t)model_read(address, 1);
}

uint16_t arch_mmio_read16(uintptr_t address)
{
	return (uint16_t)model_read(address, 2);
}

uint32_t arch_mmio_read32(uintptr_t address)
{
	return (uint32_t)model_read(address, 4);
}

uint64_t arch_mmio_read64(uintptr_t address)
{
	return model_read(address, 8);
}

void arch_mmio_write8(uintptr_t address, uint8_t value)
{
	model_write(address, 1, value);
}

void arch_mmio_write16(uintptr_t address, uint16_t value)
{
	model_write(address, 2, value);
}

void arch_mmio_write32(uintptr_t address, uint32_t value)
{
	model_write(address, 4, value);
}

void arch_mmio_write64(uintptr_t address, uint64_t value)
{
	model_write(address, 8, value);
}

void arch_publish(void)
{
	model_counters.publishes++;
	observe();
}

void arch_barrier(void)
{
	model_counters.barriers++;
	observe();
}

void arch_clean(const volatile void *p, size_t size)
{
	(void)p;
	(void)size;
	model_counters.cleans++;
	observe();
}

uint64_t clock_ns(void)
{
	return now;
}

void clock_sleep_ns(uint64_t ns)
{
	now += ns;
	take_turns(false);
	model_counters.sleeps++;
	if (time_hook) {
		time_hook(time_context, now);
	}
}

enum status clock_poll(bool (*done)(void *), void *context, uint64_t timeout_ns)
{
	for (uint64_t end = now + timeout_ns; !done(context);) {
		if (now >= end) {
			return STATUS_TIMEOUT;
		}
		now += POLL_STEP_NS;
		take_turns(false);
		if (time_hook) {
			time_hook(time_context, now);
		}
	}
	return STATUS_OK;
}

void log_sink(const char *line)
{
	snprintf(lines[line_count % LOG_LINES], sizeof(lines[0]), "%s", line);
	line_count++;
}

unsigned models_log_count(const char *text)
{
	unsigned found = 0;

	for (unsigned i = 0; i < line_count && i < LOG_LINES; i++) {
		found += strstr(lines[i], text) != NULL;
	}
	return found;
}

const char *models_log_last(void)
{
	return line_count ? lines[(line_count - 1) % LOG_LINES] : "";
}
