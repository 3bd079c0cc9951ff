/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults are attributed, counted, said once, and never stall the hypervisor: F44, F45, F73. */
#include "smmu_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "event_record.h"

#define IPA	    0x40000000ull
#define MAX_REPORTS 4096

static struct iommu_event reports[MAX_REPORTS];
static unsigned report_count;

static void keep(void *context, const struct iommu_event *event)
{
	assert_ptr_equal(context, reports);
	assert_true(report_count < MAX_REPORTS);
	reports[report_count++] = *event;
}

/* Drains all; returns the number of calls. */
static unsigned drain(void)
{
	unsigned calls = 1;

	for (; iommu_events(keep, reports); calls++) {
		assert_true(calls < 1000);
	}
	return calls;
}

static struct iommu_tables own[4]; /* of each owner, once it has some */

static int start(void **state)
{
	report_count = 0;
	memset(own, 0, sizeof(own));
	return fixture_start(state);
}

static void attach_empty(uint32_t stream, partition_id_t owner)
{
	struct iommu_tables *tables = &own[owner.v];

	if (!tables->root.v) {
		*tables = new_tables((uint16_t)(owner.v + 1));
		map_at(tables, 3, IPA, 0x123000, MAP_R);
		map_at(tables, 3, IPA + 4096, 0x123000, MAP_RW | MAP_NO_AF);
	}
	assert_int_equal(iommu_attach(sid(stream), tables, owner), STATUS_OK);
}

static void expect_report(unsigned i, uint32_t stream, uint8_t owner, uint64_t address, bool write,
			  const char *reason, uint8_t raw)
{
	assert_true(i < report_count);
	assert_int_equal(reports[i].stream.v, stream);
	assert_int_equal(reports[i].owner.v, owner);
	assert_int_equal(reports[i].address.v, address);
	assert_int_equal(reports[i].write, write);
	assert_string_equal(reports[i].reason, reason);
	assert_int_equal(reports[i].raw_type, raw);
}

static void faults_are_attributed(void **state)
{
	(void)state;
	attach_empty(5, P1);
	model_smmu_access(&device, 5, IPA + 0x2004, true);
	model_smmu_access(&device, 5, IPA + 8, true);
	model_smmu_access(&device, 5, IPA + 4096, false);
	model_smmu_access(&device, 6, 0x1234, true);
	model_smmu_access(&device, 0x12345678, 0x1234, true);
	assert_int_equal(device.event_interrupts, 1);
	assert_int_equal(drain(), 1);
	assert_int_equal(report_count, 5);
	expect_report(0, 5, 1, IPA + 0x2004, true, "no-translation", 0x10);
	expect_report(1, 5, 1, IPA + 8, true, "permission", 0x13);
	expect_report(2, 5, 1, IPA + 4096, false, "access-flag", 0x12);
	expect_report(3, 6, 0xff, 0, false, "configuration", 0x04);
	expect_report(4, 0x12345678, 0xff, 0, false, "configuration", 0x02);
	assert_int_equal(iommu_stream_counters(sid(5)).faults, 3);
	assert_int_equal(iommu_stream_counters(sid(5)).distinct, 3);
	assert_int_equal(iommu_stream_counters(sid(6)).faults, 1);
	assert_int_equal(iommu_stream_counters(sid(7)).faults, 0);
	assert_int_equal(iommu_totals().records, 5);
}

static void every_type_decodes(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		struct event_record record = {
			{type | 0xabcd1234ull << 32, 0, 0x1122334455667788, UINT64_MAX}};
		struct iommu_event event = event_decode(&record);
		bool addressed = type == 0x01 || type == 0x07 || type == 0x0b ||
				 (type >= 0x10 && type <= 0x13);

		assert_int_equal(event.raw_type, type);
		assert_int_equal(event.stream.v, 0xabcd1234);
		assert_int_equal(event.owner.v, 0xff);
		assert_int_equal(event.address.v, addressed ? 0x1122334455667788 : 0);
		assert_int_equal(event.write, addressed);
		record.dword[1] = 1ull << 35;
		assert_false(event_decode(&record).write);
	}
	struct event_record size = {{0x11}}, table = {{0x0b}}, odd = {{0x77}};

	assert_string_equal(event_decode(&size).reason, "address-size");
	assert_string_equal(event_decode(&table).reason, "configuration");
	assert_string_equal(event_decode(&odd).reason, "other");
}

