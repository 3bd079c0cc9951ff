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

/* The entry after each store, and how many configuration invalidations had completed by then. */
static struct image {
	uint64_t dword[8];
	uint64_t epoch;
} images[MAX_IMAGES];
static unsigned image_count, torn_stores;

static uint64_t *entry_of(uint32_t stream)
{
	return (uint64_t *)(uintptr_t)(device.strtab_base & ~(3ull << 62)) + (size_t)stream * 8;
}

static void take_image(const uint64_t *entry)
{
	assert_true(image_count < MAX_IMAGES);
	memcpy(images[image_count].dword, entry, 64);
	images[image_count++].epoch = device.config_syncs;
}

void table_store64(uint64_t *at, uint64_t value)
{
	*(volatile uint64_t *)at = value;
	torn_stores += ((uintptr_t)at & 7) != 0;
	take_image((uint64_t *)((uintptr_t)at & ~63ull));
}

static bool is_one_of(const uint64_t dword[8], const struct ste *allowed, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (memcmp(dword, allowed[i].dword, 64) == 0) {
			return true;
		}
	}
	return false;
}

/* All mixtures of the words of images [first, last]; returns how many are neither. */
static unsigned bad_mixtures(unsigned first, unsigned last, const struct ste *allowed,
			     unsigned count)
{
	uint64_t choices[8][MAX_IMAGES], mix[8];
	unsigned have[8] = {0}, pick[8] = {0}, bad = 0;

	for (unsigned d = 0; d < 8; d++) {
		for (unsigned i = first; i <= last; i++) {
			if (!have[d] || choices[d][have[d] - 1] != images[i].dword[d]) {
				choices[d][have[d]++] = images[i].dword[d];
			}
		}
	}
	for (;;) {
		unsigned d = 0;

		for (unsigned i = 0; i < 8; i++) {
			mix[i] = choices[i][pick[i]];
		}
		bad += model_smmu_meaning(&device, mix) != MODEL_STE_ABORT &&
		       !is_one_of(mix, allowed, count);
		while (d < 8 && ++pick[d] == have[d]) {
			pick[d++] = 0;
		}
		if (d == 8) {
			return bad;
		}
	}
}

/*
 * A fetch may have begun any time after the last completed configuration invalidation, so it may
 * mix the last image before that with everything since.
 */
static unsigned bad_reads(const struct ste *allowed, unsigned count)
{
	unsigned bad = 0;

	for (unsigned last = 0; last < image_count; last++) {
		unsigned first = last;

		while (first && images[first].epoch == images[last].epoch) {
			first--;
		}
		bad += bad_mixtures(first, last, allowed, count);
	}
	return bad;
}

static void start(uint32_t stream)
{
	image_count = torn_stores = 0;
	take_image(entry_of(stream));
}

static void every_read_is_abort_or_full(void **state)
{
	struct iommu_tables a = new_tables(1, 1, 39), b = new_tables(2, 2, 30),
			    c = new_tables(3, 0, 44);
	struct ste allowed[] = {ste_stage2(&a, PHYSICAL_SIZE_48), ste_stage2(&b, PHYSICAL_SIZE_48),
				ste_stage2(&c, PHYSICAL_SIZE_48)};

	(void)state;
	start(5);
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &b, P1), STATUS_OK);
	assert_int_equal(bad_reads(allowed, 3), 0);
	images[0] = images[image_count - 1];
	image_count = 1;
	assert_int_equal(iommu_silence(sid(5)), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &b, P1), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &c, P0), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &c, P0), STATUS_OK);
	assert_int_equal(bad_reads(allowed, 3), 0);
	assert_int_equal(torn_stores, 0);
	assert_true(image_count > 20);
}

/* Also when the SMMU refuses the n-th command and the update is taken back. */
static void failed_updates_too(void **state)
{
	struct iommu_tables a = new_tables(1, 1, 39);
	struct ste allowed = ste_stage2(&a, PHYSICAL_SIZE_48);

	(void)state;
	for (unsigned n = 1; n <= 4; n++) {
		start(5);
		device.refuse_in = n;
		assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_HARDWARE);
		assert_int_equal(bad_reads(&allowed, 1), 0);
		assert_int_equal(entry_of(5)[0] & 1, 0);
	}
	device.sync_stuck = true;
	start(5);
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_TIMEOUT);
	assert_int_equal(bad_reads(&allowed, 1), 0);
}

/* The checker itself: updates in a wrong order, or without the invalidation between, are seen. */
static void wrong_orders_are_caught(void **state)
{
	struct iommu_tables a = new_tables(1, 1, 39), b = new_tables(2, 2, 30);
	struct ste from = ste_stage2(&a, PHYSICAL_SIZE_48), to = ste_stage2(&b, PHYSICAL_SIZE_48);
	struct ste allowed[] = {from, to};
	uint64_t entry[8] __attribute__((aligned(64))) = {0};

	(void)state;
	image_count = 0;
	take_image(entry);
	for (unsigned i = 0; i < 8; i++) { /* dword 0 first */
		table_store64(&entry[i], to.dword[i]);
	}
	assert_true(bad_reads(allowed, 2) > 0);

	memset(entry, 0, sizeof(entry));
	image_count = 0;
	take_image(entry);
	for (unsigned i = 8; i-- > 0;) { /* dword 0 last, but nothing invalidated before it */
		table_store64(&entry[i], to.dword[i]);
	}
	assert_true(bad_reads(allowed, 2) > 0);

	memcpy(entry, &from, sizeof(entry));
	image_count = 0;
	take_image(entry);
	for (unsigned i = 8; i-- > 0;) { /* over a live entry */
		table_store64(&entry[i], to.dword[i]);
		device.config_syncs++;
	}
	assert_true(bad_reads(allowed, 2) > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_start, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_read_is_abort_or_full),
		TEST(failed_updates_too),
		TEST(wrong_orders_are_caught),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
