/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach and detach against stale caches: F08, F09, F13, F31, F35, F36, F38, F39, F43. */
#include "smmu_fixture.h"

#include <string.h>

#include "clock.h"

#include "commands.h"

#define IPA  0x40000000ull
#define PA_A 0xa0000000ull
#define PA_B 0xb0000000ull

static struct iommu_tables tables_to(uint16_t vmid, uint64_t pa)
{
	struct iommu_tables tables = new_tables(vmid);

	map_at(&tables, 3, IPA, pa, MAP_RW);
	map_at(&tables, 3, IPA + 4096, pa + 4096, MAP_R);
	return tables;
}

static void attached_stream_reaches_its_tables_only(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(2, PA_B);

	(void)state;
	assert_int_equal(iommu_attach(sid(0), &a, P0), STATUS_OK); /* stream 0 is legal */
	assert_int_equal(iommu_attach(sid(1023), &b, P1), STATUS_OK);
	assert_true(reaches(0, IPA, PA_A));
	assert_true(reaches(1023, IPA, PA_B));
	assert_int_equal(model_smmu_access(&device, 0, IPA + 4096, false).pa, PA_A + 4096);
	assert_int_equal(model_smmu_access(&device, 0, IPA + 4096, true).event, 0x13);
	assert_true(aborts(0, IPA - 4096));
	assert_true(aborts(0, 1ull << 39 | IPA));	     /* F08 */
	assert_true(aborts(0, 0xffffff8000000000ull));	     /* F08 */
	for (uint32_t stream = 1; stream < 1023; stream++) { /* F09 */
		assert_true(aborts(stream, IPA));
	}
}

static void translated_traffic_never_passes(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	for (int ats = 0; ats <= 1; ats++) { /* F13 */
		fixture_reset(state);
		device.idr0 |= (uint32_t)ats << 10;
		assert_int_equal(start_smmu(10), STATUS_OK);
		assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
		assert_false(model_smmu_translated(&device, 5, PA_B).passed);
		assert_false(model_smmu_translated(&device, 6, PA_B).passed);
		assert_false(model_smmu_translated(&device, 5000, PA_B).passed);
		assert_int_equal(fixture_check(state), 0);
	}
}

static void refusals(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A), bad = a;

	(void)state;
	assert_int_equal(iommu_attach(sid(1024), &a, P0), STATUS_RANGE);
	assert_int_equal(iommu_attach(sid(UINT32_MAX), &a, P0), STATUS_RANGE);
	assert_int_equal(iommu_detach(sid(1024), &a, P0), STATUS_RANGE);
	assert_int_equal(iommu_silence(sid(1024)), STATUS_RANGE);
	assert_int_equal(iommu_attach(sid(5), &a, PARTITION_NONE), STATUS_INVALID);
	for (unsigned bit = 0; bit < 12; bit++) {
		bad.root.v = a.root.v | 1u << bit;
		assert_int_equal(iommu_attach(sid(5), &bad, P0), STATUS_INVALID);
	}
	for (unsigned bit = 48; bit < 64; bit++) { /* beyond its reach */
		bad.root.v = a.root.v | 1ull << bit;
		assert_int_equal(iommu_attach(sid(5), &bad, P0), STATUS_INVALID);
	}
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_DENIED);
	assert_int_equal(iommu_detach(sid(5), &a, PARTITION_NONE), STATUS_DENIED);

	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_BUSY);
	assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_BUSY);
	assert_int_equal(iommu_detach(sid(5), &a, P1), STATUS_DENIED);
	assert_true(reaches(5, IPA, PA_A));
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_DENIED);
	assert_true(aborts(5, IPA));
}

/* F31, F35: caches warm, the device keeps going, the VMID and the stream get new owners. */
static void detach_is_strict(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(1, PA_B);

	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
		assert_true(reaches(5, IPA, PA_A));
		assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
		assert_true(aborts(5, IPA));
		assert_int_equal(iommu_attach(sid(5), &b, P1), STATUS_OK);
		assert_true(reaches(5, IPA, PA_B));
		assert_int_equal(iommu_detach(sid(5), &b, P1), STATUS_OK);
		assert_true(aborts(5, IPA));
	}
	const uint64_t *entry =
		(const uint64_t *)(uintptr_t)(device.strtab_base & ~(3ull << 62)) + 40;

	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(entry[i], 0);
	}
}

static void siblings_of_a_vmid_go_on(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(6), &a, P0), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A) && reaches(6, IPA, PA_A));
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_true(aborts(5, IPA) && reaches(6, IPA, PA_A));
}

/*
 * Mutants: a driver that leaves a command out looks to the SMMU like one whose command does
 * nothing. Each must show, or the tests above prove nothing.
 */
static void mutant_without_cfgi_is_caught(void **state) /* F39 */
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(6), &a, P0), STATUS_OK); /* its descriptor stays */
	assert_true(reaches(5, IPA, PA_A));
	device.ignore_opcode = CMD_CFGI_STE;
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_false(aborts(5, IPA));
}

