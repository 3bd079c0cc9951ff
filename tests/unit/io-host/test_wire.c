/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets between two drivers that keep the rules. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "wire_rig.h"

static int teardown(void **state)
{
	(void)state;
	rig_free();
	return rig_guests[0].foreign || rig_guests[1].foreign;
}

static const struct io_counters *to(unsigned end)
{
	return &rig_end(end)->inlet.counters;
}

static void test_one_packet(void **state)
{
	(void)state;
	rig_up(1, 16);
	assert_true(rig_link(0) && rig_link(1));
	rig_send(0, 0, 64, 7);
	assert_true(rig_must_kick(0, RIG_TX(0), 1));
	rig_kick(0, RIG_TX(0));
	assert_int_equal(rig_work(0), 1);
	assert_int_equal(rig_new(0, RIG_TX(0)), 1);
	assert_int_equal(rig_receive(1, 0, 7, NULL), 64);
	assert_int_equal(to(1)->packets, 1);
	assert_int_equal(to(1)->bytes, 64);
	assert_int_equal(to(0)->packets, 0);
	assert_int_equal(rig_guests[1].messages[1 + RIG_RX(0)], 1);
}

/* Every size, in both directions, over merged buffers where it has to be. */
static void test_all_sizes(void **state)
{
	static const uint32_t sizes[] = {14,   15,   60,   127,	 128,  129,   1472, 1514,
					 2036, 2037, 4084, 4085, 9000, 65535, 65550};
	unsigned seed = 0;

	(void)state;
	rig_up(1, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned from = 0; from < 2; from++) {
			unsigned buffers, needed = (sizes[i] + IO_HEADER + 2047) / 2048;

			rig_post(1 - from, 0, needed, 2048);
			rig_send(from, 0, sizes[i], ++seed);
			rig_kick(from, RIG_TX(0));
			(void)rig_work(from);
			assert_int_equal(rig_receive(1 - from, 0, seed, &buffers), sizes[i]);
			assert_int_equal(buffers, needed);
			assert_int_equal(rig_new(1 - from, RIG_RX(0)), 0);
		}
	}
	assert_int_equal(to(0)->blocked + to(1)->blocked, 0);
}

static void kick(unsigned end)
{
	rig_kick(end, RIG_TX(0));
	(void)rig_work(end);
}

/* A batch costs one kick, one interrupt at each end, and none until the driver has looked. */
static void test_batches(void **state)
{
	(void)state;
	rig_up(1, 200);
	for (unsigned batch = 0; batch < 4; batch++) {
		unsigned rang = rig_guests[1].messages[1 + RIG_RX(0)];

		for (unsigned i = 0; i < 16; i++) {
			rig_send(0, 0, 64, i);
		}
		assert_true(rig_must_kick(0, RIG_TX(0), 16));
		kick(0);
		assert_false(rig_must_kick(0, RIG_TX(0), 16));
		/* used_event stays where it was, behind: one in all. */
		assert_int_equal(rig_guests[1].messages[1 + RIG_RX(0)] - rang, batch == 0);
	}
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(rig_receive(1, 0, i % 16, NULL), 64);
	}
	/* Buffers that come back are not kicked either. */
	rig_post(1, 0, 64, 2048);
	assert_false(rig_must_kick(1, RIG_RX(0), 64));
}

/* used_event: interrupts when the driver's mark is passed, not before. */
static void test_interrupt_where_asked(void **state)
{
	uint16_t *used_event;

	(void)state;
	rig_up(1, 64);
	used_event = rig_at(1, RIG_RAM + 0x1000 + 4 + 2 * 256);
	*used_event = 4; /* after the fifth */
	for (unsigned i = 0; i < 10; i++) {
		rig_send(0, 0, 64, i);
		kick(0);
		assert_int_equal(rig_guests[1].messages[1 + RIG_RX(0)], i >= 4);
	}
}

