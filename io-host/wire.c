/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets from the peer's transmit queues into an end's receive queues, one at a time. A packet is
 * taken from its sender when the receiver has all of it, or when it is dropped: what waits or is
 * abandoned half-way is still the sender's, and the receiver has not seen it.
 */
#include "bits.h"
#include "room.h"

#include "arch_copy.h"

/* In instructions, roughly; a byte is an eighth. */
#define BUDGET	    2500u
#define COST_STEP   190u
#define SLICE	    4096u /* bytes copied in one step */

#define HEADER_CSUM 1u
#define GSO_NONE    0u
#define GSO_TCPV4   1u
#define GSO_TCPV6   4u

_Static_assert(sizeof(struct io_header) == IO_HEADER, "laid out as in 5.1.6");

void inlet_abandon(struct io_end *end)
{
	struct io_inlet *in = &end->inlet;

	if (in->open) {
		in->rx->taken = in->rx->published;
	}
	in->open = in->chain = false;
}

/* The packet is delivered, or lost: the sender has its buffers back. */
static void consume(struct io_end *end)
{
	inlet_abandon(end);
	ring_put(end->inlet.tx, &end->inlet.from, 0);
	ring_publish(end->inlet.tx);
}

static enum status drop(struct io_end *end, enum io_drop reason)
{
	end->inlet.counters.dropped[reason]++;
	consume(end);
	return STATUS_OK;
}

static bool reaches(const struct io_end *end)
{
	return end_is_live(end) && end->inlet.rx->table;
}

/* The next segment, unless there is some left of the present one. */
static enum status segment(struct io_inlet *in, struct io_cursor *cursor)
{
	bool write = cursor == &in->to;

	return cursor->length ? STATUS_OK : ring_segment(write ? in->rx : in->tx, cursor, write);
}

/* The header as it will be delivered; where the checksum is, is compared with the packet later. */
static bool check_header(struct io_end *end)
{
	struct io_header *header = &end->inlet.header;

	header->flags &= HEADER_CSUM;
	end->inlet.checked =
		header->flags ? IO_HEADER + header->csum_start + header->csum_offset + 2u : 0;
	if (!header->flags) {
		header->csum_start = header->csum_offset = 0;
	}
	if (header->gso_type == GSO_NONE) {
		header->gso_size = header->header_length = 0;
		return !header->flags || (end->accepted & FEATURE_GUEST_CSUM);
	}
	return header->flags && header->gso_size && (end->accepted & FEATURE_GUEST_CSUM) &&
	       (header->gso_type == GSO_TCPV4 || header->gso_type == GSO_TCPV6);
}

/* Pair n goes to pair n, or to what the receiver has of them. */
static enum status open_packet(struct io_end *end)
{
	struct io_inlet *in = &end->inlet;
	enum status status = STATUS_NOT_FOUND;

	for (unsigned i = 0; status == STATUS_NOT_FOUND && i < IO_PAIRS; i++) {
		in->source = (in->source + 1) % IO_PAIRS;
		in->tx = &end->peer->rings[2 * in->source + 1];
		in->rx = &end->rings[2 * (in->source % end->pairs)];
		status = in->tx->table ? ring_first(in->tx, &in->from) : STATUS_NOT_FOUND;
	}
	if (status == STATUS_OK && !reaches(end)) {
		return drop(end, IO_DROP_LINK);
	}
	status = status == STATUS_OK ? segment(in, &in->from) : status;
	if (status != STATUS_OK) {
		return status;
	}
	if (in->from.length < IO_HEADER) {
		return drop(end, IO_DROP_HEADER);
	}
	arch_copy(&in->header, in->from.at, IO_HEADER);
	in->from.at += IO_HEADER;
	in->from.length -= IO_HEADER;
	in->position = in->held = 0;
	in->open = true;
	return check_header(end) ? STATUS_OK : drop(end, IO_DROP_HEADER);
}

static void deliver(struct io_inlet *in, const volatile void *from, uint32_t size)
{
	arch_copy(in->to.at, from, size);
	in->to.at += size;
	in->to.length -= size;
	in->position += size;
	in->filled += size;
	in->moved = size;
}

