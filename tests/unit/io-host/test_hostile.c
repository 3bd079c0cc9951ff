/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drivers that break the rules (threats F59 to F70). Whoever does it has DEVICE_NEEDS_RESET; the
 * other one loses the link, nothing else, and goes on when the offender has started again.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch.h"
#include "wire_rig.h"

#define EVIL  0u
#define GOOD  1u
#define NEEDS 0x40
/* Of the good one: elements of its used ring that it is not told of, buffers it has not back. */
#define USED	    0x1404u
#define USED_END    0x1c04u
#define BUFFERS	    0x100000u
#define BUFFERS_END 0x200000u

static uint8_t *before; /* the good one's memory */

static int setup(void **state)
{
	(void)state;
	rig_up(1, 32);
	before = malloc(RIG_RAM_SIZE);
	memcpy(before, rig_guests[GOOD].ram, RIG_RAM_SIZE);
	memset(rig_guests[GOOD].messages, 0, sizeof(rig_guests[GOOD].messages));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(before);
	rig_free();
	return rig_guests[0].foreign || rig_guests[1].foreign;
}

static void restart(void)
{
	rig_write(EVIL, 0x14, 1, 0);
	assert_int_equal(rig_status(EVIL), 0);
	assert_null(rig_end(EVIL)->fault);
	rig_start(EVIL, RIG_ALL, 256);
	rig_post(EVIL, 0, 32, 2048);
	(void)rig_work(EVIL);
}

/* Traffic in both directions, as after a fresh start. */
static void expect_traffic(void)
{
	for (unsigned from = 0; from < 2; from++) {
		while (rig_new(1 - from, RIG_RX(0))) {
			rig_guests[1 - from].queues[RIG_RX(0)].seen++;
		}
		rig_send(from, 0, 1000, 99 + from);
		rig_kick(from, RIG_TX(0));
		(void)rig_work(from);
		assert_int_equal(rig_receive(1 - from, 0, 99 + from, NULL), 1000);
		assert_true(rig_new(from, RIG_TX(0)) > 0);
		rig_guests[from].queues[RIG_TX(0)].seen += rig_new(from, RIG_TX(0));
	}
}

/* The evil one has failed, for a reason that is told; the good one saw its link go. */
static void expect_failed(void)
{
	const uint8_t *now = rig_guests[GOOD].ram;

	assert_int_equal(rig_status(EVIL), 0x0f | NEEDS);
	assert_non_null(rig_end(EVIL)->fault);
	assert_false(rig_link(EVIL));
	assert_int_equal(rig_status(GOOD), 0x0f);
	assert_null(rig_end(GOOD)->fault);
	assert_false(rig_link(GOOD));
	assert_true(rig_guests[GOOD].messages[0] > 0);
	assert_memory_equal(now, before, USED);
	assert_memory_equal(now + USED_END, before + USED_END, BUFFERS - USED_END);
	assert_memory_equal(now + BUFFERS_END, before + BUFFERS_END, RIG_RAM_SIZE - BUFFERS_END);
	assert_int_equal(rig_new(GOOD, RIG_RX(0)), 0);
	/* What the good one sends now is lost, and it has its buffers back. */
	rig_send(GOOD, 0, 100, 1);
	rig_kick(GOOD, RIG_TX(0));
	(void)rig_work(GOOD);
	assert_int_equal(rig_new(GOOD, RIG_TX(0)), 1);
	restart();
	assert_true(rig_link(GOOD) && rig_link(EVIL));
	expect_traffic();
}

static void attack_sending(uint64_t address, uint32_t length, uint16_t flags, uint16_t next)
{
	rig_describe(EVIL, RIG_TX(0), 0, address, length, flags, next);
	rig_offer(EVIL, RIG_TX(0), 0);
	rig_kick(EVIL, RIG_TX(0));
	(void)rig_work(EVIL);
}

/* A receive queue with nothing but this in it; the good one then sends. */
static void attack_receiving(uint64_t address, uint32_t length, uint16_t flags, uint16_t next)
{
	rig_write(EVIL, 0x14, 1, 0);
	rig_start(EVIL, RIG_ALL, 256);
	rig_describe(EVIL, RIG_RX(0), 0, address, length, flags, next);
	rig_offer(EVIL, RIG_RX(0), 0);
	rig_send(GOOD, 0, 1000, 5);
	memcpy(before, rig_guests[GOOD].ram, RIG_RAM_SIZE);
	rig_kick(GOOD, RIG_TX(0));
	(void)rig_work(GOOD);
	assert_int_equal(rig_new(GOOD, RIG_TX(0)), 1);
	rig_guests[GOOD].queues[RIG_TX(0)].seen++;
	memcpy(before, rig_guests[GOOD].ram, 0x10000); /* its own queue went on */
}