static void repeats_are_counted_not_said(void **state)
{
	(void)state;
	attach_empty(5, P0);
	for (unsigned burst = 0; burst < 10; burst++) {
		for (unsigned i = 0; i < 375; i++) { /* one packet on an emulated NIC */
			model_smmu_access(&device, 5, IPA + 0x2000 + i * 4, true);
		}
		drain();
	}
	assert_int_equal(report_count, 1);
	assert_int_equal(iommu_stream_counters(sid(5)).faults, 3750);
	assert_int_equal(iommu_stream_counters(sid(5)).distinct, 1);
	clock_sleep_ns(1000000000);
	model_smmu_access(&device, 5, IPA + 0x2000, true);
	drain();
	assert_int_equal(report_count, 2); /* a new window */
	for (unsigned i = 0; i < 6; i++) {
		model_smmu_access(&device, 5, IPA + 0x2000 + i % 2 * 4096, true);
		drain();
	}
	assert_int_equal(report_count, 3); /* of two pages in turn */
}

/* F73: who sweeps pages is limited, and takes nothing from who faults once. */
static void a_flood_does_not_hide_others(void **state)
{
	(void)state;
	attach_empty(5, P0);
	attach_empty(6, P1);
	for (unsigned i = 0; i < 20000; i++) {
		model_smmu_access(&device, 5, IPA + 0x2000 + i * 4096ull, true);
		if (i % 300 == 0) {
			drain();
		}
	}
	drain();
	assert_true(report_count <= 16);
	model_smmu_access(&device, 6, IPA + 0x2000, false);
	drain();
	expect_report(report_count - 1, 6, 1, IPA + 0x2000, false, "no-translation", 0x10);
	assert_true(iommu_stream_counters(sid(5)).faults > 19000);
	assert_int_equal(iommu_stream_counters(sid(6)).faults, 1);
}

/* Unowned streams by the hundred do not use up what owned ones need. */
static void a_sweep_of_streams_leaves_room_for_owned_ones(void **state)
{
	(void)state;
	for (uint32_t stream = 100; stream < 900; stream++) {
		model_smmu_access(&device, stream, 0, true);
		drain();
	}
	assert_true(report_count >= 48 && report_count <= 48 + 16);
	for (uint32_t stream = 0; stream < 64; stream++) {
		attach_empty(stream, P0);
		model_smmu_access(&device, stream, 0, true);
	}
	attach_empty(899, P0); /* it had to share so far */
	model_smmu_access(&device, 899, 0, true);
	drain();
	for (uint32_t stream = 0; stream < 64; stream++) {
		assert_int_equal(iommu_stream_counters(sid(stream)).faults, 1);
	}
	assert_int_equal(iommu_stream_counters(sid(899)).faults, 1);
	assert_int_equal(iommu_stream_counters(sid(898)).faults, 800 - 48);
	assert_int_equal(iommu_stream_counters(sid(5000000)).faults, 800 - 48);
}

static void every_slot_taken(void **state)
{
	(void)state;
	for (uint32_t stream = 0; stream < 200; stream++) {
		attach_empty(stream, P0);
		model_smmu_access(&device, stream, 0, true);
	}
	drain();
	uint64_t shared = iommu_stream_counters(sid(199)).faults;

	assert_int_equal(shared, 200 - 126);
	assert_int_equal(iommu_stream_counters(sid(0)).faults, 1);
}

