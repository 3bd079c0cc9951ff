/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking the SMMU over and bringing it up, in the order of IHI 0070 G.b 3.11. Not used: stage 1
 * where there is stage 2, two-level stream tables, PRI, ATS, stall, broadcast TLB maintenance,
 * MSIs.
 */
#include "smmu.h"

#include "clock.h"
#include "log.h"

#define UPDATE_TIMEOUT_NS 1000000000ull
#define CMDQ_BITS	  8
#define EVENTQ_BITS	  9 /* a faulting burst of one packet fits */

struct smmu smmu;

struct register_wait {
	reg32_t reg;
	uint32_t mask, value;
};

static bool reads_value(void *context)
{
	const struct register_wait *wait = context;

	return (mmio_read32(smmu.registers, wait->reg) & wait->mask) == wait->value;
}

static enum status wait_for_value(reg32_t reg, uint32_t mask, uint32_t value)
{
	struct register_wait wait = {reg, mask, value};
	enum status status = clock_poll(reads_value, &wait, UPDATE_TIMEOUT_NS);

	if (status != STATUS_OK) {
		log_error("SMMU register %x reads %x, %x expected; all DMA stays as it is",
			  reg.offset, mmio_read32(smmu.registers, reg), value);
	}
	return status;
}

/* CR0 and IRQ_CTRL take effect when the ACK register that follows agrees (6.3.9). */
static enum status write_control(reg32_t reg, uint32_t value)
{
	mmio_write32(smmu.registers, reg, value);
	return wait_for_value((reg32_t){reg.offset + 4}, UINT32_MAX, value);
}

/* 6.3.14.1: whatever comes while the SMMU is disabled aborts. This is never taken back. */
static enum status abort_globally(void)
{
	enum status status = wait_for_value(SMMU_GBPA, GBPA_UPDATE, 0);

	if (status == STATUS_OK) {
		uint32_t gbpa = mmio_read32(smmu.registers, SMMU_GBPA);

		mmio_write32(smmu.registers, SMMU_GBPA, gbpa | GBPA_ABORT | GBPA_UPDATE);
		status = wait_for_value(SMMU_GBPA, GBPA_ABORT | GBPA_UPDATE, GBPA_ABORT);
	}
	return status;
}

/* Only behind a global abort: what a firmware had set up ends here. */
static enum status disable(void)
{
	enum status status = write_control(SMMU_CR0, 0);

	return status == STATUS_OK ? write_control(SMMU_IRQ_CTRL, 0) : status;
}

static enum status check_features(uint32_t idr0, uint32_t idr1, uint32_t idr5)
{
	const struct {
		bool present;
		const char *what;
	} needs[] = {
		{idr0 & (IDR0_S2P | IDR0_S1P), "translation"},
		{idr0 & IDR0_TTF_AARCH64, "AArch64 tables"},
		{field_get(IDR0_TTENDIAN, idr0) != TTENDIAN_BIG, "little-endian tables"},
		{smmu.stage1 || (idr0 & IDR0_VMID16), "16-bit VMIDs"},
		{field_get(IDR0_STALL_MODEL, idr0) != STALL_FORCED, "faults that terminate"},
		{!(idr1 & (IDR1_TABLES_PRESET | IDR1_QUEUES_PRESET)),
		 "tables and queues in memory"},
		{idr5 & IDR5_GRAN4K, "4 KiB pages"},
		{smmu.physical_size >= PHYSICAL_SIZE_40, "40-bit addresses"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!needs[i].present) {
			log_error("SMMU without %s (IDR0 %x, IDR1 %x, IDR5 %x): all DMA stays "
				  "blocked",
				  needs[i].what, idr0, idr1, idr5);
			return STATUS_UNSUPPORTED;
		}
	}
	return STATUS_OK;
}

static unsigned least(uint64_t a, uint64_t b)
{
	return (unsigned)(a < b ? a : b);
}

static enum status identify(const struct iommu_config *config)
{
	uint32_t idr0 = mmio_read32(smmu.registers, SMMU_IDR0);
	uint32_t idr1 = mmio_read32(smmu.registers, SMMU_IDR1);
	uint32_t idr5 = mmio_read32(smmu.registers, SMMU_IDR5);
	uint64_t last = (uintptr_t)config->tables->base + config->tables->size - 1;

	smmu.coherent = idr0 & IDR0_COHACC;
	smmu.has_el2 = idr0 & IDR0_HYP;
	smmu.has_ats = idr0 & IDR0_ATS;
	smmu.has_msi = idr0 & IDR0_MSI;
	smmu.has_range = mmio_read32(smmu.registers, SMMU_IDR3) & IDR3_RIL;
	smmu.physical_size = (uint8_t)least(field_get(IDR5_OAS, idr5), PHYSICAL_SIZE_48);
	smmu.stream_id_bits = (uint8_t)least(field_get(IDR1_SIDSIZE, idr1), config->stream_id_bits);
	smmu.cmdq_bits = (uint8_t)least(field_get(IDR1_CMDQS, idr1), CMDQ_BITS);
	smmu.eventq_bits = (uint8_t)least(field_get(IDR1_EVENTQS, idr1), EVENTQ_BITS);
	if (last >> physical_size_bits(smmu.physical_size)) {
		log_error("SMMU: %llx is beyond its %u-bit addresses: all DMA stays blocked",
			  (unsigned long long)last, physical_size_bits(smmu.physical_size));
		return STATUS_UNSUPPORTED;
	}
	return check_features(idr0, idr1, idr5);
}