static const struct {
	uint64_t address;
	uint32_t length;
} outside[] = {
	{0, 64},
	{RIG_RAM - 1, 64},
	{RIG_RAM - 64, 64},
	{RIG_RAM + RIG_RAM_SIZE, 64},
	{RIG_RAM + RIG_RAM_SIZE - 63, 64},
	{RIG_RAM, RIG_RAM_SIZE + 1},
	{RIG_RAM + 0x100000, UINT32_MAX},
	{~0ull - 31, 64},
	{~0ull, 1},
	{1ull << 63, 64},
	{0x08090040, 4},
};

static void test_f59_address_outside(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
		attack_sending(outside[i].address, outside[i].length, 0, 0);
		expect_failed();
		teardown(state);
		setup(state);
		attack_receiving(outside[i].address, outside[i].length, RIG_WRITE, 0);
		expect_failed();
		teardown(state);
		setup(state);
	}
}

/* The first segment is good, the packet is half-way, then it goes wrong. */
static void test_f59_second_segment_outside(void **state)
{
	(void)state;
	rig_describe(EVIL, RIG_TX(0), 7, 0x1000, 64, 0, 0);
	attack_sending(rig_buffer(RIG_TX(0), 0), 500, RIG_NEXT, 7);
	expect_failed();
	teardown(state);
	setup(state);
	/* To receive: the second segment of a buffer, and a second buffer. */
	for (unsigned chained = 0; chained < 2; chained++) {
		rig_write(EVIL, 0x14, 1, 0);
		rig_start(EVIL, RIG_ALL, 256);
		rig_describe(EVIL, RIG_RX(0), 0, rig_buffer(RIG_RX(0), 0), 500,
			     RIG_WRITE | RIG_NEXT * chained, 7);
		rig_describe(EVIL, RIG_RX(0), 7, 0x1000, 64, RIG_WRITE, 0);
		rig_offer(EVIL, RIG_RX(0), 0);
		rig_offer(EVIL, RIG_RX(0), 7);
		rig_send(GOOD, 0, 1000, 5);
		rig_kick(GOOD, RIG_TX(0));
		(void)rig_work(GOOD);
		rig_guests[GOOD].queues[RIG_TX(0)].seen++;
		memcpy(before, rig_guests[GOOD].ram, RIG_RAM_SIZE);
		expect_failed();
		teardown(state);
		setup(state);
	}
}

static void test_f59_areas_outside(void **state)
{
	for (unsigned area = 0; area < 3; area++) {
		for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
			rig_write(EVIL, 0x14, 1, 0);
			rig_negotiate(EVIL, RIG_ALL);
			rig_write(EVIL, 0x18, 2, 256);
			for (unsigned a = 0; a < 3; a++) {
				uint64_t address = a == area ? outside[i].address & ~15ull
							     : RIG_RAM + 0x2000 * a;

				if (a == area && address == RIG_RAM) {
					address = RIG_RAM + RIG_RAM_SIZE - 256;
				}
				if (a == area && address == RIG_RAM + 0x100000) {
					address = RIG_RAM + 2; /* misaligned, but for one */
					address -= area == 1;
				}
				rig_write(EVIL, 0x20 + 8 * a, 8, address);
			}
			rig_write(EVIL, 0x1c, 2, 1);
			assert_int_equal(rig_status(EVIL), 0x0b | NEEDS);
			assert_null(rig_end(EVIL)->rings[0].table);
		}
	}
	(void)state;
	rig_write(EVIL, 0x14, 1, 0);
	restart();
	expect_traffic();
}

/* To the byte: an area may end where RAM ends. */
static void test_f59_areas_at_the_end(void **state)
{
	static const unsigned sizes[] = {16 * 64, 6 + 2 * 64, 6 + 8 * 64}, aligned[] = {16, 2, 4};

	(void)state;
	for (unsigned area = 0; area < 3; area++) {
		for (unsigned beyond = 0; beyond < 2; beyond++) {
			uint64_t end = RIG_RAM + RIG_RAM_SIZE - sizes[area];

			end = end / aligned[area] * aligned[area] + beyond * aligned[area];
			rig_write(EVIL, 0x14, 1, 0);
			rig_negotiate(EVIL, RIG_ALL);
			rig_write(EVIL, 0x18, 2, 64);
			for (unsigned a = 0; a < 3; a++) {
				rig_write(EVIL, 0x20 + 8 * a, 8,
					  a == area ? end : RIG_RAM + 0x2000 * a);
			}
			rig_write(EVIL, 0x1c, 2, 1);
			assert_int_equal(rig_status(EVIL), beyond ? 0x0b | NEEDS : 0x0b);
		}
	}
}

static void test_f60_loops(void **state)
{
	static const uint16_t nexts[][3] = {{0}, {1, 0}, {1, 2, 0}, {1, 2, 1}, {1, 1}};

	for (unsigned i = 0; i < ARRAY_SIZE(nexts); i++) {
		for (unsigned d = 0; d < 3; d++) {
			rig_describe(EVIL, RIG_TX(0), d, rig_buffer(RIG_TX(0), d), 20, RIG_NEXT,
				     nexts[i][d]);
		}
		rig_offer(EVIL, RIG_TX(0), 0);
		rig_kick(EVIL, RIG_TX(0));
		assert_in_range(rig_work(EVIL), 1, 40); /* 256 descriptors */
		expect_failed();
		teardown(state);
		setup(state);
	}
}

