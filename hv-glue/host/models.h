/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workstation side of the contract: device access is answered by software models, time is
 * virtual, log lines are kept. For tests only.
 */
#ifndef CW_HOST_MODELS_H
#define CW_HOST_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A model answers every access to [base, base+size). Bases are made-up numbers, never pointers. */
struct model {
	uintptr_t base;
	size_t size;
	void *context;
	uint64_t (*read)(void *context, uint64_t offset, unsigned bytes);
	void (*write)(void *context, uint64_t offset, unsigned bytes, uint64_t value);
};

/* An access that no model answers fails the test (abort with a message). */
void models_reset(void); /* no models, time 0, no log, counters 0 */
void models_add(const struct model *model);

/* Virtual time: clock_ns() is this; clock_sleep_ns() advances it and calls the hook if any. */
uint64_t models_time(void);
void models_time_hook(void (*hook)(void *context, uint64_t now_ns), void *context);

/* Called at each arch_publish/arch_barrier/arch_clean and each MMIO write: the prefix models look
 * at memory here, at every point a device could. */
void models_observer(void (*observer)(void *context), void *context);

/*
 * Called before each access to a model, at each barrier, step of a wait and sleep: where another
 * core may come in between. `waiting`: this one cannot go on until another has.
 */
void models_turn(void (*turn)(bool waiting));

struct model_counters {
	uint64_t reads, writes, publishes, barriers, cleans, sleeps;
};
extern struct model_counters model_counters;

/* Log lines since reset: how many contain `text`. */
unsigned models_log_count(const char *text);
const char *models_log_last(void);

#endif