/* Everything that may only be written while disabled. */
static enum status set_up(struct arena *arena)
{
	uint32_t cached =
		(uint32_t)(field_prep(CR1_TABLE_SH, SH_INNER) | field_prep(CR1_TABLE_OC, CR1_WB) |
			   field_prep(CR1_TABLE_IC, CR1_WB) | field_prep(CR1_QUEUE_SH, SH_INNER) |
			   field_prep(CR1_QUEUE_OC, CR1_WB) | field_prep(CR1_QUEUE_IC, CR1_WB));

	mmio_write32(smmu.registers, SMMU_CR1, cached);
	mmio_write32(smmu.registers, SMMU_CR2, CR2_PTM | CR2_RECINVSID);
	if (smmu.has_msi) { /* UNKNOWN after reset; 0: the wired interrupts alone */
		mmio_write64(smmu.registers, SMMU_GERROR_IRQ_CFG0, 0);
		mmio_write64(smmu.registers, SMMU_EVENTQ_IRQ_CFG0, 0);
	}
	if (stream_table_init(arena) != STATUS_OK || contexts_init(arena) != STATUS_OK ||
	    smmu_cmdq_init(arena) != STATUS_OK || smmu_eventq_init(arena) != STATUS_OK ||
	    fault_log_init(arena) != STATUS_OK) {
		log_error("SMMU: no memory for %u-bit stream ids: all DMA stays blocked",
			  smmu.stream_id_bits);
		return STATUS_NO_MEMORY;
	}
	if (!smmu.coherent) {
		arch_clean(arena->base, arena->used);
	}
	(void)smmu_errors_acknowledge(UINT32_MAX); /* what came before is not ours */
	return STATUS_OK;
}

void *smmu_queue_init(struct arena *arena, unsigned bits, size_t entry, reg64_t base,
		      reg32_t producer, reg32_t consumer)
{
	size_t bytes = entry << bits;
	void *slots = arena_take(arena, bytes, bytes < PAGE_SIZE ? PAGE_SIZE : bytes);

	if (slots) {
		mmio_write64(smmu.registers, base,
			     QUEUE_BASE_ALLOCATE | pa_of(slots).v |
				     field_prep(QUEUE_BASE_LOG2SIZE, bits));
		mmio_write32(smmu.registers, producer, 0);
		mmio_write32(smmu.registers, consumer, 0);
	}
	return slots;
}

/* Caches hold anything after reset (3.11). */
static enum status invalidate_all(void)
{
	smmu_submit(command_cfgi_all());
	smmu_tlbi_all();
	return smmu_sync();
}

static enum status enable(void)
{
	/* Without ATSCHK what a device marks as translated would pass unchecked (6.3.9.2). */
	uint32_t cr0 = (uint32_t)(CR0_CMDQEN | (smmu.has_ats ? CR0_ATSCHK : 0));
	enum status status = write_control(SMMU_CR0, cr0);

	if (status == STATUS_OK) {
		status = invalidate_all();
	}
	/* A non-coherent SMMU's records would be read from stale cache lines. */
	if (status == STATUS_OK && smmu.coherent) {
		cr0 |= CR0_EVENTQEN;
		status = write_control(SMMU_CR0, cr0);
	}
	if (status == STATUS_OK) {
		status = write_control(SMMU_IRQ_CTRL, IRQ_CTRL_EVENTQ | IRQ_CTRL_GERROR);
	}
	return status == STATUS_OK ? write_control(SMMU_CR0, cr0 | CR0_SMMUEN) : status;
}

enum status iommu_block_all(mmio_t registers)
{
	smmu = (struct smmu){.registers = registers};
	smmu.stage1 = !(mmio_read32(registers, SMMU_IDR0) & IDR0_S2P);
	enum status status = abort_globally();

	/* Without the abort it is left as found: disabling it might open it. */
	return status == STATUS_OK ? disable() : status;
}

enum status iommu_init(const struct iommu_config *config)
{
	if (config->registers_size < SMMU_FRAME_SIZE) {
		log_error("SMMU: a register frame of %llx bytes is too small",
			  (unsigned long long)config->registers_size);
		return STATUS_INVALID;
	}
	enum status status = iommu_block_all(config->registers);

	if (status == STATUS_OK) {
		status = identify(config);
	}
	if (status == STATUS_OK) {
		status = set_up(config->tables);
	}
	if (status == STATUS_OK) {
		status = enable();
		if (status != STATUS_OK && disable() != STATUS_OK) {
			log_error("SMMU: it cannot be brought up nor down");
		}
	}
	if (status == STATUS_OK) {
		smmu.ready = true;
		log_info("SMMU: %s, %u-bit stream ids, %u-bit addresses%s; every stream aborts",
			 smmu.stage1 ? "stage 1, for it has no stage 2 (IDR0.S2P)" : "stage 2",
			 smmu.stream_id_bits, physical_size_bits(smmu.physical_size),
			 smmu.coherent ? "" : ", not coherent: faults are not recorded");
	}
	return status;
}

enum status iommu_invalidate(const struct iommu_tables *tables, ipa_t ipa, uint64_t size)
{
	if (!smmu.ready) {
		return STATUS_STATE;
	}
	lock_acquire(&smmu.lock);
	arch_publish(); /* the caller's table stores come before the commands */
	smmu_tlbi_range(tables->vmid, ipa, size);
	enum status status = smmu_sync();

	lock_release(&smmu.lock);
	return status;
}

bool iommu_stage1(void)
{
	return smmu.stage1;
}

struct iommu_totals iommu_totals(void)
{
	return smmu.totals;
}