/* A driver without EVENT_IDX: flags do it. */
static void test_without_event_index(void **state)
{
	uint16_t *avail_flags;

	(void)state;
	rig_init(1, true);
	rig_start(0, RIG_ALL & ~RIG_EVENT, 64);
	rig_start(1, RIG_ALL & ~RIG_EVENT, 64);
	rig_post(1, 0, 32, 2048);
	(void)rig_work(1);
	avail_flags = rig_at(1, RIG_RAM + 0x1000);
	for (unsigned i = 0; i < 6; i++) {
		*avail_flags = i % 2;
		rig_send(0, 0, 100, i);
		kick(0);
		assert_int_equal(rig_receive(1, 0, i, NULL), 100);
		assert_int_equal(rig_guests[1].messages[1 + RIG_RX(0)], i / 2 + 1);
	}
	assert_int_equal(rig_work(0), 1);
	assert_int_equal(rig_guests[1].messages[1 + RIG_RX(0)], 3);
}

/* Without MRG_RXBUF a packet has one chain, or is lost; the chain is used for the next. */
static void test_without_merging(void **state)
{
	(void)state;
	rig_init(1, true);
	rig_start(0, RIG_ALL & ~RIG_MERGE, 64);
	rig_start(1, RIG_ALL & ~RIG_MERGE, 64);
	(void)rig_work(0);
	for (unsigned i = 0; i < 20; i++) { /* header and 1500 bytes, in three pieces */
		for (unsigned d = 0; d < 3; d++) {
			static const uint32_t lengths[] = {IO_HEADER, 500, 1000};

			rig_describe(1, RIG_RX(0), 3 * i + d,
				     rig_buffer(RIG_RX(0), i) + (d > 0 ? lengths[d - 1] : 0) +
					     d * 100,
				     lengths[d], d < 2 ? RIG_WRITE | RIG_NEXT : RIG_WRITE,
				     (uint16_t)(3 * i + d + 1));
		}
		rig_offer(1, RIG_RX(0), (uint16_t)(3 * i));
	}
	rig_send(0, 0, 1501, 1);
	rig_send(0, 0, 1500, 2);
	rig_send(0, 0, 14, 3);
	kick(0);
	assert_int_equal(to(1)->dropped[IO_DROP_ROOM], 1);
	assert_int_equal(rig_new(0, RIG_TX(0)), 3);
	assert_int_equal(rig_receive(1, 0, 2, NULL), 1500);
	assert_int_equal(rig_receive(1, 0, 3, NULL), 14);
}

/* A packet in pieces of every size, direct and indirect, into pieces of other sizes. */
static void test_pieces(void **state)
{
	(void)state;
	rig_up(1, 0);
	for (unsigned piece = 1; piece < 150; piece += piece < 20 ? 1 : 13) {
		bool table = piece % 2;
		unsigned count = 1 + (300 + piece - 1) / piece;
		uint64_t buffer = rig_buffer(RIG_TX(0), 0), at = rig_buffer(RIG_TX(0), 100);
		uint16_t head = table ? 255 : 0;

		count = count > 240 ? 240 : count;
		memset(rig_at(0, buffer), 0, IO_HEADER);
		for (unsigned i = 0; i < 4000; i++) {
			*((uint8_t *)rig_at(0, buffer + IO_HEADER + i)) = rig_byte(piece, i);
		}
		for (unsigned d = 0; d < count; d++) {
			struct rig_descriptor descriptor = {
				buffer + (d ? IO_HEADER + (d - 1) * piece : 0),
				d ? piece : IO_HEADER, d + 1 < count ? RIG_NEXT : 0,
				(uint16_t)(d + 1)};

			if (table) {
				((struct rig_descriptor *)rig_at(0, at))[d] = descriptor;
			} else {
				rig_describe(0, RIG_TX(0), d, descriptor.address, descriptor.length,
					     descriptor.flags, descriptor.next);
			}
		}
		if (table) {
			rig_describe(0, RIG_TX(0), head, at, 16 * count, RIG_INDIRECT, 0);
		}
		rig_offer(0, RIG_TX(0), head);
		rig_post(1, 0, 40, IO_HEADER + piece % 7);
		kick(0);
		if ((count - 1) * piece < IO_PACKET_MIN) {
			assert_int_equal(rig_new(1, RIG_RX(0)), 0);
		} else {
			rig_post(1, 0, 40, IO_HEADER + piece % 7);
			rig_kick(1, RIG_RX(0));
			(void)rig_work(1);
			assert_int_equal(rig_receive(1, 0, piece, NULL), (count - 1) * piece);
		}
		rig_init(1, true); /* all buffers back */
		rig_up(1, 0);
	}
}

