/* SPDX-License-Identifier: BSD-2-Clause */
/* lib's clock on the virtual timer: waiting is WFI until its interrupt. */
#include "internal.h"

#define CTL_ENABLE BIT(0)
#define POLL_NS	   50000ull

uint64_t clock_ns(void)
{
	uint64_t hz = sysreg_read("cntfrq_el0"), ticks;

	__asm__ volatile("isb" ::: "memory");
	ticks = sysreg_read("cntvct_el0");
	return ticks / hz * 1000000000ull + ticks % hz * 1000000000ull / hz;
}

static bool woken[GUEST_MAX_VCPUS]; /* each core its own: its timer interrupt reaches it */

static bool passed(uint64_t deadline)
{
	return (int64_t)(sysreg_read("cntvct_el0") - deadline) >= 0;
}

void clock_use_interrupt(void)
{
	woken[this_core() % GUEST_MAX_VCPUS] = true;
}

void clock_sleep_ns(uint64_t ns)
{
	uint64_t hz = sysreg_read("cntfrq_el0");
	uint64_t deadline = sysreg_read("cntvct_el0") + ns / 1000 * hz / 1000000 + 1;

	if (!woken[this_core() % GUEST_MAX_VCPUS]) {
		while (!passed(deadline)) {
		}
		return;
	}
	sysreg_write("cntv_cval_el0", deadline);
	sysreg_write("cntv_ctl_el0", CTL_ENABLE);
	while (!passed(deadline)) {
		__asm__ volatile("dsb sy\n\twfi" ::: "memory");
		irq_poll();
		/* Acknowledging an early timer interrupt turned it off. */
		sysreg_write("cntv_ctl_el0", CTL_ENABLE);
	}
	sysreg_write("cntv_ctl_el0", 0);
	irq_poll();
}

enum status clock_poll(bool (*done)(void *context), void *context, uint64_t timeout_ns)
{
	uint64_t start = clock_ns();

	while (!done(context)) {
		if (clock_ns() - start >= timeout_ns) {
			return done(context) ? STATUS_OK : STATUS_TIMEOUT;
		}
		clock_sleep_ns(POLL_NS);
	}
	return STATUS_OK;
}