static void test_f60_chain_as_long_as_the_queue(void **state)
{
	(void)state;
	for (unsigned d = 0; d < 256; d++) {
		rig_describe(EVIL, RIG_TX(0), d, rig_buffer(RIG_TX(0), 0) + 12 * d, 12,
			     d < 255 ? RIG_NEXT : 0, (uint16_t)(d + 1));
	}
	for (unsigned i = 0; i < 255 * 12; i++) {
		*((uint8_t *)rig_at(EVIL, rig_buffer(RIG_TX(0), 0)) + 12 + i) = rig_byte(3, i);
	}
	rig_offer(EVIL, RIG_TX(0), 0);
	rig_kick(EVIL, RIG_TX(0));
	(void)rig_work(EVIL);
	assert_int_equal(rig_receive(GOOD, 0, 3, NULL), 255 * 12);
	/* One more: the last descriptor goes on. */
	before = memcpy(before, rig_guests[GOOD].ram, RIG_RAM_SIZE);
	rig_describe(EVIL, RIG_TX(0), 255, rig_buffer(RIG_TX(0), 0), 12, RIG_NEXT, 0);
	rig_offer(EVIL, RIG_TX(0), 0);
	rig_kick(EVIL, RIG_TX(0));
	(void)rig_work(EVIL);
	expect_failed();
}

static void test_f60_head_or_next_outside_the_table(void **state)
{
	rig_offer(EVIL, RIG_TX(0), 256);
	rig_kick(EVIL, RIG_TX(0));
	(void)rig_work(EVIL);
	expect_failed();
	teardown(state);
	setup(state);
	rig_offer(EVIL, RIG_TX(0), 0xffff);
	rig_kick(EVIL, RIG_TX(0));
	(void)rig_work(EVIL);
	expect_failed();
	teardown(state);
	setup(state);
	attack_sending(rig_buffer(RIG_TX(0), 0), 100, RIG_NEXT, 256);
	expect_failed();
}

static void test_f61_length_zero(void **state)
{
	attack_sending(rig_buffer(RIG_TX(0), 0), 0, 0, 0);
	expect_failed();
	teardown(state);
	setup(state);
	attack_receiving(rig_buffer(RIG_RX(0), 0), 0, RIG_WRITE, 0);
	expect_failed();
}

static void test_f61_wrong_direction(void **state)
{
	attack_sending(rig_buffer(RIG_TX(0), 0), 100, RIG_WRITE, 0);
	expect_failed();
	teardown(state);
	setup(state);
	rig_describe(EVIL, RIG_TX(0), 1, rig_buffer(RIG_TX(0), 1), 64, RIG_WRITE, 0);
	attack_sending(rig_buffer(RIG_TX(0), 0), 100, RIG_NEXT, 1);
	expect_failed();
	teardown(state);
	setup(state);
	attack_receiving(rig_buffer(RIG_RX(0), 0), 2048, 0, 0);
	expect_failed();
}

static void test_f61_split_header(void **state)
{
	(void)state;
	/* Sent: lost, and counted. */
	rig_describe(EVIL, RIG_TX(0), 1, rig_buffer(RIG_TX(0), 1), 64, 0, 0);
	attack_sending(rig_buffer(RIG_TX(0), 0), IO_HEADER - 1, RIG_NEXT, 1);
	assert_int_equal(rig_end(GOOD)->inlet.counters.dropped[IO_DROP_HEADER], 1);
	assert_int_equal(rig_new(EVIL, RIG_TX(0)), 1);
	assert_int_equal(rig_new(GOOD, RIG_RX(0)), 0);
	rig_guests[EVIL].queues[RIG_TX(0)].seen++;
	expect_traffic();
	/* To be received. */
	attack_receiving(rig_buffer(RIG_RX(0), 0), IO_HEADER - 1, RIG_WRITE, 0);
	rig_guests[GOOD].queues[RIG_RX(0)].seen = 1;
	expect_failed();
}

/* An indirect table at the first transmit buffer, with `length`, reached through `flags`. */
static struct rig_descriptor *indirect(void)
{
	return rig_at(EVIL, rig_buffer(RIG_TX(0), 200));
}

static void attack_indirect(uint64_t address, uint32_t length, uint16_t flags)
{
	attack_sending(address, length, flags | RIG_INDIRECT, 1);
}

