/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stage 2 tables (Arm ARM D8.3): 39-bit IPA, start level 1, 4 KiB granule, never concatenated,
 * because they are walked by the SMMU too. Table pages come from one fixed pool. The same code
 * makes the stage-1 tables of an SMMU that has no stage 2: the shape is the same, the leaves
 * differ.
 */
#include "arch.h"
#include "iommu.h"
#include "sysreg.h"

#include <string.h>

#define POOL	   512 /* 2 MiB: 4 roots' worth and more for each partition */
#define ENTRIES	   512
#define RUN	   16 /* pages mapped at once */

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

/* An entry that walkers may read at any moment: one store, made visible before anything follows. */
static void publish(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	arch_clean(entry, sizeof(*entry));
}

/* The table below `entry`, made if there is none. STATUS_BUSY: a block is in the way. */
static enum status descend(uint64_t *entry, uint64_t **table)
{
	if ((*entry & (VALID | TABLE)) == VALID) {
		return STATUS_BUSY;
	}
	if (!(*entry & VALID)) {
		uint64_t *made = stage2_new_root();

		if (!made) {
			return STATUS_NO_MEMORY;
		}
		publish(entry, (uint64_t)(uintptr_t)made | VALID | TABLE);
	}
	*table = va_of((pa_t){*entry & ADDRESS});
	return STATUS_OK;
}

/* Pages from `entry` on, while they are free and 64 KiB at most; returns how many bytes. */
static uint64_t map_pages(uint64_t *entry, uint64_t pa, uint64_t left, uint64_t bits)
{
	uint64_t count = 0, room = RUN - (uintptr_t)entry / sizeof(*entry) % RUN;

	for (; count < room && count * PAGE_SIZE < left && !(entry[count] & VALID); count++) {
		__atomic_store_n(&entry[count], (pa + count * PAGE_SIZE) | bits | TABLE,
				 __ATOMIC_RELEASE);
	}
	arch_clean(entry, count * sizeof(*entry));
	return count * PAGE_SIZE;
}

static enum status map_step(uint64_t *table, uint64_t ipa, uint64_t pa, uint64_t left,
			    uint64_t bits, uint64_t *done)
{
	for (unsigned level = STAGE2_START_LEVEL;; level++) {
		uint64_t block = 1ull << shift_of(level);
		uint64_t *entry = slot(table, ipa, level);

		if (level == 3) {
			*done = map_pages(entry, pa, left, bits);
			return *done ? STATUS_OK : STATUS_BUSY;
		}
		if (is_aligned(ipa | pa, block) && left >= block && !(*entry & VALID)) {
			publish(entry, pa | bits);
			*done = block;
			return STATUS_OK;
		}
		enum status status = descend(entry, &table);

		if (status != STATUS_OK) {
			return status;
		}
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
		status = map_step(root, ipa.v + at, pa.v + at, size - at, leaf_bits[kind], &done);
	}
	return status;
}

static uint64_t *find(uint64_t *table, uint64_t ipa, unsigned *level)
{
	for (*level = STAGE2_START_LEVEL;; (*level)++) {
		uint64_t *entry = slot(table, ipa, *level);

		if (*level == 3 || (*entry & (VALID | TABLE)) != (VALID | TABLE)) {
			return entry;
		}
		table = va_of((pa_t){*entry & ADDRESS});
	}
}

enum status stage2_fill(void *root, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind)
{
	enum status status = STATUS_OK;

	for (uint64_t at = 0, done; at < size && status == STATUS_OK; at += done) {
		unsigned level;
		uint64_t entry = *find(root, ipa.v + at, &level), block = 1ull << shift_of(level);

		if (is_aligned(at, KIB(64))) {
			hv_pause();
		}
		done = block - ((ipa.v + at) & (block - 1));
		if (!(entry & VALID)) {
			status = map_step(root, ipa.v + at, pa.v + at, size - at, leaf_bits[kind],
					  &done);
		}
	}
	return status;
}

void stage2_share(void *to, const void *from, ipa_t ipa, uint64_t size)
{
	uint64_t *target = to;
	const uint64_t *source = from;

	for (uint64_t at = ipa.v; at < ipa.v + size; at += GIB(1)) {
		publish(slot(target, at, 1), source[at >> shift_of(1) & (ENTRIES - 1)]);
	}
}

void stage2_unshare(void *to, ipa_t ipa, uint64_t size)
{
	for (uint64_t at = ipa.v; at < ipa.v + size; at += GIB(1)) {
		publish(slot(to, at, 1), 0);
	}
}

