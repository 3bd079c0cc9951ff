/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The joint with its real legs on a machine like QEMU's `virt`, all of it strict models. A test
 * calls rig_build(), adds partitions with hv_host_*(), calls rig_start(), and ends with
 * rig_check().
 *
 *   bus 0: root ports 1, 2 and 4, a conventional bridge 3, an edu (no reset) at 5
 *   bus 1: an igb with 8 VFs;  bus 2: an nvme;  bus 3: somebody;  bus 4: beyond iommu-map
 */
#ifndef CW_GLUE_RIG_H
#define CW_GLUE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assignment.h"
#include "glue.h"
#include "hv_host.h"
#include "model_its.h"
#include "model_pci.h"
#include "model_smmu.h"
#include "models.h"

#define RIG_PF		((rid_t){0x100})
#define RIG_NVME	((rid_t){0x200})
#define RIG_BEHIND	((rid_t){0x308})
#define RIG_FAR		((rid_t){0x400})
#define RIG_EDU		((rid_t){0x028})
#define RIG_VF(i)	((rid_t){(uint16_t)(0x180 + 2 * (i))})

#define RIG_CORES	4
#define RIG_STREAM_BASE 0x1000u /* StreamIDs are not requester ids here */
#define RIG_VLPI	8200u
#define RIG_MEMORY	(GUEST_RAM_BASE + 0x8000) /* a page a guest lets its devices use */

struct rig_options {
	bool no_smmu, no_its, no_gicv4;
	unsigned iommu_buses;		    /* from bus 0 on; 0: buses 0 to 3 */
	unsigned its_hang_at, its_stall_at; /* the n-th command since the start */
	unsigned msi_rids;		    /* from 0 on; 0: all there are */
	const struct hv_wire_request *wires;
	unsigned wire_count;
};

/* The SMMU is one without stage 2. */
extern bool rig_stage1;
/* The host bridge's first bus, before rig_build(): the functions are behind it as from 0. */
extern uint8_t rig_bus_first;
/* Runs a file's tests on an SMMU with stage 2, then on one without. */
#define run_on_both_stages(tests)                                                                  \
	(rig_stage1 = false,                                                                       \
	 cmocka_run_group_tests_name("stage 2", tests, NULL, NULL) +                               \
		 (rig_stage1 = true, cmocka_run_group_tests_name("stage 1", tests, NULL, NULL)))

extern struct model_smmu rig_smmu;
extern struct model_pci *rig_pci;
extern struct model_pci_function *rig_igb, *rig_nvme, *rig_behind, *rig_far, *rig_edu;
extern struct hv_hooks rig_hooks;

void rig_build(void);
enum status rig_start_with(const struct rig_options *options);
void rig_start(void); /* must succeed; cores are up */
/* No model complains; then everything is given back. */
void rig_check(void);
int rig_tear_down(void **state); /* also after a failed test */

struct model_pci_function *rig_vf(unsigned index);
const struct vf *rig_pool_vf(unsigned index);
const struct assignment *rig_assignment(partition_id_t partition, unsigned index);

/* A config gives a function to one partition: so that another can be the next, the first forgets
 * it.
 */
void rig_ask(partition_id_t partition, unsigned device, bool ask);
/*
 * Who owns what, everywhere: owners, VF states, attachments, virtual slots, BARs of guests, stream
 * entries, cached translations, ITS devices, the functions' Command. Equal before and after an
 * attach that was refused (F36), and after any order of attaches and detaches that ends alike
 * (F34).
 */
uint64_t rig_state_hash(void);

/* --- what a device can do --- */

/* Commands the ITS has taken since the start. */
unsigned rig_its_commands(void);
/* Translations of that partition that the SMMU holds. */
unsigned rig_cached(partition_id_t partition);
/* What the function's stream entry in memory says. */
enum model_smmu_meaning rig_stream_meaning(rid_t rid);
/* What its stream entry lets through, should it master the bus: true when the access passes. */
bool rig_stream_open(rid_t rid, uint64_t ipa);
/* Its DMA lands in that partition's RAM, nowhere else; needs bus mastering. */
bool rig_dma_lands(const struct model_pci_function *f, partition_id_t partition, uint64_t ipa);
/* It lands anywhere at all. */
bool rig_dma(const struct model_pci_function *f, uint64_t ipa);
/* It sends MSI `event`: DMA to the doorbell, then the ITS. */
struct model_its_delivery rig_msi(const struct model_pci_function *f, uint32_t event);

/* --- what a guest does; device i of its config is in slot i + 1 --- */

uint32_t rig_config_read(partition_id_t partition, unsigned device, unsigned reg, unsigned size);
void rig_config_write(partition_id_t partition, unsigned device, unsigned reg, unsigned size,
		      uint32_t value);
/* ITS and LPI set-up; one vCPU's residency; collection 0 on vCPU 0. */
void rig_guest_boot(partition_id_t partition);
/*
 * Memory and bus mastering on; its first `events` events become vLPIs RIG_VLPI + 8 * device +
 * event.
 */
void rig_guest_map(partition_id_t partition, unsigned device, unsigned events);
void rig_guest_drive(partition_id_t partition, unsigned device); /* of events 0 to 2 */
/* An ITS command about one of its events. */
void rig_guest_event(partition_id_t partition, unsigned opcode, unsigned device, uint32_t event);
void rig_guest_halt(partition_id_t partition);
/* Boot, and drive every device that is there. */
void rig_guest_run(partition_id_t partition);

/* --- what must hold --- */

/* The function works for that partition: DMA, its own MSIs, its BARs. */
void rig_assert_works(partition_id_t partition, unsigned device, struct model_pci_function *f);
/* Nothing of it is left with the partition: hidden, unmapped, cannot master the bus. */
void rig_assert_hidden(partition_id_t partition, unsigned device, struct model_pci_function *f);
/* And its stream aborts, without a cached translation, and its vectors are gone. */
void rig_assert_gone(partition_id_t partition, unsigned device, struct model_pci_function *f);

#endif
