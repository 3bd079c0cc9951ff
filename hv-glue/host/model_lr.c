/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_lr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch_sysreg.h"

#define LRS	      16
#define FIRST_LPI     8192u
#define PHYSICAL      1020u
#define PENDING	      (1ull << 62)
#define ACTIVE	      (1ull << 63)
#define STATE	      (3ull << 62)
#define HW	      (1ull << 61)
#define GROUP1	      (1ull << 60)
#define EOI	      (1ull << 41) /* when HW is 0 */
#define HCR_KNOWN     0xf00030ffull
#define HCR_EN	      1ull
#define HCR_UIE	      2ull
#define HCR_NPIE      8ull
#define HCR_UNUSED    0xf4ull /* LRENPIE, and groups that come and go: not modelled */
#define IDLE_PRIORITY 0x100u
#define DEPTH	      32

static struct interface {
	uint64_t lr[LRS], hcr, vmcr, ap[2][4];
	bool active[32];		/* physical private interrupts */
	unsigned running[DEPTH], depth; /* priorities of what was acknowledged */
	void *tpidr;
} interfaces[MODEL_LR_CORES], *here;
static struct model_lr_config config;
static bool shared_active[PHYSICAL]; /* SPIs */
static unsigned violations;
static char first_violation[200];

__attribute__((format(printf, 1, 2))) static void violate(const char *format, ...)
{
	va_list arguments;

	if (violations++ == 0) {
		va_start(arguments, format);
		vsnprintf(first_violation, sizeof(first_violation), format, arguments);
		va_end(arguments);
	}
}

static unsigned intid_of(uint64_t lr)
{
	return (uint32_t)lr;
}

static unsigned physical_of(uint64_t lr)
{
	return lr >> 32 & 0x1fff;
}

static unsigned priority_of(uint64_t lr)
{
	return lr >> 48 & 0xff;
}

static bool *physical(unsigned intid)
{
	return intid < 32 ? &here->active[intid] : &shared_active[intid % PHYSICAL];
}

/* --- what EL2 writes ---------------------------------------------------------------------------
 */

static void check_hardware(unsigned n, uint64_t lr)
{
	unsigned intid = physical_of(lr);

	if ((lr & STATE) == STATE) {
		violate("ICH_LR%u: a hardware interrupt pending and active", n);
	}
	if (intid < 16 || intid >= PHYSICAL) {
		violate("ICH_LR%u: physical INTID %u", n, intid);
	} else if (!*physical(intid)) {
		violate("ICH_LR%u: physical INTID %u is not active", n, intid);
	}
}

static void check_written(unsigned n, uint64_t lr)
{
	uint64_t reserved = 3ull << 45 | 7ull << 56 | (lr & HW ? 0 : 0x1dffull << 32);

	if (!(lr & STATE)) {
		return;
	}
	if (lr & reserved) {
		violate("ICH_LR%u: 0x%llx has reserved bits set", n, (unsigned long long)lr);
	}
	if (!(lr & GROUP1)) {
		violate("ICH_LR%u: INTID %u in group 0", n, intid_of(lr));
	}
	if (intid_of(lr) >= 1020 && (intid_of(lr) < FIRST_LPI || lr & ACTIVE)) {
		violate("ICH_LR%u: INTID %u, 0x%llx", n, intid_of(lr), (unsigned long long)lr);
	}
	if (lr & HW) {
		check_hardware(n, lr);
	}
	for (unsigned i = 0; i < config.list_registers; i++) {
		uint64_t other = here->lr[i];

		if (i != n && other & STATE && intid_of(other) == intid_of(lr)) {
			violate("INTID %u in ICH_LR%u and ICH_LR%u", intid_of(lr), i, n);
		}
	}
}

static uint64_t *list_register(const char *name)
{
	unsigned n;

	if (sscanf(name, "ICH_LR%u_EL2", &n) != 1) {
		return NULL;
	}
	if (n >= config.list_registers) {
		violate("%s is not implemented", name);
	}
	return &here->lr[n % LRS];
}

static uint64_t *active_priorities(const char *name)
{
	unsigned group, n;

	if (sscanf(name, "ICH_AP%uR%u_EL2", &group, &n) != 2) {
		return NULL;
	}
	if (n >= 1u << (config.preemption_bits - 5)) {
		violate("%s is not implemented", name);
	}
	return &here->ap[group & 1][n & 3];
}

/* Nothing valid, and no end that EL2 wants to hear of. */
static bool is_empty(uint64_t lr)
{
	return !(lr & STATE) && (lr & HW || !(lr & EOI));
}

static uint64_t empty_ones(void)
{
	uint64_t bits = 0;

	for (unsigned n = 0; n < config.list_registers; n++) {
		bits |= (uint64_t)is_empty(here->lr[n]) << n;
	}
	return bits;
}

static uint64_t type_register(void)
{
	return (config.list_registers - 1) | (uint64_t)(config.preemption_bits - 1) << 26 |
	       (uint64_t)(config.preemption_bits - 1) << 29;
}