static void test_runts_and_giants(void **state)
{
	(void)state;
	rig_up(1, 64);
	for (uint32_t size = 0; size < IO_PACKET_MIN; size++) {
		rig_send(0, 0, size, size);
	}
	rig_send(0, 0, IO_PACKET_MAX + 1, 1);
	rig_send(0, 0, IO_PACKET_MIN, 2);
	kick(0);
	assert_int_equal(to(1)->dropped[IO_DROP_SIZE], IO_PACKET_MIN + 1);
	assert_int_equal(rig_new(0, RIG_TX(0)), IO_PACKET_MIN + 2);
	assert_int_equal(rig_receive(1, 0, 2, NULL), IO_PACKET_MIN);
	assert_int_equal(rig_status(0), 0x0f);
	/* In pieces, each of which is small enough. */
	for (unsigned d = 0; d < 17; d++) {
		rig_describe(0, RIG_TX(0), d, rig_buffer(RIG_TX(0), d), 4096, d < 16 ? RIG_NEXT : 0,
			     (uint16_t)(d + 1));
	}
	memset(rig_at(0, rig_buffer(RIG_TX(0), 0)), 0, IO_HEADER);
	rig_offer(0, RIG_TX(0), 0);
	kick(0);
	assert_int_equal(to(1)->dropped[IO_DROP_SIZE], IO_PACKET_MIN + 2);
	assert_int_equal(rig_new(1, RIG_RX(0)), 0);
}

/* Sends 1000 bytes with this header; returns the one that came, or NULL. */
static const uint8_t *send_header(const uint8_t header[IO_HEADER])
{
	unsigned index = rig_guests[0].queues[RIG_TX(0)].avail % 256;
	unsigned next = rig_guests[1].queues[RIG_RX(0)].seen % 256;

	rig_send(0, 0, 1000, 9);
	memcpy(rig_at(0, rig_buffer(RIG_TX(0), index)), header, IO_HEADER);
	kick(0);
	if (!rig_new(1, RIG_RX(0))) {
		return NULL;
	}
	assert_int_equal(rig_receive(1, 0, 9, NULL), 1000);
	return rig_at(1, rig_buffer(RIG_RX(0), next));
}

static void test_offloads_are_carried(void **state)
{
	/* flags, gso, header length, gso size, checksum start, offset, buffers */
	static const uint8_t sent[][IO_HEADER] = {{0},
						  {1, 0, 0, 0, 0, 0, 34, 0, 16, 0},
						  {1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0},
						  {1, 4, 74, 0, 0xa0, 5, 54, 0, 16, 0},
						  {1, 0, 0, 0, 0, 0, 0xe6, 3, 0, 0}};

	(void)state;
	rig_up(1, 64);
	for (unsigned i = 0; i < ARRAY_SIZE(sent); i++) {
		const uint8_t *got = send_header(sent[i]);

		assert_non_null(got);
		assert_memory_equal(got, sent[i], 10);
		assert_int_equal(got[10], 1);
		assert_int_equal(got[11], 0);
	}
	/* What says nothing is not passed on: flags of the receiver's side, hints without a type.
	 */
	const uint8_t *got = send_header((const uint8_t[]){0xfe, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9});

	assert_non_null(got);
	assert_memory_equal(got, ((const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}),
			    IO_HEADER);
}

