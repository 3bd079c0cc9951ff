/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_smmu_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "models.h"

void model_smmu_violate(struct model_smmu *smmu, const char *format, ...)
{
	va_list arguments;

	if (!smmu->violations++) {
		va_start(arguments, format);
		vsnprintf(smmu->violation, sizeof(smmu->violation), format, arguments);
		va_end(arguments);
	}
}

void model_smmu_expect(struct model_smmu *smmu, bool condition, const char *what)
{
	if (!condition) {
		model_smmu_violate(smmu, "%s", what);
	}
}

/* --- errors and events --- */

void model_smmu_raise(struct model_smmu *smmu, uint32_t errors)
{
	uint32_t inactive = ~(smmu->gerror ^ smmu->gerrorn);

	smmu->gerror ^= errors & inactive;
	if ((errors & inactive) && (smmu->irq_ctrlack & 1)) {
		smmu->error_interrupts++;
	}
}

void model_smmu_record(struct model_smmu *smmu, const uint64_t record[4])
{
	struct model_smmu_queue *queue = &smmu->eventq;

	if (!(smmu->cr0ack & EVENTQEN) || error_active(smmu, EVENTQ_ABT_ERR)) {
		smmu->events_lost++;
		return;
	}
	if (queue_used(queue) == queue_size(queue)) {
		smmu->events_lost++;
		if (smmu->queue_full_aborts) {
			model_smmu_raise(smmu, EVENTQ_ABT_ERR);
		} else if (!((queue->prod ^ queue->cons) & OVFLG)) {
			queue->prod ^= OVFLG;
		}
		return;
	}
	if (queue_used(queue) == 0 && (smmu->irq_ctrlack & 4)) {
		smmu->event_interrupts++;
	}
	memcpy(queue_slot(queue, queue->prod, 4), record, 32);
	queue->prod = (queue->prod & OVFLG) | ((queue->prod + 1) & (2 * queue_size(queue) - 1));
	smmu->events_recorded++;
}

/* --- time --- */

void model_smmu_time(void *context, uint64_t now_ns)
{
	struct model_smmu *smmu = context;

	if (smmu->cr0ack != smmu->cr0 && now_ns >= smmu->cr0_due && !smmu->cr0_stuck) {
		smmu->cr0ack = smmu->cr0;
	}
	if (smmu->irq_ctrlack != smmu->irq_ctrl && now_ns >= smmu->irq_due && !smmu->irq_stuck) {
		smmu->irq_ctrlack = smmu->irq_ctrl;
	}
	if ((smmu->gbpa & UPDATE) && now_ns >= smmu->gbpa_due && !smmu->gbpa_stuck) {
		smmu->gbpa &= ~UPDATE;
		smmu->gbpa_in_force = smmu->gbpa;
	}
	while (model_smmu_consume(smmu, now_ns)) {
	}
}

/* --- registers --- */

static bool is_wide(uint64_t offset)
{
	return offset == 0x68 || offset == 0x80 || offset == 0x90 || offset == 0xa0 ||
	       offset == 0xb0;
}

static uint64_t smmu_read(void *context, uint64_t offset, unsigned bytes)
{
	struct model_smmu *smmu = context;

	if (bytes != (is_wide(offset) ? 8u : 4u)) {
		model_smmu_violate(smmu, "%u-byte read of %llx", bytes, (unsigned long long)offset);
	}
	switch (offset) {
	case 0x00:
		return smmu->idr0;
	case 0x04:
		return smmu->idr1;
	case 0x0c:
		return smmu->idr3;
	case 0x14:
		return smmu->idr5;
	case 0x20:
		return smmu->cr0;
	case 0x24:
		return smmu->cr0ack;
	case 0x44:
		return smmu->gbpa;
	case 0x50:
		return smmu->irq_ctrl;
	case 0x54:
		return smmu->irq_ctrlack;
	case 0x60:
		return smmu->gerror;
	case 0x64:
		return smmu->gerrorn;
	case 0x98:
		return smmu->cmdq.prod;
	case 0x9c:
		return smmu->cmdq.cons;
	case 0x100a8:
		return smmu->eventq.prod;
	case 0x100ac:
		return smmu->eventq.cons;
	default:
		model_smmu_violate(smmu, "read of %llx", (unsigned long long)offset);
		return 0;
	}
}

