/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv.h on a workstation: partitions that a test sets up, their RAM, their devices' stage-2 tables
 * (real ones, which a model of an SMMU walks), their CPUs' mappings of devices, and their traps.
 *
 * Strict: to map what is not page-aligned or not a guest's MMIO, to unmap what is not mapped
 * exactly so, or to trap where something is trapped already, is a violation.
 */
#ifndef CW_HOST_HV_HOST_H
#define CW_HOST_HV_HOST_H

#include "hv.h"

#define HV_HOST_RAM	 MIB(1) /* of each partition, at GUEST_RAM_BASE */
#define HV_HOST_MAPPINGS 32
#define HV_HOST_TRAPS	 11 /* what the hypervisor leaves of its fourteen */

/* No partitions, RAM zero. */
void hv_host_reset(void);
/* Its vCPUs are on the cores from `first_core` on. Its VMID is its number + 1. */
partition_id_t hv_host_partition(const char *name, unsigned vcpus, unsigned first_core);
/* It drives a PF for others. */
void hv_host_service(partition_id_t partition);
/* What its config asks for. A test may change what is returned until the machine starts. */
struct hv_device_request *hv_host_function(partition_id_t partition, const char *label, rid_t rid);
struct hv_device_request *hv_host_vf(partition_id_t partition, const char *label, rid_t pf,
				     uint16_t index);

struct hv_device_request *hv_host_request(partition_id_t partition, unsigned device);

unsigned char *hv_host_ram(partition_id_t partition, uint64_t ipa);
/* Is `pa` RAM of that partition? */
bool hv_host_owns(partition_id_t partition, uint64_t pa);

/* Device memory the partition's CPUs reach now. */
unsigned hv_host_mapped(partition_id_t partition);
bool hv_host_lookup(partition_id_t partition, uint64_t ipa, uint64_t *pa);

/* The physical interrupt behind one of its INTx lines; 0: none. */
unsigned hv_host_wire(partition_id_t partition, unsigned line);

/* The n-th hv_map_device() from now returns `status`; 0: none. */
void hv_host_fail_map(unsigned nth, enum status status);
/* Called in each hv_map_device() that succeeds. */
void hv_host_on_map(void (*hook)(void *context), void *context);

/* A guest's access: false when it faults, because nothing is trapped there. */
bool hv_host_read(partition_id_t partition, uint64_t ipa, unsigned size, uint64_t *value);
bool hv_host_write(partition_id_t partition, uint64_t ipa, unsigned size, uint64_t value);

/* An injected LPI as hv_lpi_route() made it; it becomes pending by hv_host_lpi_taken(). */
struct hv_host_lpi {
	uint32_t intid;
	unsigned vcpu;
	uint8_t property;
	bool pending;
};
const struct hv_host_lpi *hv_host_lpi(partition_id_t partition, unsigned slot);
/* What the hook `lpi` returned, as a core does with it. */
void hv_host_lpi_taken(uint32_t number);
/* How many of the partition's LPIs are pending on this vCPU. */
unsigned hv_host_lpis_pending(partition_id_t partition, unsigned vcpu);
uint64_t hv_host_alarm(void); /* what hv_alarm() asked for last; 0: nothing */

unsigned hv_host_violations(void);
const char *hv_host_violation(void); /* the first; "" when none */

/* Called in each hv_again(): what another core does meanwhile; NULL: nothing. */
extern void (*hv_host_turn)(void);
/* So many of the next calls of hv_again() say that an interrupt waits. */
extern unsigned hv_host_agains;

/* How often hv_pause() was called. */
extern unsigned hv_host_pauses;

#endif