static void mutant_without_tlbi_is_caught(void **state) /* F38 */
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(1, PA_B);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A));
	device.ignore_opcode = fixture_stage1 ? CMD_TLBI_NH_ASID : CMD_TLBI_S12_VMALL;
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &b, P1), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A)); /* the old owner's page */
}

/* The abort cached while the entry was being filled in must not survive (3.21.3.1). */
static void prefetch(void *context)
{
	(void)context;
	model_smmu_prefetch(&device, 5);
}

static void entry_prefetched_at_every_moment(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(2, PA_B);

	(void)state;
	models_observer(prefetch, NULL);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
		assert_true(reaches(5, IPA, PA_A));
		assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
		assert_true(aborts(5, IPA));
		assert_int_equal(iommu_attach(sid(5), &b, P1), STATUS_OK);
		assert_true(reaches(5, IPA, PA_B));
		assert_int_equal(iommu_silence(sid(5)), STATUS_OK);
		assert_true(aborts(5, IPA));
		assert_int_equal(iommu_detach(sid(5), &b, P1), STATUS_OK);
		assert_true(aborts(5, IPA));
	}
}

static void silence(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	assert_int_equal(model_smmu_access(&device, 5, IPA, true).event, 0x04);
	assert_int_equal(iommu_silence(sid(5)), STATUS_OK); /* nobody's */
	assert_int_equal(model_smmu_access(&device, 5, IPA, true).event, 0);
	assert_true(aborts(5, IPA));
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A));
	assert_int_equal(iommu_silence(sid(5)), STATUS_OK); /* somebody's */
	assert_true(aborts(5, IPA));
	assert_int_equal(model_smmu_access(&device, 5, IPA, true).event, 0);
	assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_BUSY);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(model_smmu_access(&device, 5, IPA, true).event, 0x04);
	for (unsigned i = 0; i < MODEL_SMMU_TLB; i++) {
		assert_false(device.tlb[i].valid);
	}
}

/*
 * F36, F42: the n-th command of attach or detach is refused. The call says so, the stream aborts
 * for everyone, and afterwards the same call succeeds.
 */
static void every_command_refused_in_turn(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	for (unsigned n = 1; n <= (fixture_stage1 ? 6 : 4); n++) {
		device.refuse_in = n;
		assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_HARDWARE);
		assert_int_equal(device.refuse_in, 0);
		assert_true(aborts(5, IPA));
	}
	for (unsigned n = 1; n <= (fixture_stage1 ? 5 : 4); n++) {
		assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
		assert_true(reaches(5, IPA, PA_A));
		device.refuse_in = n;
		assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_HARDWARE);
		assert_int_equal(device.refuse_in, 0);
		assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_BUSY); /* still owed */
		assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
		assert_true(aborts(5, IPA));
	}
	assert_int_equal(iommu_totals().command_errors, fixture_stage1 ? 11 : 8);
}

/* Two in a row: the way back fails too, so the stream stays owed until a detach is confirmed. */
static void refused_on_the_way_back_as_well(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	device.refuse_each = 1;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_HARDWARE);
	/* Each replaced, not tried again: CFGI_STE, and where there are descriptors CFGI_CD. */
	assert_int_equal(iommu_totals().command_errors, fixture_stage1 ? 4 : 2);
	device.refuse_each = 0;
	assert_true(aborts(5, IPA));
	assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_BUSY);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A));
}

/* F43 */
static void sync_that_never_completes(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A));
	device.sync_stuck = true;
	uint64_t start = models_time();

	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_TIMEOUT);
	assert_true(models_time() - start < 1100000000ull);
	assert_true(reaches(5, IPA, PA_A)); /* indeed not revoked: the page must not be reused */
	start = models_time();
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_TIMEOUT); /* at once */
	assert_int_equal(iommu_attach(sid(6), &a, P0), STATUS_TIMEOUT);
	assert_int_equal(iommu_invalidate(&a, (ipa_t){IPA}, 4096), STATUS_TIMEOUT);
	assert_int_equal(models_time(), start);
	assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_BUSY);

	device.sync_stuck = false; /* the late completion of the old SYNC is nobody's success */
	clock_sleep_ns(1000000);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_true(aborts(5, IPA));
	assert_int_equal(iommu_detach(sid(6), &a, P0), STATUS_OK);
}

static void attach_that_times_out_aborts(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	device.sync_stuck = true;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_TIMEOUT);
	assert_true(aborts(5, IPA));
	device.sync_stuck = false;
	clock_sleep_ns(1000000);
	assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_BUSY);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &a, P1), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_start, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attached_stream_reaches_its_tables_only),
		TEST(translated_traffic_never_passes),
		TEST(refusals),
		TEST(detach_is_strict),
		TEST(siblings_of_a_vmid_go_on),
		TEST(mutant_without_cfgi_is_caught),
		TEST(mutant_without_tlbi_is_caught),
		TEST(entry_prefetched_at_every_moment),
		TEST(silence),
		TEST(every_command_refused_in_turn),
		TEST(refused_on_the_way_back_as_well),
		TEST(sync_that_never_completes),
		TEST(attach_that_times_out_aborts),
	};

	return run_on_both_stages(tests);
}