static void test_bad_headers(void **state)
{
	static const uint8_t bad[][IO_HEADER] = {
		{1, 0, 0, 0, 0, 0, 0xe7, 3, 0, 0},    /* the checksum ends behind the packet */
		{1, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, /* by far */
		{1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
		{0, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0}, /* segments without a checksum */
		{1, 1, 54, 0, 0, 0, 34, 0, 16, 0},    /* of size 0 */
		{1, 3, 54, 0, 0xb4, 5, 34, 0, 16, 0}, /* UDP */
		{1, 5, 54, 0, 0xb4, 5, 34, 0, 16, 0},
		{1, 0x81, 54, 0, 0xb4, 5, 34, 0, 16, 0}, /* ECN */
		{1, 0x80, 54, 0, 0xb4, 5, 34, 0, 16, 0},
		{1, 0xff, 54, 0, 0xb4, 5, 34, 0, 16, 0},
		{1, 1, 0xe9, 3, 0xb4, 5, 34, 0, 16, 0}}; /* headers longer than the packet */

	(void)state;
	rig_up(1, 64);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(send_header(bad[i]));
		assert_int_equal(to(1)->dropped[IO_DROP_HEADER], i + 1);
	}
	assert_int_equal(rig_status(0), 0x0f);
	assert_non_null(send_header((const uint8_t[IO_HEADER]){0}));
}

/* A wire without offloads: nobody is offered any, and nobody gets any. */
static void test_without_offloads(void **state)
{
	(void)state;
	rig_init(1, false);
	rig_start(0, RIG_ALL, 256);
	rig_start(1, RIG_ALL, 256);
	assert_int_equal(rig_end(0)->accepted & (RIG_CSUM | RIG_GUEST_ALL | 3ull << 11), 0);
	rig_post(1, 0, 16, 2048);
	assert_null(send_header((const uint8_t[]){1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0}));
	assert_null(send_header((const uint8_t[]){1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0, 0, 0}));
	assert_non_null(send_header((const uint8_t[IO_HEADER]){0}));
}

static void test_link(void **state)
{
	(void)state;
	rig_init(1, true);
	rig_start(0, RIG_ALL, 256);
	assert_false(rig_link(0));
	/* Nobody there: sent packets are lost, and the driver has its buffers back. */
	rig_send(0, 0, 64, 1);
	kick(0);
	assert_int_equal(rig_new(0, RIG_TX(0)), 1);
	assert_int_equal(to(1)->dropped[IO_DROP_LINK], 1);
	memset(rig_guests[0].messages, 0, sizeof(rig_guests[0].messages));
	uint8_t generation = (uint8_t)rig_read(0, 0x15, 1);

	rig_start(1, RIG_ALL, 256);
	assert_true(rig_link(0) && rig_link(1));
	assert_int_equal(rig_guests[0].messages[0], 1);
	assert_int_not_equal(generation, rig_read(0, 0x15, 1));
	/* A partition that stops: the link goes; its device is as new. */
	io_end_reset(rig_end(1));
	(void)rig_work(1);
	assert_false(rig_link(0));
	assert_int_equal(rig_guests[0].messages[0], 2);
	assert_int_equal(rig_status(1), 0);
	assert_int_equal(rig_read(1, 0x48 + 12, 4), 1);
	/* A driver that gives up is as good as gone. */
	rig_start(1, RIG_ALL, 256);
	rig_write(1, 0x14, 1, 0x8f);
	assert_false(rig_link(0));
	assert_int_equal(rig_guests[0].messages[0], 4);
}

/* What was sent before the receiver had a driver, or a buffer, comes when it has. */
static void test_buffers_posted_before_the_driver_is_ready(void **state)
{
	(void)state;
	rig_up(1, 0);
	rig_send(0, 0, 64, 1);
	kick(0);
	assert_int_equal(to(1)->blocked, 1);
	assert_int_equal(rig_new(0, RIG_TX(0)), 0);
	rig_post(1, 0, 1, 2048);
	assert_true(rig_must_kick(1, RIG_RX(0), 1));
	rig_kick(1, RIG_RX(0));
	(void)rig_work(1);
	assert_int_equal(rig_receive(1, 0, 1, NULL), 64);
}

static void ask_pairs(unsigned end, unsigned queue, unsigned pairs, unsigned answer)
{
	uint64_t at = rig_buffer(queue, 0);
	uint8_t *bytes = rig_at(end, at);

	memcpy(bytes, ((const uint8_t[]){4, 0, (uint8_t)pairs, (uint8_t)(pairs >> 8), 0xaa}), 5);
	rig_describe(end, queue, 0, at, 2, RIG_NEXT, 1);
	rig_describe(end, queue, 1, at + 2, 2, RIG_NEXT, 2);
	rig_describe(end, queue, 2, at + 4, 1, RIG_WRITE, 0);
	rig_offer(end, queue, 0);
	rig_kick(end, queue);
	(void)rig_work(end);
	assert_int_equal(rig_new(end, queue), 1);
	rig_guests[end].queues[queue].seen++;
	assert_int_equal(bytes[4], answer);
}

static void set_pairs(unsigned end, unsigned pairs, unsigned answer)
{
	ask_pairs(end, RIG_CTRL, pairs, answer);
}

static void test_two_pairs(void **state)
{
	(void)state;
	rig_up(2, 32);
	rig_post(1, 1, 32, 2048);
	assert_int_equal(rig_read(0, 0x12, 2), 5);
	assert_int_equal(rig_read(0, 0x44, 2), 2);
	/* One pair in use at the receiver: both of the sender's go there. */
	rig_send(0, 0, 64, 1);
	rig_send(0, 1, 65, 2);
	rig_kick(0, RIG_TX(1));
	(void)rig_work(0);
	assert_int_equal(rig_new(1, RIG_RX(0)), 2);
	assert_int_equal(rig_new(0, RIG_TX(0)) + rig_new(0, RIG_TX(1)), 2);
	rig_guests[1].queues[RIG_RX(0)].seen = 2;
	set_pairs(1, 2, 0);
	for (unsigned i = 0; i < 20; i++) {
		rig_send(0, i % 2, 64, i);
	}
	rig_kick(0, RIG_TX(0));
	rig_kick(0, RIG_TX(1));
	(void)rig_work(0);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(rig_receive(1, i % 2, i, NULL), 64);
	}
	assert_int_equal(rig_guests[1].messages[1 + RIG_RX(1)], 1);
	set_pairs(1, 0, 1);
	set_pairs(1, 3, 1);
	set_pairs(1, 0x101, 1);
	set_pairs(1, 1, 0);
	rig_send(0, 1, 64, 5);
	rig_kick(0, RIG_TX(1));
	(void)rig_work(0);
	assert_int_equal(rig_new(1, RIG_RX(0)), 1);
	assert_int_equal(rig_status(1), 0x0f);
}

