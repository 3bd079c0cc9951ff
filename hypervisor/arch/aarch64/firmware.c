/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's own PSCI, by SMC (Arm DEN 0022). */
#include "console.h"
#include "core.h"

#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_CPU_ON	0xc4000003u

static int64_t smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	__asm__ volatile("smc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "memory");
	return (int64_t)x0;
}

enum status core_power_on(struct core *core)
{
	return smc(PSCI_CPU_ON, core->affinity, (uintptr_t)secondary, (uintptr_t)core) == 0
		       ? STATUS_OK
		       : STATUS_HARDWARE;
}

_Noreturn void firmware_power_off(bool failed)
{
	/* PSCI carries no status; whoever started the machine reads it here (docs/config.md). */
	console_line("hv", failed ? "@exit status=1" : "@exit status=0");
	smc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;) {
		__asm__ volatile("wfi");
	}
}
