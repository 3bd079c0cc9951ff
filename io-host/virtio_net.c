/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device a driver sees: registers (virtio 1.2, 4.1.4), features, reset, interrupts, the control
 * queue. What the movers look at changes under both inlets' locks: after a reset nothing is in
 * flight.
 */
#include <string.h>

#include "bits.h"
#include "room.h"

/* The BAR: registers, and a page of notifications. */
#define BAR_NOTIFY	  0x1000u
#define NOTIFY_MULTIPLIER 4u

/* Device status (2.1). */
#define DRIVER_OK   0x04u
#define FEATURES_OK 0x08u
#define NEEDS_RESET 0x40u
#define FAILED	    0x80u

/* Features: MTU, MAC, STATUS; INDIRECT, EVENT_IDX, VERSION_1. */
#define FEATURES_ALWAYS                                                                            \
	(BIT(3) | BIT(5) | FEATURE_MRG_RXBUF | BIT(16) | FEATURE_INDIRECT | FEATURE_EVENT |        \
	 FEATURE_VERSION_1)
#define FEATURES_OFFLOAD_HOST  (BIT(0) | BIT(11) | BIT(12)) /* CSUM, TSO4, TSO6 */
#define FEATURES_OFFLOAD_GUEST (FEATURE_GUEST_CSUM | BIT(7) | BIT(8))
#define FEATURES_PAIRS	       (BIT(17) | FEATURE_MQ) /* CTRL_VQ */
#define FEATURE_MQ	       BIT(22)
#define FEATURE_INDIRECT       BIT(28)
#define FEATURE_EVENT	       BIT(29)
#define FEATURE_VERSION_1      BIT(32)

/* Bits of `due`. */
#define DUE_OWN	    1u /* packets to this end */
#define DUE_PEER    2u /* packets from it */
#define DUE_CONTROL 4u

#define NO_VECTOR   0xffffu
#define CONTROL_MQ  4u /* class 4, command 0 (5.1.6.5.5) */

#define AT(field)   offsetof(struct io_registers, field)
_Static_assert(AT(queue.table) == 0x20 && AT(isr) == 0x38, "laid out as in 4.1.4.3");

/* Width of what may be written, by its offset; the halves of the areas each. */
static const uint8_t widths[AT(isr)] = {
	4, 0, 0, 0, 0, 0, 0, 0, /* device_feature_select */
	4, 0, 0, 0, 4, 0, 0, 0, /* driver_feature_select, driver_feature */
	2, 0, 0, 0, 1, 0, 2, 0, /* config_msix_vector, device_status, queue_select */
	2, 0, 2, 0, 2, 0, 0, 0, /* queue_size, queue_msix_vector, queue_enable */
	4, 0, 0, 0, 4, 0, 0, 0, /* queue_desc */
	4, 0, 0, 0, 4, 0, 0, 0, /* queue_driver */
	4, 0, 0, 0, 4, 0, 0, 0, /* queue_device */
};

static void lock_both(struct io_end *end)
{
	struct io_end *first = end < end->peer ? end : end->peer;

	lock_acquire(&first->inlet.lock);
	lock_acquire(&first->peer->inlet.lock);
}

static void unlock_both(struct io_end *end)
{
	lock_release(&end->inlet.lock);
	lock_release(&end->peer->inlet.lock);
}

/* --- interrupts ------------------------------------------------------------------- */

/* The mirror image of lock_acquire(): sends what is pending and no mask holds back. */
static void msix_release(struct io_end *end)
{
	for (unsigned v = 0; v < IO_VECTORS; v++) {
		const uint32_t *entry = end->registers.msix[v];

		if ((end->registers.pending & BIT(v)) && end->msix_enabled && !end->msix_masked &&
		    !(entry[3] & 1)) {
			end->registers.pending &= ~BIT(v);
			end->config.raise(end->config.context, entry[0] | (uint64_t)entry[1] << 32,
					  entry[2]);
		}
	}
	lock_release(&end->msix_lock);
}

