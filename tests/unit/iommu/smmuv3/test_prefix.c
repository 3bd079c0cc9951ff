/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F40: whatever the SMMU reads of an entry, at whatever moment and in whatever order, is abort or
 * a full configuration. This file stands in for table_store64() and sees each store.
 */
#include "smmu_fixture.h"

#include <string.h>

#include "smmu.h"
#include "ste.h"

#define MAX_IMAGES 64

#define WORDS	   16 /* of the entry, and of the descriptor it may point at */

/*
 * Entry and descriptor after each store, and how many configuration invalidations had completed by
 * then. Stores that are not to the watched entry are the descriptor's.
 */
static struct image {
	uint64_t dword[WORDS];
	uint64_t epoch;
} images[MAX_IMAGES];
static unsigned image_count, torn_stores;
static const uint64_t *watched, *descriptor;

/* What may be read, besides abort: these entries; and of stage 1, these descriptors. */
static struct allowed {
	struct ste entries[4];
	struct cd descriptors[4];
	unsigned count, descriptor_count;
} allowed;

static uint64_t *entry_of(uint32_t stream)
{
	return (uint64_t *)(uintptr_t)(device.strtab_base & ~(3ull << 62)) + (size_t)stream * 8;
}

static void take_image(void)
{
	struct image *image = &images[image_count++];

	assert_true(image_count < MAX_IMAGES);
	memset(image, 0, sizeof(*image));
	memcpy(image->dword, watched, 64);
	if (descriptor) {
		memcpy(image->dword + 8, descriptor, 64);
	}
	image->epoch = device.config_syncs;
}

void table_store64(uint64_t *at, uint64_t value)
{
	*(volatile uint64_t *)at = value;
	torn_stores += ((uintptr_t)at & 7) != 0;
	if (((uintptr_t)at & ~63ull) != (uintptr_t)watched) {
		descriptor = (const uint64_t *)((uintptr_t)at & ~63ull);
	}
	take_image();
}

/* `list` is of entries or descriptors: 64 bytes each. */
static bool is_one_of(const uint64_t dword[8], const void *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (memcmp(dword, (const char *)list + 64ul * i, 64) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_bad(const uint64_t mix[WORDS])
{
	enum model_smmu_meaning meaning = model_smmu_meaning(&device, mix);

	if (meaning == MODEL_STE_ABORT) {
		return false;
	}
	if (!is_one_of(mix, allowed.entries, allowed.count)) {
		return true;
	}
	return meaning == MODEL_STE_STAGE1 && model_smmu_context_legal(&device, mix + 8) &&
	       !is_one_of(mix + 8, allowed.descriptors, allowed.descriptor_count);
}

/* All mixtures of the words of images [first, last]; returns how many are neither. */
static unsigned bad_mixtures(unsigned first, unsigned last)
{
	uint64_t choices[WORDS][MAX_IMAGES], mix[WORDS];
	unsigned have[WORDS] = {0}, pick[WORDS] = {0}, bad = 0;

	for (unsigned d = 0; d < WORDS; d++) {
		for (unsigned i = first; i <= last; i++) {
			if (!have[d] || choices[d][have[d] - 1] != images[i].dword[d]) {
				choices[d][have[d]++] = images[i].dword[d];
			}
		}
	}
	for (;;) {
		unsigned d = 0;

		for (unsigned i = 0; i < WORDS; i++) {
			mix[i] = choices[i][pick[i]];
		}
		bad += is_bad(mix);
		while (d < WORDS && ++pick[d] == have[d]) {
			pick[d++] = 0;
		}
		if (d == WORDS) {
			return bad;
		}
	}
}

/*
 * A fetch may have begun any time after the last completed configuration invalidation, so it may
 * mix the last image before that with everything since.
 */
static unsigned bad_reads(void)
{
	unsigned bad = 0;

	for (unsigned last = 0; last < image_count; last++) {
		unsigned first = last;

		while (first && images[first].epoch == images[last].epoch) {
			first--;
		}
		bad += bad_mixtures(first, last);
	}
	return bad;
}

static void start(uint32_t stream)
{
	image_count = torn_stores = 0;
	watched = entry_of(stream);
	take_image();
}

/* The entries these tables make; with one ASID they are one entry, with several descriptors. */
static void allow(const struct iommu_tables *tables, unsigned count, pa_t at)
{
	allowed = (struct allowed){0};
	for (unsigned i = 0; i < count; i++) {
		if (fixture_stage1) {
			allowed.entries[0] = ste_stage1(at);
			allowed.descriptors[i] = cd_stage1(&tables[i], PHYSICAL_SIZE_48);
		} else {
			allowed.entries[i] = ste_stage2(&tables[i], PHYSICAL_SIZE_48);
		}
	}
	allowed.count = fixture_stage1 ? 1 : count;
	allowed.descriptor_count = fixture_stage1 ? count : 0;
}

/* Where the descriptor of this ASID is: the SMMU's last page of tables so far, but for the queues.
 */
static pa_t descriptor_of(uint16_t asid)
{
	struct iommu_tables tables = new_tables(asid);

	descriptor = NULL;
	watched = entry_of(6);
	image_count = 0;
	assert_int_equal(iommu_attach(sid(6), &tables, P0), STATUS_OK);
	assert_int_equal(iommu_detach(sid(6), &tables, P0), STATUS_OK);
	return descriptor ? pa_of((void *)(uintptr_t)descriptor) : (pa_t){0};
}

static void every_read_is_abort_or_full(void **state)
{
	/* Of several VMIDs; a descriptor is that of one ASID. */
	struct iommu_tables tables[] = {new_tables(1), new_tables(fixture_stage1 ? 1 : 2),
					new_tables(fixture_stage1 ? 1 : 3)};
	const struct iommu_tables a = tables[0], b = tables[1], c = tables[2];

	(void)state;
	allow(tables, 3, descriptor_of(1));
	start(5);
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &b, P1), STATUS_OK);
	assert_int_equal(bad_reads(), 0);
	images[0] = images[image_count - 1];
	image_count = 1;
	assert_int_equal(iommu_silence(sid(5)), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &b, P1), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &c, P0), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &c, P0), STATUS_OK);
	assert_int_equal(bad_reads(), 0);
	assert_int_equal(torn_stores, 0);
	assert_true(image_count > 20);
}

