/* SPDX-License-Identifier: BSD-2-Clause */
#include "schedule.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "models.h"

#define NOBODY	   SCHEDULE_CORES
#define ONE_IN	   3	   /* points at which the next one comes in */
#define MOST_TURNS 200000u /* of waiting, in a row: a deadlock */

static pthread_mutex_t baton = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t passed[SCHEDULE_CORES + 1];
static unsigned running; /* who has the baton; NOBODY: schedule_run() */
static unsigned count_of, waits;
static bool over[SCHEDULE_CORES], given_up, looking;
static void (*const *bodies)(void);
static void (*look_at)(void);
static uint64_t state;

unsigned schedule_random(unsigned below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state >> 33) % below;
}

/* Another one that is not over; the same when there is none. */
static unsigned another(unsigned than)
{
	unsigned first = schedule_random(count_of);

	for (unsigned i = 0; i < count_of; i++) {
		unsigned core = (first + i) % count_of;

		if (core != than && !over[core]) {
			return core;
		}
	}
	return than;
}

static void pass(unsigned from, unsigned to)
{
	running = to;
	pthread_cond_signal(&passed[to]);
	while (running != from) {
		pthread_cond_wait(&passed[from], &baton);
	}
}

static void turn(bool waiting)
{
	unsigned self = running;

	if (looking) {
		return;
	}
	if (look_at) {
		looking = true;
		look_at();
		looking = false;
	}
	waits = waiting ? waits + 1 : 0;
	if (waits > MOST_TURNS) {
		given_up = true;
		pass(self, NOBODY); /* and never comes back */
	}
	if (waiting || schedule_random(ONE_IN) == 0) {
		unsigned next = another(self);

		if (next != self) {
			pass(self, next);
		}
	}
}

static void *core(void *argument)
{
	unsigned self = (unsigned)(uintptr_t)argument;

	pthread_mutex_lock(&baton);
	while (running != self) {
		pthread_cond_wait(&passed[self], &baton);
	}
	bodies[self]();
	over[self] = true;
	unsigned next = another(self);

	running = next == self ? NOBODY : next;
	pthread_cond_signal(&passed[running]);
	pthread_mutex_unlock(&baton);
	return NULL;
}

bool schedule_run(unsigned seed, void (*const cores[])(void), unsigned count, void (*look)(void))
{
	pthread_t threads[SCHEDULE_CORES];

	state = seed * 0x9e3779b97f4a7c15ull + 1;
	count_of = count;
	bodies = cores;
	look_at = look;
	waits = 0;
	given_up = looking = false;
	running = NOBODY;
	for (unsigned i = 0; i <= SCHEDULE_CORES; i++) {
		pthread_cond_init(&passed[i], NULL);
	}
	pthread_mutex_lock(&baton);
	for (unsigned i = 0; i < count; i++) {
		over[i] = false;
		if (pthread_create(&threads[i], NULL, core, (void *)(uintptr_t)i) != 0) {
			fprintf(stderr, "no thread for core %u\n", i);
			abort();
		}
	}
	models_turn(turn);
	pass(NOBODY, schedule_random(count));
	models_turn(NULL);
	pthread_mutex_unlock(&baton);
	for (unsigned i = 0; i < count && !given_up; i++) {
		pthread_join(threads[i], NULL);
	}
	return !given_up;
}