/* The receiver changes its pairs while a packet waits half-way in the one it gives up. */
static void test_pairs_change_half_way(void **state)
{
	(void)state;
	rig_up(2, 8);
	set_pairs(1, 2, 0);
	rig_post(1, 1, 1, 2048);
	rig_send(0, 1, 9000, 5);
	rig_kick(0, RIG_TX(1));
	(void)rig_work(0);
	assert_int_equal(rig_new(0, RIG_TX(1)), 0);
	set_pairs(1, 1, 0);
	assert_int_equal(rig_new(0, RIG_TX(1)), 1);
	assert_int_equal(rig_receive(1, 0, 5, NULL), 9000);
	assert_int_equal(rig_new(1, RIG_RX(1)), 0);
}

static void test_bad_control_commands(void **state)
{
	static const uint32_t lengths[][3] = {
		{1, 2, 1}, {2, 1, 1}, {2, 3, 1}, {2, 2, 2}, {4, 2, 1}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		rig_up(2, 8);
		for (unsigned d = 0; d < 3; d++) {
			rig_describe(1, RIG_CTRL, d, rig_buffer(RIG_CTRL, d), lengths[i][d],
				     d < 2 ? RIG_NEXT : RIG_WRITE, (uint16_t)(d + 1));
		}
		rig_offer(1, RIG_CTRL, 0);
		rig_kick(1, RIG_CTRL);
		(void)rig_work(1);
		assert_int_equal(rig_status(1), 0x4f);
		assert_non_null(rig_end(1)->fault);
		assert_int_equal(rig_status(0), 0x0f);
	}
	/* Another class is refused, not a failure. */
	rig_up(2, 8);
	*(uint8_t *)rig_at(1, rig_buffer(RIG_CTRL, 0)) = 1;
	*(uint8_t *)rig_at(1, rig_buffer(RIG_CTRL, 1)) = 2;
	for (unsigned d = 0; d < 3; d++) {
		rig_describe(1, RIG_CTRL, d, rig_buffer(RIG_CTRL, d), d < 2 ? 2 : 1,
			     d < 2 ? RIG_NEXT : RIG_WRITE, (uint16_t)(d + 1));
	}
	rig_offer(1, RIG_CTRL, 0);
	rig_kick(1, RIG_CTRL);
	(void)rig_work(1);
	assert_int_equal(*(uint8_t *)rig_at(1, rig_buffer(RIG_CTRL, 2)), 1);
	assert_int_equal(rig_end(1)->pairs, 1);
	assert_int_equal(rig_status(1), 0x0f);
}

