/* SPDX-License-Identifier: BSD-2-Clause */
#include "ste.h"

#include "registers.h"

#define START_LEVELS 3

unsigned physical_size_bits(unsigned physical_size)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};

	return bits[physical_size <= PHYSICAL_SIZE_48 ? physical_size : PHYSICAL_SIZE_48];
}

/*
 * 4 KiB pages, one root table: a level resolves 9 bits above those of the next one, and the root
 * must resolve at least one. Wider needs concatenation, narrower than 25 bits small tables.
 */
static const struct {
	uint8_t least, most, least_output;
} widths[START_LEVELS] = {
	{40, 48, 44}, /* level 0 exists only with 44 and more physical bits */
	{31, 39, 32},
	{25, 30, 32},
};

enum status ste_check_tables(const struct iommu_tables *tables, unsigned physical_size)
{
	unsigned output = physical_size_bits(physical_size);
	unsigned level = tables->start_level;

	if (level >= START_LEVELS || tables->input_bits < widths[level].least ||
	    tables->input_bits > widths[level].most || output < widths[level].least_output) {
		return STATUS_INVALID;
	}
	if (tables->input_bits > output) { /* S2T0SZ below 64 - IAS is ILLEGAL */
		return STATUS_INVALID;
	}
	if (!is_aligned(tables->root.v, PAGE_SIZE) || tables->root.v >> output) {
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

struct ste ste_stage2(const struct iommu_tables *tables, unsigned physical_size)
{
	struct ste ste = {0};

	ste.dword[0] = STE0_V | field_prep(STE0_CONFIG, CONFIG_S2);
	ste.dword[1] = STE1_MEV | field_prep(STE1_SHCFG, SHCFG_INCOMING); /* EATS=0: no ATS */
	ste.dword[2] = field_prep(STE2_S2VMID, tables->vmid.v) |
		       field_prep(STE2_S2T0SZ, 64u - tables->input_bits) |
		       field_prep(STE2_S2SL0, 2u - tables->start_level) |
		       field_prep(STE2_S2IR0, WALK_WB_RA_WA) |
		       field_prep(STE2_S2OR0, WALK_WB_RA_WA) | field_prep(STE2_S2SH0, SH_INNER) |
		       field_prep(STE2_S2PS, physical_size) | STE2_S2AA64 | STE2_S2R;
	ste.dword[3] = tables->root.v & STE3_S2TTB;
	return ste;
}

struct cd cd_stage1(const struct iommu_tables *tables, unsigned physical_size)
{
	struct cd cd = {0};

	cd.dword[0] = field_prep(CD0_T0SZ, 64u - tables->input_bits) |
		      field_prep(CD0_IR0, WALK_WB_RA_WA) | field_prep(CD0_OR0, WALK_WB_RA_WA) |
		      field_prep(CD0_SH0, SH_INNER) | CD0_EPD1 | CD0_V |
		      field_prep(CD0_IPS, physical_size) | CD0_AA64 | CD0_R | CD0_A | CD0_ASET |
		      field_prep(CD0_ASID, tables->vmid.v);
	cd.dword[1] = tables->root.v & CD1_TTB0;
	cd.dword[3] = CD3_MAIR;
	return cd;
}

struct ste ste_stage1(pa_t descriptor)
{
	struct ste ste = {0};

	ste.dword[0] =
		STE0_V | field_prep(STE0_CONFIG, CONFIG_S1) | (descriptor.v & STE0_S1CONTEXT);
	ste.dword[1] = field_prep(STE1_S1CIR, WALK_WB_RA_WA) |
		       field_prep(STE1_S1COR, WALK_WB_RA_WA) | field_prep(STE1_S1CSH, SH_INNER) |
		       STE1_MEV |
		       field_prep(STE1_SHCFG, SHCFG_INCOMING); /* STRW=0: EL1&0; EATS=0: no ATS */
	return ste;
}
