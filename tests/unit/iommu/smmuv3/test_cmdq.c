/* SPDX-License-Identifier: BSD-2-Clause */
/* The command queue under pressure: F41, F42, F43. */
#include "smmu_fixture.h"

#include <string.h>

#include "clock.h"
#include "commands.h"

/* Also invalidation without range commands: many commands for one call. */
static void start_small(void **state, unsigned cmdq_bits)
{
	fixture_reset(state);
	device.idr1 = (device.idr1 & ~(31u << 21)) | cmdq_bits << 21;
	device.idr3 &= ~(1u << 10);
	assert_int_equal(start_smmu(10), STATUS_OK);
}

static void a_full_queue_waits_and_drops_nothing(void **state) /* F41 */
{
	struct iommu_tables a;

	for (unsigned bits = 0; bits <= 5; bits++) {
		start_small(state, bits);
		a = new_tables(1);
		device.command_ns = 50000;
		assert_int_equal(iommu_invalidate(&a, (ipa_t){0x40000000}, 32 * 4096), STATUS_OK);
		assert_int_equal(device.consumed[fixture_stage1 ? CMD_TLBI_NH_VA : CMD_TLBI_S2_IPA],
				 32);
		assert_int_equal(device.most_commands, bits == 5 ? 32 : 1u << bits);
		assert_int_equal(fixture_check(state), 0);
	}
}

static void a_full_queue_that_does_not_move_is_an_error(void **state) /* F41, F43 */
{
	struct iommu_tables a;

	start_small(state, 2);
	a = new_tables(1);
	device.command_ns = 10000000000ull;
	assert_int_equal(iommu_invalidate(&a, (ipa_t){0x40000000}, 32 * 4096), STATUS_TIMEOUT);
	assert_true(models_time() < 2100000000ull);
	assert_int_equal(device.most_commands, 4);
}

/* F42: refused while another waits for room, refused at the very end, and over and over. */
static void a_refused_command_is_never_success(void **state)
{
	struct iommu_tables a;

	for (unsigned n = 1; n <= 32; n++) {
		start_small(state, 2);
		a = new_tables(1);
		device.refuse_in = n;
		assert_int_equal(iommu_invalidate(&a, (ipa_t){0x40000000}, 32 * 4096),
				 STATUS_HARDWARE);
		assert_int_equal(iommu_totals().command_errors, 1);
		assert_int_equal(device.gerror, device.gerrorn);
		assert_int_equal(iommu_invalidate(&a, (ipa_t){0x40000000}, 32 * 4096), STATUS_OK);
		assert_int_equal(fixture_check(state), 0);
	}
}

/* CONS.ERR keeps its value after recovery: only GERROR against GERRORN says that an error is
 * active. */
static void the_reason_left_over_is_not_an_error(void **state)
{
	struct iommu_tables a = new_tables(1);

	(void)state;
	device.refuse_in = 1;
	assert_int_equal(iommu_invalidate(&a, (ipa_t){0}, 4096), STATUS_HARDWARE);
	assert_int_equal(device.cmdq.cons >> 24 & 0x7f, 1);
	assert_int_equal(iommu_invalidate(&a, (ipa_t){0}, 4096), STATUS_OK);
	assert_int_equal(iommu_totals().command_errors, 1);
	assert_int_equal(models_log_count("refused"), 1);
}

/* An error that comes back at once is given up, not chased. */
static bool keep_failing;

static void fail_again(void *context, uint64_t now_ns)
{
	model_smmu_time(context, now_ns);
	if (keep_failing) {
		model_smmu_raise(&device, 1);
	}
}

static void an_error_without_end_is_bounded(void **state)
{
	struct iommu_tables a = new_tables(1);

	(void)state;
	models_time_hook(fail_again, &device);
	keep_failing = device.sync_stuck = true;
	assert_int_equal(iommu_invalidate(&a, (ipa_t){0}, 4096), STATUS_HARDWARE);
	assert_true(models_time() < 1000000000ull);
	assert_true(models_log_count("refused") <= 4);
	keep_failing = device.sync_stuck = false;
	clock_sleep_ns(1000000);
	assert_int_equal(iommu_invalidate(&a, (ipa_t){0}, 4096), STATUS_OK);
}

/* The indexes wrap many times over, with every size. */
static void indexes_wrap(void **state)
{
	struct iommu_tables a;

	for (unsigned bits = 0; bits <= 3; bits++) {
		start_small(state, bits);
		a = new_tables(1);
		for (unsigned i = 0; i < 200; i++) {
			assert_int_equal(iommu_invalidate(&a, (ipa_t){0}, (i % 7) * 4096),
					 STATUS_OK);
		}
		assert_int_equal(fixture_check(state), 0);
	}
}

/* A register file that reads all-ones (a device that has gone) ends in an error, bounded. */
static uint64_t all_ones(void *context, uint64_t offset, unsigned bytes)
{
	(void)context, (void)offset, (void)bytes;
	return UINT64_MAX;
}

static void swallow(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
	(void)context, (void)offset, (void)bytes, (void)value;
}

static void a_vanished_smmu_is_an_error(void **state)
{
	struct iommu_tables a = new_tables(1);

	(void)state;
	models_reset();
	models_add(&(struct model){SMMU_BASE, MODEL_SMMU_SIZE, NULL, all_ones, swallow});
	assert_int_not_equal(iommu_invalidate(&a, (ipa_t){0}, 4096), STATUS_OK);
	assert_int_not_equal(iommu_attach(sid(1), &a, P0), STATUS_OK);
	(void)iommu_events(NULL, NULL);
	assert_true(models_time() < 10000000000ull);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_start, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_queue_waits_and_drops_nothing),
		TEST(a_full_queue_that_does_not_move_is_an_error),
		TEST(a_refused_command_is_never_success),
		TEST(the_reason_left_over_is_not_an_error),
		TEST(an_error_without_end_is_bounded),
		TEST(indexes_wrap),
		TEST(a_vanished_smmu_is_an_error),
	};

	return run_on_both_stages(tests);
}
