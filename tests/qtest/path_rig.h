/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two partitions on QEMU's devices: `a` has a VF of an igb and an edu, `b` another VF and an nvme.
 * Their guests have begun; RAM is filled with PATH_FILL.
 */
#ifndef CW_QTEST_PATH_RIG_H
#define CW_QTEST_PATH_RIG_H

#include "joint.h"

#define PATH_FILL	0xa5
#define PATH_BUFFER	(GUEST_RAM_BASE + 0x20000)
#define PATH_RING	(GUEST_RAM_BASE + 0x28000)
#define PATH_EDU_VLPI	(RIG_VLPI + 4)
#define PATH_TEST(name) cmocka_unit_test_teardown(name, rig_tear_down)

enum path_machine {
	PATH_PLAIN,
	PATH_GIC3,    /* without vLPIs */
	PATH_STAGE_1, /* of the SMMU, alone: only an older machine has that */
};

enum { PATH_A_VF, PATH_A_EDU }; /* in the order of their configs */
enum { PATH_B_VF, PATH_B_NVME };

extern partition_id_t a, b;

void path_set_up(const char *name, enum path_machine machine);
void path_boot_guest(partition_id_t p);
/* a's edu stores into its partition's RAM at `at`. */
void path_stores_land(uint64_t at);
/* The guest points its edu's MSI at event 0; it fires. */
void path_ring(void);
/* The VF fetches a descriptor from its partition's RAM and writes "done" back to it. */
bool path_vf_sends(partition_id_t p, unsigned device);

#endif
