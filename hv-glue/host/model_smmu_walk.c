/* SPDX-License-Identifier: BSD-2-Clause */
/* How the modelled SMMU understands entries and walks tables. */
#include "model_smmu_parts.h"

#include <string.h>

struct walk {
	unsigned output_bits, input_bits, start;
	uint64_t root;
	uint64_t attributes; /* MAIR, of stage 1 */
	uint16_t vmid;	     /* of stage 1: the ASID */
	bool records, stage1;
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
	return (smmu->idr0 & B(0)) && GET(d[2], 51, 51) && GET(d[2], 47, 46) == 0 &&
	       GET(d[2], 52, 52) == 0 && GET(d[2], 57, 57) == 0 && GET(d[2], 56, 55) == 0 &&
	       level <= 2 && walk->input_bits >= 25 && walk->input_bits <= oas &&
	       walk->input_bits >= low[level] && walk->input_bits <= high[level] &&
	       (level != 0 || oas >= 44) && walk->root >> walk->output_bits == 0;
}

/* Of Config=0b101: one descriptor, nothing stalls (the model's STALL_MODEL). 5.2.2 */
static bool stage1_legal(const struct model_smmu *smmu, const uint64_t d[8])
{
	return (smmu->idr0 & B(1)) && GET(d[0], 63, 59) == 0 &&
	       !(GET(smmu->idr0, 25, 24) == 1 && GET(d[1], 27, 27)) &&
	       GET(d[0], 51, 6) << 6 >> size_bits(smmu->idr5) == 0;
}

/* Is a descriptor with V=1 ILLEGAL (5.4.1)? */
static bool context_legal(const struct model_smmu *smmu, const uint64_t d[8], struct walk *walk)
{
	unsigned oas = size_bits(smmu->idr5), ips = size_bits((unsigned)GET(d[0], 34, 32));
	unsigned tsz = (unsigned)GET(d[0], 5, 0), input = 64 - tsz;

	*walk = (struct walk){.output_bits = ips < oas ? ips : oas,
			      .input_bits = input,
			      .start = input > 39   ? 0
				       : input > 30 ? 1
						    : 2,
			      .root = d[1] & 0x000ffffffffffff0ull,
			      .attributes = d[3],
			      .vmid = (uint16_t)GET(d[0], 63, 48),
			      .records = GET(d[0], 45, 45),
			      .stage1 = true};
	return GET(d[0], 41, 41) && tsz >= 16 && tsz <= 39 && GET(d[0], 7, 6) == 0 &&
	       GET(d[0], 15, 14) == 0 &&			   /* ENDI, EPD0 */
	       GET(d[0], 30, 30) &&				   /* EPD1 */
	       GET(d[0], 34, 32) <= 5 && GET(d[0], 39, 38) == 0 && /* IPS, TBI */
	       GET(d[0], 43, 42) == 0 && GET(d[0], 44, 44) == 0 && /* HA, HD; S */
	       (GET(d[0], 46, 46) || !(smmu->idr0 & B(26))) &&	   /* A */
	       ((smmu->idr0 & B(12)) || walk->vmid < 256) && walk->root >> walk->output_bits == 0;
}