bool stage2_shared(const void *to, const void *from, ipa_t ipa, uint64_t size)
{
	unsigned first = (unsigned)(ipa.v >> shift_of(1)) & (ENTRIES - 1);
	unsigned count = (unsigned)(size >> shift_of(1));
	const uint64_t *target = to, *source = from;

	return memcmp(target + first, source + first, count * sizeof(*target)) == 0;
}

bool stage2_lookup(const void *root, ipa_t ipa, pa_t *pa)
{
	unsigned level;
	uint64_t entry = *find((uint64_t *)root, ipa.v, &level);
	uint64_t inside = (1ull << shift_of(level)) - 1;

	if (!(entry & VALID)) {
		return false;
	}
	pa->v = (entry & ADDRESS & ~inside) | (ipa.v & inside);
	return true;
}

/* Everything a vCPU of this partition may have cached, on all cores. */
static void stage2_flush(vmid_t vmid)
{
	uint64_t before = sysreg_read(vttbr_el2);

	sysreg_write(vttbr_el2, (uint64_t)vmid.v << 48);
	__asm__ volatile("isb\n\tdsb ishst\n\ttlbi vmalls12e1is\n\tdsb ish\n\tisb" ::: "memory");
	sysreg_write(vttbr_el2, before);
	isb();
}

/* A block becomes a table of the next smaller size: break before make (Arm ARM D8.16). */
static enum status split_block(uint64_t *entry, unsigned level, vmid_t vmid)
{
	uint64_t block = *entry, step = 1ull << shift_of(level + 1);
	uint64_t *table = stage2_new_root();

	if (!table) {
		return STATUS_NO_MEMORY;
	}
	block |= level + 1 == 3 ? TABLE : 0;
	for (unsigned i = 0; i < ENTRIES; i++, block += step) {
		table[i] = block;
	}
	arch_clean(table, PAGE_SIZE);
	publish(entry, 0);
	stage2_flush(vmid);
	publish(entry, (uint64_t)(uintptr_t)table | VALID | TABLE);
	return STATUS_OK;
}

enum status stage2_split(void *root, ipa_t ipa, uint64_t size, vmid_t vmid)
{
	uint64_t last = ipa.v + size - 1, ends[] = {ipa.v, last};

	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		unsigned level;
		uint64_t *entry = find(root, ends[i], &level),
			 inside = (1ull << shift_of(level)) - 1;
		bool whole = (ends[i] & ~inside) >= ipa.v && (ends[i] | inside) <= last;

		if ((*entry & VALID) && !whole) {
			enum status status = split_block(entry, level, vmid);

			return status == STATUS_OK ? STATUS_BUSY : status;
		}
	}
	return STATUS_OK;
}

enum status stage2_unmap(void *root, ipa_t ipa, uint64_t size, vmid_t vmid)
{
	enum status status = stage2_split(root, ipa, size, vmid);

	for (uint64_t at = ipa.v; at < ipa.v + size && status == STATUS_OK;) {
		unsigned level;
		uint64_t *entry = find(root, at, &level), block = 1ull << shift_of(level);
		/* The rest of a table of pages at once. */
		uint64_t left = (ipa.v + size - at) / block,
			 room = ENTRIES - (at / block) % ENTRIES;
		uint64_t run = level < 3 ? 1 : left < room ? left : room;

		if (level == 3 || (*entry & VALID)) {
			for (uint64_t i = 0; i < run; i++) {
				__atomic_store_n(&entry[i], 0, __ATOMIC_RELAXED);
			}
			arch_clean(entry, run * sizeof(*entry));
		}
		at = (at & ~(block - 1)) + run * block;
	}
	stage2_flush(vmid);
	return status;
}

void stage2_load(const void *root, vmid_t vmid)
{
	uint64_t mmfr0 = sysreg_read(id_aa64mmfr0_el1), mmfr1 = sysreg_read(id_aa64mmfr1_el1);
	uint64_t range = mmfr0 & 15;
	bool wide_vmid = (mmfr1 >> 4 & 15) == 2;

	/* RES1, VS, PS, TG0 = 4 KiB, inner shareable, write-back, SL0 = 1 (start level 1), T0SZ */
	sysreg_write(vtcr_el2, BIT(31) | (uint64_t)wide_vmid << 19 | (range > 5 ? 5 : range) << 16 |
				       3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 |
				       (64 - STAGE2_INPUT_BITS));
	sysreg_write(vttbr_el2, (uint64_t)vmid.v << 48 | (uint64_t)(uintptr_t)root);
	__asm__ volatile("isb\n\ttlbi vmalls12e1\n\tdsb nsh\n\tic iallu\n\tdsb nsh\n\tisb" ::
				 : "memory");
}