static void test_f61_indirect_tables(void **state)
{
	static const struct {
		uint32_t length;
		uint16_t flags;
	} bad[] = {{0, 0},  {1, 0},	   {15, 0},	    {17, 0},	   {16 * 257, 0},
		   {24, 0}, {1u << 31, 0}, {0xfffffff0, 0}, {16, RIG_NEXT}};
	uint64_t table = rig_buffer(RIG_TX(0), 200);

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		*indirect() = (struct rig_descriptor){rig_buffer(RIG_TX(0), 0), 100, 0, 0};
		rig_describe(EVIL, RIG_TX(0), 1, rig_buffer(RIG_TX(0), 1), 64, 0, 0);
		attack_indirect(table, bad[i].length, bad[i].flags);
		expect_failed();
		teardown(state);
		setup(state);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
		attack_indirect(outside[i].address & ~15ull, 4096 - outside[i].length % 16, 0);
		expect_failed();
		teardown(state);
		setup(state);
	}
	/* Misaligned by less than a field. */
	attack_indirect(table + 4, 16, 0);
	expect_failed();
	teardown(state);
	setup(state);
	/* Inside: outside RAM, another table, itself, a loop, beyond its end, the queue's own
	 * table. */
	for (unsigned i = 0; i < 6; i++) {
		struct rig_descriptor inside[] = {{0x1000, 100, 0, 0},
						  {table, 16, RIG_INDIRECT, 0},
						  {table + 16, 16, RIG_INDIRECT, 0},
						  {rig_buffer(RIG_TX(0), 0), 100, RIG_NEXT, 0},
						  {rig_buffer(RIG_TX(0), 0), 100, RIG_NEXT, 1},
						  {RIG_RAM + 0x2000, 16, RIG_INDIRECT, 0}};

		*indirect() = inside[i];
		indirect()[1] = (struct rig_descriptor){rig_buffer(RIG_TX(0), 0), 100, 0, 0};
		attack_indirect(table, 16, 0);
		expect_failed();
		teardown(state);
		setup(state);
	}
	/* The queue's table as its own indirect table: what looks nested is, whatever its address.
	 */
	attack_indirect(RIG_RAM + 0x2000, 4096, 0);
	expect_failed();
	teardown(state);
	setup(state);
	rig_write(EVIL, 0x14, 1, 0);
	rig_start(EVIL, RIG_ALL & ~RIG_TABLES, 256);
	(void)rig_work(EVIL);
	memset(rig_guests[GOOD].messages, 0, sizeof(rig_guests[GOOD].messages));
	*indirect() = (struct rig_descriptor){rig_buffer(RIG_TX(0), 0), 100, 0, 0};
	attack_indirect(table, 16, 0);
	expect_failed();
}

static void test_f62_available_index_jumps(void **state)
{
	static const uint16_t jumps[] = {257, 300, 0x7fff, 0x8000, 0xffff};

	for (unsigned i = 0; i < ARRAY_SIZE(jumps); i++) {
		rig_guests[EVIL].queues[RIG_TX(0)].avail = (uint16_t)(jumps[i] - 1);
		rig_offer(EVIL, RIG_TX(0), 0);
		rig_kick(EVIL, RIG_TX(0));
		(void)rig_work(EVIL);
		expect_failed();
		teardown(state);
		setup(state);
		rig_write(EVIL, 0x14, 1, 0);
		rig_start(EVIL, RIG_ALL, 256);
		rig_guests[EVIL].queues[RIG_RX(0)].avail = (uint16_t)(jumps[i] - 1);
		rig_offer(EVIL, RIG_RX(0), 0);
		rig_send(GOOD, 0, 1000, 5);
		rig_kick(GOOD, RIG_TX(0));
		(void)rig_work(GOOD);
		rig_guests[GOOD].queues[RIG_TX(0)].seen++;
		memcpy(before, rig_guests[GOOD].ram, 0x10000);
		memcpy(before + BUFFERS_END, rig_guests[GOOD].ram + BUFFERS_END,
		       RIG_RAM_SIZE - BUFFERS_END);
		expect_failed();
		teardown(state);
		setup(state);
	}
}

static void test_f62_queue_numbers(void **state)
{
	static const uint32_t numbers[] = {5, 6, 63, 64, 1000, 1023};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		rig_kick(EVIL, numbers[i]);
		(void)rig_work(EVIL);
	}
	for (unsigned select = 2; select < 0x10000; select += select < 8 ? 1 : 251) {
		rig_write(EVIL, 0x16, 2, select); /* one pair: 2 queues */
		assert_int_equal(rig_read(EVIL, 0x18, 2), 0);
		assert_int_equal(rig_read(EVIL, 0x1c, 2), 0);
		rig_write(EVIL, 0x18, 2, 64);
		rig_write(EVIL, 0x20, 8, RIG_RAM);
		rig_write(EVIL, 0x1c, 2, 1);
	}
	assert_int_equal(rig_status(EVIL), 0x0f);
	expect_traffic();
}

static void test_f67_queue_sizes(void **state)
{
	static const uint16_t sizes[] = {0, 3, 5, 255, 257, 512, 0x8000, 0xffff};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		rig_write(EVIL, 0x14, 1, 0);
		rig_negotiate(EVIL, RIG_ALL);
		rig_queue(EVIL, 0, sizes[i]);
		assert_int_equal(rig_status(EVIL), 0x0b | NEEDS);
		assert_null(rig_end(EVIL)->rings[0].table);
	}
	for (uint16_t size = 1; size <= 256; size *= 2) {
		rig_write(EVIL, 0x14, 1, 0);
		rig_start(EVIL, RIG_ALL, size);
		rig_post(EVIL, 0, 1, 2048);
		(void)rig_work(EVIL);
		expect_traffic();
	}
}

