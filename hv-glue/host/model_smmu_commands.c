/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of the modelled SMMU: checked when consumed, in effect when a SYNC completes. */
#include "model_smmu_parts.h"

#include <string.h>

static bool only(uint64_t word, uint64_t allowed)
{
	return (word & ~(allowed | 0xff)) == 0; /* the opcode is always there */
}

static bool range_legal(const struct model_smmu *smmu, const struct model_smmu_command *c)
{
	uint64_t num = GET(c->dword[0], 16, 12), scale = GET(c->dword[0], 24, 20);
	uint64_t tg = GET(c->dword[1], 11, 10), ttl = GET(c->dword[1], 9, 8);

	if (!(smmu->idr3 & B(10)) || tg == 0) {
		return num == 0 && scale == 0 && tg == 0 && ttl == 0;
	}
	return tg == 1 && (num || scale || ttl);
}

static bool command_legal(const struct model_smmu *smmu, const struct model_smmu_command *c)
{
	uint64_t stream = 0xffffffffull << 32, vmid = 0xffffull << 32, asid = 0xffffull << 48;
	bool stage1 = smmu->idr0 & B(1), stage2 = smmu->idr0 & B(0);

	if (!stage2) {
		vmid = 0; /* RES0 */
	}

	switch (c->dword[0] & 0xff) {
	case 0x03: /* CFGI_STE */
		return only(c->dword[0], stream) && (c->dword[1] & ~1ull) == 0;
	case 0x04: /* CFGI_STE_RANGE, CFGI_ALL */
		return only(c->dword[0], stream) && (c->dword[1] & ~31ull) == 0;
	case 0x05: /* CFGI_CD; there are no substreams */
		return stage1 && only(c->dword[0], stream) && (c->dword[1] & ~1ull) == 0;
	case 0x11: /* TLBI_NH_ASID */
		return stage1 && only(c->dword[0], vmid | asid) && c->dword[1] == 0;
	case 0x12: /* TLBI_NH_VA */
		return stage1 && only(c->dword[0], vmid | asid | 0x1f1f000) &&
		       (c->dword[1] & 0xfe) == 0 && range_legal(smmu, c);
	case 0x20: /* TLBI_EL2_ALL */
		return (smmu->idr0 & B(9)) && only(c->dword[0], 0) && c->dword[1] == 0;
	case 0x28: /* TLBI_S12_VMALL */
		return stage2 && only(c->dword[0], vmid) && c->dword[1] == 0;
	case 0x2a: /* TLBI_S2_IPA */
		return stage2 && only(c->dword[0], vmid | 0x1f1f000) &&
		       (c->dword[1] & ~0x000ffffffffffff01ull) == 0 && range_legal(smmu, c);
	case 0x30: /* TLBI_NSNH_ALL */
		return only(c->dword[0], 0) && c->dword[1] == 0;
	case 0x46: /* SYNC */
		return GET(c->dword[0], 13, 12) == 0 && only(c->dword[0], 0) && c->dword[1] == 0;
	default:
		return false;
	}
}

static void forget_streams(struct model_smmu *smmu, uint64_t first, uint64_t count)
{
	for (unsigned i = 0; i < MODEL_SMMU_STES; i++) {
		if (smmu->stes[i].stream - first < count) {
			smmu->stes[i].valid = false;
		}
	}
}

static void forget_contexts(struct model_smmu *smmu, uint64_t first, uint64_t count)
{
	for (unsigned i = 0; i < MODEL_SMMU_STES; i++) {
		if (smmu->cds[i].stream - first < count) {
			smmu->cds[i].valid = false;
		}
	}
}

/* `tag` is a VMID, or of stage 1 an ASID. */
static void forget_translations(struct model_smmu *smmu, bool stage1, uint16_t tag, uint64_t ipa,
				uint64_t size)
{
	for (unsigned i = 0; i < MODEL_SMMU_TLB; i++) {
		struct model_smmu_tlb *entry = &smmu->tlb[i];

		if (entry->stage1 == stage1 && entry->vmid == tag && entry->ipa < ipa + size &&
		    ipa < entry->ipa + entry->size) {
			entry->valid = false;
		}
	}
}