uint64_t arch_sysreg_read(const char *name)
{
	uint64_t *word = list_register(name);

	word = word ? word : active_priorities(name);
	if (word) {
		return *word;
	}
	if (!strcmp(name, "ICH_VTR_EL2")) {
		return type_register();
	}
	if (!strcmp(name, "ICH_ELRSR_EL2")) {
		return empty_ones();
	}
	if (!strcmp(name, "ICH_HCR_EL2")) {
		return here->hcr;
	}
	if (!strcmp(name, "tpidr_el2")) {
		return (uint64_t)(uintptr_t)here->tpidr;
	}
	fprintf(stderr, "model_lr: no register %s to read\n", name);
	abort();
}

void arch_sysreg_write(const char *name, uint64_t value)
{
	uint64_t *word = list_register(name);

	if (word) {
		check_written((unsigned)(word - here->lr), value);
		*word = value;
		return;
	}
	word = active_priorities(name);
	if (word) {
		*word = value;
		here->depth = value ? here->depth : 0;
	} else if (!strcmp(name, "ICH_HCR_EL2")) {
		if (value & ~HCR_KNOWN || value & HCR_UNUSED) {
			violate("ICH_HCR_EL2: 0x%llx", (unsigned long long)value);
		}
		here->hcr = value;
	} else if (!strcmp(name, "ICH_VMCR_EL2")) {
		here->vmcr = value;
	} else {
		fprintf(stderr, "model_lr: no register %s to write\n", name);
		abort();
	}
}

bool model_lr_maintenance(void)
{
	unsigned valid = 0, pending = 0;
	bool ended = false;

	for (unsigned n = 0; n < config.list_registers; n++) {
		uint64_t lr = here->lr[n];

		valid += (lr & STATE) != 0;
		pending += (lr & STATE) == PENDING;
		ended |= !(lr & STATE) && !is_empty(lr);
	}
	return here->hcr & HCR_EN && (ended || (here->hcr & HCR_UIE && valid <= 1) ||
				      (here->hcr & HCR_NPIE && pending == 0));
}

/* --- what the guest does ------------------------------------------------------------------------
 */

/* The most urgent that is pending and not active, or -1. */
static int highest(void)
{
	int best = -1;

	for (unsigned n = 0; n < config.list_registers; n++) {
		if ((here->lr[n] & STATE) == PENDING &&
		    (best < 0 || priority_of(here->lr[n]) < priority_of(here->lr[best]))) {
			best = (int)n;
		}
	}
	return best;
}

static unsigned running_priority(void)
{
	return here->depth ? here->running[here->depth - 1] : IDLE_PRIORITY;
}

bool model_lr_signals(void)
{
	int n = highest();

	return here->hcr & HCR_EN && n >= 0 && priority_of(here->lr[n]) < running_priority();
}

unsigned model_lr_acknowledge(void)
{
	if (!model_lr_signals()) {
		return MODEL_LR_SPURIOUS;
	}
	uint64_t *lr = &here->lr[highest()];
	bool active = intid_of(*lr) < FIRST_LPI || config.lpis_look_active;

	here->running[here->depth++ % DEPTH] = priority_of(*lr);
	*lr = (*lr & ~STATE) | (active ? ACTIVE : 0);
	return intid_of(*lr);
}

void model_lr_end(unsigned intid)
{
	if (!here->depth) {
		violate("the guest ends INTID %u, and nothing is active", intid);
		return;
	}
	here->depth--;
	for (unsigned n = 0; n < config.list_registers; n++) {
		uint64_t *lr = &here->lr[n];

		if (!(*lr & ACTIVE) || intid_of(*lr) != intid) {
			continue;
		}
		*lr &= ~ACTIVE;
		if (*lr & HW) {
			if (!*physical(physical_of(*lr))) {
				violate("INTID %u: its physical one was ended before", intid);
			}
			*physical(physical_of(*lr)) = false;
		}
	}
}

void model_lr_physical(unsigned intid)
{
	if (*physical(intid)) {
		violate("physical INTID %u came while it is active", intid);
	}
	*physical(intid) = true;
}

bool model_lr_physical_active(unsigned intid)
{
	return *physical(intid);
}

/* --- the test's side ----------------------------------------------------------------------------
 */

void model_lr_reset(struct model_lr_config wanted)
{
	config = wanted;
	violations = 0;
	first_violation[0] = '\0';
	memset(shared_active, 0, sizeof(shared_active));
	memset(interfaces, 0, sizeof(interfaces));
	for (unsigned i = 0; i < MODEL_LR_CORES; i++) {
		for (unsigned n = 0; n < LRS; n++) {
			interfaces[i].lr[n] = PENDING | GROUP1 | (40 + n);
		}
		interfaces[i].depth = 1; /* an earlier life never dropped it */
		memset(interfaces[i].ap, 0xff, sizeof(interfaces[i].ap));
	}
	here = interfaces;
}

void model_lr_core(unsigned core, void *tpidr_el2)
{
	here = &interfaces[core % MODEL_LR_CORES];
	here->tpidr = tpidr_el2;
}

unsigned model_lr_violations(void)
{
	return violations;
}

const char *model_lr_violation(void)
{
	return first_violation;
}
