/* SPDX-License-Identifier: BSD-2-Clause */
/* What the attacker's CPU tries: the doorbell (F17), others' memory, and a released block (F38). */
#include "attack.h"

#include "guest_map.h"

#define RELEASE	 0xc6000001ull
#define OLD	 0x01d01d01u
#define NEW	 0x0e30e30eu
#define PRIME	 0x55aa55aau
#define PAGES	 512ull /* 2 MiB, the only size */
#define PAGES_AT 515u	/* in the scratch area: inside the second 2 MiB block, not at its start */

static void try_store(const char *step, uint64_t address, unsigned size)
{
	struct probe_result result = probe_write(address, size, 0);

	report(step, result.faulted ? "fault" : "stored",
	       "address=0x%lx size=%u esr=0x%lx far=0x%lx", address, size, result.esr, result.far);
}

static void try_load(const char *step, uint64_t address, unsigned size)
{
	struct probe_result result = probe_read(address, size);

	report(step, result.faulted ? "fault" : "value",
	       "address=0x%lx size=%u esr=0x%lx far=0x%lx value=0x%lx", address, size, result.esr,
	       result.far, result.value);
}

void attack_doorbell_cpu(void)
{
	uint32_t before = irq_count_all();

	for (unsigned size = 1; size <= 8; size *= 2) {
		try_store("store", DOORBELL, size);
		try_load("load", DOORBELL, size);
	}
	try_store("page-start", DOORBELL & ~0xfffull, 4);
	try_store("page-end", DOORBELL | 0xfbc, 4);
	try_store("frame-end", (DOORBELL & ~0xffffull) + 0xfffc, 4);
	outcome("interrupts", irq_count_all() == before ? "none" : "delivered");
}

void attack_cpu_sweep(void)
{
	uint64_t at[TARGETS];
	unsigned count = boot_numbers("target", at, TARGETS);

	for (unsigned i = 0; i < count; i++) {
		for (unsigned size = 1; size <= 8; size *= 2) {
			if (in_own_ram(at[i], size)) {
				report("own", "own", "address=0x%lx", at[i]);
				break;
			}
			try_load("load", at[i], size);
			try_store("store", at[i], size);
		}
	}
}

static void bad_arguments(uint64_t block)
{
	uint64_t base, end;

	guest_ram(&base, &end);
	const struct {
		uint64_t ipa, pages;
	} bad[] = {
		{block + 8, PAGES},  {block + PAGE_SIZE, PAGES},
		{block, 0},	     {block, 1},
		{block, PAGES - 1},  {block, PAGES + 1},
		{block, 2 * PAGES},  {block, ~0ull >> 12},
		{block, 1ull << 52}, {block, 1ull << 52 | PAGES},
		{0, PAGES},	     {base - MIB(2), PAGES},
		{end, PAGES},	     {end - PAGE_SIZE, PAGES},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t answer = hypercall(RELEASE, bad[i].ipa, bad[i].pages, 0);

		/* Nothing at all may be released: an empty range may be granted. */
		report("bad-release",
		       answer && bad[i].pages ? "refused"
		       : bad[i].pages	      ? "granted"
					      : "empty",
		       "ipa=0x%lx pages=0x%lx", bad[i].ipa, bad[i].pages);
	}
}

/* `seen`: what it is called when the device gets at anything. */
static void device_read(const char *step, uint64_t page, const char *seen)
{
	uint32_t data[BLOCK / 4];
	unsigned old = 0, fresh = 0;

	for (unsigned i = 0; i < BLOCK / 4; i++) {
		data[i] = PRIME;
	}
	if (engine_fetch(page, data) != STATUS_OK) {
		report(step, "failed", "ipa=0x%lx", page);
		return;
	}
	for (unsigned i = 0; i < BLOCK / 4; i++) {
		old += data[i] == OLD;
		fresh += data[i] != OLD && data[i] != 0 && data[i] != PRIME;
	}
	report(step, old || fresh ? seen : "blocked", "ipa=0x%lx old=%u other=%u", page, old,
	       fresh);
}

/*
 * The device uses a page, which fills the IOMMU's caches; the block around it is given up; the
 * device uses it again. A stale translation shows as a leaked read, by itself.
 */
void attack_release(void)
{
	uint64_t page = scratch_page(PAGES_AT), block = page & ~(MIB(2) - 1);
	volatile uint32_t *below = (volatile uint32_t *)(uintptr_t)(block - sizeof(*below));
	volatile uint32_t *above = (volatile uint32_t *)(uintptr_t)(block + MIB(2));
	uint64_t answer;

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	bad_arguments(block);
	*below = *above = OLD;
	report("warm",
	       engine_store(page, OLD) == STATUS_OK &&
			       *(volatile uint32_t *)(uintptr_t)(page + BLOCK - 4) == OLD
		       ? "ok"
		       : "failed",
	       "ipa=0x%lx", page);
	device_read("warm-read", page, "ok");
	answer = hypercall(RELEASE, block, PAGES, 0);
	report("release", answer ? "refused" : "ok", "ipa=0x%lx answer=0x%lx", page, answer);
	if (answer) {
		return;
	}
	device_read("read-after", page, "leaked");
	report("write-after", engine_store(page, NEW) == STATUS_OK ? "issued" : "failed",
	       "ipa=0x%lx value=0x%08x", page, NEW);
	device_read("read-again", page, "leaked");
	try_load("cpu-load", page, 4);
	try_store("cpu-store", page, 4);
	try_load("cpu-first", block, 4);
	try_load("cpu-last", block + MIB(2) - 4, 4);
	report("neighbours", *below == OLD && *above == OLD ? "ok" : "broken", "ipa=0x%lx", block);
	report("release-again", hypercall(RELEASE, block, PAGES, 0) ? "refused" : "ok", "ipa=0x%lx",
	       block);
	engine_control("control-after");
}
