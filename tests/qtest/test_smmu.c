/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/ against QEMU's SMMUv3, with an edu as the device: what lands, and where, is looked at in
 * the memory itself. The two "forgetful" tests leave an invalidation out and must see DMA land:
 * they show that the others can fail.
 */
#include "rig.h"

#include <string.h>

#include "clock.h"
#include "commands.h"

#define FILL	 0xa5
#define PAGE	 (GUEST_RAM_BASE + 0x8000)
#define END	 (GUEST_RAM_BASE + HV_HOST_RAM)
#define UNMAPPED (GUEST_RAM_BASE + 0x40000000)
#define EVENTS	 64

static struct pci_bus bus;
static struct rig_device edu, other;
static stream_id_t stream, other_stream;
static partition_id_t a, b;
static struct iommu_tables a_tables, b_tables;
static struct iommu_event events[EVENTS];
static unsigned event_count;

static void set_up(const char *name)
{
	rig_machine(name, RIG_MACHINE, RIG_DEVICES(RIG_EDU("4"), RIG_EDU("5")));
	a = hv_host_partition("a", 1, 0);
	b = hv_host_partition("b", 1, 1);
	rig_fill(a, FILL);
	rig_fill(b, FILL);
	hv_device_tables(a, &a_tables);
	hv_device_tables(b, &b_tables);
	assert_int_equal(iommu_block_all((mmio_t){QTEST_SMMU}), STATUS_OK);
	rig_enumerate(&bus);
	rig_smmu(&bus);
	edu = rig_open(&bus, rig_function(&bus, 0x1234, 0x11e8, 0));
	other = rig_open(&bus, rig_function(&bus, 0x1234, 0x11e8, 1));
	assert_int_equal(pci_bus_stream_id(&bus, edu.rid, &stream), STATUS_OK);
	assert_int_equal(pci_bus_stream_id(&bus, other.rid, &other_stream), STATUS_OK);
	event_count = 0;
}

static void note(void *context, const struct iommu_event *event)
{
	(void)context;
	assert_in_range(event_count, 0, EVENTS - 1);
	events[event_count++] = *event;
}

static void take_events(void)
{
	event_count = 0;
	for (unsigned i = 0; i < 64 && iommu_events(note, NULL); i++) {
	}
}

/* Exactly [at, at+size) of the partition's RAM has changed. */
static void assert_landed(partition_id_t partition, uint64_t at, unsigned size)
{
	uint64_t first = 0;

	assert_int_equal(rig_changed(partition, FILL, &first), size);
	assert_int_equal(first, at);
}

static void assert_untouched(partition_id_t partition)
{
	uint64_t first = 0;

	assert_int_equal(rig_changed(partition, FILL, &first), 0);
}

static void a_stream_that_nobody_has_aborts_and_is_named(void **state)
{
	(void)state;
	set_up("smmu-nobody");
	rig_edu_store(&edu, PAGE, 64);
	rig_edu_store(&edu, pa_of(hv_host_ram(a, PAGE)).v, 64);
	take_events();
	assert_untouched(a);
	assert_int_not_equal(event_count, 0);
	assert_int_equal(events[0].stream.v, stream.v);
	assert_true(partition_is(events[0].owner, PARTITION_NONE));
	assert_string_equal(events[0].reason, "configuration");
	rig_end();
}