bool model_smmu_context_legal(const struct model_smmu *smmu, const uint64_t dword[8])
{
	struct walk walk;

	return (dword[0] & B(31)) && context_legal(smmu, dword, &walk);
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
	case 5:
		return stage1_legal(smmu, dword) ? MODEL_STE_STAGE1 : MODEL_STE_ABORT;
	default:
		return MODEL_STE_STAGE1; /* both: never wanted */
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

/* The descriptor behind a valid entry. As with entries, an invalid one's words may be older. */
static struct model_smmu_cd *fetch_context(struct model_smmu *smmu,
					   const struct model_smmu_ste *ste)
{
	const uint64_t *at = (const uint64_t *)(uintptr_t)(GET(ste->dword[0], 51, 6) << 6);
	struct model_smmu_cd *cd = NULL;

	for (unsigned i = 0; i < MODEL_SMMU_STES && !cd; i++) {
		if (smmu->cds[i].valid && smmu->cds[i].stream == ste->stream) {
			cd = &smmu->cds[i];
		}
	}
	if (!cd) {
		cd = &smmu->cds[smmu->cd_next++ % MODEL_SMMU_STES];
		cd->valid = true;
		cd->stream = ste->stream;
		memcpy(cd->dword, at, 64);
	} else if (!(cd->dword[0] & B(31))) {
		cd->dword[0] = at[0];
	}
	return cd;
}

void model_smmu_prefetch(struct model_smmu *smmu, uint32_t stream)
{
	if ((smmu->cr0ack & SMMUEN) && !cached(smmu, stream)) {
		struct model_smmu_ste *ste = fetch(smmu, stream);

		if (model_smmu_meaning(smmu, ste->dword) == MODEL_STE_STAGE1) {
			(void)fetch_context(smmu, ste);
		}
	}
}

static struct model_smmu_result refuse(struct model_smmu *smmu, uint8_t type, uint32_t stream,
				       uint64_t address, bool write, bool record)
{
	bool stage2 = smmu->idr0 & B(0);
	uint64_t fault = type >= 0x10 ? (stage2 ? B(39) : 0) | 2ull << 40 : 0; /* S2, CLASS = IN */
	bool addressed = type >= 0x10 || type == 0x07;
	uint64_t words[4] = {type | (uint64_t)stream << 32,
			     fault | (addressed && !write ? B(35) : 0), addressed ? address : 0,
			     type >= 0x10 && stage2 ? address & 0x000ffffffffff000ull : 0};

	if (record) {
		model_smmu_record(smmu, words);
	}
	return (struct model_smmu_result){.event = record ? type : 0};
}

/* What a leaf permits a device, whose accesses are unprivileged. */
static void permit(struct model_smmu *smmu, const struct walk *walk, uint64_t leaf,
		   struct model_smmu_tlb *out)
{
	if (!walk->stage1) {
		out->read = leaf & B(6);
		out->write = leaf & B(7);
		return;
	}
	uint64_t attribute = walk->attributes >> (8 * GET(leaf, 4, 2)) & 0xff;

	out->read = leaf & B(6);
	out->write = (leaf & B(6)) && !(leaf & B(7));
	model_smmu_expect(smmu, leaf & B(11), "a global stage 1 entry: every ASID hits it");
	model_smmu_expect(smmu, attribute == 0xff || attribute == 0x04, "unknown memory type");
}

/* Returns the event number, or 0 with *out filled in. */
static uint8_t walk_tables(struct model_smmu *smmu, const struct walk *walk, uint64_t ipa,
			   struct model_smmu_tlb *out)
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
					       .stage1 = walk->stage1,
					       .vmid = walk->vmid,
					       .size = B(shift),
					       .ipa = ipa & ~(B(shift) - 1),
					       .pa = address & ~(B(shift) - 1)};
		permit(smmu, walk, entry, out);
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
		if (entry->valid && entry->stage1 == walk->stage1 && entry->vmid == walk->vmid &&
		    ipa - entry->ipa < entry->size) {
			/* It may walk again at any time, and then holds both. */
			model_smmu_expect(smmu,
					  GET(smmu->idr3, 12, 11) == 2 ||
						  walk_tables(smmu, walk, ipa, &found) ||
						  found.size == entry->size,
					  "a block changed its size while cached, below BBML 2");
			return entry;
		}
	}
	*event = walk_tables(smmu, walk, ipa, &found);
	if (*event) {
		return NULL;
	}
	entry = &smmu->tlb[smmu->tlb_next++ % MODEL_SMMU_TLB];
	*entry = found;
	return entry;
}

/* How a valid entry that translates says to walk: 0, or the number of the event. */
static uint8_t walk_of(struct model_smmu *smmu, const struct model_smmu_ste *ste, struct walk *walk)
{
	if (GET(ste->dword[0], 3, 1) == 6) {
		return stage2_legal(smmu, ste->dword, walk) ? 0 : 0x04;
	}
	if (!stage1_legal(smmu, ste->dword)) {
		return 0x04;
	}
	model_smmu_expect(smmu, GET(ste->dword[1], 31, 30) == 0, "not the EL1&0 regime");
	struct model_smmu_cd *cd = fetch_context(smmu, ste);

	return (cd->dword[0] & B(31)) && context_legal(smmu, cd->dword, walk) ? 0 : 0x0a;
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
	case 5:
	case 6:
		break;
	default:
		model_smmu_violate(smmu, "both stages enabled");
		return (struct model_smmu_result){0};
	}
	model_smmu_expect(smmu, GET(ste->dword[0], 3, 1) == ((smmu->idr0 & B(0)) ? 6 : 5),
			  "stage 1, although there is stage 2");
	event = walk_of(smmu, ste, &walk);
	if (event) {
		return refuse(smmu, event, stream, address, write, true);
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