/* --- another vCPU writes meanwhile --------------------------------------------------------------
 */

static struct rig_descriptor *flipped;
static unsigned flips;

/* Just after an address was found good, the descriptor becomes one that is not. */
static void flip(struct rig_guest *guest, uint64_t ipa, size_t size)
{
	(void)guest;
	if (ipa == flipped->address && size == flipped->length) {
		*flipped = (struct rig_descriptor){0x1000, UINT32_MAX, 0xffff, 0xffff};
		flips++;
	}
}

static void test_f63_flipped_descriptors(void **state)
{
	(void)state;
	/* To send: direct. */
	rig_send(EVIL, 0, 1000, 4);
	flipped = rig_at(EVIL, RIG_RAM + 0x2000);
	rig_guests[EVIL].between = flip;
	rig_kick(EVIL, RIG_TX(0));
	(void)rig_work(EVIL);
	assert_int_equal(flips, 1);
	assert_int_equal(rig_receive(GOOD, 0, 4, NULL), 1000);
	/* Indirect, the table's own descriptor. */
	rig_send(EVIL, 0, 1000, 5);
	*indirect() = ((struct rig_descriptor *)rig_at(EVIL, RIG_RAM + 0x2000))[1];
	flipped = rig_at(EVIL, RIG_RAM + 0x2000 + 16);
	*flipped = (struct rig_descriptor){rig_buffer(RIG_TX(0), 200), 16, RIG_INDIRECT, 0};
	rig_kick(EVIL, RIG_TX(0));
	(void)rig_work(EVIL);
	assert_int_equal(flips, 2);
	assert_int_equal(rig_receive(GOOD, 0, 5, NULL), 1000);
	/* To receive. */
	flipped = rig_at(EVIL, RIG_RAM);
	rig_send(GOOD, 0, 1000, 6);
	rig_kick(GOOD, RIG_TX(0));
	(void)rig_work(GOOD);
	assert_int_equal(flips, 3);
	assert_int_equal(rig_new(EVIL, RIG_RX(0)), 1);
	assert_int_equal(rig_status(EVIL), 0x0f);
	assert_int_equal(rig_status(GOOD), 0x0f);
}

static unsigned reads[4096 / 2]; /* by the address at which one begins */

static void count(uint8_t *address)
{
	reads[((uintptr_t)address & 4095) / 2]++;
}

/* A packet in three descriptors, of which the last leads to a table of three. */
static void watched_packet(uint8_t *page)
{
	uint64_t buffer = rig_buffer(RIG_TX(0), 0);

	for (unsigned d = 0; d < 3; d++) {
		rig_describe(EVIL, RIG_TX(0), d, buffer + 100 * d, 100, RIG_NEXT,
			     (uint16_t)(d + 1));
		indirect()[d] = (struct rig_descriptor){buffer + 200 + 50 * d, 50,
							d < 2 ? RIG_NEXT : 0, (uint16_t)(d + 1)};
	}
	rig_describe(EVIL, RIG_TX(0), 2, rig_buffer(RIG_TX(0), 200), 48, RIG_INDIRECT, 0);
	memset(rig_at(EVIL, buffer), 0, IO_HEADER);
	rig_offer(EVIL, RIG_TX(0), 0);
	rig_kick(EVIL, RIG_TX(0));
	memset(reads, 0, sizeof(reads));
	watch_page(page, count);
	(void)rig_work(EVIL);
	watch_page(NULL, NULL);
	assert_int_equal(rig_new(GOOD, RIG_RX(0)), 1);
	rig_guests[GOOD].queues[RIG_RX(0)].seen++;
}

static void expect_reads(unsigned first, unsigned words)
{
	for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
		assert_int_equal(reads[i], i % 4 == 0 && i / 4 >= first && i / 4 < first + words);
	}
}

/* What the compiler made of it, too: each word of each descriptor, each available entry, once. */
static void test_f63_each_field_is_read_once(void **state)
{
	(void)state;
	watched_packet(rig_at(EVIL, RIG_RAM + 0x2000));
	expect_reads(0, 6);
	watched_packet((uint8_t *)indirect());
	expect_reads(0, 6);
	/* The receiver's descriptor; the packets before took two. */
	watched_packet(rig_at(GOOD, RIG_RAM));
	expect_reads(4, 2);
	/* The sender's available ring: its fourth entry is at 0x1000 + 4 + 6. */
	watched_packet(rig_at(EVIL, RIG_RAM + 0x3000));
	assert_int_equal(reads[2 + 3], 1);
}

static unsigned slipped;

