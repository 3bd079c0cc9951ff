/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of the configuration spaces behind one ECAM, for tests of what reaches hardware. Every
 * bit is writable, as on the worst device, so that a write that should not have come is seen; the
 * exceptions are Status, which clears on 1, and Initiate FLR, which resets the function.
 *
 * Strict: an access that is not naturally aligned, 8 bytes wide, spans Command and Status, or
 * writes to a function in reset is a violation. What is not there reads all-ones.
 */
#ifndef CW_HOST_MODEL_CONFIG_H
#define CW_HOST_MODEL_CONFIG_H

#include "pci_bus.h"

#define MODEL_CONFIG_FUNCTIONS 8
#define MODEL_CONFIG_BYTES     4096
#define MODEL_CONFIG_LOG       64

struct model_function {
	rid_t rid;
	uint16_t express;		     /* offset of the capability; 0: no reset */
	bool dies;			     /* in its next reset */
	uint8_t space[MODEL_CONFIG_BYTES];   /* as it is now */
	uint8_t initial[MODEL_CONFIG_BYTES]; /* what a reset restores */
	uint8_t changed[MODEL_CONFIG_BYTES]; /* bits that a write ever changed */
	uint64_t silent_until_ns;
	unsigned reads, writes, resets;
};

struct model_config_write {
	rid_t rid;
	uint16_t offset;
	uint8_t bytes;
	uint32_t value;
};

struct model_config {
	struct model_function functions[MODEL_CONFIG_FUNCTIONS];
	unsigned count;
	unsigned violations;
	const char *violation;				 /* the last one */
	struct model_config_write log[MODEL_CONFIG_LOG]; /* a ring; logged % MODEL_CONFIG_LOG */
	unsigned logged;
	struct pci_bus bus; /* reaches this model */
};

/* Empties the model and registers it with models_add(), one ECAM of 16 buses at `base`. */
void model_config_init(struct model_config *model, uintptr_t base);

/* A function whose 4096 bytes are all noise (never 0), so that a leak is seen. */
struct model_function *model_config_add(struct model_config *model, rid_t rid);

/* The function's own registers. model_config_settle() makes the present bytes the reset state. */
void model_config_put(struct model_function *function, unsigned offset, unsigned bytes,
		      uint32_t value);
uint32_t model_config_get(const struct model_function *function, unsigned offset, unsigned bytes);
void model_config_settle(struct model_function *function);

#endif
