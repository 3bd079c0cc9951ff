/* SPDX-License-Identifier: BSD-2-Clause */
/* F10: abort before anything else; and every way in which bringing up can fail stays closed. */
#include "smmu_fixture.h"

#include <string.h>

static void comes_up_with_every_stream_aborting(void **state)
{
	(void)state;
	assert_true(model_smmu_access(&device, 5, 0x1000, true).bypassed); /* as after reset */
	assert_int_equal(start_smmu(10), STATUS_OK);
	assert_int_equal(device.cr0ack, 0x0d);
	assert_int_equal(device.irq_ctrlack, 5);
	assert_true(device.gbpa_in_force & 1 << 20);
	for (uint32_t stream = 0; stream < 1024; stream++) {
		assert_int_equal(model_smmu_access(&device, stream, 0x40000000, true).event, 0x04);
	}
	assert_int_equal(model_smmu_access(&device, 1024, 0x40000000, true).event, 0x02);
	assert_int_equal(model_smmu_access(&device, UINT32_MAX, 0, false).event, 0x02);
}

static bool saw_abort;
static unsigned open_points;

/* At every register write and barrier: once the global abort is in force nothing passes again. */
static void nothing_passes(void *context)
{
	(void)context;
	bool passes = false;

	for (uint32_t stream = 0; stream < 64; stream++) {
		passes |= model_smmu_access(&device, stream, 0x1000, true).passed;
		passes |= model_smmu_translated(&device, stream, 0x1000).passed;
	}
	saw_abort |= (device.gbpa_in_force & 1 << 20) && !(device.cr0ack & 1);
	open_points += passes && saw_abort;
}

static void take_over(uint32_t idr0)
{
	saw_abort = false;
	open_points = 0;
	device.idr0 = idr0;
	models_observer(nothing_passes, NULL);
	assert_int_equal(start_smmu(16), STATUS_OK);
	nothing_passes(NULL);
	models_observer(NULL, NULL);
	assert_true(saw_abort);
	assert_int_equal(open_points, 0);
}

static void never_opens_on_the_way_up(void **state)
{
	(void)state;
	take_over(device.idr0);
}

/* Without CR0.ATSCHK what a device marks as translated passes unchecked. */
static void ats_capable_smmu_checks_translated_traffic(void **state)
{
	(void)state;
	take_over(device.idr0 | 1 << 10);
	assert_true(device.cr0ack & 1 << 4);
}

static void gbpa_comes_first(void **state)
{
	(void)state;
	device.gbpa_stuck = true;
	assert_int_equal(start_smmu(10), STATUS_TIMEOUT);
	assert_int_equal(model_counters.writes, 1);
	assert_true(device.gbpa & 1 << 20);
	assert_true(models_time() < 3000000000ull);
}

/* A firmware's SMMU is left as it is when the abort cannot be had: disabling it would open it. */
static void enabled_by_firmware(bool abortable, enum status expected)
{
	uint64_t *table = low_page();

	table[8] = 1 | 4 << 1; /* stream 1 bypasses */
	device.strtab_base = (uintptr_t)table;
	device.strtab_cfg = 3;
	device.cr0 = device.cr0ack = 0x01;
	device.irq_ctrl = device.irq_ctrlack = 5;
	device.gbpa_stuck = !abortable;
	assert_int_equal(start_smmu(10), expected);
}

static void takes_over_from_firmware(void **state)
{
	(void)state;
	enabled_by_firmware(true, STATUS_OK);
	assert_true(aborts(1, 0x1000));
}

static void leaves_firmwares_setup_when_it_cannot_abort(void **state)
{
	(void)state;
	enabled_by_firmware(false, STATUS_TIMEOUT);
	assert_int_equal(device.cr0, 0x01);
	assert_true(aborts(2, 0x1000));
}

/* The first act of the boot: no command, so that buses may still be numbered. */
static void everything_is_blocked_before_anything_is_known(void **state)
{
	(void)state;
	assert_int_equal(iommu_block_all((mmio_t){SMMU_BASE}), STATUS_OK);
	assert_true(aborts(1, 0x1000));
	assert_int_equal(device.cr0ack, 0);
	assert_int_equal(start_smmu(10), STATUS_OK);
	assert_int_equal(iommu_block_all((mmio_t){SMMU_BASE}), STATUS_OK); /* also when it is up */
	assert_int_equal(device.cr0ack, 0);
	assert_true(aborts(1, 0x1000));

	fixture_reset(state);
	device.gbpa_stuck = true;
	assert_int_equal(iommu_block_all((mmio_t){SMMU_BASE}), STATUS_TIMEOUT);
}