static void dma_lands_where_the_tables_say_and_nowhere_else(void **state)
{
	(void)state;
	set_up("smmu-attach");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	assert_int_equal(iommu_attach(other_stream, &b_tables, b), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	assert_landed(a, PAGE, 64);
	assert_untouched(b);
	rig_edu_store(&other, PAGE + 0x100, 32);
	assert_landed(b, PAGE + 0x100, 32);
	take_events();
	assert_int_equal(event_count, 0);

	/* Its own physical address is not an address here, nor is the other's. */
	rig_fill(a, FILL);
	rig_fill(b, FILL);
	rig_edu_store(&edu, pa_of(hv_host_ram(a, PAGE)).v, 64);
	rig_edu_store(&edu, pa_of(hv_host_ram(b, PAGE)).v, 64);
	assert_untouched(a);
	assert_untouched(b);
	rig_end();
}

static void a_refused_access_is_attributed(void **state)
{
	(void)state;
	set_up("smmu-event");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, UNMAPPED, 64);
	take_events();
	assert_untouched(a);
	assert_int_equal(event_count, 1); /* sixteen records of one page */
	assert_int_equal(events[0].stream.v, stream.v);
	assert_true(partition_is(events[0].owner, a));
	assert_int_equal(events[0].address.v & ~0xfffull, UNMAPPED);
	assert_true(events[0].write);
	assert_string_equal(events[0].reason, "no-translation");
	assert_int_equal(iommu_stream_counters(stream).faults, 16);
	/* The doorbell may be written, not read. */
	rig_edu_fetch(&edu, GUEST_ITS_DOORBELL, 64);
	take_events();
	assert_int_equal(event_count, 1);
	assert_string_equal(events[0].reason, "permission");
	assert_false(events[0].write);
	rig_end();
}

static void a_burst_over_the_end_lands_only_before_it(void **state)
{
	uint64_t first = 0;

	(void)state;
	set_up("smmu-burst");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, END - 128, 256);
	assert_in_range(rig_changed(a, FILL, &first), 0, 128);
	assert_untouched(b); /* its RAM is next to a's */
	take_events();
	assert_int_not_equal(event_count, 0);
	assert_int_equal(events[0].address.v & ~0xfffull, END);
	rig_end();
}

static void a_refused_read_brings_nothing(void **state)
{
	(void)state;
	set_up("smmu-read");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	memset(hv_host_ram(b, PAGE), 0x42, 64);
	/* First something of its own, so that the buffer is known to be filled anew. */
	memset(hv_host_ram(a, PAGE), 0x17, 64);
	rig_edu_fetch(&edu, PAGE, 64);
	rig_edu_store(&edu, PAGE + 0x1000, 64);
	assert_int_equal(*hv_host_ram(a, PAGE + 0x1000), 0x17);
	rig_edu_fetch(&edu, pa_of(hv_host_ram(b, PAGE)).v, 64);
	rig_edu_store(&edu, PAGE + 0x2000, 64);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_not_equal(*hv_host_ram(a, PAGE + 0x2000 + i), 0x42);
	}
	rig_end();
}