/* F44: 10^5 faults with the consumer stopped; architected overflow, then QEMU's. */
static void overflow(bool queue_full_aborts)
{
	attach_empty(5, P0);
	device.queue_full_aborts = queue_full_aborts;
	for (unsigned i = 0; i < 100000; i++) {
		model_smmu_access(&device, 5, IPA + 0x2000, true);
	}
	uint64_t recorded = device.events_recorded, reads = model_counters.reads;

	assert_int_equal(recorded, 512);
	assert_int_equal(drain(), 4);
	assert_true(model_counters.reads - reads <= 4 * 8);
	assert_int_equal(iommu_totals().records, 512);
	assert_int_equal(iommu_totals().overflows, 1);
	assert_int_equal(report_count, 1);
	/* acknowledged: events arrive again, and the next overflow is seen */
	assert_int_equal(device.gerror, device.gerrorn);
	model_smmu_access(&device, 5, IPA + 0x3000, true);
	drain();
	assert_int_equal(report_count, 2);
	assert_int_equal(iommu_totals().overflows, 1);
	for (unsigned i = 0; i < 600; i++) {
		model_smmu_access(&device, 5, IPA + 0x2000, true);
	}
	drain();
	assert_int_equal(iommu_totals().overflows, 2);
}

static void overflow_as_architected(void **state)
{
	(void)state;
	overflow(false);
}

static void overflow_as_an_abort(void **state)
{
	(void)state;
	overflow(true);
}

/* F45: faults arrive as fast as they are taken; one call is bounded and says that more are left. */
static void keep_faulting(void *context, const struct iommu_event *event)
{
	(void)context;
	for (unsigned i = 0; i < 4; i++) {
		model_smmu_access(&device, event->stream.v, IPA + 0x2000 + (uint64_t)rand() * 4096,
				  true);
	}
}

static void a_storm_is_bounded_and_can_be_cut_off(void **state)
{
	(void)state;
	attach_empty(5, P0);
	for (unsigned i = 0; i < 1000; i++) {
		model_smmu_access(&device, 5, IPA + 0x2000 + i * 4096, true);
	}
	for (unsigned calls = 1; calls < 3; calls++) {
		assert_true(iommu_events(keep_faulting, NULL));
		assert_true(iommu_totals().records <= calls * 128);
	}
	assert_int_equal(iommu_silence(sid(5)), STATUS_OK);
	drain();
	uint64_t records = device.events_recorded;

	for (unsigned i = 0; i < 100000; i++) {
		assert_false(model_smmu_access(&device, 5, IPA, true).passed);
	}
	assert_int_equal(device.events_recorded, records);
	assert_false(iommu_events(keep, reports));
}

static void assert_busiest(uint32_t stream)
{
	stream_id_t found = {UINT32_MAX};

	assert_true(iommu_flooding_stream(0, &found));
	assert_int_equal(found.v, stream);
}

/* The one to cut off is who floods, not who was heard last. */
static void the_busiest_stream_is_known(void **state)
{
	stream_id_t none = {17};

	(void)state;
	assert_false(iommu_flooding_stream(0, &none));
	attach_empty(5, P0);
	attach_empty(6, P1);
	for (unsigned i = 0; i < 400; i++) {
		model_smmu_access(&device, i % 2 ? 5 : 7, IPA + 0x2000, true);
		if (i % 100 == 50) {
			model_smmu_access(&device, 5, IPA + 0x2000, true);
			model_smmu_access(&device, 6, IPA + 0x2000 + i * 4096, true);
		}
	}
	drain(); /* 204, 200, 4 */
	assert_busiest(5);
	assert_false(iommu_flooding_stream(204, &none));
	for (unsigned i = 0; i < 201; i++) {
		model_smmu_access(&device, 6, IPA + 0x2000, true);
	}
	drain();
	assert_busiest(6);
	assert_true(iommu_flooding_stream(204, &none)); /* once: so many are taken off */
	assert_int_equal(none.v, 6);
	assert_false(iommu_flooding_stream(204, &none));
	assert_busiest(5);
	clock_sleep_ns(1000000000);
	assert_false(iommu_flooding_stream(0, &none)); /* its second is over */
	assert_int_equal(none.v, 6);
	for (unsigned i = 0; i < 3; i++) {
		model_smmu_access(&device, 5, IPA + 0x2000, true);
	}
	drain();
	assert_false(iommu_flooding_stream(3, &none)); /* the next one counts anew */
	assert_busiest(5);
}