struct lack {
	const char *what;
	uint32_t idr0_off, idr0_on, idr1_on, idr5_off;
};

static void refuses_what_it_cannot_drive(void **state)
{
	static const struct lack lacks[] = {
		{"translation", 3 << 0, 0, 0, 0},
		{"AArch64", 1 << 3, 0, 0, 0},
		{"VMID", 1 << 18, 0, 0, 0},
		{"little-endian", 0, 3 << 21, 0, 0},
		{"terminate", 3 << 24, 2 << 24, 0, 0},
		{"in memory", 0, 0, 1 << 29, 0},
		{"in memory", 0, 0, 1 << 30, 0},
		{"4 KiB", 0, 0, 0, 1 << 4},
		{"40-bit", 0, 0, 0, 4}, /* 36 bits */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lacks); i++) {
		fixture_reset(state);
		if (fixture_stage1 && strcmp(lacks[i].what, "VMID") == 0) {
			continue; /* ASIDs are few */
		}
		device.idr0 = (device.idr0 & ~lacks[i].idr0_off) | lacks[i].idr0_on;
		device.idr1 |= lacks[i].idr1_on;
		device.idr5 &= ~lacks[i].idr5_off;
		assert_int_equal(start_smmu(10), STATUS_UNSUPPORTED);
		assert_int_equal(models_log_count(lacks[i].what), 1);
		assert_true(aborts(7, 0x1000));
		assert_int_equal(device.cr0ack, 0);
		struct iommu_tables tables = new_tables(1);

		assert_int_equal(iommu_attach(sid(1), &tables, P0), STATUS_STATE);
		assert_int_equal(iommu_detach(sid(1), &tables, P0), STATUS_STATE);
		assert_int_equal(iommu_silence(sid(1)), STATUS_STATE);
		assert_int_equal(iommu_invalidate(&tables, (ipa_t){0}, 4096), STATUS_STATE);
		assert_false(iommu_events(NULL, NULL));
		assert_int_equal(iommu_stream_counters(sid(1)).faults, 0);
	}
}

static void memory_beyond_its_reach_is_refused(void **state)
{
	static unsigned char high[PAGE_SIZE];

	(void)state;
	device.idr5 = 0x70;
	smmu_arena = (struct arena){high, sizeof(high), 0};
	assert_int_equal(start_smmu(4), STATUS_UNSUPPORTED);
	assert_true(aborts(0, 0x1000));
}

static void too_little_memory_or_frame_is_refused(void **state)
{
	(void)state;
	for (size_t size = 0; size < 80 * 1024; size += 4096) {
		fixture_reset(state);
		smmu_arena.size = size;
		assert_int_equal(start_smmu(10), STATUS_NO_MEMORY);
		assert_true(aborts(0, 0x1000));
	}
	struct iommu_config config = {{SMMU_BASE}, 0x10000, &smmu_arena, 8};

	assert_int_equal(iommu_init(&config), STATUS_INVALID);
}

static void the_published_arena_is_enough(void **state)
{
	static const size_t offsets[] = {0, 4096, MIB(1), MIB(2) - 4096};

	(void)state;
	assert_int_equal(start_smmu(16), STATUS_OK);
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) { /* any base, 15 bits */
		fixture_reset(state);
		smmu_arena.base += offsets[i];
		assert_int_equal(start_smmu(15), STATUS_OK);
	}
	assert_int_equal(model_smmu_access(&device, 32767, 0, false).event, 0x04);
	assert_int_equal(model_smmu_access(&device, 32768, 0, false).event, 0x02);
}

static void stream_ids_are_clamped(void **state)
{
	struct iommu_tables tables = new_tables(1);

	(void)state;
	device.idr1 = (device.idr1 & ~63u) | 6;
	assert_int_equal(start_smmu(16), STATUS_OK);
	assert_int_equal(device.strtab_cfg & 63, 6);
	assert_int_equal(iommu_attach(sid(64), &tables, P0), STATUS_RANGE);
	assert_int_equal(iommu_attach(sid(63), &tables, P0), STATUS_OK);
}

static void acknowledgements_that_never_come(void **state)
{
	(void)state;
	device.cr0_stuck = true;
	device.cr0ack = 0x0d; /* it was on and will not go off */
	assert_int_equal(start_smmu(10), STATUS_TIMEOUT);

	fixture_reset(state);
	device.cr0_stuck = true; /* it is off and will not come on */
	assert_int_equal(start_smmu(10), STATUS_TIMEOUT);
	assert_true(aborts(1, 0x1000));

	fixture_reset(state);
	device.irq_stuck = true;
	assert_int_equal(start_smmu(10), STATUS_TIMEOUT);
	assert_true(aborts(1, 0x1000));
	assert_int_equal(device.cr0ack, 0);

	fixture_reset(state);
	device.sync_stuck = true;
	assert_int_equal(start_smmu(10), STATUS_TIMEOUT);
	assert_true(aborts(1, 0x1000));
	assert_true(models_time() < 5000000000ull);
}

