/* SPDX-License-Identifier: BSD-2-Clause */
#include "smmu.h"

#define MAX_PAGE_COMMANDS 32	       /* beyond: the whole VMID, without range commands */
#define MAX_RANGE_PAGES	  (1ull << 20) /* 4 GiB: at most five range commands */

/* Leaf=0: cached table descriptors go too, so a sub-tree may be unlinked. */
static struct smmu_command tlbi(enum smmu_opcode stage2, enum smmu_opcode stage1, vmid_t vmid,
				uint64_t page)
{
	return (struct smmu_command){{smmu.stage1 ? stage1 | field_prep(CMD0_ASID, vmid.v)
						  : stage2 | field_prep(CMD0_VMID, vmid.v),
				      page}};
}

void smmu_tlbi_vmid(vmid_t vmid)
{
	smmu_submit(tlbi(CMD_TLBI_S12_VMALL, CMD_TLBI_NH_ASID, vmid, 0));
}

/* Five bits of the page count at a time, from the lowest that is set; or page by page. */
void smmu_tlbi_range(vmid_t vmid, ipa_t ipa, uint64_t size)
{
	uint64_t at = ipa.v / PAGE_SIZE, pages = size ? (ipa.v + size - 1) / PAGE_SIZE - at + 1 : 0;

	/* Also when the range wraps around. */
	if (pages > (smmu.has_range ? MAX_RANGE_PAGES : MAX_PAGE_COMMANDS)) {
		smmu_tlbi_vmid(vmid);
		return;
	}
	while (pages) {
		unsigned scale = smmu.has_range ? (unsigned)__builtin_ctzll(pages) : 0;
		unsigned count = smmu.has_range ? pages >> scale & (RANGE_PAGES - 1) : 1;
		struct smmu_command command =
			tlbi(CMD_TLBI_S2_IPA, CMD_TLBI_NH_VA, vmid, at * PAGE_SIZE);

		smmu_submit(count == 1 && scale == 0 ? command
						     : command_range(command, count, scale));
		pages -= (uint64_t)count << scale;
		at += (uint64_t)count << scale;
	}
}

void smmu_tlbi_all(void)
{
	smmu_submit(command_plain(CMD_TLBI_NSNH_ALL));
	if (smmu.has_el2) { /* refused without IDR0.HYP */
		smmu_submit(command_plain(CMD_TLBI_EL2_ALL));
	}
}
