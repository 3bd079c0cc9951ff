/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cores of a workstation test, one of which runs at a time: at every point where another could come
 * in between (models_turn()) a pseudo-random choice, the same for the same seed, says who goes on.
 */
#ifndef CW_HOST_SCHEDULE_H
#define CW_HOST_SCHEDULE_H

#include <stdbool.h>

#define SCHEDULE_CORES 8

/*
 * Runs `cores[0]` to `cores[count - 1]` to their ends. `look`, if any, is called at each point, and
 * must not touch what takes turns itself. False: they wait for one another for ever (they are left
 * where they are, and so is whatever they held).
 */
bool schedule_run(unsigned seed, void (*const cores[])(void), unsigned count, void (*look)(void));
/* For a test's own randomness while a schedule runs. */
unsigned schedule_random(unsigned below);

#endif