/* Just before avail_event is written, a packet comes for which its driver sees no need to kick. */
static void slip_in(uint8_t *address)
{
	if (((uintptr_t)address & 4095) == 0x400 + 4 + 8 * 256 && slipped++ == 0) {
		rig_send(EVIL, 0, 200, 77);
	}
}

static void test_packet_slips_in_before_the_queue_listens(void **state)
{
	(void)state;
	slipped = 0;
	rig_send(EVIL, 0, 100, 76);
	rig_kick(EVIL, RIG_TX(0));
	watch_page(rig_at(EVIL, RIG_RAM + 0x3000), slip_in);
	(void)rig_work(EVIL);
	watch_page(NULL, NULL);
	assert_true(slipped >= 2);
	assert_int_equal(rig_receive(GOOD, 0, 76, NULL), 100);
	assert_int_equal(rig_receive(GOOD, 0, 77, NULL), 200);
}

static volatile bool stop;

/* Whatever lies in its rings, all the time. */
static void *scribble(void *argument)
{
	uint64_t seed = 88172645463325252ull;

	(void)argument;
	while (!stop) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		uint64_t *at = rig_at(EVIL, RIG_RAM + (seed >> 20) % 0x4000 / 8 * 8);
		uint64_t values[] = {rig_buffer(RIG_TX(0), seed % 8),
				     (seed & 0x7fff) | RIG_NEXT * (seed >> 40 & 1) * (1ull << 32),
				     seed, seed % 8};

		__atomic_store_n(at, values[seed >> 50 & 3], __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *drive(void *argument)
{
	for (unsigned i = 0; !stop; i++) {
		rig_kick(EVIL, i % 2);
		for (unsigned n = 0; n < 50 && io_end_work(rig_end(EVIL)); n++) {
		}
		if (rig_status(EVIL) & NEEDS) {
			rig_write(EVIL, 0x14, 1, 0);
			rig_start(EVIL, i % 3 ? RIG_ALL : RIG_ALL & ~RIG_MERGE, 256);
		}
	}
	return argument;
}

/*
 * One writes its rings, one kicks and starts its device again, the third is the peer: F63, F69, and
 * F70 (a reset while packets move). The peer never fails, and its memory is its own.
 */
static void test_f63_f69_f70_hostile_threads(void **state)
{
	pthread_t threads[2];
	unsigned sent = 0;

	(void)state;
	stop = false;
	assert_int_equal(pthread_create(&threads[0], NULL, scribble, NULL), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, drive, NULL), 0);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned posted = rig_new(GOOD, RIG_RX(0));

		rig_guests[GOOD].queues[RIG_RX(0)].seen += posted;
		rig_post(GOOD, 0, posted, 2048);
		if (sent - rig_new(GOOD, RIG_TX(0)) < 200) {
			rig_send(GOOD, 0, 14 + i % 2000, i);
			sent++;
		}
		sent -= rig_new(GOOD, RIG_TX(0));
		rig_guests[GOOD].queues[RIG_TX(0)].seen += rig_new(GOOD, RIG_TX(0));
		rig_kick(GOOD, i % 2);
		for (unsigned n = 0; n < 50 && io_end_work(rig_end(GOOD)); n++) {
		}
		assert_int_equal(rig_status(GOOD), 0x0f);
	}
	stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	restart();
	(void)rig_work(GOOD);
	rig_guests[EVIL].queues[RIG_RX(0)].seen = 0;
	assert_true(rig_link(GOOD));
}

/* --- floods and silence -------------------------------------------------------------------------
 */

static void test_f65_notification_storm(void **state)
{
	uint64_t packets;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		rig_kick(EVIL, RIG_TX(0));
		rig_kick(EVIL, RIG_RX(0));
		assert_true(rig_work(EVIL) <= 2);
	}
	for (unsigned v = 0; v < IO_VECTORS; v++) {
		assert_int_equal(rig_guests[GOOD].messages[v], 0);
	}
	/* Many packets: each call does a few, and one interrupt is enough until it was seen. */
	for (unsigned i = 0; i < 32; i++) {
		rig_send(EVIL, 0, 64, i);
	}
	rig_kick(EVIL, RIG_TX(0));
	for (bool more = true; more;) {
		packets = rig_end(GOOD)->inlet.counters.packets;
		more = io_end_work(rig_end(EVIL));
		assert_in_range(rig_end(GOOD)->inlet.counters.packets - packets, 0, 8);
	}
	assert_int_equal(rig_end(GOOD)->inlet.counters.packets, 32);
	assert_int_equal(rig_guests[GOOD].messages[1 + RIG_RX(0)], 1);
	assert_int_equal(rig_guests[EVIL].messages[1 + RIG_TX(0)], 1);
}

