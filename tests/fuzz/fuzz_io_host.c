/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wire between a guest that does anything (registers, rings, tables, kicks, resets: what the
 * input says) and one that keeps the rules. After each step: no lock is held, work ends, the good
 * one has not failed, its memory is its own but for what it gave to be written, and whatever it
 * receives is a packet. For libFuzzer (make fuzz-wire) and, with fuzz_replay.c, for make check.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/io-host/wire_rig.h"

#include "fuzz_replay.h"

#define EVIL  0u
#define GOOD  1u
#define SIZE  16u
#define RINGS 0xa000u /* where the good one's queues lie */
#define CALLS 20000u  /* of work for one step */

static const uint8_t *data;
static size_t left;
static unsigned owned; /* receive buffers the wire has, a bit each */
static uint8_t rings[RINGS];

static uint64_t take(unsigned bytes)
{
	uint64_t value = 0;

	for (; bytes && left; bytes--, left--) {
		value = value << 8 | *data++;
	}
	return value;
}

static void check(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fuzz_io_host: %s\n", what);
		abort();
	}
}

/* Addresses that are good, not good, or something the wire itself reads. */
static uint64_t address(void)
{
	uint64_t kind = take(1), at = take(2);

	switch (kind % 8) {
	case 0:
		return take(6) << 16 | at;
	case 1:
		return RIG_RAM + RIG_RAM_SIZE - at % 128;
	case 2:
		return RIG_RAM + at % 0x6000;
	case 3:
		return RIG_RAM + 0x10000 + at % 256 / 16 * 16;
	default:
		return RIG_RAM + 0x100000 + at;
	}
}

static struct rig_descriptor descriptor(void)
{
	struct rig_descriptor d = {.address = address()};
	uint64_t bits = take(3);

	d.length = (uint32_t)(bits & 0x8000 ? bits << 8 : bits & 0xfff);
	d.flags = bits >> 16 & 7;
	d.next = bits >> 19 & 31;
	return d;
}

static void work(unsigned end)
{
	unsigned calls = 0;

	while (io_end_work(rig_end(end))) {
		check(++calls < CALLS, "work without end");
	}
}

/* --- the good one -------------------------------------------------------------------------------
 */

static uint16_t *word(uint32_t at)
{
	return rig_at(GOOD, RIG_RAM + at);
}

static void expect_same(void)
{
	/* All but the used rings. */
	for (unsigned q = 0; q < IO_QUEUES; q++) {
		check(!memcmp(word(0x2000 * q), rings + 0x2000 * q, 0x1400),
		      "the good one's queue was written");
		check(!memcmp(word(0x2000 * q + 0x1c06), rings + 0x2000 * q + 0x1c06, 0x3fa),
		      "beyond the used ring");
	}
}

static void keep(void)
{
	memcpy(rings, word(0), RINGS);
}

static void check_header(const uint8_t *h, uint32_t length)
{
	unsigned gso_size = h[4] | h[5] << 8;
	unsigned checksum = (h[6] | h[7] << 8) + (h[8] | h[9] << 8) + 2u;

	check(length >= IO_PACKET_MIN && length <= IO_PACKET_MAX, "no packet's size");
	check(h[0] <= 1 && (h[1] == 0 || h[1] == 1 || h[1] == 4), "a header of another kind");
	check(h[0] ? checksum <= length : h[1] == 0, "a checksum outside the packet");
	check(!h[1] == !gso_size, "segments of no size");
}

static void receive(void)
{
	struct rig_queue *q = &rig_guests[GOOD].queues[RIG_RX(0)];

	while (rig_new(GOOD, RIG_RX(0))) {
		const uint8_t *header = NULL;
		unsigned count = 1;
		uint32_t total = 0;

		for (unsigned i = 0; i < count; i++) {
			uint32_t element[2];

			check(rig_new(GOOD, RIG_RX(0)), "a packet that is not all there");
			memcpy(element, word(0x1404 + 8 * (q->seen++ % SIZE)), sizeof(element));
			check(element[0] < SIZE && (owned >> element[0] & 1),
			      "a buffer that the wire did not have");
			owned &= ~(1u << element[0]);
			check(element[1] > 0 && element[1] <= 2048, "more than the buffer holds");
			total += element[1];
			if (i == 0) {
				header = rig_at(GOOD, rig_buffer(RIG_RX(0), element[0]));
				check(element[1] >= IO_HEADER, "no header");
				count = header[10] | header[11] << 8;
				check(count > 0, "a packet in no buffer");
			}
		}
		check_header(header, total - IO_HEADER);
	}
}

