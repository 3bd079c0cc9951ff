/* SPDX-License-Identifier: BSD-2-Clause */
/* The device's side of a split virtqueue (virtio 1.2, 2.7). What a guest wrote is read once. */
#include "bits.h"
#include "room.h"

/* Two words, each read once; the second is length, flags and next. */
struct io_descriptor {
	uint64_t address, rest;
};

#define FLAG_NEXT	   BIT(32)
#define FLAG_WRITE	   BIT(33)
#define FLAG_INDIRECT	   BIT(34)
#define DESCRIPTOR	   16u
#define AVAIL_NO_INTERRUPT 1u

static enum status broken(struct io_ring *ring, const char *why)
{
	ring->fault = why;
	return STATUS_INVALID;
}

static volatile void *area(const struct io_ring *ring, uint64_t address, size_t size,
			   unsigned alignment)
{
	return size && is_aligned(address, alignment)
		       ? ring->memory->at(ring->memory->context, (ipa_t){address}, size)
		       : NULL;
}

enum status ring_enable(struct io_ring *ring, const struct io_queue_registers *registers)
{
	ring->size = registers->size;
	if (ring->size > IO_RING_MAX || !is_aligned(ring->size, ring->size)) {
		return broken(ring, "a queue's size is no power of two, or too large");
	}
	ring->avail = area(ring, registers->driver, 6 + 2ul * ring->size, 2);
	ring->used = area(ring, registers->device, 6 + 8ul * ring->size, 4);
	ring->table = area(ring, registers->table, (size_t)DESCRIPTOR * ring->size, 16);
	if (!ring->avail || !ring->used || !ring->table) {
		ring->table = NULL;
		return broken(ring, "a queue's area is empty, misaligned, or outside RAM");
	}
	return STATUS_OK;
}

/* Chains the driver has made available, and nobody has taken. */
static uint16_t waiting(const struct io_ring *ring)
{
	return (uint16_t)(__atomic_load_n(&ring->avail[1], __ATOMIC_ACQUIRE) - ring->taken);
}

enum status ring_first(struct io_ring *ring, struct io_cursor *cursor)
{
	uint16_t count = waiting(ring);

	/* Until now avail_event was behind, which keeps kicks away (2.7.10). Without it, all come.
	 */
	if (count == 0 && ring->event_index) {
		ring->used[2 + 4 * ring->size] = ring->taken;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		count = waiting(ring);
	}
	if (count > ring->size) {
		return broken(ring, "the available index is ahead by more than the queue");
	}
	cursor->table = ring->table;
	cursor->size = cursor->left = ring->size;
	cursor->head = cursor->next = ring->avail[2 + (ring->taken & (ring->size - 1))];
	cursor->more = true;
	cursor->nested = false;
	cursor->length = 0;
	return count ? STATUS_OK : STATUS_NOT_FOUND;
}

/* The chain goes on, and ends, in a table of its own (2.7.5.3). */
static bool enter(const struct io_ring *ring, struct io_cursor *cursor, uint64_t address,
		  uint64_t rest)
{
	uint32_t length = (uint32_t)rest;

	if (!ring->indirect || cursor->nested || (rest & FLAG_NEXT) || length % DESCRIPTOR ||
	    length / DESCRIPTOR > IO_RING_MAX) {
		return false;
	}
	cursor->table = area(ring, address, length, 8);
	cursor->size = cursor->left = (uint16_t)(length / DESCRIPTOR);
	cursor->next = 0;
	cursor->nested = true;
	return cursor->table;
}

enum status ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write)
{
	uint64_t address, rest;

	if (!cursor->more) {
		return STATUS_NOT_FOUND;
	}
	do { /* twice at most: a nested table is refused */
		if (cursor->next >= cursor->size || cursor->left-- == 0) {
			return broken(ring, "a descriptor outside its table, or a loop");
		}
		address = guest_read64(&cursor->table[cursor->next].address);
		rest = guest_read64(&cursor->table[cursor->next].rest);
		if ((rest & FLAG_INDIRECT) && !enter(ring, cursor, address, rest)) {
			return broken(ring, "an indirect table that may not be there");
		}
	} while (rest & FLAG_INDIRECT);
	cursor->length = (uint32_t)rest;
	cursor->at = area(ring, address, cursor->length, 1);
	cursor->next = (uint16_t)(rest >> 48);
	cursor->more = rest & FLAG_NEXT;
	if (!cursor->at || !(rest & FLAG_WRITE) == write) {
		return broken(ring, "a buffer that is empty, outside RAM, or of the other kind");
	}
	return STATUS_OK;
}

void ring_put(struct io_ring *ring, const struct io_cursor *cursor, uint32_t length)
{
	volatile uint16_t *element = &ring->used[2 + 4 * (ring->taken++ & (ring->size - 1))];

	*(volatile uint32_t *)(volatile void *)element = cursor->head;
	*(volatile uint32_t *)(volatile void *)(element + 2) = length;
}

void ring_publish(struct io_ring *ring)
{
	ring->published = ring->taken;
	__atomic_store_n(&ring->used[1], ring->taken, __ATOMIC_RELEASE);
}

bool ring_interrupts(struct io_ring *ring)
{
	uint16_t before = ring->told, now = ring->published;

	ring->told = now;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring->event_index) {
		return (uint16_t)(now - ring->avail[2 + ring->size] - 1) < (uint16_t)(now - before);
	}
	return now != before && !(ring->avail[0] & AVAIL_NO_INTERRUPT);
}