static void test_f67_peer_never_consumes(void **state)
{
	const struct io_counters *counters = &rig_end(EVIL)->inlet.counters;

	(void)state;
	for (unsigned i = 0; i < 40; i++) { /* 32 buffers */
		rig_send(GOOD, 0, 64, i);
	}
	rig_kick(GOOD, RIG_TX(0));
	(void)rig_work(GOOD);
	assert_int_equal(rig_new(GOOD, RIG_TX(0)), 32);
	assert_int_equal(counters->blocked, 1);
	assert_int_equal(counters->dropped[IO_DROP_ROOM], 0);
	/* No kick is wanted for more; and one that comes does no harm. */
	rig_send(GOOD, 0, 64, 40);
	assert_false(rig_must_kick(GOOD, RIG_TX(0), 1));
	rig_kick(GOOD, RIG_TX(0));
	(void)rig_work(GOOD);
	assert_int_equal(rig_new(GOOD, RIG_TX(0)), 32);
	/* It consumes at last. */
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(rig_receive(EVIL, 0, i, NULL), 64);
	}
	rig_post(EVIL, 0, 20, 2048);
	assert_true(rig_must_kick(EVIL, RIG_RX(0), 20));
	rig_kick(EVIL, RIG_RX(0));
	(void)rig_work(EVIL);
	for (unsigned i = 32; i < 41; i++) {
		assert_int_equal(rig_receive(EVIL, 0, i, NULL), 64);
	}
	rig_send(GOOD, 0, 64, 41);
	assert_true(rig_must_kick(GOOD, RIG_TX(0), 1));
}

/* A packet waits half-way; then one of the two is reset. */
static void blocked_half_way(void)
{
	while (rig_end(EVIL)->inlet.counters.packets < 32) {
		rig_send(GOOD, 0, 64, 0);
		rig_kick(GOOD, RIG_TX(0));
		(void)rig_work(GOOD);
	}
	rig_guests[EVIL].queues[RIG_RX(0)].seen = 32;
	rig_guests[GOOD].queues[RIG_TX(0)].seen = 32;
	rig_post(EVIL, 0, 2, 2048);
	rig_send(GOOD, 0, 9000, 7);
	rig_kick(GOOD, RIG_TX(0));
	(void)rig_work(GOOD);
	assert_true(rig_end(EVIL)->inlet.open);
	assert_int_equal(rig_new(EVIL, RIG_RX(0)), 0);
	assert_int_equal(rig_new(GOOD, RIG_TX(0)), 0);
}

static void test_f67_receiver_resets_half_way(void **state)
{
	(void)state;
	blocked_half_way();
	rig_write(EVIL, 0x14, 1, 0);
	memset(rig_guests[EVIL].ram, 0xa5, RIG_RAM_SIZE); /* its memory is something else now */
	(void)rig_work(EVIL);
	assert_int_equal(rig_new(GOOD, RIG_TX(0)), 1); /* lost, like all that is sent to nobody */
	assert_int_equal(rig_end(EVIL)->inlet.counters.dropped[IO_DROP_LINK], 1);
	for (unsigned i = 0; i < RIG_RAM_SIZE; i++) {
		assert_int_equal(rig_guests[EVIL].ram[i], 0xa5);
	}
	rig_guests[GOOD].queues[RIG_TX(0)].seen++;
	restart();
	expect_traffic();
}

/* And at once has a driver again, with other buffers: the packet begins anew. */
static void test_f67_receiver_restarts_half_way(void **state)
{
	(void)state;
	blocked_half_way();
	rig_write(EVIL, 0x14, 1, 0);
	memset(rig_guests[EVIL].ram, 0xa5, RIG_RAM_SIZE);
	rig_start(EVIL, RIG_ALL, 64);
	for (unsigned i = 0; i < 8; i++) {
		rig_describe(EVIL, RIG_RX(0), i, rig_buffer(RIG_RX(0), 100 + i), 2048, RIG_WRITE,
			     0);
		rig_offer(EVIL, RIG_RX(0), (uint16_t)i);
	}
	(void)rig_work(EVIL);
	assert_int_equal(rig_receive(EVIL, 0, 7, NULL), 9000);
	for (unsigned i = 0; i < 100 * RIG_SLOT; i++) {
		assert_int_equal(*((uint8_t *)rig_at(EVIL, rig_buffer(RIG_RX(0), 0)) + i), 0xa5);
	}
}

static void test_f67_sender_resets_half_way(void **state)
{
	(void)state;
	blocked_half_way();
	rig_write(GOOD, 0x14, 1, 0);
	(void)rig_work(GOOD);
	rig_post(EVIL, 0, 20, 2048);
	rig_kick(EVIL, RIG_RX(0));
	(void)rig_work(EVIL);
	assert_int_equal(rig_new(EVIL, RIG_RX(0)), 0);
	rig_start(GOOD, RIG_ALL, 256);
	rig_post(GOOD, 0, 32, 2048);
	(void)rig_work(GOOD);
	expect_traffic(); /* into the very buffers that the lost one had */
}

