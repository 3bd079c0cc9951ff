/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define TABLE(q)    (0x2000u * (q))
#define AVAIL(q)    (0x2000u * (q) + 0x1000)
#define USED(q)	    (0x2000u * (q) + 0x1400)
#define MSIX_OFFSET 0x48
#define WORK_MAX    200000u

struct io_wire rig_wire;
struct rig_guest rig_guests[2];

static volatile void *ram_at(void *context, ipa_t ipa, size_t size)
{
	struct rig_guest *guest = context;

	guest->looked++;
	if (!range_inside(ipa.v, size, RIG_RAM, RIG_RAM_SIZE)) {
		return NULL;
	}
	if (guest->between) {
		guest->between(guest, ipa.v, size);
	}
	return guest->ram + (ipa.v - RIG_RAM);
}

static void message(void *context, uint64_t address, uint32_t data)
{
	struct rig_guest *guest = context;

	if (address != RIG_DOORBELL || data >= IO_VECTORS) {
		__atomic_fetch_add(&guest->foreign, 1, __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_add(&guest->messages[data], 1, __ATOMIC_RELAXED);
	}
}

/* All zero, between two pages that nobody may touch. */
static uint8_t *fresh_ram(uint8_t *ram)
{
	if (!ram) {
		ram = mmap(NULL, RIG_RAM_SIZE + 2 * PAGE_SIZE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		assert_true(ram != MAP_FAILED);
		ram += PAGE_SIZE;
		assert_int_equal(mprotect(ram, RIG_RAM_SIZE, PROT_READ | PROT_WRITE), 0);
	}
	assert_int_equal(madvise(ram, RIG_RAM_SIZE, MADV_DONTNEED), 0);
	return ram;
}

void rig_init(unsigned pairs, bool offload)
{
	struct io_end_config configs[2];

	for (unsigned i = 0; i < 2; i++) {
		struct rig_guest *guest = &rig_guests[i];

		*guest = (struct rig_guest){.ram = fresh_ram(guest->ram)};
		guest->memory = (struct guest_memory){guest, ram_at};
		configs[i] =
			(struct io_end_config){.device = {.mac = {0x52, 0x54, 0, 0, 0, (uint8_t)i},
							  .pairs = (uint16_t)pairs,
							  .mtu = 1500},
					       .offload = offload,
					       .memory = &guest->memory,
					       .raise = message,
					       .context = guest};
	}
	io_wire_init(&rig_wire, configs);
}

void rig_free(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (rig_guests[i].ram) {
			munmap(rig_guests[i].ram - PAGE_SIZE, RIG_RAM_SIZE + 2 * PAGE_SIZE);
		}
		rig_guests[i].ram = NULL;
	}
}

struct io_end *rig_end(unsigned end)
{
	return &rig_wire.ends[end];
}

uint32_t rig_read(unsigned end, unsigned offset, unsigned size)
{
	return (uint32_t)io_end_read(rig_end(end), offset, size);
}

void rig_write(unsigned end, unsigned offset, unsigned size, uint64_t value)
{
	io_end_write(rig_end(end), offset, size, value);
}

uint8_t rig_status(unsigned end)
{
	return (uint8_t)rig_read(end, 0x14, 1);
}

bool rig_link(unsigned end)
{
	return rig_read(end, 0x42, 2) & 1;
}

void rig_negotiate(unsigned end, uint64_t features)
{
	uint64_t offered = 0;

	rig_write(end, 0x14, 1, 1);
	rig_write(end, 0x14, 1, 3);
	for (unsigned i = 0; i < 2; i++) {
		rig_write(end, 0x00, 4, i);
		offered |= (uint64_t)rig_read(end, 0x04, 4) << 32 * i;
	}
	features &= offered;
	for (unsigned i = 0; i < 2; i++) {
		rig_write(end, 0x08, 4, i);
		rig_write(end, 0x0c, 4, (uint32_t)(features >> 32 * i));
	}
	rig_write(end, 0x14, 1, 0x0b);
}

void rig_queue(unsigned end, unsigned queue, uint16_t size)
{
	uint64_t areas[] = {RIG_RAM + TABLE(queue), RIG_RAM + AVAIL(queue), RIG_RAM + USED(queue)};

	rig_guests[end].queues[queue] = (struct rig_queue){.size = size};
	memset(rig_guests[end].ram + TABLE(queue), 0, 0x2000);
	rig_write(end, 0x16, 2, queue);
	rig_write(end, 0x18, 2, size);
	rig_write(end, 0x1a, 2, 1 + queue);
	for (unsigned i = 0; i < 3; i++) {
		rig_write(end, 0x20 + 8 * i, 4, (uint32_t)areas[i]);
		rig_write(end, 0x24 + 8 * i, 4, areas[i] >> 32);
	}
	rig_write(end, 0x1c, 2, 1);
}

void rig_start(unsigned end, uint64_t features, uint16_t size)
{
	rig_negotiate(end, features);
	for (unsigned v = 0; v < IO_VECTORS; v++) {
		rig_write(end, MSIX_OFFSET + 16 * v, 4, (uint32_t)RIG_DOORBELL);
		rig_write(end, MSIX_OFFSET + 16 * v + 4, 4, RIG_DOORBELL >> 32);
		rig_write(end, MSIX_OFFSET + 16 * v + 8, 4, v);
		rig_write(end, MSIX_OFFSET + 16 * v + 12, 4, 0);
	}
	io_end_msix(rig_end(end), true, false);
	rig_write(end, 0x10, 2, 0);
	for (unsigned q = 0; q < rig_read(end, 0x12, 2); q++) {
		rig_queue(end, q, size);
	}
	rig_write(end, 0x14, 1, 0x0f);
}

void rig_up(unsigned pairs, unsigned buffers)
{
	rig_init(pairs, true);
	for (unsigned i = 0; i < 2; i++) {
		rig_start(i, RIG_ALL, 256);
		rig_post(i, 0, buffers, 2048);
		rig_kick(i, RIG_RX(0));
		(void)rig_work(i);
	}
	(void)rig_work(0);
}

void *rig_at(unsigned end, uint64_t ipa)
{
	return rig_guests[end].ram + (ipa - RIG_RAM);
}

uint64_t rig_buffer(unsigned queue, unsigned index)
{
	static const uint32_t bases[] = {0x100000, 0x300000, 0x200000, 0x20000, 0x10000};

	return RIG_RAM + bases[queue] + RIG_SLOT * index;
}

void rig_describe(unsigned end, unsigned queue, unsigned index, uint64_t address, uint32_t length,
		  uint16_t flags, uint16_t next)
{
	struct rig_descriptor *table = rig_at(end, RIG_RAM + TABLE(queue));

	table[index] = (struct rig_descriptor){address, length, flags, next};
}

void rig_offer(unsigned end, unsigned queue, uint16_t head)
{
	struct rig_queue *q = &rig_guests[end].queues[queue];
	uint16_t *avail = rig_at(end, RIG_RAM + AVAIL(queue));

	avail[2 + q->avail % q->size] = head;
	__atomic_store_n(&avail[1], ++q->avail, __ATOMIC_RELEASE);
}

void rig_kick(unsigned end, unsigned queue)
{
	rig_write(end, 0x1000 + 4 * queue, 2, queue);
}

bool rig_must_kick(unsigned end, unsigned queue, unsigned count)
{
	struct rig_queue *q = &rig_guests[end].queues[queue];
	uint16_t *used = rig_at(end, RIG_RAM + USED(queue));

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index is there before the event is read */
	return (uint16_t)(q->avail - __atomic_load_n(&used[2 + 4 * q->size], __ATOMIC_RELAXED) -
			  1) < (uint16_t)count;
}

unsigned rig_work(unsigned end)
{
	unsigned calls = 1;

	while (io_end_work(rig_end(end))) {
		if (++calls > WORK_MAX) {
			fail_msg("endless work");
		}
	}
	return calls;
}

void rig_post(unsigned end, unsigned pair, unsigned count, uint32_t size)
{
	struct rig_queue *q = &rig_guests[end].queues[RIG_RX(pair)];

	for (unsigned i = 0; i < count; i++) {
		unsigned index = q->avail % q->size;

		rig_describe(end, RIG_RX(pair), index, rig_buffer(RIG_RX(pair), index), size,
			     RIG_WRITE, 0);
		rig_offer(end, RIG_RX(pair), (uint16_t)index);
	}
}

uint8_t rig_byte(unsigned seed, uint32_t at)
{
	return (uint8_t)(seed * 37 + at + (at >> 8) * 11);
}

void rig_send(unsigned end, unsigned pair, uint32_t size, unsigned seed)
{
	struct rig_queue *q = &rig_guests[end].queues[RIG_TX(pair)];
	unsigned index = q->avail % q->size;
	uint64_t buffer = rig_buffer(RIG_TX(pair), index);
	uint8_t *packet = rig_at(end, buffer);

	memset(packet, 0, IO_HEADER);
	for (uint32_t i = 0; i < size; i++) {
		packet[IO_HEADER + i] = rig_byte(seed, i);
	}
	rig_describe(end, RIG_TX(pair), index, buffer, IO_HEADER + size, 0, 0);
	rig_offer(end, RIG_TX(pair), (uint16_t)index);
}

unsigned rig_new(unsigned end, unsigned queue)
{
	const uint16_t *used = rig_at(end, RIG_RAM + USED(queue));

	return (uint16_t)(__atomic_load_n(&used[1], __ATOMIC_ACQUIRE) -
			  rig_guests[end].queues[queue].seen);
}

/* The bytes of a chain that was given back, checked; returns how many. */
static uint32_t check_chain(unsigned end, unsigned queue, uint32_t *at, unsigned seed)
{
	struct rig_queue *q = &rig_guests[end].queues[queue];
	const uint8_t *used = rig_at(end, RIG_RAM + USED(queue) + 4 + 8 * (q->seen++ % q->size));
	const struct rig_descriptor *d = rig_at(end, RIG_RAM + TABLE(queue));
	uint32_t element[2], total, left;

	memcpy(element, used, sizeof(element));
	assert_in_range(element[0], 0, q->size - 1u);
	total = left = element[1];
	for (d += element[0]; left; d++) {
		const uint8_t *bytes = rig_at(end, d->address);
		uint32_t part = left < d->length ? left : d->length;

		for (uint32_t i = 0; i < part; i++, (*at)++) {
			if (*at >= IO_HEADER && bytes[i] != rig_byte(seed, *at - IO_HEADER)) {
				fail_msg("byte %u is wrong", *at - IO_HEADER);
			}
		}
		left -= part;
	}
	return total;
}

uint32_t rig_receive(unsigned end, unsigned pair, unsigned seed, unsigned *buffers)
{
	struct rig_queue *q = &rig_guests[end].queues[RIG_RX(pair)];
	uint32_t at = 0, total = 0;
	const uint8_t *header;
	unsigned count;

	assert_true(rig_new(end, RIG_RX(pair)) > 0);
	header = rig_at(end, RIG_RAM + USED(RIG_RX(pair)) + 4 + 8 * (q->seen % q->size));
	header = rig_at(
		end,
		((struct rig_descriptor *)rig_at(
			end,
			RIG_RAM + TABLE(RIG_RX(pair))))[*(const uint32_t *)(const void *)header]
			.address);
	count = header[10] | header[11] << 8;
	assert_in_range(count, 1, rig_new(end, RIG_RX(pair)));
	for (unsigned i = 0; i < count; i++) {
		total += check_chain(end, RIG_RX(pair), &at, seed);
	}
	if (buffers) {
		*buffers = count;
	}
	return total - IO_HEADER;
}
