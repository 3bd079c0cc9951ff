/* SPDX-License-Identifier: BSD-2-Clause */
/* How the modelled SMMU understands entries and walks tables. */
#include "model_smmu_parts.h"

#include <string.h>

struct walk {
	unsigned output_bits, input_bits, start;
	uint64_t root;
	uint16_t vmid;
	bool records;
};

static unsigned size_bits(unsigned code)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 48, 48};

	return bits[code & 7];
}

/* Is a V=1, Config=0b110 entry ILLEGAL (5.2.2)? */
static bool stage2_legal(const struct model_smmu *smmu, const uint64_t d[8], struct walk *walk)
{
	static const uint8_t level_of[] = {2, 1, 0, 9}, low[] = {40, 31, 22}, high[] = {52, 43, 34};
	unsigned oas = size_bits(smmu->idr5), s2ps = size_bits((unsigned)GET(d[2], 50, 48));
	unsigned level = level_of[GET(d[2], 39, 38)];

	*walk = (struct walk){.output_bits = s2ps < oas ? s2ps : oas,
			      .input_bits = 64 - (unsigned)GET(d[2], 37, 32),
			      .start = level,
			      .root = d[3] & 0x000ffffffffffff0ull,
			      .vmid = (uint16_t)d[2],
			      .records = GET(d[2], 58, 58)};
	return GET(d[2], 51, 51) && GET(d[2], 47, 46) == 0 && GET(d[2], 52, 52) == 0 &&
	       GET(d[2], 57, 57) == 0 && GET(d[2], 56, 55) == 0 && level <= 2 &&
	       walk->input_bits >= 25 && walk->input_bits <= oas &&
	       walk->input_bits >= low[level] && walk->input_bits <= high[level] &&
	       (level != 0 || oas >= 44) && walk->root >> walk->output_bits == 0;
}

enum model_smmu_meaning model_smmu_meaning(const struct model_smmu *smmu, const uint64_t dword[8])
{
	struct walk walk;

	if (!(dword[0] & 1) || !(dword[0] & 8)) {
		return MODEL_STE_ABORT;
	}
	switch (GET(dword[0], 3, 1)) {
	case 4:
		return MODEL_STE_BYPASS;
	case 6:
		return stage2_legal(smmu, dword, &walk) ? MODEL_STE_STAGE2 : MODEL_STE_ABORT;
	default:
		return MODEL_STE_STAGE1;
	}
}

static const uint64_t *table_entry(const struct model_smmu *smmu, uint32_t stream)
{
	uintptr_t table = smmu->strtab_base & 0x000fffffffffffc0ull;

	return (const uint64_t *)table + (size_t)stream * 8;
}

static struct model_smmu_ste *cached(struct model_smmu *smmu, uint32_t stream)
{
	for (unsigned i = 0; i < MODEL_SMMU_STES; i++) {
		if (smmu->stes[i].valid && smmu->stes[i].stream == stream) {
			return &smmu->stes[i];
		}
	}
	return NULL;
}

static struct model_smmu_ste *fetch(struct model_smmu *smmu, uint32_t stream)
{
	struct model_smmu_ste *ste = cached(smmu, stream);

	if (!ste) {
		ste = &smmu->stes[smmu->ste_next++ % MODEL_SMMU_STES];
		ste->valid = true;
		ste->stream = stream;
		memcpy(ste->dword, table_entry(smmu, stream), 64);
	} else if (!(ste->dword[0] & 1)) {
		/* The words of one fetch are read in any order: word 0 comes last, later. */
		ste->dword[0] = table_entry(smmu, stream)[0];
	}
	return ste;
}

void model_smmu_prefetch(struct model_smmu *smmu, uint32_t stream)
{
	if ((smmu->cr0ack & SMMUEN) && !cached(smmu, stream)) {
		(void)fetch(smmu, stream);
	}
}

static struct model_smmu_result refuse(struct model_smmu *smmu, uint8_t type, uint32_t stream,
				       uint64_t address, bool write, bool record)
{
	uint64_t fault = type >= 0x10 ? B(39) | 2ull << 40 : 0; /* S2, CLASS = IN */
	bool addressed = type >= 0x10 || type == 0x07;
	uint64_t words[4] = {type | (uint64_t)stream << 32,
			     fault | (addressed && !write ? B(35) : 0), addressed ? address : 0,
			     type >= 0x10 ? address & 0x000ffffffffff000ull : 0};

	if (record) {
		model_smmu_record(smmu, words);
	}
	return (struct model_smmu_result){.event = record ? type : 0};
}

