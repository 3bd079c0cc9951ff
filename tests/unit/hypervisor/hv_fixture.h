/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's portable parts on a workstation: the architecture behind arch.h is this file's,
 * with stage 2 as a list of what it was asked for. One call of fixture_reset() before each test.
 */
#ifndef CW_HV_FIXTURE_H
#define CW_HV_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch.h"
#include "models.h"
#include "partition.h"

#define FIXTURE_CALLS 64

/* Brings an SMMU model up that has both stages, or stage 1 alone; the latter until the next reset.
 */
void fixture_smmu(bool stage1);

struct stage2_call {
	enum { S2_MAP, S2_SHARE, S2_UNMAP } what;
	const void *root;
	uint64_t ipa, pa, size;
	enum stage2_kind kind;
};

extern struct fixture {
	unsigned kicks[ARCH_MAX_CORES];
	struct stage2_call calls[FIXTURE_CALLS];
	unsigned call_count;
	unsigned roots_left;	 /* of the pool */
	enum status next_status; /* of the next stage 2 call that has one */
	bool line[VGIC_INTIDS];	 /* vgic_set_line() */
	char console[8][300];	 /* the last lines */
	unsigned console_lines;
	unsigned reports;
	bool powered_off, failed;	  /* firmware_power_off() */
	uint64_t lpi[GUEST_MAX_VCPUS][2]; /* what the hooks keep */
	unsigned lpi_calls, starts, stops;
	enum status start_status; /* of the partition_start hook */
} fixture;

/* One config of `count` partitions, two vCPUs each, 2 MiB; models and partitions are empty. */
extern struct config fixture_config;
void fixture_reset(unsigned count);
/* partitions_init() with that much memory for each, and images that are one byte. */
void fixture_partitions(unsigned count);
/* What this_core() answers. */
void fixture_core(unsigned number);

/* Runs `call`; true when it ended in firmware_power_off() or panic(). */
bool fixture_ends(void (*call)(void *), void *context);

#endif