static void a_refused_invalidation_is_no_start(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		fixture_reset(state);
		device.refuse_in = n;
		assert_int_equal(start_smmu(10), STATUS_HARDWARE);
		assert_true(aborts(1, 0x1000));
		assert_int_equal(device.cr0ack & 1, 0);
	}
}

static void variants(void **state)
{
	static const uint32_t idr0[] = {
		0x0d44101b | 1 << 5,		    /* broadcast TLB maintenance */
		0x0d44101b | 1 << 9,		    /* EL2 TLB entries to invalidate */
		0x0d44101b | 1 << 13,		    /* MSIs that must not be sent */
		0x0d441019,			    /* no stage 1 */
		(0x0d44101b & ~(3u << 2)) | 3 << 2, /* AArch32 too */
		0x0d44101b & ~(3u << 24),	    /* stall is possible */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(idr0); i++) {
		fixture_reset(state);
		device.idr0 = idr0[i];
		assert_int_equal(start_smmu(10), STATUS_OK);
		assert_true(aborts(3, 0));
		assert_int_equal(fixture_check(state), 0);
	}
}

static void tiny_queues_do(void **state)
{
	struct iommu_tables tables;

	for (unsigned bits = 0; bits < 4; bits++) {
		fixture_reset(state);
		tables = new_tables(1);
		map_at(&tables, 3, 0x40000000, 0x123000, MAP_RW);
		device.idr1 = bits << 21 | bits << 16 | 16;
		assert_int_equal(start_smmu(10), STATUS_OK);
		assert_int_equal(iommu_attach(sid(9), &tables, P0), STATUS_OK);
		assert_true(reaches(9, 0x40000000, 0x123000));
		assert_true(device.most_commands <= 1u << bits);
		assert_true(aborts(8, 0));
		iommu_events(NULL, NULL);
		assert_int_equal(fixture_check(state), 0);
	}
}

/* F-XSA-321: every store the SMMU is to see is cleaned; what it writes is never read. */
static void non_coherent_smmu(void **state)
{
	struct iommu_tables tables = new_tables(1);

	(void)state;
	device.idr0 &= ~(1u << 4);
	assert_int_equal(start_smmu(10), STATUS_OK);
	uint64_t cleans = model_counters.cleans;

	assert_int_equal(iommu_attach(sid(9), &tables, P0), STATUS_OK);
	/* 9 entry words, and two CFGI_STE with two SYNCs; 8 of the descriptor, two CFGI_CD */
	assert_int_equal(model_counters.cleans - cleans, fixture_stage1 ? 9 + 4 + 8 + 2 : 9 + 4);
	assert_int_equal(device.cr0ack, 0x09);
	assert_true(aborts(1, 0));
	model_smmu_raise(&device, 1 << 8);
	assert_false(iommu_events(NULL, NULL));
	assert_int_equal(iommu_totals().records, 0);
	assert_int_equal(models_log_count("service failure"), 1);
}

/* It was the error of whoever came before. */
static void old_errors_are_acknowledged(void **state)
{
	(void)state;
	device.gerror = 0x105;
	device.gerrorn = 0x100;
	assert_int_equal(start_smmu(10), STATUS_OK);
	assert_int_equal(device.gerror, device.gerrorn);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_reset, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comes_up_with_every_stream_aborting),
		TEST(never_opens_on_the_way_up),
		TEST(ats_capable_smmu_checks_translated_traffic),
		TEST(gbpa_comes_first),
		TEST(takes_over_from_firmware),
		TEST(leaves_firmwares_setup_when_it_cannot_abort),
		TEST(everything_is_blocked_before_anything_is_known),
		TEST(refuses_what_it_cannot_drive),
		TEST(memory_beyond_its_reach_is_refused),
		TEST(too_little_memory_or_frame_is_refused),
		TEST(the_published_arena_is_enough),
		TEST(stream_ids_are_clamped),
		TEST(acknowledgements_that_never_come),
		TEST(a_refused_invalidation_is_no_start),
		TEST(variants),
		TEST(tiny_queues_do),
		TEST(non_coherent_smmu),
		TEST(old_errors_are_acknowledged),
	};

	return run_on_both_stages(tests);
}
