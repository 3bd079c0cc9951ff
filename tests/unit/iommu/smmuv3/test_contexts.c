/* SPDX-License-Identifier: BSD-2-Clause */
/* An SMMU without stage 2: descriptors, who shares them, and what a stale one would do. F35, F39.
 */
#include "smmu_fixture.h"

#include <string.h>

#include "commands.h"
#include "ste.h"

#define IPA  0x40000000ull
#define PA_A 0xa0000000ull
#define PA_B 0xb0000000ull

static struct iommu_tables tables_to(uint16_t asid, uint64_t pa)
{
	struct iommu_tables tables = new_tables(asid);

	map_at(&tables, 3, IPA, pa, MAP_RW);
	return tables;
}

static void words(void **state)
{
	struct iommu_tables tables = {{0x3a}, {0x123456789000}};
	struct cd cd = cd_stage1(&tables, PHYSICAL_SIZE_48);
	struct ste ste = ste_stage1((pa_t){0x987654321fc0});

	(void)state;
	/* ASID, ASET, A, R, AA64, IPS=5, V, EPD1, SH=3, OR=IR=1, T0SZ=25 */
	assert_int_equal(cd.dword[0], 0x3aull << 48 | 1ull << 47 | 1ull << 46 | 1ull << 45 |
					      1ull << 41 | 5ull << 32 | 1ull << 31 | 1ull << 30 |
					      3ull << 12 | 1ull << 10 | 1ull << 8 | 25);
	assert_int_equal(cd.dword[1], 0x123456789000);
	assert_int_equal(cd.dword[2], 0);
	assert_int_equal(cd.dword[3], 0x04ff);
	assert_true(model_smmu_context_legal(&device, cd.dword));
	assert_int_equal(ste.dword[0], 0x987654321fc0 | 5 << 1 | 1);
	assert_int_equal(ste.dword[1], 1ull << 44 | 1u << 19 | 3u << 6 | 1u << 4 | 1u << 2);
	for (unsigned i = 2; i < STE_DWORDS; i++) {
		assert_int_equal(ste.dword[i], 0);
		assert_int_equal(i > 3 ? cd.dword[i] : 0, 0);
	}
	assert_int_equal(model_smmu_meaning(&device, ste.dword), MODEL_STE_STAGE1);
}

/* IPS 6 and 7 are reserved, and crash QEMU. */
static void every_output_size_is_legal(void **state)
{
	for (uint32_t oas = 2; oas < 8; oas++) {
		fixture_reset(state);
		device.idr5 = 0x70 | oas;
		assert_int_equal(start_smmu(4), STATUS_OK);
		struct iommu_tables a = new_tables(1);

		map_at(&a, 3, IPA, 0x5000, MAP_RW);
		assert_int_equal(iommu_attach(sid(3), &a, P0), STATUS_OK);
		assert_true(reaches(3, IPA, 0x5000));
		assert_int_equal(fixture_check(state), 0);
	}
}

static void it_says_so(void **state)
{
	(void)state;
	assert_true(iommu_stage1());
	assert_int_equal(models_log_count("stage 1, for it has no stage 2 (IDR0.S2P)"), 1);
	fixture_stage1 = false;
	fixture_start(state);
	assert_false(iommu_stage1());
	fixture_stage1 = true;
}

static void an_asid_is_one_set_of_tables(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(1, PA_B), c = tables_to(2, PA_B);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(6), &b, P1), STATUS_INVALID);
	assert_true(aborts(6, IPA));
	assert_int_equal(iommu_attach(sid(6), &c, P1), STATUS_OK); /* nothing was left behind */
	assert_true(reaches(5, IPA, PA_A) && reaches(6, IPA, PA_B));
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &b, P1), STATUS_OK);
	assert_true(reaches(5, IPA, PA_B));
}

static void asids_are_limited(void **state)
{
	(void)state;
	for (unsigned asid = 0; asid < 65536; asid++) {
		struct iommu_tables a = {{(uint16_t)asid}, {0x1000}};

		assert_int_equal(iommu_attach(sid(5), &a, P0),
				 asid < IOMMU_STAGE1_SPACES ? STATUS_OK : STATUS_INVALID);
		assert_int_equal(iommu_detach(sid(5), &a, P0),
				 asid < IOMMU_STAGE1_SPACES ? STATUS_OK : STATUS_DENIED);
	}
}

static void streams_of_an_owner_share(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);

	(void)state;
	for (uint32_t stream = 0; stream < 300; stream++) {
		assert_int_equal(iommu_attach(sid(stream), &a, P0), STATUS_OK);
	}
	for (uint32_t stream = 0; stream < 300; stream++) {
		assert_true(reaches(stream, IPA, PA_A));
		assert_int_equal(iommu_detach(sid(stream), &a, P0), STATUS_OK);
		assert_true(aborts(stream, IPA));
		assert_true(stream == 299 || reaches(299, IPA, PA_A));
	}
}

/* A stream that is silenced keeps its owner, and its share of the descriptor until the detach. */
static void silence_keeps_the_descriptor(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(1, PA_B);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_silence(sid(5)), STATUS_OK);
	assert_int_equal(iommu_silence(sid(5)), STATUS_OK);
	assert_int_equal(iommu_attach(sid(6), &b, P1), STATUS_INVALID);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(6), &b, P1), STATUS_OK);
	assert_true(reaches(6, IPA, PA_B) && aborts(5, IPA));
}

/* Not confirmed: the descriptor may still be walked by, so nobody else gets it. */
static void an_unconfirmed_detach_keeps_the_descriptor(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(1, PA_B);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	device.refuse_in = 1;
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_HARDWARE);
	assert_int_equal(iommu_attach(sid(6), &b, P1), STATUS_INVALID);
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(6), &b, P1), STATUS_OK);
	assert_true(reaches(6, IPA, PA_B));
}

/* Without CFGI_CD the stream's next owner would walk by the last one's descriptor. */
static void mutant_without_cfgi_cd_is_caught(void **state) /* F35, F39 */
{
	struct iommu_tables a = tables_to(1, PA_A), b = tables_to(2, PA_B);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A));
	device.ignore_opcode = CMD_CFGI_CD;
	assert_int_equal(iommu_detach(sid(5), &a, P0), STATUS_OK);
	assert_int_equal(iommu_attach(sid(5), &b, P1), STATUS_OK);
	assert_true(reaches(5, IPA, PA_A));
}

static void a_bad_descriptor_is_attributed(void **state)
{
	struct iommu_tables a = tables_to(1, PA_A);
	uint64_t *entry = (uint64_t *)(uintptr_t)(device.strtab_base & ~(3ull << 62)) + 40;

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &a, P0), STATUS_OK);
	((uint64_t *)(uintptr_t)(entry[0] & 0xfffffffffffc0))[0] = 0;
	assert_int_equal(model_smmu_access(&device, 5, IPA, true).event, 0x0a);
}

static int set_up(void **state)
{
	fixture_stage1 = true;
	return fixture_start(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words),
		TEST(every_output_size_is_legal),
		TEST(it_says_so),
		TEST(an_asid_is_one_set_of_tables),
		TEST(asids_are_limited),
		TEST(streams_of_an_owner_share),
		TEST(silence_keeps_the_descriptor),
		TEST(an_unconfirmed_detach_keeps_the_descriptor),
		TEST(mutant_without_cfgi_cd_is_caught),
		TEST(a_bad_descriptor_is_attributed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