/* An interrupt comes only when the queue was empty: what is left must be said. */
static void nothing_is_left_behind(void **state)
{
	(void)state;
	attach_empty(5, P0);
	for (unsigned round = 0; round < 500; round++) {
		uint64_t interrupts = device.event_interrupts;
		unsigned count = 1 + (unsigned)rand() % 300;

		for (unsigned i = 0; i < count; i++) {
			model_smmu_access(&device, 5, IPA + 0x2000, true);
		}
		assert_int_equal(device.event_interrupts, interrupts + 1);
		drain();
	}
	assert_int_equal(iommu_totals().records, device.events_recorded);
}

static void fault_once(void *context, const struct iommu_event *event)
{
	(void)context;
	model_smmu_access(&device, event->stream.v, event->address.v, event->write);
}

static void what_came_during_the_drain_is_said(void **state)
{
	(void)state;
	attach_empty(5, P0);
	model_smmu_access(&device, 5, IPA + 0x2000, true);
	assert_true(iommu_events(fault_once, NULL));
	assert_int_equal(device.event_interrupts, 1); /* no other will come */
	assert_false(iommu_events(fault_once, NULL));
	assert_int_equal(iommu_totals().records, 2);
}

/* Whatever stands in a record, by a broken SMMU or a lost write. */
static void random_records(void **state)
{
	uint64_t *slots;

	(void)state;
	slots = (uint64_t *)(uintptr_t)(device.eventq.base & 0xfffffffffffe0);
	srand(2);
	for (unsigned round = 0; round < 2000; round++) {
		for (unsigned i = 0; i < 64 * 4; i++) {
			slots[((device.eventq.prod & 511) * 4 + i) % 2048] =
				(uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
		}
		device.eventq.prod = (device.eventq.prod + 64) & 1023;
		while (iommu_events(NULL, NULL)) {
		}
	}
	assert_int_equal(iommu_totals().records, 2000 * 64);
}

static void other_errors(void **state)
{
	(void)state;
	model_smmu_raise(&device, 1 << 8 | 1 << 5 | 1 << 7);
	assert_false(iommu_events(keep, reports));
	assert_int_equal(device.gerror, device.gerrorn);
	assert_int_equal(models_log_count("service failure"), 1);
	model_smmu_raise(&device, 1); /* the command queue's own business */
	assert_false(iommu_events(keep, reports));
	assert_int_equal(device.gerror ^ device.gerrorn, 1);
}

/* After a detach what still arrives is nobody's. */
static void owner_is_that_of_now(void **state)
{
	struct iommu_tables tables = new_tables(1);

	(void)state;
	assert_int_equal(iommu_attach(sid(5), &tables, P1), STATUS_OK);
	assert_int_equal(iommu_detach(sid(5), &tables, P1), STATUS_OK);
	model_smmu_access(&device, 5, IPA, true);
	drain();
	expect_report(0, 5, 0xff, 0, false, "configuration", 0x04);
	for (uint8_t owner = 0; owner < 3; owner++) { /* what one owner did is new for the next */
		partition_id_t next = {owner};

		assert_int_equal(iommu_attach(sid(5), &tables, next), STATUS_OK);
		model_smmu_access(&device, 5, IPA, true);
		model_smmu_access(&device, 5, IPA, true);
		drain();
		expect_report(report_count - 1, 5, owner, IPA, true, "no-translation", 0x10);
		assert_int_equal(report_count, owner + 2);
		assert_int_equal(iommu_detach(sid(5), &tables, next), STATUS_OK);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(faults_are_attributed),
		TEST(every_type_decodes),
		TEST(repeats_are_counted_not_said),
		TEST(a_flood_does_not_hide_others),
		TEST(a_sweep_of_streams_leaves_room_for_owned_ones),
		TEST(every_slot_taken),
		TEST(overflow_as_architected),
		TEST(overflow_as_an_abort),
		TEST(a_storm_is_bounded_and_can_be_cut_off),
		TEST(the_busiest_stream_is_known),
		TEST(nothing_is_left_behind),
		TEST(what_came_during_the_drain_is_said),
		TEST(random_records),
		TEST(other_errors),
		TEST(owner_is_that_of_now),
	};

	return run_on_both_stages(tests);
}
