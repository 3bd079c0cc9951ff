/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of io-host need of each other. Private. */
#ifndef CW_IO_ROOM_H
#define CW_IO_ROOM_H

#include "io_host.h"
#include "status.h"

/* --- ring.c: STATUS_INVALID is a driver that broke a rule, ring->fault which ------- */

/* Areas and size as the guest gave them. */
enum status MUST_USE ring_enable(struct io_ring *ring, const struct io_queue_registers *registers);
/* The next chain that is not taken, from its start. STATUS_NOT_FOUND: none; a kick will come. */
enum status MUST_USE ring_first(struct io_ring *ring, struct io_cursor *cursor);
/* Its next segment, to be written by us or to be read. STATUS_NOT_FOUND: the chain ended. */
enum status MUST_USE ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write);
/* Takes the chain, with `length` bytes written to it; makes known what is taken. */
void ring_put(struct io_ring *ring, const struct io_cursor *cursor, uint32_t length);
void ring_publish(struct io_ring *ring);
/* Does the driver want an interrupt for what was published since the last call? */
bool ring_interrupts(struct io_ring *ring);

/* --- wire.c ----------------------------------------------------------------------- */

/* Moves packets to this end. True: the budget ended first. Takes the inlet's lock. */
bool inlet_run(struct io_end *end);
/* Forgets the packet that is under way: it is still the sender's. With the lock held. */
void inlet_abandon(struct io_end *end);

/* --- virtio_net.c ----------------------------------------------------------------- */

/* A driver is there, and neither it nor the device has failed. */
bool end_is_live(const struct io_end *end);
/* The driver broke a rule: DEVICE_NEEDS_RESET. */
void end_fail(struct io_end *end, const char *why);
/* An interrupt for the queue, if its driver wants one. */
void end_interrupt(struct io_end *end, unsigned queue);

/* Feature bits (5.1.3, 6). */
#define FEATURE_GUEST_CSUM BIT(1)
#define FEATURE_MRG_RXBUF  BIT(15)

#endif
