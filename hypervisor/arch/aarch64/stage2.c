/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stage 2 tables (Arm ARM D8.3): 39-bit IPA, start level 1, 4 KiB granule, never concatenated,
 * because they are walked by the SMMU too. Table pages come from one fixed pool. The same code
 * makes the stage-1 tables of an SMMU that has no stage 2: the shape is the same, the leaves
 * differ.
 *
 * An entry is invalid, or a table for ever, or a leaf whose size never changes: what was mapped as
 * a block goes as a block. So break-before-make (D8.16) has nothing to do here, and an SMMU of any
 * level (IDR3.BBML) may share the tables while its devices run.
 */
#include "arch.h"
#include "bits.h"
#include "iommu.h"

#include <string.h>

#define POOL	   512 /* 2 MiB: 4 roots' worth and more for each partition */
#define ENTRIES	   512
#define ROOT_LEVEL 1
#define LAST_LEVEL 3
#define RUN	   16 /* leaves mapped at once: 64 KiB of pages */

#define VALID	   BIT(0)
#define TABLE	   BIT(1) /* a page, at the last level */
#define ADDRESS	   BITS(47, 12)
#define MEM_DEVICE (1ull << 2) /* nGnRE */
#define MEM_NORMAL (15ull << 2)
#define S2AP_READ  BIT(6)
#define S2AP_WRITE BIT(7)
#define SH_INNER   (3ull << 8)
#define AF	   BIT(10)
#define XN	   BIT(54)
/* Stage 1 (iommu.h): nobody executes; unprivileged, so writable implies readable. */
#define S1_LEAF	   (VALID | BIT(6) /* AP[1] */ | AF | BIT(11) /* nG */ | BIT(53) /* PXN */ | XN)
#define S1_ATTR(n) ((uint64_t)(n) << 2)

_Static_assert(STAGE2_INPUT_BITS == IOMMU_INPUT_BITS, "the SMMU walks them");

static uint64_t pool[POOL][ENTRIES] NOINIT __attribute__((aligned(4096)));
static unsigned pool_used; /* guarded by pool_lock */
static struct lock pool_lock;

static const uint64_t leaf_bits[] = {
	[STAGE2_RAM] = VALID | MEM_NORMAL | S2AP_READ | S2AP_WRITE | SH_INNER | AF,
	[STAGE2_DEVICE] = VALID | MEM_DEVICE | S2AP_READ | S2AP_WRITE | AF | XN,
	[STAGE2_DOORBELL] = VALID | MEM_DEVICE | S2AP_WRITE | AF | XN,
	[STAGE1_RAM] = S1_LEAF | S1_ATTR(0) | SH_INNER,
	[STAGE1_DOORBELL] = S1_LEAF | S1_ATTR(IOMMU_ATTR_DEVICE),
};

void *stage2_new_root(void)
{
	lock_acquire(&pool_lock);
	uint64_t *table = pool_used < POOL ? pool[pool_used++] : NULL;
	lock_release(&pool_lock);
	if (table) {
		memset(table, 0, PAGE_SIZE);
		arch_clean(table, PAGE_SIZE); /* also for an SMMU that does not snoop */
	}
	return table;
}

unsigned stage2_tables_used(void)
{
	return __atomic_load_n(&pool_used, __ATOMIC_RELAXED);
}

static unsigned shift_of(unsigned level)
{
	return 39 - 9 * level;
}

static uint64_t *slot(uint64_t *table, uint64_t ipa, unsigned level)
{
	return &table[ipa >> shift_of(level) & (ENTRIES - 1)];
}

static bool is_table(uint64_t entry, unsigned level)
{
	return level < LAST_LEVEL && (entry & (VALID | TABLE)) == (VALID | TABLE);
}

/* The entry that decides about `ipa`: a leaf, or where no table follows. */
static uint64_t *find(uint64_t *table, uint64_t ipa, unsigned *level)
{
	for (*level = ROOT_LEVEL;; (*level)++) {
		uint64_t *entry = slot(table, ipa, *level);

		if (!is_table(*entry, *level)) {
			return entry;
		}
		table = va_of((pa_t){*entry & ADDRESS});
	}
}

/* An entry that walkers may read at any moment: one store, made visible before anything follows. */
static void publish(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	arch_clean(entry, sizeof(*entry));
}

/*
 * Leaves from `entry` on, each of `block` bytes: RUN at most, and none over what differs. What is
 * there already, the same, stays. Returns how many bytes.
 */
static uint64_t map_run(uint64_t *entry, uint64_t block, uint64_t leaf, uint64_t left)
{
	uint64_t done = 0, end = RUN - (uintptr_t)entry / sizeof(*entry) % RUN;

	for (uint64_t i = 0; i < end && left - done >= block; i++, done += block) {
		if ((entry[i] & VALID) && entry[i] != leaf + done) {
			break;
		}
		__atomic_store_n(&entry[i], leaf + done, __ATOMIC_RELEASE);
	}
	arch_clean(entry, end * sizeof(*entry));
	return done;
}

/* A run of blocks where they fit, else of pages; in *done how many bytes. */
static enum status map_step(uint64_t *root, uint64_t ipa, uint64_t leaf, uint64_t left,
			    uint64_t *done)
{
	for (;;) {
		unsigned level;
		uint64_t *entry = find(root, ipa, &level), block = 1ull << shift_of(level);
		bool last = level == LAST_LEVEL;

		if (last || (block == STAGE2_BLOCK && left >= block &&
			     is_aligned(ipa | (leaf & ADDRESS), block))) {
			*done = map_run(entry, block, leaf | (last ? TABLE : 0), left);
			return *done ? STATUS_OK : STATUS_BUSY;
		}
		if (*entry & VALID) {
			return STATUS_BUSY;
		}
		void *table = stage2_new_root();

		if (!table) {
			return STATUS_NO_MEMORY;
		}
		publish(entry, pa_of(table).v | VALID | TABLE);
	}
}

enum status stage2_map(void *root, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind)
{
	enum status status = STATUS_OK;

	if (!is_aligned(ipa.v | pa.v | size, PAGE_SIZE) ||
	    !range_inside(ipa.v, size, 0, 1ull << STAGE2_INPUT_BITS)) {
		return STATUS_INVALID;
	}
	for (uint64_t at = 0, done = 0; at < size && status == STATUS_OK; at += done) {
		hv_pause();
		status =
			map_step(root, ipa.v + at, (pa.v + at) | leaf_bits[kind], size - at, &done);
	}
	return status;
}

void stage2_unmap(void *root, ipa_t ipa, uint64_t size, vmid_t vmid)
{
	for (uint64_t at = ipa.v, block; at < ipa.v + size; at = (at & ~(block - 1)) + block) {
		unsigned level;
		uint64_t *entry = find(root, at, &level);

		publish(entry, 0);
		block = 1ull << shift_of(level);
	}
	stage2_flush(vmid);
}

void stage2_share(void *to, const void *from, ipa_t ipa, uint64_t size)
{
	uint64_t *target = to;
	const uint64_t *source = from;

	for (uint64_t at = ipa.v; at < ipa.v + size; at += GIB(1)) {
		publish(slot(target, at, 1), source[at >> shift_of(1) & (ENTRIES - 1)]);
	}
}
