/* SPDX-License-Identifier: BSD-2-Clause */
/* F35: a device that had another owner before. What it reaches is ours, not its last owner's. */
#include "attack.h"

#define RETRY_NS 600000000ull /* well below 20 restarts in 10 s, which count as a crash */

/*
 * Two partitions run this and their configs name one VF; whoever came too late gets it when the
 * other has gone, and starts again until then. All of that happens at the same addresses.
 */
void attack_reuse(void)
{
	uint32_t data[BLOCK / 4] = {0}, tag = (uint32_t)boot_number("tag", 0);
	uint64_t page = scratch_page(2);
	volatile uint32_t *own = (volatile uint32_t *)(uintptr_t)page;
	bool stored, fetched;

	if (!engine_start()) {
		clock_sleep_ns(RETRY_NS);
		power_reset();
	}
	stored = engine_store(page, tag) == STATUS_OK && own[BLOCK / 4 - 1] == tag;
	fetched = engine_fetch(page, data) == STATUS_OK && data[BLOCK / 4 - 1] == tag;
	report("own", stored && fetched ? "ok" : "failed", "store=%u fetch=%u address=0x%lx",
	       stored, fetched, page);
}
