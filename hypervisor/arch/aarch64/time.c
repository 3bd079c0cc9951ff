/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h by the generic timer; waiting uses the EL2 physical timer (Arm ARM D11). */
#include "clock.h"

#include "arch.h"
#include "core.h"
#include "sysreg.h"

#define TIMER_ENABLE BIT(0)

uint64_t counter_frequency(void)
{
	return sysreg_read(cntfrq_el0);
}

/* A time in units of which `from` are a second, in those of which `to` are one. */
static uint64_t scale(uint64_t time, uint64_t from, uint64_t to)
{
	return time / from * to + time % from * to / from;
}

uint64_t clock_ns(void)
{
	isb();
	return scale(counter_ticks(), counter_frequency(), CLOCK_SECOND);
}

void clock_sleep_ns(uint64_t ns)
{
	uint64_t end = counter_ticks() + scale(ns, CLOCK_SECOND, counter_frequency()) + 1;
	uint64_t alarm = sysreg_read(cnthp_cval_el2), armed = sysreg_read(cnthp_ctl_el2);

	sysreg_write(cnthp_cval_el2, end);
	sysreg_write(cnthp_ctl_el2, TIMER_ENABLE);
	isb();
	while (counter_ticks() < end) {
		wfi(); /* ends when the timer is pending, though interrupts are masked */
	}
	sysreg_write(cnthp_cval_el2, alarm);
	sysreg_write(cnthp_ctl_el2, armed & TIMER_ENABLE); /* an alarm that passed rings now */
	isb();
}

unsigned hv_alarm(uint64_t ns)
{
	if (!(sysreg_read(cnthp_ctl_el2) & TIMER_ENABLE)) {
		sysreg_write(cnthp_cval_el2,
			     counter_ticks() + scale(ns, CLOCK_SECOND, counter_frequency()) + 1);
		sysreg_write(cnthp_ctl_el2, TIMER_ENABLE);
		isb();
	}
	return this_core()->number;
}

enum status clock_poll(bool (*done)(void *), void *context, uint64_t timeout_ns)
{
	uint64_t end = counter_ticks() + scale(timeout_ns, CLOCK_SECOND, counter_frequency());

	while (!done(context)) {
		if (counter_ticks() > end) {
			return done(context) ? STATUS_OK : STATUS_TIMEOUT;
		}
	}
	return STATUS_OK;
}
