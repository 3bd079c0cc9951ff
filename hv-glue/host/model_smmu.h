/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A strict SMMUv3 (Arm IHI 0070 G.b) for tests: stage 2 where it exists (IDR0.S2P), else stage 1 of
 * the EL1&0 regime without substreams; never both; little-endian, non-secure. It knows
 * nothing of the driver's constants and forgives nothing: what the architecture calls unpredictable
 * or not permitted is a violation. Nothing happens at once: acknowledgements and commands take
 * virtual time, and an invalidation takes effect only when a later CMD_SYNC completes. Until then
 * it translates from whatever it has cached, in the most awkward legal way. Tables are walked in
 * host memory, where a pa is a pointer.
 */
#ifndef CW_HOST_MODEL_SMMU_H
#define CW_HOST_MODEL_SMMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_SMMU_SIZE	   0x20000
#define MODEL_SMMU_STES	   64
#define MODEL_SMMU_TLB	   1024
#define MODEL_SMMU_PENDING 1024

struct model_smmu_queue {
	uint64_t base;
	uint32_t prod, cons;
};

struct model_smmu {
	uintptr_t base;

	/* The machine; model_smmu_add() gives what QEMU's `virt` has, and a test may change it. */
	uint32_t idr0, idr1, idr3, idr5;
	uint64_t update_ns;  /* until an acknowledgement */
	uint64_t command_ns; /* for each command */
	uint64_t sync_ns;    /* more for a CMD_SYNC */

	/* Misbehaviour */
	bool gbpa_stuck, cr0_stuck, irq_stuck; /* never acknowledges */
	bool sync_stuck;		       /* a CMD_SYNC never completes */
	unsigned ignore_opcode; /* this command does nothing: a driver that omits it */
	unsigned refuse_in;	/* the n-th command from now is CERROR_ILL; 0: none */
	unsigned refuse_each;	/* every n-th one; 0: none */
	bool queue_full_aborts; /* a full event queue is EVENTQ_ABT_ERR, as in QEMU */

	/* What it saw */
	unsigned violations;
	char violation[120];	/* the first */
	uint64_t consumed[256]; /* commands, by opcode */
	uint64_t syncs_completed;
	uint64_t config_syncs; /* of these, with a configuration invalidation before them */
	uint64_t events_recorded, events_lost, event_interrupts, error_interrupts;
	uint32_t most_commands; /* most that ever waited in the queue */

	/* Registers */
	uint32_t cr0, cr0ack, cr1, cr2, gbpa, gbpa_in_force, irq_ctrl, irq_ctrlack;
	uint32_t gerror, gerrorn, strtab_cfg;
	uint64_t strtab_base, gerror_msi, eventq_msi;
	uint64_t cr0_due, gbpa_due, irq_due, command_due;
	struct model_smmu_queue cmdq, eventq;
	bool configs_dirty, tlb_dirty, el2_dirty; /* unknown contents after reset */

	/* Caches */
	struct model_smmu_ste {
		bool valid;
		uint32_t stream;
		uint64_t dword[8];
	} stes[MODEL_SMMU_STES];
	struct model_smmu_cd { /* not dropped with its entry: CFGI_CD, or CFGI_ALL */
		bool valid;
		uint32_t stream;
		uint64_t dword[8];
	} cds[MODEL_SMMU_STES];
	struct model_smmu_tlb {
		bool valid, read, write, stage1;
		uint16_t vmid; /* of stage 1: the ASID */
		uint64_t ipa, size, pa;
	} tlb[MODEL_SMMU_TLB];
	unsigned tlb_next, ste_next, cd_next;
	struct model_smmu_command {
		uint64_t dword[2];
	} pending[MODEL_SMMU_PENDING];
	unsigned pending_count;
	bool sync_waiting;
};

/* An SMMU after reset: bypassing, with unknown caches. Becomes the time hook. */
void model_smmu_add(struct model_smmu *smmu, uintptr_t base);
/* For a test with several models: its own time hook calls this. */
void model_smmu_time(void *smmu, uint64_t now_ns);

struct model_smmu_result {
	bool passed; /* else aborted */
	bool bypassed;
	uint64_t pa;
	uint8_t event; /* number of the event that was due, recorded or not; 0: silent */
};

/* A device's access. */
struct model_smmu_result model_smmu_access(struct model_smmu *smmu, uint32_t stream,
					   uint64_t address, bool write);
/* The same with PCIe's AT = translated: passes unchecked unless the SMMU is told to check. */
struct model_smmu_result model_smmu_translated(struct model_smmu *smmu, uint32_t stream,
					       uint64_t address);
/* The SMMU may fetch any entry at any time: now. */
void model_smmu_prefetch(struct model_smmu *smmu, uint32_t stream);

/* What an entry with these words would mean; of stage 1 without the descriptor. */
enum model_smmu_meaning { MODEL_STE_ABORT, MODEL_STE_BYPASS, MODEL_STE_STAGE2, MODEL_STE_STAGE1 };
enum model_smmu_meaning model_smmu_meaning(const struct model_smmu *smmu, const uint64_t dword[8]);
/* A context descriptor with these words would be walked by; else it aborts. */
bool model_smmu_context_legal(const struct model_smmu *smmu, const uint64_t dword[8]);

/* Activates global errors. */
void model_smmu_raise(struct model_smmu *smmu, uint32_t errors);

#endif