/* Returns the event number, or 0 with *out filled in. */
static uint8_t walk_tables(const struct walk *walk, uint64_t ipa, struct model_smmu_tlb *out)
{
	uint64_t table = walk->root;

	if (ipa >> walk->input_bits) {
		return 0x10;
	}
	for (unsigned level = walk->start; level <= 3; level++) {
		unsigned shift = 39 - 9 * level;
		uint64_t index = level == walk->start ? ipa >> shift : GET(ipa, shift + 8, shift);
		uint64_t entry = ((const volatile uint64_t *)(uintptr_t)table)[index];
		uint64_t address = entry & 0x0000fffffffff000ull;

		if (!(entry & 1) || (level == 3 && !(entry & 2)) || (level == 0 && !(entry & 2))) {
			return 0x10;
		}
		if (address >> walk->output_bits) {
			return 0x11;
		}
		if (level < 3 && (entry & 2)) {
			table = address;
			continue;
		}
		if (!(entry & B(10))) {
			return 0x12;
		}
		*out = (struct model_smmu_tlb){.valid = true,
					       .read = entry & B(6),
					       .write = entry & B(7),
					       .vmid = walk->vmid,
					       .size = B(shift),
					       .ipa = ipa & ~(B(shift) - 1),
					       .pa = address & ~(B(shift) - 1)};
		return 0;
	}
	return 0x10;
}

static struct model_smmu_tlb *translation(struct model_smmu *smmu, const struct walk *walk,
					  uint64_t ipa, uint8_t *event)
{
	struct model_smmu_tlb *entry, found;

	for (unsigned i = 0; i < MODEL_SMMU_TLB; i++) {
		entry = &smmu->tlb[i];
		if (entry->valid && entry->vmid == walk->vmid && ipa - entry->ipa < entry->size) {
			return entry;
		}
	}
	*event = walk_tables(walk, ipa, &found);
	if (*event) {
		return NULL;
	}
	entry = &smmu->tlb[smmu->tlb_next++ % MODEL_SMMU_TLB];
	*entry = found;
	return entry;
}

struct model_smmu_result model_smmu_access(struct model_smmu *smmu, uint32_t stream,
					   uint64_t address, bool write)
{
	struct model_smmu_result bypass = {.passed = true, .bypassed = true, .pa = address};
	uint8_t event = 0;
	struct walk walk;

	if (!(smmu->cr0ack & SMMUEN)) {
		return smmu->gbpa_in_force & ABORT ? (struct model_smmu_result){0} : bypass;
	}
	if ((uint64_t)stream >> (smmu->strtab_cfg & 63)) {
		return refuse(smmu, 0x02, stream, address, write, smmu->cr2 & 2);
	}
	struct model_smmu_ste *ste = fetch(smmu, stream);

	if (!(ste->dword[0] & 1)) {
		return refuse(smmu, 0x04, stream, address, write, true);
	}
	switch (GET(ste->dword[0], 3, 1)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return (struct model_smmu_result){0};
	case 4:
		return bypass;
	case 6:
		break;
	default:
		model_smmu_violate(smmu, "stage 1 enabled");
		return (struct model_smmu_result){0};
	}
	if (!stage2_legal(smmu, ste->dword, &walk)) {
		return refuse(smmu, 0x04, stream, address, write, true);
	}
	model_smmu_expect(smmu, GET(ste->dword[1], 29, 28) == 0, "ATS enabled for a stream");
	model_smmu_expect(smmu, (walk.root & 4095) == 0, "root of the tables not aligned");
	struct model_smmu_tlb *entry = translation(smmu, &walk, address, &event);

	if (!entry) {
		return refuse(smmu, event, stream, address, write, walk.records);
	}
	if (write ? !entry->write : !entry->read) {
		return refuse(smmu, 0x13, stream, address, write, walk.records);
	}
	return (struct model_smmu_result){.passed = true, .pa = entry->pa + (address - entry->ipa)};
}

struct model_smmu_result model_smmu_translated(struct model_smmu *smmu, uint32_t stream,
					       uint64_t address)
{
	struct model_smmu_result bypass = {.passed = true, .bypassed = true, .pa = address};

	if (!(smmu->cr0ack & SMMUEN)) {
		return model_smmu_access(smmu, stream, address, false);
	}
	if (!(smmu->idr0 & B(10)) || !(smmu->cr0ack & ATSCHK)) {
		return smmu->idr0 & B(10) ? bypass
					  : refuse(smmu, 0x07, stream, address, false, true);
	}
	if ((uint64_t)stream >> (smmu->strtab_cfg & 63) || !(fetch(smmu, stream)->dword[0] & 8)) {
		return (struct model_smmu_result){0};
	}
	if (GET(fetch(smmu, stream)->dword[1], 29, 28) != 0) {
		return bypass;
	}
	return refuse(smmu, 0x07, stream, address, false, true);
}
