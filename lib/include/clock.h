/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, supplied by the platform (hypervisor/arch or hv-glue/host). Waiting is never a busy loop
 * for longer than a register read takes: clock_sleep_ns() halts the core until its timer fires.
 */
#ifndef CW_CLOCK_H
#define CW_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

#define CLOCK_SECOND 1000000000ull /* ns */

/* Nanoseconds since some fixed point; never runs backwards. */
uint64_t clock_ns(void);

/* Returns after at least `ns`. */
void clock_sleep_ns(uint64_t ns);

/*
 * Polls `done(context)` until it is true (STATUS_OK) or `timeout_ns` have passed (STATUS_TIMEOUT).
 * For hardware that answers within microseconds.
 */
enum status MUST_USE clock_poll(bool (*done)(void *context), void *context, uint64_t timeout_ns);

#endif
