/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI 1.1 (DEN 0022) by HVC, and the start of further cores. */
#include "internal.h"

#define PSCI_CPU_ON	  0xc4000003ull
#define PSCI_SYSTEM_OFF	  0x84000008ull
#define PSCI_SYSTEM_RESET 0x84000009ull

#define STACK_SIZE	  8192u

/* Read by secondary_start with the MMU already on, in this order. */
struct core_entry {
	uint64_t stack_top;
	void (*entry)(void *);
	void *argument;
};

static struct core_entry entries[GUEST_MAX_VCPUS];
static uint8_t stacks[GUEST_MAX_VCPUS][STACK_SIZE] __attribute__((aligned(16)));
extern char secondary_start[];

uint64_t hypercall(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	/* SMCCC 1.0 callees may also change x4–x17. */
	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "memory");
	return x0;
}

static _Noreturn void halt(void)
{
	for (;;) {
		__asm__ volatile("wfi");
	}
}

void power_off(void)
{
	hypercall(PSCI_SYSTEM_OFF, 0, 0, 0);
	halt();
}

void power_reset(void)
{
	hypercall(PSCI_SYSTEM_RESET, 0, 0, 0);
	halt();
}

enum status core_start(unsigned core, void (*entry)(void *), void *argument)
{
	if (core == 0 || core >= GUEST_MAX_VCPUS) {
		return STATUS_RANGE;
	}
	entries[core] = (struct core_entry){
		.stack_top = (uint64_t)(uintptr_t)stacks[core] + STACK_SIZE,
		.entry = entry,
		.argument = argument,
	};
	arch_clean(&entries[core], sizeof(entries[core]));
	if (hypercall(PSCI_CPU_ON, core, (uint64_t)(uintptr_t)secondary_start,
		      (uint64_t)(uintptr_t)&entries[core])) {
		return STATUS_HARDWARE;
	}
	return STATUS_OK;
}