/* Without the feature the control queue is the third, and stays that: nobody receives there. */
static void test_pairs_that_were_not_negotiated(void **state)
{
	(void)state;
	rig_init(2, true);
	rig_start(0, RIG_ALL, 256);
	rig_start(1, RIG_ALL & ~(1ull << 22), 256);
	ask_pairs(1, 2, 2, 1);
	assert_int_equal(rig_end(1)->pairs, 1);
	rig_post(1, 0, 8, 2048);
	rig_kick(1, RIG_RX(0));
	(void)rig_work(1);
	for (unsigned i = 0; i < 8; i++) {
		rig_send(0, i % 2, 64, i);
		rig_kick(0, RIG_TX(i % 2));
		(void)rig_work(0);
		assert_int_equal(rig_receive(1, 0, i, NULL), 64);
	}
	assert_int_equal(rig_status(1), 0x0f);
}

/* The largest indirect table there may be. */
static void test_largest_table(void **state)
{
	uint64_t at = rig_buffer(RIG_TX(0), 100);

	(void)state;
	rig_up(1, 8);
	for (unsigned d = 0; d < 256; d++) {
		((struct rig_descriptor *)rig_at(0, at))[d] =
			(struct rig_descriptor){rig_buffer(RIG_TX(0), 0) + 12 * d, 12,
						d < 255 ? RIG_NEXT : 0, (uint16_t)(d + 1)};
	}
	for (unsigned i = 0; i < 255 * 12; i++) {
		*((uint8_t *)rig_at(0, rig_buffer(RIG_TX(0), 0)) + 12 + i) = rig_byte(3, i);
	}
	rig_describe(0, RIG_TX(0), 0, at, 16 * 256, RIG_INDIRECT, 0);
	rig_offer(0, RIG_TX(0), 0);
	kick(0);
	assert_int_equal(rig_receive(1, 0, 3, NULL), 255 * 12);
}