static void take_effect(struct model_smmu *smmu, const struct model_smmu_command *c)
{
	uint16_t vmid = (uint16_t)GET(c->dword[0], 47, 32);
	uint16_t asid = (uint16_t)GET(c->dword[0], 63, 48);
	uint64_t range = GET(c->dword[1], 4, 0), address = c->dword[1] & ~0xfffull;
	uint64_t pages = (GET(c->dword[0], 16, 12) + 1) << GET(c->dword[0], 24, 20);

	switch (c->dword[0] & 0xff) {
	case 0x03:
		forget_streams(smmu, c->dword[0] >> 32, 1);
		break;
	case 0x04:
		forget_streams(smmu, (c->dword[0] >> 32) & ~(B(range + 1) - 1), B(range + 1));
		smmu->configs_dirty = smmu->configs_dirty && range != 31;
		if (range == 31) { /* CFGI_ALL */
			forget_contexts(smmu, 0, B(32));
		}
		break;
	case 0x05:
		forget_contexts(smmu, c->dword[0] >> 32, 1);
		break;
	case 0x11:
		forget_translations(smmu, true, asid, 0, UINT64_MAX);
		break;
	case 0x12:
		forget_translations(smmu, true, asid, address, pages * 4096);
		break;
	case 0x20:
		smmu->el2_dirty = false;
		break;
	case 0x28:
		forget_translations(smmu, false, vmid, 0, B(52));
		break;
	case 0x2a:
		forget_translations(smmu, false, vmid, address & (B(52) - 1), pages * 4096);
		break;
	case 0x30:
		for (unsigned i = 0; i < MODEL_SMMU_TLB; i++) {
			smmu->tlb[i].valid = false;
		}
		smmu->tlb_dirty = false;
		break;
	default:
		break;
	}
}

static bool refused(struct model_smmu *smmu, const struct model_smmu_command *c)
{
	if (smmu->refuse_in && --smmu->refuse_in == 0) {
		return true;
	}
	uint64_t total = 0;

	for (unsigned i = 0; smmu->refuse_each && i < 256; i++) {
		total += smmu->consumed[i];
	}
	/* A SYNC put in place of a refused command is not refused again. */
	if (smmu->refuse_each && (c->dword[0] & 0xff) != 0x46 && total % smmu->refuse_each == 0) {
		return true;
	}
	if (command_legal(smmu, c)) {
		return false;
	}
	model_smmu_violate(smmu, "illegal command %llx %llx", (unsigned long long)c->dword[0],
			   (unsigned long long)c->dword[1]);
	return true;
}

bool model_smmu_consume(struct model_smmu *smmu, uint64_t now_ns)
{
	struct model_smmu_queue *queue = &smmu->cmdq;
	struct model_smmu_command c;

	if (!(smmu->cr0ack & CMDQEN) || error_active(smmu, CMDQ_ERR) || !queue_used(queue) ||
	    now_ns < smmu->command_due) {
		return false;
	}
	memcpy(&c, queue_slot(queue, queue->cons, 2), sizeof(c));
	bool sync = (c.dword[0] & 0xff) == 0x46;

	if (sync && (smmu->sync_stuck || !smmu->sync_waiting)) {
		smmu->sync_waiting = true;
		smmu->command_due = now_ns + smmu->sync_ns;
		return false;
	}
	smmu->sync_waiting = false;
	if (refused(smmu, &c)) {
		queue->cons = (queue->cons & 0x00ffffff) | 1u << 24;
		model_smmu_raise(smmu, CMDQ_ERR);
		return false;
	}
	queue->cons =
		(queue->cons & 0x7f000000) | ((queue->cons + 1) & (2 * queue_size(queue) - 1));
	smmu->consumed[c.dword[0] & 0xff]++;
	smmu->command_due += smmu->command_ns;
	if (sync) {
		bool configs = false;

		for (unsigned i = 0; i < smmu->pending_count; i++) {
			take_effect(smmu, &smmu->pending[i]);
			configs |= (smmu->pending[i].dword[0] & 0xff) <= 0x05;
		}
		smmu->pending_count = 0;
		smmu->syncs_completed++;
		smmu->config_syncs += configs;
	} else if ((c.dword[0] & 0xff) != smmu->ignore_opcode) {
		if (smmu->pending_count == MODEL_SMMU_PENDING) {
			model_smmu_violate(smmu, "more invalidations than the model keeps");
			smmu->pending_count = 0;
		}
		smmu->pending[smmu->pending_count++] = c;
	}
	return true;
}