static void check_enable(struct model_smmu *smmu)
{
	uint64_t table = smmu->strtab_base & 0x000fffffffffffc0ull;
	unsigned bits = smmu->strtab_cfg & 63;

	model_smmu_expect(smmu, (smmu->strtab_cfg >> 16 & 3) == 0, "stream table is not linear");
	model_smmu_expect(smmu, bits <= (smmu->idr1 & 63), "stream table larger than SIDSIZE");
	model_smmu_expect(smmu, (table & ((64ull << bits) - 1)) == 0,
			  "stream table not aligned to its size");
	model_smmu_expect(smmu, !smmu->configs_dirty, "enabled without CFGI_ALL and SYNC");
	model_smmu_expect(smmu, !smmu->tlb_dirty, "enabled without TLBI_NSNH_ALL and SYNC");
	model_smmu_expect(smmu, !(smmu->idr0 & B(9)) || !smmu->el2_dirty,
			  "enabled without TLBI_EL2_ALL");
	model_smmu_expect(smmu, (smmu->cr1 & 0xfff) == 0xd75,
			  "tables and queues not inner-shareable write-back");
	model_smmu_expect(smmu, !(smmu->cr2 & 1), "E2H set");
	model_smmu_expect(smmu, !(smmu->idr0 & B(5)) || (smmu->cr2 & 4),
			  "takes part in broadcast TLB maintenance");
}

static void write_cr0(struct model_smmu *smmu, uint32_t value)
{
	uint32_t changed = smmu->cr0 ^ value;

	model_smmu_expect(smmu, !(changed & (smmu->cr0 ^ smmu->cr0ack)),
			  "CR0 field changed before its update ended");
	model_smmu_expect(smmu, !(value & ~0x1fdu), "CR0 reserved bits");
	model_smmu_expect(smmu, (smmu->idr0 & B(10)) || !(value & ATSCHK), "ATSCHK without ATS");
	if (changed & ~value & SMMUEN) {
		model_smmu_expect(smmu, smmu->gbpa_in_force & ABORT,
				  "disabled while GBPA lets traffic through");
	}
	if (changed & value & SMMUEN) {
		check_enable(smmu);
	}
	if (changed & value & CMDQEN) {
		model_smmu_expect(smmu, GET(smmu->cmdq.base, 4, 0) <= GET(smmu->idr1, 25, 21),
				  "CMDQ too large");
		model_smmu_expect(smmu, !error_active(smmu, CMDQ_ERR),
				  "CMDQ enabled with an old error");
	}
	if (changed & value & EVENTQEN) {
		model_smmu_expect(smmu, GET(smmu->eventq.base, 4, 0) <= GET(smmu->idr1, 20, 16),
				  "EVENTQ too large");
	}
	smmu->cr0 = value;
	smmu->cr0_due = models_time() + smmu->update_ns;
}

static void write_gbpa(struct model_smmu *smmu, uint32_t value)
{
	if ((smmu->gbpa & UPDATE) || !(value & UPDATE)) {
		model_smmu_violate(smmu, "GBPA written without the update handshake");
		return;
	}
	smmu->gbpa = value;
	smmu->gbpa_due = models_time() + smmu->update_ns;
}

static void write_irq_ctrl(struct model_smmu *smmu, uint32_t value)
{
	model_smmu_expect(smmu, smmu->irq_ctrl == smmu->irq_ctrlack,
			  "IRQ_CTRL written during an update");
	model_smmu_expect(smmu, !(smmu->idr0 & B(13)) || !(value & 4) || !smmu->eventq_msi,
			  "wild event MSI");
	model_smmu_expect(smmu, !(smmu->idr0 & B(13)) || !(value & 1) || !smmu->gerror_msi,
			  "wild error MSI");
	smmu->irq_ctrl = value;
	smmu->irq_due = models_time() + smmu->update_ns;
}

static void write_gerrorn(struct model_smmu *smmu, uint32_t value)
{
	uint32_t active = smmu->gerror ^ smmu->gerrorn;

	model_smmu_expect(smmu, !((value ^ smmu->gerrorn) & ~active),
			  "acknowledged an error that is not active");
	smmu->gerrorn = value;
}

static void write_cmdq_prod(struct model_smmu *smmu, uint32_t value)
{
	uint32_t mask = 2 * queue_size(&smmu->cmdq) - 1;

	if (smmu->cr0 & CMDQEN) {
		uint32_t added = (value - smmu->cmdq.prod) & mask;

		model_smmu_expect(smmu, queue_used(&smmu->cmdq) + added <= queue_size(&smmu->cmdq),
				  "command queue overfilled");
	}
	if (!queue_used(&smmu->cmdq)) {
		smmu->command_due = models_time() + smmu->command_ns;
	}
	smmu->cmdq.prod = value;
	if ((smmu->cr0 & CMDQEN) && queue_used(&smmu->cmdq) > smmu->most_commands) {
		smmu->most_commands = queue_used(&smmu->cmdq);
	}
}

