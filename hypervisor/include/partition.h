/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partitions and their vCPUs: who they are, their state, and how they start, stop and start again.
 *
 * A vCPU is pinned to one core and its registers stay in that core while it runs; nothing is ever
 * switched. Other cores reach it by setting a request and sending the core a kick.
 */
#ifndef CW_PARTITION_H
#define CW_PARTITION_H

#include "config.h"
#include "fit.h"
#include "lock.h"
#include "vgic.h"
#include "vuart.h"
#include "log.h"
#include "machine.h"

#define PARTITION_TRAPS 14

/*
 * OFF → CLAIMED → STARTING by vcpu_power_on(), which sets entry and argument in between; STARTING →
 * RUNNING on its own core, or → OFF, refused; RUNNING → OFF on its own core, by CPU_OFF or because
 * `stop` was set. Only the vCPU's own core leaves STARTING and RUNNING.
 */
enum vcpu_state { VCPU_OFF, VCPU_CLAIMED, VCPU_STARTING, VCPU_RUNNING };

struct guest_registers {
	uint64_t x[32];	     /* as instructions encode them: x[31] reads as zero */
	uint64_t pc, pstate; /* of a panic; a guest's stay in ELR_EL2 and SPSR_EL2 */
};

/* Exits of one class, and the ticks of the generic counter they spent at EL2. */
struct exit_cost {
	uint64_t count, ticks, longest;
} __attribute__((aligned(32)));

struct vcpu {
	/*
	 * Atomic: before its next guest instruction it looks for requests and new interrupts. Set
	 * after what is to be found, then the core is kicked; only the vCPU's core clears it.
	 */
	unsigned alert;
	struct partition *partition;
	unsigned index, core;
	enum vcpu_state state; /* atomic */
	bool stop;	       /* CPU_OFF; a request to the partition stops it too */
	uint64_t entry, argument;
	struct vgic_cpu gic;
	struct exit_cost exits[HV_EXIT_CLASSES];
};

enum partition_state { PARTITION_OFF, PARTITION_RUNNING, PARTITION_CRASHED };

/* What vCPU 0's core is asked to do once every vCPU has stopped. */
enum partition_request { REQUEST_NONE, REQUEST_START, REQUEST_RESET, REQUEST_OFF, REQUEST_CRASH };

struct partition {
	const struct partition_config *config;
	partition_id_t id;
	enum partition_state state;	/* written by vCPU 0's core only */
	enum partition_request request; /* atomic */
	unsigned vcpus_on;		/* atomic: STARTING or RUNNING */
	unsigned resets;
	bool released; /* blocks were given up: mapped back at the next start */
	struct fit_image images[CONFIG_IMAGES]; /* hashes checked at boot */
	pa_t memory;
	/* Level 1 tables: only the roots differ, unless the devices' are stage 1 (iommu_stage1()).
	 */
	void *cpu_root, *device_root;
	struct guest_memory guest_memory;
	struct hv_mmio_region traps[PARTITION_TRAPS];
	unsigned trap_count;
	struct vgic gic;
	struct vuart uart;
	struct vcpu vcpus[GUEST_MAX_VCPUS];
	struct log_quota fault_quota, reset_quota;
	bool startable; /* its memory, tables and images are there */
};

static inline vmid_t partition_vmid(const struct partition *partition)
{
	return (vmid_t){(uint16_t)(partition->id.v + 1)};
}

extern struct partition partitions[HV_MAX_PARTITIONS];
extern unsigned partition_count;
extern struct hv_hooks partition_hooks;

/* Takes [base, base+size) out of free memory, when it is in there as a whole or in part. */
void free_memory_remove(struct ranges *memory, uint64_t base, uint64_t size);

/*
 * At boot: finds memory and builds the tables. Each failure is one log line and leaves that
 * partition off (PARTITION_CRASHED); the others go on. `doorbell` is the physical page of
 * GITS_TRANSLATER, 0 without an ITS.
 */
void partitions_init(const struct config *config, struct ranges *memory, pa_t doorbell);
/* Then: checks the hashes of all images. Returns how many can be started, services not counted. */
unsigned partitions_check_images(struct dt_node fit);

/*
 * Any core, and any vCPU's own trap handler: its vCPUs stop, then vCPU 0's core takes the devices
 * back and does what was asked. A second request while one is under way is dropped.
 */
void partition_request(struct partition *partition, enum partition_request request);

/* On vCPU 0's core, from core_loop(): carries out a request. */
void partition_turn(struct partition *partition);

static inline void vcpu_alert(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->alert, 1, __ATOMIC_RELEASE);
}

/* PSCI CPU_ON. STATUS_BUSY: it is on already. */
enum status MUST_USE vcpu_power_on(struct vcpu *vcpu, uint64_t entry, uint64_t argument);
/* On the vCPU's core: it goes back to core_loop() instead of its guest. */
bool vcpu_must_stop(const struct vcpu *vcpu);
/* On the vCPU's core: it was turned on; with a request pending that is taken back. */
bool vcpu_may_start(struct vcpu *vcpu);
/* On the vCPU's core, after its last guest instruction. */
void vcpu_left_guest(struct vcpu *vcpu);

/* Its RAM, for CPUs and devices: what is not mapped. Takes interrupts in between. */
enum status MUST_USE partition_map_memory(struct partition *partition);

/* Unmaps a STAGE2_BLOCK of its own RAM from the partition's CPUs and devices, until that. */
enum status MUST_USE partition_release_block(struct partition *partition, ipa_t ipa);

const char *partition_state_name(enum partition_state state);
/* One block of machine-readable lines: docs/architecture.md, "The report". */
void report_print(void);

#endif
