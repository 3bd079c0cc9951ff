/* SPDX-License-Identifier: BSD-2-Clause */
/* Refused DMA is told with function, partition, address and reason; a storm ends at its source. */
#include "glue_rig.h"

#include <string.h>

static partition_id_t red, blue;

static void set_up(void)
{
	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
	hv_host_vf(red, "eth", RIG_PF, 0);
	hv_host_vf(blue, "eth", RIG_PF, 1);
	rig_start();
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	assert_int_equal(rig_hooks.partition_start(blue), STATUS_OK);
	rig_guest_run(red);
	rig_guest_run(blue);
}

static void access_by(rid_t rid, uint64_t address, bool write)
{
	(void)model_smmu_access(&rig_smmu, rid.v + RIG_STREAM_BASE, address, write);
}

static void names_the_offender(void **state)
{
	(void)state;
	set_up();
	access_by(RIG_VF(0), 0x9000000, true);
	access_by(RIG_VF(1), 0x80000000, false);
	access_by(RIG_NVME, 0x40000000, true);
	access_by((rid_t){0x3ff}, 0x40000000, true);
	(void)model_smmu_access(&rig_smmu, 5, 0x40000000, true);
	rig_hooks.device_interrupt();
	assert_int_equal(models_log_count("dma fault: function=0000:01:10.0 partition=red "
					  "address=0x9000000 write reason=no-translation"),
			 1);
	assert_int_equal(models_log_count("dma fault: function=0000:01:10.2 partition=blue "
					  "address=0x80000000 read reason=no-translation"),
			 1);
	assert_int_equal(models_log_count("dma fault: function=0000:02:00.0 partition=nobody"), 1);
	assert_int_equal(models_log_count("dma fault: function=0000:03:1f.7 partition=nobody"), 1);
	assert_int_equal(models_log_count("dma fault: function=unknown partition=nobody"), 1);
	assert_int_equal(models_log_count("cut off"), 0);
	rig_hooks.report();
	/* `distinct` counts since boot: the second time around it goes on. */
	assert_int_equal(models_log_count(rig_stage1 ? "@faults total=5 distinct="
						     : "@faults total=5 distinct=5 overflows=0"),
			 1);
	assert_int_equal(models_log_count("partition=red function=0000:01:10.0 kind=VF"), 1);
	assert_int_equal(models_log_count("@device") - models_log_count("faults=0"), 2);
	assert_int_equal(models_log_count("@stream function=0000:01:10.2 faults=1 distinct=1"), 1);
	assert_int_equal(models_log_count("@stream function=0000:02:00.0 faults=1 distinct=1"), 1);
	assert_int_equal(models_log_count("@stream"), 3);
	rig_check();
}

static void nothing_there(void **state)
{
	(void)state;
	set_up();
	rig_hooks.device_interrupt();
	assert_int_equal(models_log_count("dma fault"), 0);
	rig_check();
}

/* Two flood, one of them more; a third has one fault in the middle. Refilled as fast as drained. */
static void flood(void *context)
{
	unsigned *left = context;

	for (unsigned i = 0; *left && i < 300; i++, (*left)--) {
		access_by(RIG_VF(0), 0x1000, true);
	}
	access_by(RIG_VF(1), 0x2000, true);
}

static void ends_a_storm(void **state)
{
	unsigned left = 1000000;

	(void)state;
	set_up();
	models_observer(flood, &left);
	rig_hooks.device_interrupt();
	models_observer(NULL, NULL);
	assert_int_equal(models_log_count("dma fault storm: function=0000:01:10.0 cut off"), 1);
	assert_int_equal(models_log_count("cut off"), 1);
	assert_true(rig_smmu.events_recorded < 128 * 128); /* bounded */
	rig_hooks.device_interrupt();
	uint64_t records = rig_smmu.events_recorded;

	for (unsigned i = 0; i < 1000; i++) {
		assert_false(rig_dma(rig_vf(0), RIG_MEMORY));
	}
	assert_int_equal(rig_smmu.events_recorded, records); /* silent now */
	rig_assert_works(blue, 0, rig_vf(1));

	/* Its partition starts again: so does the device. */
	rig_guest_halt(red);
	rig_hooks.partition_stop(red);
	rig_assert_gone(red, 0, rig_vf(0));
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	rig_guest_run(red);
	rig_assert_works(red, 0, rig_vf(0));
	rig_check();
}

/* An interrupt comes only for a queue that was empty: after any storm it was. */
static void flood_all(void *context)
{
	(void)context;
	for (unsigned i = 0; i < 200; i++) {
		access_by(RIG_VF(0), 0x1000, true);
		access_by(RIG_VF(1), 0x2000, true);
		access_by(RIG_NVME, 0x3000, true);
	}
}

static void ends_storms_of_several(void **state)
{
	(void)state;
	set_up();
	models_observer(flood_all, NULL);
	rig_hooks.device_interrupt();
	models_observer(NULL, NULL);
	assert_true(models_log_count("storm: function=0000:01:10.0") >= 1);
	assert_true(models_log_count("storm: function=0000:01:10.2") >= 1);
	assert_true(models_log_count("storm: function=0000:02:00.0") >= 1);
	uint64_t interrupts = rig_smmu.event_interrupts;

	access_by(RIG_VF(2), 0x5000, true);
	assert_int_equal(rig_smmu.event_interrupts, interrupts + 1);
	rig_hooks.device_interrupt();
	assert_int_equal(models_log_count("dma fault: function=0000:01:10.4"), 1);
	rig_check();
}

/* The same fault again and again is told once; to whom the storm belongs must be known all the
 * same. */
static void ends_a_storm_of_known_faults(void **state)
{
	unsigned left = 1000000;

	(void)state;
	set_up();
	access_by(RIG_VF(0), 0x1000, true);
	rig_hooks.device_interrupt();
	access_by(RIG_VF(1), 0x2000, true);
	rig_hooks.device_interrupt();
	models_observer(flood, &left);
	rig_hooks.device_interrupt();
	models_observer(NULL, NULL);
	assert_int_equal(models_log_count("storm: function=0000:01:10.0"), 1);
	rig_assert_works(blue, 0, rig_vf(1));
	rig_check();
}

/* Never so fast that the queue stays full, but for ever: cut off all the same. */
static void paced_flood_is_cut_off(void **state)
{
	unsigned interrupts = 0;

	(void)state;
	set_up();
	for (; interrupts < 1000 && !models_log_count("cut off"); interrupts++) {
		for (unsigned i = 0; i < 100; i++) {
			access_by(RIG_VF(0), 0x1000, true);
		}
		rig_hooks.device_interrupt();
	}
	assert_true(interrupts < 100);
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(names_the_offender),	  RIG_TEST(nothing_there),
		RIG_TEST(paced_flood_is_cut_off), RIG_TEST(ends_a_storm),
		RIG_TEST(ends_storms_of_several), RIG_TEST(ends_a_storm_of_known_faults),
	};

	return run_on_both_stages(tests);
}
