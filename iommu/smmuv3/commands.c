/* SPDX-License-Identifier: BSD-2-Clause */
#include "smmu.h"

#define MAX_PAGE_COMMANDS 32	       /* beyond: the whole VMID, without range commands */
#define MAX_RANGE_PAGES	  (1ull << 20) /* 4 GiB: at most five range commands */

enum status smmu_cmd_cfgi_ste(stream_id_t stream)
{
	return smmu_cmdq_submit(command_cfgi_ste(stream));
}

enum status smmu_cmd_cfgi_cd(stream_id_t stream)
{
	return smmu_cmdq_submit(command_cfgi_cd(stream));
}

enum status smmu_cmd_tlbi_vmid(vmid_t vmid)
{
	return smmu_cmdq_submit(smmu.stage1 ? command_tlbi_asid(vmid) : command_tlbi_vmid(vmid));
}

static struct smmu_command page(vmid_t vmid, uint64_t address)
{
	return smmu.stage1 ? command_tlbi_va(vmid, address) : command_tlbi_page(vmid, address);
}

/* Five bits of the page count at a time, from the lowest that is set; or page by page. */
static enum status tlbi_pages(vmid_t vmid, uint64_t address, uint64_t pages)
{
	enum status status = STATUS_OK;

	while (pages && status == STATUS_OK) {
		unsigned scale = smmu.has_range ? (unsigned)__builtin_ctzll(pages) : 0;
		unsigned count = smmu.has_range ? pages >> scale & (RANGE_PAGES - 1) : 1;
		struct smmu_command command = page(vmid, address);

		status = smmu_cmdq_submit(
			count == 1 && scale == 0 ? command : command_range(command, count, scale));
		pages -= (uint64_t)count << scale;
		address += ((uint64_t)count << scale) * PAGE_SIZE;
	}
	return status;
}

enum status smmu_cmd_tlbi_range(vmid_t vmid, ipa_t ipa, uint64_t size)
{
	uint64_t first = ipa.v / PAGE_SIZE;
	uint64_t pages = size ? (ipa.v + size - 1) / PAGE_SIZE - first + 1 : 0;
	uint64_t most = smmu.has_range ? MAX_RANGE_PAGES : MAX_PAGE_COMMANDS;

	if (pages > most) { /* also when the range wraps around */
		return smmu_cmd_tlbi_vmid(vmid);
	}
	return tlbi_pages(vmid, first * PAGE_SIZE, pages);
}

enum status smmu_cmd_tlbi_all(void)
{
	enum status status = smmu_cmdq_submit(command_plain(CMD_TLBI_NSNH_ALL));

	if (status == STATUS_OK && smmu.has_el2) { /* refused without IDR0.HYP */
		status = smmu_cmdq_submit(command_plain(CMD_TLBI_EL2_ALL));
	}
	return status;
}

/* CS=0: no interrupt. That CONS has passed it says that all before it is complete (4.7.3). */
enum status smmu_cmd_sync(void)
{
	enum status status = smmu_cmdq_submit(command_plain(CMD_SYNC));

	return status == STATUS_OK ? smmu_cmdq_drain() : status;
}
