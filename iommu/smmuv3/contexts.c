/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Context descriptors (IHI 0070 G.b, 5.4), for an SMMU without stage 2: one for each ASID, for all
 * streams with those tables. A descriptor changes only while no stream uses it: then every entry
 * that pointed at it is known to abort, so no walk can meet it half written.
 */
#include "smmu.h"

#include <string.h>

static struct cd *contexts;
static uint32_t users[IOMMU_STAGE1_SPACES]; /* streams whose abort is not confirmed */

_Static_assert(sizeof(struct cd) * IOMMU_STAGE1_SPACES == PAGE_SIZE, "they fill a page");

enum status contexts_init(struct arena *arena)
{
	memset(users, 0, sizeof(users));
	contexts = arena_take(arena, PAGE_SIZE, PAGE_SIZE);
	return contexts ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status context_take(const struct iommu_tables *tables, pa_t *at)
{
	struct cd image = cd_stage1(tables, smmu.physical_size);

	if (tables->vmid.v >= IOMMU_STAGE1_SPACES) {
		return STATUS_INVALID;
	}
	struct cd *cd = &contexts[tables->vmid.v];

	if (users[tables->vmid.v] && memcmp(cd, &image, sizeof(image)) != 0) {
		return STATUS_INVALID;
	}
	for (unsigned i = STE_DWORDS; !users[tables->vmid.v] && i-- > 0;) {
		table_store64(&cd->dword[i], image.dword[i]); /* dword 0, with V, is the last */
	}
	users[tables->vmid.v]++;
	*at = pa_of(cd);
	return STATUS_OK;
}

void context_give(const struct iommu_tables *tables)
{
	if (--users[tables->vmid.v] == 0) {
		table_store64(&contexts[tables->vmid.v].dword[0], 0);
	}
}