/* A receive buffer; into the first the header goes. */
static enum status open_chain(struct io_end *end)
{
	struct io_inlet *in = &end->inlet;
	enum status status;

	if (in->held == in->rx->size) { /* more there cannot be */
		return drop(end, IO_DROP_ROOM);
	}
	status = ring_first(in->rx, &in->to);
	in->counters.blocked += status == STATUS_NOT_FOUND;
	in->chain = status == STATUS_OK;
	in->filled = 0;
	if (status == STATUS_OK && in->position == 0) {
		status = segment(in, &in->to);
		if (status == STATUS_OK && in->to.length < IO_HEADER) {
			in->rx->fault = "a receive buffer's first segment holds no header";
			status = STATUS_INVALID;
		}
		if (status == STATUS_OK) {
			in->buffers = in->to.at + offsetof(struct io_header, buffers);
			deliver(in, &in->header, IO_HEADER);
		}
	}
	return status;
}

static enum status finish_packet(struct io_end *end)
{
	struct io_inlet *in = &end->inlet;
	uint32_t length = in->position - IO_HEADER;

	if (length < IO_PACKET_MIN) {
		return drop(end, IO_DROP_SIZE);
	}
	if (in->checked > in->position || in->header.header_length > length) {
		return drop(end, IO_DROP_HEADER);
	}
	ring_put(in->rx, &in->to, in->filled);
	in->held++;
	in->buffers[0] = (uint8_t)in->held;
	in->buffers[1] = (uint8_t)(in->held >> 8);
	ring_publish(in->rx);
	in->counters.packets++;
	in->counters.bytes += length;
	consume(end);
	return STATUS_OK;
}

/* The next piece of the packet. */
static enum status move(struct io_end *end)
{
	struct io_inlet *in = &end->inlet;
	enum status status = segment(in, &in->from);
	uint32_t size;

	if (status == STATUS_NOT_FOUND) {
		return finish_packet(end);
	}
	if (status != STATUS_OK) {
		return status;
	}
	if (in->from.length > IO_HEADER + IO_PACKET_MAX - in->position) {
		return drop(end, IO_DROP_SIZE);
	}
	status = segment(in, &in->to);
	if (status == STATUS_NOT_FOUND && (end->accepted & FEATURE_MRG_RXBUF)) {
		ring_put(in->rx, &in->to, in->filled);
		in->held++;
		in->chain = false;
		return STATUS_OK;
	}
	if (status != STATUS_OK) {
		return status == STATUS_NOT_FOUND ? drop(end, IO_DROP_ROOM) : status;
	}
	size = in->from.length < in->to.length ? in->from.length : in->to.length;
	size = size < SLICE ? size : SLICE;
	deliver(in, in->from.at, size);
	in->from.at += size;
	in->from.length -= size;
	return STATUS_OK;
}

/* STATUS_NOT_FOUND: nothing to do until somebody kicks. */
static enum status step(struct io_end *end)
{
	if (!end->inlet.open) {
		return open_packet(end);
	}
	if (!reaches(end)) {
		return drop(end, IO_DROP_LINK);
	}
	return end->inlet.chain ? move(end) : open_chain(end);
}

bool inlet_run(struct io_end *end)
{
	struct io_inlet *in = &end->inlet;
	enum status status = STATUS_OK;

	lock_acquire(&in->lock);
	for (unsigned cost = 0; status == STATUS_OK && cost < BUDGET && end_is_live(end->peer);) {
		in->moved = 0;
		status = step(end);
		cost += COST_STEP + in->moved / 8;
		if (status == STATUS_INVALID) {
			end_fail(in->tx->fault ? end->peer : end,
				 in->tx->fault ? in->tx->fault : in->rx->fault);
			status = STATUS_OK;
		}
	}
	for (unsigned i = 0; i < 2 * IO_PAIRS; i += 2) {
		end_interrupt(end, i);
		end_interrupt(end->peer, i + 1);
	}
	lock_release(&in->lock);
	return status == STATUS_OK && end_is_live(end->peer);
}