static void raise(struct io_end *end, uint16_t vector)
{
	lock_acquire(&end->msix_lock);
	end->registers.pending |= vector < IO_VECTORS && end->msix_enabled ? BIT(vector) : 0;
	msix_release(end);
}

void io_end_msix(struct io_end *end, bool enabled, bool masked)
{
	lock_acquire(&end->msix_lock);
	end->msix_enabled = enabled;
	end->msix_masked = masked;
	msix_release(end);
}

void end_interrupt(struct io_end *end, unsigned queue)
{
	if (end->rings[queue].table && ring_interrupts(&end->rings[queue])) {
		raise(end, end->queues[queue].vector);
	}
}

/* --- link ------------------------------------------------------------------------- */

bool end_is_live(const struct io_end *end)
{
	return (__atomic_load_n(&end->registers.status, __ATOMIC_ACQUIRE) &
		(DRIVER_OK | NEEDS_RESET | FAILED)) == DRIVER_OK;
}

/* A driver came, went, or failed: both ends are told, and look whether packets wait. */
static void changed(struct io_end *end)
{
	uint16_t link = end_is_live(end) && end_is_live(end->peer);

	for (unsigned i = 0; i < 2; i++, end = end->peer) {
		end->registers.device.link = link;
		__atomic_fetch_add(&end->registers.generation, 1, __ATOMIC_RELEASE);
		__atomic_fetch_or(&end->due, DUE_OWN | DUE_PEER, __ATOMIC_RELAXED);
		if (end->registers.status & DRIVER_OK) {
			raise(end, end->registers.config_vector);
		}
	}
}

void end_fail(struct io_end *end, const char *why)
{
	end->fault = why;
	__atomic_fetch_or(&end->registers.status, NEEDS_RESET, __ATOMIC_RELEASE);
	changed(end);
}

/* --- status ----------------------------------------------------------------------- */

static uint64_t offered(const struct io_end *end)
{
	return FEATURES_ALWAYS | (end->registers.device.pairs > 1 ? FEATURES_PAIRS : 0) |
	       (end->config.offload ? FEATURES_OFFLOAD_HOST | FEATURES_OFFLOAD_GUEST : 0);
}

/* Who may be sent offloads has to take them, too: the wire finishes nothing. */
static bool is_possible(const struct io_end *end)
{
	uint64_t needed = FEATURE_VERSION_1 | (end->config.offload ? FEATURES_OFFLOAD_GUEST : 0);

	return !(needed & ~end->accepted) && !(end->accepted & ~offered(end));
}

/* What the present selections show. */
static void select_shown(struct io_end *end)
{
	struct io_registers *r = &end->registers;

	r->device_feature =
		r->device_select < 2 ? (uint32_t)(offered(end) >> 32 * r->device_select) : 0;
	r->queue = r->queue_select < r->queues ? end->queues[r->queue_select]
					       : (struct io_queue_registers){0};
}

/* As after power-on, but for the interrupts. With both locks. */
static void forget(struct io_end *end)
{
	struct io_registers *r = &end->registers;

	inlet_abandon(end);
	inlet_abandon(end->peer);
	memset(end->rings, 0, sizeof(end->rings));
	end->accepted = 0;
	end->fault = NULL;
	end->pairs = 1;
	memset(r, 0, AT(generation));
	r->config_vector = NO_VECTOR;
	r->queues = end->registers.device.pairs > 1 ? IO_QUEUES : 2;
	r->queue_select = 0;
	for (unsigned i = 0; i < IO_QUEUES; i++) {
		end->queues[i] = (struct io_queue_registers){
			.size = IO_RING_MAX, .vector = NO_VECTOR, .notify = (uint16_t)i};
	}
	select_shown(end);
}

/* Bits are only added (2.1.1), until a 0 resets. */
static void write_status(struct io_end *end, uint8_t value)
{
	uint8_t before = end->registers.status;

	if (value == 0) {
		forget(end);
	} else {
		value &= is_possible(end) ? 0xff ^ NEEDS_RESET : 0xff ^ NEEDS_RESET ^ FEATURES_OK;
		value &= (before | value) & FEATURES_OK ? 0xff : 0xff ^ DRIVER_OK;
		__atomic_fetch_or(&end->registers.status, value, __ATOMIC_RELEASE);
	}
	if ((before ^ end->registers.status) & (DRIVER_OK | FAILED)) {
		changed(end);
	}
}

