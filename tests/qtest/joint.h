/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All rooms joined (glue_start) on QEMU's devices, and guests that reach what they were given by
 * what the hypervisor traps: their virtual bus, their virtual ITS.
 */
#ifndef CW_QTEST_JOINT_H
#define CW_QTEST_JOINT_H

#include "rig.h"

#define JOINT_DOORBELL (GUEST_ITS_DOORBELL + 0x40) /* as a guest's driver writes it */

extern struct hv_hooks joint_hooks;

/* After rig_machine and the partitions' configs; `frames`: of a core's redistributor, in bytes. */
void joint_start(unsigned frames);
/* It gets all its devices, and vCPU 0 runs on the core of its number. */
void joint_partition(partition_id_t p);
/* Its ITS, vCPU 0's LPIs, collection 0. */
struct rig_guest joint_guest(partition_id_t p);

/* Devices by their place in the partition's config. */
const struct assignment *joint_assignment(partition_id_t p, unsigned device);
struct rig_device joint_device(partition_id_t p, unsigned device);
device_id_t joint_device_id(unsigned device); /* as the guest's ITS calls it */
uint32_t joint_config_read(partition_id_t p, unsigned device, unsigned reg, unsigned size);
void joint_config_write(partition_id_t p, unsigned device, unsigned reg, unsigned size,
			uint32_t value);
unsigned joint_capability(partition_id_t p, unsigned device, uint8_t id);
/* Where the GIC notes what is pending for vCPU 0. */
const void *joint_pending(partition_id_t p);

#endif