/* A driver that is ready, but has no queue to receive. */
static void test_no_receive_queue(void **state)
{
	(void)state;
	rig_init(1, true);
	rig_start(0, RIG_ALL, 64);
	rig_negotiate(1, RIG_ALL);
	rig_queue(1, RIG_TX(0), 64);
	rig_write(1, 0x14, 1, 0x0f);
	rig_send(0, 0, 64, 1);
	kick(0);
	assert_int_equal(rig_new(0, RIG_TX(0)), 1);
	assert_int_equal(to(1)->dropped[IO_DROP_LINK], 1);
	assert_int_equal(rig_status(1), 0x0f);
}

/* A large packet is copied in slices, each in a call of its own or with few others. */
static void test_large_copies_are_cut(void **state)
{
	uint32_t before = 0, most = 0;

	(void)state;
	rig_up(1, 0);
	rig_describe(1, RIG_RX(0), 0, rig_buffer(RIG_RX(0), 0), 0x20000, RIG_WRITE, 0);
	rig_offer(1, RIG_RX(0), 0);
	rig_send(0, 0, 65000, 3);
	rig_kick(0, RIG_TX(0));
	while (io_end_work(rig_end(0))) {
		uint32_t moved = rig_end(1)->inlet.position - before;

		before += moved;
		most = moved > most ? moved : most;
	}
	assert_in_range(most, 4096, 20000);
	assert_int_equal(rig_receive(1, 0, 3, NULL), 65000);
}

/* --- two cores -------------------------------------------------------------------------------- */

#define TOGETHER 30000u

static unsigned arrived;

static void *consume(void *argument)
{
	while (__atomic_load_n(&arrived, __ATOMIC_RELAXED) < TOGETHER) {
		unsigned count = rig_new(1, RIG_RX(0));

		for (unsigned i = 0; i < count; i++) {
			assert_int_equal(rig_receive(1, 0, arrived + i, NULL), 60);
		}
		rig_post(1, 0, count, 2048);
		if (count && rig_must_kick(1, RIG_RX(0), count)) {
			rig_kick(1, RIG_RX(0));
			(void)rig_work(1);
		}
		__atomic_fetch_add(&arrived, count, __ATOMIC_RELAXED);
		if (*(volatile bool *)argument) {
			break;
		}
	}
	return NULL;
}

/* Kicks only when the rings ask for them, on two cores at once: nobody is ever left asleep. */
static void test_no_kick_is_missed(void **state)
{
	struct timespec began, now;
	unsigned sent = 0, back = 0;
	bool stop = false;
	pthread_t thread;

	(void)state;
	rig_up(1, 4);
	arrived = 0;
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(pthread_create(&thread, NULL, consume, &stop), 0);
	do {
		unsigned count = rig_new(0, RIG_TX(0));

		rig_guests[0].queues[RIG_TX(0)].seen += count;
		back += count;
		if (sent < TOGETHER && sent - back < 3) {
			rig_send(0, 0, 60, sent++);
			if (rig_must_kick(0, RIG_TX(0), 1)) {
				rig_kick(0, RIG_TX(0));
				(void)rig_work(0);
			}
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (__atomic_load_n(&arrived, __ATOMIC_RELAXED) < TOGETHER &&
		 now.tv_sec - began.tv_sec < 30);
	*(volatile bool *)&stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(arrived, TOGETHER);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_teardown(test, teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_one_packet),
		ROW(test_all_sizes),
		ROW(test_batches),
		ROW(test_interrupt_where_asked),
		ROW(test_without_event_index),
		ROW(test_without_merging),
		ROW(test_pieces),
		ROW(test_runts_and_giants),
		ROW(test_offloads_are_carried),
		ROW(test_bad_headers),
		ROW(test_without_offloads),
		ROW(test_largest_table),
		ROW(test_no_receive_queue),
		ROW(test_large_copies_are_cut),
		ROW(test_no_kick_is_missed),
		ROW(test_link),
		ROW(test_buffers_posted_before_the_driver_is_ready),
		ROW(test_two_pairs),
		ROW(test_pairs_change_half_way),
		ROW(test_bad_control_commands),
		ROW(test_pairs_that_were_not_negotiated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