/* --- control queue ---------------------------------------------------------------- */

/* Behind the queues that were negotiated (5.1.2). */
static unsigned control_queue(const struct io_end *end)
{
	return end->accepted & FEATURE_MQ ? IO_QUEUES - 1 : 2;
}

/*
 * One command, as all drivers lay it out: itself, number of pairs, answer. There is but one,
 * VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET. True: look again.
 */
static bool control(struct io_end *end, unsigned queue)
{
	struct io_ring *ring = &end->rings[queue];
	struct io_cursor cursor;
	unsigned words[2];
	bool known;
	enum status status =
		ring->table && end_is_live(end) ? ring_first(ring, &cursor) : STATUS_NOT_FOUND;

	if (status == STATUS_NOT_FOUND) {
		return false;
	}
	for (unsigned i = 0; status == STATUS_OK && i < 3; i++) {
		status = ring_segment(ring, &cursor, i == 2);
		if (status != STATUS_OK || cursor.length != (i == 2 ? 1 : 2)) {
			ring->fault = "a control command that is not of 2, 2 and 1 bytes";
			status = STATUS_INVALID;
		} else if (i < 2) {
			words[i] = cursor.at[0] | cursor.at[1] << 8;
		}
	}
	if (status != STATUS_OK) {
		end_fail(end, ring->fault);
		return false;
	}
	known = words[0] == CONTROL_MQ && (end->accepted & FEATURE_MQ) &&
		words[1] - 1 < end->registers.device.pairs;
	*cursor.at = !known;
	if (known) {
		inlet_abandon(end);
		end->pairs = (uint8_t)words[1];
		__atomic_fetch_or(&end->due, DUE_OWN, __ATOMIC_RELAXED);
	}
	ring_put(ring, &cursor, 1);
	ring_publish(ring);
	end_interrupt(end, queue);
	return true;
}

bool io_end_work(struct io_end *end)
{
	unsigned due = __atomic_load_n(&end->due, __ATOMIC_RELAXED);
	uint8_t one = (uint8_t)(due & -due);
	bool more;

	__atomic_fetch_and(&end->due, (uint8_t)~one, __ATOMIC_ACQUIRE);
	if (one == DUE_CONTROL) {
		lock_both(end);
		more = control(end, control_queue(end));
		unlock_both(end);
	} else {
		more = one && inlet_run(one == DUE_OWN ? end : end->peer);
	}
	return (__atomic_fetch_or(&end->due, more ? one : 0, __ATOMIC_RELAXED) | more) != 0;
}

/* --- registers -------------------------------------------------------------------- */

static void enable(struct io_end *end, unsigned queue)
{
	struct io_ring *ring = &end->rings[queue];

	*ring = (struct io_ring){.memory = end->config.memory,
				 .event_index = end->accepted & FEATURE_EVENT,
				 .indirect = end->accepted & FEATURE_INDIRECT};
	if (ring_enable(ring, &end->queues[queue]) != STATUS_OK) {
		end_fail(end, ring->fault);
	}
}

static void write_register(struct io_end *end, unsigned offset, uint64_t value)
{
	struct io_registers *r = &end->registers;
	unsigned queue = r->queue_select;
	bool negotiating = !(r->status & FEATURES_OK);

	if ((offset == AT(config_vector) || offset == AT(queue.vector)) && value >= IO_VECTORS) {
		value = NO_VECTOR;
	}
	if (offset == AT(status)) {
		write_status(end, (uint8_t)value);
	} else if (offset == AT(driver_feature)) {
		if (negotiating && r->driver_select < 2) {
			memcpy((uint8_t *)&end->accepted + 4ul * r->driver_select, &value, 4);
		}
	} else if (offset < AT(queue)) {
		memcpy((uint8_t *)r + offset, &value, widths[offset]);
	} else if (!negotiating && queue < r->queues && !end->rings[queue].table) {
		memcpy((uint8_t *)&end->queues[queue] + (offset - AT(queue)), &value,
		       widths[offset]);
		if (offset == AT(queue.enable) && value == 1) {
			enable(end, queue);
		}
	}
	select_shown(end);
}

