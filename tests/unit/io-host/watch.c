/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* REG_EFL */
/* The page is closed; a fault opens it for one instruction (the trap flag of amd64). */
#include "watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PAGE	  4096u
#define TRAP_FLAG 0x100

static uint8_t *watched;
static void (*callback)(uint8_t *address);

static void protect(int rights)
{
	if (mprotect(watched, PAGE, rights)) {
		abort();
	}
}

static void fault(int signal, siginfo_t *info, void *context)
{
	ucontext_t *state = context;
	uint8_t *address = info->si_addr;

	(void)signal;
	if (!watched || address < watched || address >= watched + PAGE) {
		abort();
	}
	protect(PROT_READ | PROT_WRITE);
	callback(address);
	state->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *state = context;

	(void)signal;
	(void)info;
	state->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	protect(PROT_NONE);
}

void watch_page(uint8_t *page, void (*seen)(uint8_t *address))
{
	static struct sigaction before[2];
	struct sigaction action = {.sa_flags = SA_SIGINFO};

	if (page) {
		watched = page;
		callback = seen;
		action.sa_sigaction = fault;
		sigaction(SIGSEGV, &action, &before[0]);
		action.sa_sigaction = trap;
		sigaction(SIGTRAP, &action, &before[1]);
		protect(PROT_NONE);
	} else if (watched) {
		protect(PROT_READ | PROT_WRITE);
		sigaction(SIGSEGV, &before[0], NULL);
		sigaction(SIGTRAP, &before[1], NULL);
		watched = NULL;
	}
}