static void after_a_detach_nothing_lands(void **state)
{
	(void)state;
	set_up("smmu-detach");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	assert_int_equal(iommu_attach(other_stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64); /* cached now */
	rig_edu_store(&other, PAGE, 64);
	rig_fill(a, FILL);
	assert_int_equal(iommu_detach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	assert_untouched(a);
	rig_edu_store(&other, PAGE, 64); /* its neighbour is not concerned */
	assert_landed(a, PAGE, 64);
	/* The next owner's memory, and no longer the first one's. */
	rig_fill(a, FILL);
	assert_int_equal(iommu_attach(stream, &b_tables, b), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	assert_landed(b, PAGE, 64);
	assert_untouched(a);
	rig_end();
}

/* The edu's clock stands still between the command and the transfer: a DMA in flight. */
static void dma_in_flight_is_blocked_by_the_detach(void **state)
{
	(void)state;
	set_up("smmu-flight");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	rig_fill(a, FILL);
	qtest_freeze(true);
	rig_edu_store_begin(&edu, PAGE, 64);
	assert_untouched(a);
	assert_int_equal(iommu_detach(stream, &a_tables, a), STATUS_OK);
	qtest_freeze(false);
	rig_edu_finish(&edu);
	assert_untouched(a);
	take_events();
	assert_int_not_equal(event_count, 0);
	assert_true(partition_is(events[0].owner, PARTITION_NONE));
	rig_end();
}

static void a_silenced_stream_aborts_without_records(void **state)
{
	(void)state;
	set_up("smmu-silence");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	assert_int_equal(iommu_silence(stream), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	assert_untouched(a);
	take_events();
	assert_int_equal(event_count, 0);
	rig_end();
}

/* 4 KiB refused is 1024 records: more than the queue holds. Later faults are seen all the same. */
static void a_flooded_event_queue_recovers(void **state)
{
	(void)state;
	set_up("smmu-flood");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, UNMAPPED, 4096);
	take_events();
	assert_int_equal(iommu_totals().overflows, 1);
	assert_int_equal(iommu_totals().records, 512);
	clock_sleep_ns(2000000000);
	rig_edu_store(&edu, UNMAPPED + 0x2000, 4);
	take_events();
	assert_int_equal(event_count, 1);
	assert_int_equal(events[0].address.v, UNMAPPED + 0x2000);
	rig_end();
}

/* --- tables that change ------------------------------------------------------------------------
 */

/* The entry of a page of a's RAM, found by walking its tables as the SMMU does. */
static uint64_t *entry_of(uint64_t ipa)
{
	uint64_t *table = va_of(a_tables.root);

	for (unsigned level = 1; level < 3; level++) {
		table = va_of((pa_t){table[ipa >> (39 - 9 * level) & 511] & BITS(47, 12)});
	}
	return &table[ipa >> 12 & 511];
}

/* After this DMA to the page must not land: true when it does. */
static bool lands_after_unmapping(const char *name, unsigned forgotten)
{
	uint64_t first;

	set_up(name);
	if (forgotten) {
		rig_ignore_command(forgotten);
	}
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	assert_landed(a, PAGE, 64);
	rig_fill(a, FILL);
	*entry_of(PAGE) = 0;
	assert_int_equal(iommu_invalidate(&a_tables, (ipa_t){PAGE}, PAGE_SIZE), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	bool landed = rig_changed(a, FILL, &first) != 0;

	/* The pages around it are as they were. */
	rig_edu_store(&edu, PAGE + PAGE_SIZE, 64);
	assert_int_not_equal(*hv_host_ram(a, PAGE + PAGE_SIZE), FILL);
	rig_end();
	return landed;
}

static void an_unmapped_page_is_out_of_reach(void **state)
{
	(void)state;
	assert_false(lands_after_unmapping("smmu-unmap", 0));
}

static void a_forgetful_driver_leaves_a_stale_translation(void **state)
{
	(void)state;
	assert_true(lands_after_unmapping("smmu-no-tlbi", CMD_TLBI_S2_IPA));
}

static void a_forgetful_driver_leaves_a_stale_stream_entry(void **state)
{
	(void)state;
	set_up("smmu-no-cfgi");
	assert_int_equal(iommu_attach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	rig_fill(a, FILL);
	rig_ignore_command(CMD_CFGI_STE);
	assert_int_equal(iommu_detach(stream, &a_tables, a), STATUS_OK);
	rig_edu_store(&edu, PAGE, 64);
	assert_landed(a, PAGE, 64);
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_stream_that_nobody_has_aborts_and_is_named,
					  rig_tear_down),
		cmocka_unit_test_teardown(dma_lands_where_the_tables_say_and_nowhere_else,
					  rig_tear_down),
		cmocka_unit_test_teardown(a_refused_access_is_attributed, rig_tear_down),
		cmocka_unit_test_teardown(a_burst_over_the_end_lands_only_before_it, rig_tear_down),
		cmocka_unit_test_teardown(a_refused_read_brings_nothing, rig_tear_down),
		cmocka_unit_test_teardown(after_a_detach_nothing_lands, rig_tear_down),
		cmocka_unit_test_teardown(dma_in_flight_is_blocked_by_the_detach, rig_tear_down),
		cmocka_unit_test_teardown(a_silenced_stream_aborts_without_records, rig_tear_down),
		cmocka_unit_test_teardown(a_flooded_event_queue_recovers, rig_tear_down),
		cmocka_unit_test_teardown(an_unmapped_page_is_out_of_reach, rig_tear_down),
		cmocka_unit_test_teardown(a_forgetful_driver_leaves_a_stale_translation,
					  rig_tear_down),
		cmocka_unit_test_teardown(a_forgetful_driver_leaves_a_stale_stream_entry,
					  rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