static void post(unsigned count)
{
	for (unsigned i = 0; i < SIZE && count; i++) {
		if (!(owned >> i & 1)) {
			owned |= 1u << i;
			rig_describe(GOOD, RIG_RX(0), i, rig_buffer(RIG_RX(0), i), 2048, RIG_WRITE,
				     0);
			rig_offer(GOOD, RIG_RX(0), (uint16_t)i);
			count--;
		}
	}
	keep();
}

static void send(uint32_t size)
{
	struct rig_queue *q = &rig_guests[GOOD].queues[RIG_TX(0)];

	check(rig_new(GOOD, RIG_TX(0)) <= SIZE, "more is given back than was sent");
	if ((uint16_t)(q->avail - q->seen) - rig_new(GOOD, RIG_TX(0)) < SIZE) {
		q->seen += rig_new(GOOD, RIG_TX(0));
		rig_send(GOOD, 0, size, size);
		keep();
	}
}

/* --- steps --------------------------------------------------------------------------------------
 */

static void step(void)
{
	static const uint64_t features[] = {RIG_ALL, RIG_ALL & ~RIG_EVENT, RIG_ALL & ~RIG_MERGE,
					    RIG_ALL & ~RIG_TABLES};
	uint64_t kind = take(1), queue = kind >> 4 & 3, at;
	unsigned end = kind >> 6 & 1;

	switch (kind % 16) {
	case 0:
		at = take(1);
		rig_write(EVIL, (unsigned)at, 1u << (kind >> 4 & 3), take(4));
		break;
	case 1:
		at = take(2) % 0x6000 & ~1u;
		*(uint16_t *)rig_at(EVIL, RIG_RAM + at) = (uint16_t)take(2);
		break;
	case 2:
	case 3:
		((struct rig_descriptor *)rig_at(EVIL, RIG_RAM + 0x2000 * queue))[take(1) % SIZE] =
			descriptor();
		break;
	case 4:
		((struct rig_descriptor *)rig_at(EVIL, RIG_RAM + 0x10000))[take(1) % SIZE] =
			descriptor();
		break;
	case 5:
	case 6:
		if (rig_guests[EVIL].queues[queue].size) {
			rig_offer(EVIL, (unsigned)queue, (uint16_t)take(1) % (SIZE + 2));
		}
		break;
	case 7:
		rig_kick(EVIL, kind >> 4);
		(void)io_end_work(rig_end(EVIL));
		break;
	case 8:
		rig_write(EVIL, 0x14, 1, 0);
		rig_start(EVIL, features[queue], (uint16_t)(take(1) % 8 ? SIZE : 1u << queue));
		break;
	case 9:
		send(take(1) % 2 ? (uint32_t)take(2) % 3000 : (uint32_t)take(1));
		break;
	case 10:
		receive();
		post((unsigned)take(1) % SIZE);
		break;
	case 11:
		rig_kick(GOOD, kind >> 4 & 1);
		(void)io_end_work(rig_end(GOOD));
		break;
	case 12:
		io_end_msix(rig_end(EVIL), queue & 1, queue & 2);
		break;
	case 13:
		io_end_reset(rig_end(EVIL));
		break;
	case 14:
		(void)io_end_read(rig_end(EVIL), take(2), 1u << queue);
		break;
	default:
		work(end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	data = input;
	left = size;
	owned = 0;
	rig_init(size && input[0] % 2 ? 2 : 1, true);
	rig_start(GOOD, RIG_ALL, SIZE);
	rig_start(EVIL, RIG_ALL, SIZE);
	post(8);
	take(1);
	while (left) {
		step();
		expect_same();
		for (unsigned i = 0; i < 2; i++) {
			const struct io_end *e = rig_end(i);

			check(e->inlet.lock.next == e->inlet.lock.serving &&
				      e->msix_lock.next == e->msix_lock.serving,
			      "a lock is held");
		}
		check(rig_status(GOOD) == 0x0f && !rig_end(GOOD)->fault, "the good one failed");
		check(!rig_guests[GOOD].foreign, "a message that nobody asked for");
	}
	work(EVIL);
	work(GOOD);
	receive();
	/* It starts again, and all is well. */
	rig_write(EVIL, 0x14, 1, 0);
	rig_start(EVIL, RIG_ALL, SIZE);
	work(EVIL);
	work(GOOD);
	receive();
	post(1);
	rig_send(EVIL, 0, 100, 1);
	rig_kick(EVIL, RIG_TX(0));
	work(EVIL);
	check(rig_new(GOOD, RIG_RX(0)) > 0, "nothing comes any more");
	return 0;
}