static void write_eventq_cons(struct model_smmu *smmu, uint32_t value)
{
	uint32_t mask = 2 * queue_size(&smmu->eventq) - 1;

	if (smmu->cr0 & EVENTQEN) {
		model_smmu_expect(smmu,
				  ((value - smmu->eventq.cons) & mask) <= queue_used(&smmu->eventq),
				  "event queue index moved past its end");
	}
	smmu->eventq.cons = value;
}

/* Registers that may be written only while what they describe is off. */
static void expect_off(struct model_smmu *smmu, uint32_t enables, const char *what)
{
	if ((smmu->cr0 | smmu->cr0ack) & enables) {
		model_smmu_violate(smmu, "%s written while enabled", what);
	}
}

static void expect_address(struct model_smmu *smmu, uint64_t value)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52, 56};

	model_smmu_expect(smmu, (value & 0x00ffffffffffffc0ull) >> bits[smmu->idr5 & 7] == 0,
			  "address beyond the SMMU's reach");
}

static void smmu_write(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	struct model_smmu *smmu = context;
	uint32_t value32 = (uint32_t)value;

	if (bytes != (is_wide(offset) ? 8u : 4u)) {
		model_smmu_violate(smmu, "%u-byte write of %llx", bytes,
				   (unsigned long long)offset);
	}
	switch (offset) {
	case 0x20:
		write_cr0(smmu, value32);
		break;
	case 0x28:
		expect_off(smmu, SMMUEN | EVENTQEN | CMDQEN, "CR1");
		smmu->cr1 = value32;
		break;
	case 0x2c:
		expect_off(smmu, SMMUEN, "CR2");
		smmu->cr2 = value32;
		break;
	case 0x44:
		write_gbpa(smmu, value32);
		break;
	case 0x50:
		write_irq_ctrl(smmu, value32);
		break;
	case 0x64:
		write_gerrorn(smmu, value32);
		break;
	case 0x68:
	case 0xb0:
		model_smmu_expect(smmu, smmu->idr0 & B(13), "MSI address without MSIs");
		model_smmu_expect(smmu, !(smmu->irq_ctrl | smmu->irq_ctrlack),
				  "MSI address while enabled");
		*(offset == 0x68 ? &smmu->gerror_msi : &smmu->eventq_msi) = value;
		break;
	case 0x80:
		expect_off(smmu, SMMUEN, "STRTAB_BASE");
		expect_address(smmu, value);
		smmu->strtab_base = value;
		break;
	case 0x88:
		expect_off(smmu, SMMUEN, "STRTAB_BASE_CFG");
		smmu->strtab_cfg = value32;
		break;
	case 0x90:
		expect_off(smmu, CMDQEN, "CMDQ_BASE");
		expect_address(smmu, value);
		smmu->cmdq.base = value;
		break;
	case 0x98:
		write_cmdq_prod(smmu, value32);
		break;
	case 0x9c:
		expect_off(smmu, CMDQEN, "CMDQ_CONS");
		smmu->cmdq.cons = value32;
		break;
	case 0xa0:
		expect_off(smmu, EVENTQEN, "EVENTQ_BASE");
		expect_address(smmu, value);
		smmu->eventq.base = value;
		break;
	case 0x100a8:
		expect_off(smmu, EVENTQEN, "EVENTQ_PROD");
		smmu->eventq.prod = value32;
		break;
	case 0x100ac:
		write_eventq_cons(smmu, value32);
		break;
	default:
		model_smmu_violate(smmu, "write of %llx", (unsigned long long)offset);
		break;
	}
}

void model_smmu_add(struct model_smmu *smmu, uintptr_t base)
{
	const uint32_t unknown = 0x000a5a5a;

	*smmu = (struct model_smmu){
		.base = base,
		.idr0 = 0x0d44101b,
		.idr1 = 0x02730010,
		.idr3 = 0x1414,
		.idr5 = 0x75, /* 48 bits, so that host pointers are legal addresses */
		.update_ns = 3000,
		.command_ns = 1000,
		.sync_ns = 5000,
		.gbpa = 0x1000,
		.gbpa_in_force = 0x1000,
		.cr1 = unknown,
		.cr2 = unknown,
		.gerror_msi = 0xbad0bad0,
		.eventq_msi = 0xbad0bad0,
		.cmdq = {.base = unknown, .prod = unknown, .cons = unknown},
		.eventq = {.base = unknown, .prod = unknown, .cons = unknown},
		.configs_dirty = true,
		.tlb_dirty = true,
		.el2_dirty = true,
	};
	models_add(&(struct model){.base = base,
				   .size = MODEL_SMMU_SIZE,
				   .context = smmu,
				   .read = smmu_read,
				   .write = smmu_write});
	models_time_hook(model_smmu_time, smmu);
}
