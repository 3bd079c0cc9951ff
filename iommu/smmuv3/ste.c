/* SPDX-License-Identifier: BSD-2-Clause */
#include "ste.h"

#include "registers.h"

unsigned physical_size_bits(unsigned physical_size)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};

	return bits[physical_size <= PHYSICAL_SIZE_48 ? physical_size : PHYSICAL_SIZE_48];
}

struct ste ste_stage2(const struct iommu_tables *tables, unsigned physical_size)
{
	struct ste ste = {0};

	ste.dword[0] = STE0_V | field_prep(STE0_CONFIG, CONFIG_S2);
	ste.dword[1] = STE1_MEV | field_prep(STE1_SHCFG, SHCFG_INCOMING); /* EATS=0: no ATS */
	ste.dword[2] = field_prep(STE2_S2VMID, tables->vmid.v) |
		       field_prep(STE2_S2T0SZ, 64 - IOMMU_INPUT_BITS) |
		       field_prep(STE2_S2SL0, SL0_LEVEL_1) | field_prep(STE2_S2IR0, WALK_WB_RA_WA) |
		       field_prep(STE2_S2OR0, WALK_WB_RA_WA) | field_prep(STE2_S2SH0, SH_INNER) |
		       field_prep(STE2_S2PS, physical_size) | STE2_S2AA64 | STE2_S2R;
	ste.dword[3] = tables->root.v & STE3_S2TTB;
	return ste;
}

struct cd cd_stage1(const struct iommu_tables *tables, unsigned physical_size)
{
	struct cd cd = {0};

	cd.dword[0] = field_prep(CD0_T0SZ, 64 - IOMMU_INPUT_BITS) |
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