/* The receiver's buffers, all of them, cannot hold the packet: it would wait for ever. */
static void test_f67_buffers_too_small_for_ever(void **state)
{
	(void)state;
	rig_write(EVIL, 0x14, 1, 0);
	rig_start(EVIL, RIG_ALL, 4);
	rig_post(EVIL, 0, 4, 1000);
	(void)rig_work(EVIL);
	rig_send(GOOD, 0, 5000, 1);
	rig_send(GOOD, 0, 3000, 2);
	rig_kick(GOOD, RIG_TX(0));
	(void)rig_work(GOOD);
	assert_int_equal(rig_end(EVIL)->inlet.counters.dropped[IO_DROP_ROOM], 1);
	assert_int_equal(rig_new(GOOD, RIG_TX(0)), 2);
	assert_int_equal(rig_receive(EVIL, 0, 2, NULL), 3000);
}

static void test_f68_features(void **state)
{
	(void)state;
	/* Flipped while packets move: the first word stands. */
	rig_write(EVIL, 0x08, 4, 0);
	rig_write(EVIL, 0x0c, 4, 0);
	assert_int_equal(rig_end(EVIL)->accepted & RIG_MERGE, RIG_MERGE);
	rig_write(EVIL, 0x14, 1, 0x0b); /* bits do not go away either */
	assert_int_equal(rig_status(EVIL), 0x0f);
	expect_traffic();
	/* What was not offered, or is not possible, is not accepted. */
	static const uint64_t wrong[] = {RIG_ALL & ~RIG_MODERN & ~RIG_CONTROL,
					 RIG_MODERN | 1ull << 14,
					 RIG_MODERN | 1ull << 33,
					 RIG_MODERN | 1ull << 63,
					 RIG_MODERN,
					 RIG_MODERN | 2,
					 RIG_MODERN | RIG_GUEST_ALL | 1ull << 22};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		rig_write(EVIL, 0x14, 1, 0);
		rig_write(EVIL, 0x14, 1, 3);
		for (unsigned half = 0; half < 2; half++) {
			rig_write(EVIL, 0x08, 4, half);
			rig_write(EVIL, 0x0c, 4, (uint32_t)(wrong[i] >> 32 * half));
		}
		rig_write(EVIL, 0x14, 1, 0x0b);
		assert_int_equal(rig_status(EVIL), 0x03);
		rig_write(EVIL, 0x14, 1, 0x0f);
		assert_int_equal(rig_status(EVIL), 0x03); /* nor can it go on without */
		rig_queue(EVIL, 0, 256);
		assert_null(rig_end(EVIL)->rings[0].table);
	}
	/* A half that does not exist. */
	rig_write(EVIL, 0x08, 4, 0x08000000);
	rig_write(EVIL, 0x0c, 4, ~0u);
	rig_write(EVIL, 0x08, 4, 2);
	rig_write(EVIL, 0x0c, 4, ~0u);
	assert_int_equal(rig_end(EVIL)->accepted, wrong[ARRAY_SIZE(wrong) - 1]);
	restart();
	expect_traffic();
}

/* The index goes on for ever: each call is bounded, and so is what one chain costs. */
static void test_f69_endless_supply(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		unsigned took = rig_new(EVIL, RIG_TX(0)), got = rig_new(GOOD, RIG_RX(0));
		uint64_t packets = rig_end(GOOD)->inlet.counters.packets;

		rig_guests[EVIL].queues[RIG_TX(0)].seen += took;
		rig_guests[GOOD].queues[RIG_RX(0)].seen += got;
		rig_post(GOOD, 0, got, 2048);
		for (unsigned i = 0; i < (round ? took : 200); i++) {
			rig_send(EVIL, 0, 64, i);
		}
		rig_kick(EVIL, RIG_TX(0));
		(void)io_end_work(rig_end(EVIL));
		assert_in_range(rig_end(GOOD)->inlet.counters.packets - packets, 0, 8);
	}
	assert_true(rig_end(GOOD)->inlet.counters.packets > 1000);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_f59_address_outside),
		ROW(test_f59_second_segment_outside),
		ROW(test_f59_areas_outside),
		ROW(test_f59_areas_at_the_end),
		ROW(test_f60_loops),
		ROW(test_f60_chain_as_long_as_the_queue),
		ROW(test_f60_head_or_next_outside_the_table),
		ROW(test_f61_length_zero),
		ROW(test_f61_wrong_direction),
		ROW(test_f61_split_header),
		ROW(test_f61_indirect_tables),
		ROW(test_f62_available_index_jumps),
		ROW(test_f62_queue_numbers),
		ROW(test_f63_flipped_descriptors),
		ROW(test_f63_each_field_is_read_once),
		ROW(test_packet_slips_in_before_the_queue_listens),
		ROW(test_f63_f69_f70_hostile_threads),
		ROW(test_f65_notification_storm),
		ROW(test_f67_queue_sizes),
		ROW(test_f67_peer_never_consumes),
		ROW(test_f67_receiver_resets_half_way),
		ROW(test_f67_receiver_restarts_half_way),
		ROW(test_f67_sender_resets_half_way),
		ROW(test_f67_buffers_too_small_for_ever),
		ROW(test_f68_features),
		ROW(test_f69_endless_supply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