uint64_t io_end_read(const struct io_end *end, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (size <= sizeof(value) && range_inside(offset, size, 0, sizeof(end->registers))) {
		memcpy(&value, (const uint8_t *)&end->registers + offset, size);
	}
	return value;
}

void io_end_write(struct io_end *end, uint64_t offset, unsigned size, uint64_t value)
{
	if (size == 8) {
		io_end_write(end, offset, 4, value & BITS(31, 0));
		io_end_write(end, offset + 4, 4, value >> 32);
	} else if (offset < AT(isr) && size == widths[offset]) {
		lock_both(end);
		write_register(end, (unsigned)offset, value);
		unlock_both(end);
	} else if (offset >= AT(msix) && offset < AT(pending) && size == 4 && offset % 4 == 0) {
		lock_acquire(&end->msix_lock);
		memcpy((uint8_t *)&end->registers + offset, &value, size);
		msix_release(end);
	} else if (offset >= BAR_NOTIFY) {
		unsigned queue = (unsigned)(offset - BAR_NOTIFY) / NOTIFY_MULTIPLIER;
		uint8_t due = queue % 2 ? DUE_PEER : DUE_OWN;

		due = queue == control_queue(end) ? DUE_CONTROL : due;
		__atomic_fetch_or(&end->due, due, __ATOMIC_RELAXED);
	}
}

/* --- start ------------------------------------------------------------------------ */

void io_end_reset(struct io_end *end)
{
	lock_both(end);
	forget(end);
	changed(end);
	unlock_both(end);
	lock_acquire(&end->msix_lock);
	for (unsigned v = 0; v < IO_VECTORS; v++) {
		memcpy(end->registers.msix[v], (const uint32_t[4]){[3] = 1}, 16);
	}
	end->msix_enabled = end->msix_masked = false;
	end->registers.pending = 0;
	msix_release(end);
}

void io_wire_init(struct io_wire *wire, const struct io_end_config configs[2])
{
	memset(wire, 0, sizeof(*wire));
	for (unsigned i = 0; i < 2; i++) {
		struct io_end *end = &wire->ends[i];

		end->config = configs[i];
		end->peer = &wire->ends[1 - i];
		end->registers.device = configs[i].device;
	}
	io_end_reset(&wire->ends[0]);
	io_end_reset(&wire->ends[1]);
}

#define WORDS(a, b, c, d) a, b, c, d
#define CAPABILITY(next, bytes, type, offset, length)                                              \
	WORDS(0x09 | (next) << 8 | (bytes) << 16 | (type) << 24, 0, offset, length)

const uint32_t io_end_image[IO_IMAGE_WORDS] = {
	WORDS(0x10411af4, 0x00100000, 0x02000001, 0), /* network, capabilities, Ethernet rev. 1 */
	WORDS(0, 0, 0, 0),			      /* BAR 0: 32-bit memory */
	WORDS(0, 0, 0, 0x11001af4),		      /* subsystem */
	WORDS(0, 0x40, 0, 0),			      /* where capabilities begin; no INTx */
	WORDS(0x11 | 0x50 << 8 | (IO_VECTORS - 1) << 16, AT(msix), AT(pending), 0), /* MSI-X */
	CAPABILITY(0x60, 16, 1, 0, AT(isr)),				/* common configuration */
	CAPABILITY(0x70, 16, 4, AT(device), AT(msix) - AT(device)),	/* device configuration */
	CAPABILITY(0x80, 16, 3, AT(isr), 1),				/* ISR */
	CAPABILITY(0, 20, 2, BAR_NOTIFY, IO_QUEUES *NOTIFY_MULTIPLIER), /* notifications */
	NOTIFY_MULTIPLIER,
};