/* Also when the SMMU refuses the n-th command and the update is taken back. */
static void failed_updates_too(void **state)
{
	struct iommu_tables a = new_tables(1);

	(void)state;
	allow(&a, 1, descriptor_of(1));
	for (unsigned n = 1; n <= (fixture_stage1 ? 6 : 4); n++) {
		start(5);
		device.refuse_in = n;
		assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_HARDWARE);
		assert_int_equal(bad_reads(), 0);
		assert_int_equal(entry_of(5)[0] & 1, 0);
	}
	device.sync_stuck = true;
	start(5);
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_TIMEOUT);
	assert_int_equal(bad_reads(), 0);
}

/* A descriptor after the entry that points at it, and one changed under such an entry. */
static void wrong_orders_of_descriptors(void)
{
	struct iommu_tables tables[] = {new_tables(1), new_tables(2)};
	uint64_t lines[16] __attribute__((aligned(64))) = {0};

	allow(tables, 2, pa_of(lines + 8));
	watched = lines;
	descriptor = lines + 8;
	for (unsigned live = 0; live < 2; live++) {
		memset(lines, 0, sizeof(lines));
		image_count = 0;
		if (live) {
			memcpy(lines + 8, allowed.descriptors[0].dword, 64);
		}
		take_image();
		for (unsigned i = 8; i-- > 0;) {
			table_store64(&lines[i], allowed.entries[0].dword[i]);
			device.config_syncs++;
		}
		for (unsigned i = 0; i < 8; i++) {
			table_store64(&lines[8 + i], allowed.descriptors[1].dword[i]);
		}
		assert_true(bad_reads() > 0);
	}
}

/* The checker itself: updates in a wrong order, or without the invalidation between, are seen. */
static void wrong_orders_are_caught(void **state)
{
	struct iommu_tables tables[] = {new_tables(1), new_tables(2)};
	struct ste from = ste_stage2(&tables[0], PHYSICAL_SIZE_48);
	struct ste to = ste_stage2(&tables[1], PHYSICAL_SIZE_48);
	uint64_t entry[8] __attribute__((aligned(64))) = {0};

	(void)state;
	if (fixture_stage1) {
		wrong_orders_of_descriptors();
		return;
	}
	allow(tables, 2, (pa_t){0});
	watched = entry;
	image_count = 0;
	take_image();
	for (unsigned i = 0; i < 8; i++) { /* dword 0 first */
		table_store64(&entry[i], to.dword[i]);
	}
	assert_true(bad_reads() > 0);

	memset(entry, 0, sizeof(entry));
	image_count = 0;
	take_image();
	for (unsigned i = 8; i-- > 0;) { /* dword 0 last, but nothing invalidated before it */
		table_store64(&entry[i], to.dword[i]);
	}
	assert_true(bad_reads() > 0);

	memcpy(entry, &from, sizeof(entry));
	image_count = 0;
	take_image();
	for (unsigned i = 8; i-- > 0;) { /* over a live entry */
		table_store64(&entry[i], to.dword[i]);
		device.config_syncs++;
	}
	assert_true(bad_reads() > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_start, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_read_is_abort_or_full),
		TEST(failed_updates_too),
		TEST(wrong_orders_are_caught),
	};

	return run_on_both_stages(tests);
}
