/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wire and a driver at each end, written from the specification alone. A guest's RAM is a block
 * of its own, so that whatever lies outside it is seen by the sanitizer.
 */
#ifndef CW_WIRE_RIG_H
#define CW_WIRE_RIG_H

#include "io_host.h"

#define RIG_RAM	     0x40000000ull
#define RIG_RAM_SIZE 0x400000u
#define RIG_BUFFERS  256
#define RIG_SLOT     4096u /* bytes between buffers */
#define RIG_DOORBELL 0x8090040ull

#define RIG_NEXT     1u
#define RIG_WRITE    2u
#define RIG_INDIRECT 4u

/* Feature bits. */
#define RIG_CSUM      (1ull << 0)
#define RIG_GUEST_ALL (1ull << 1 | 1ull << 7 | 1ull << 8)
#define RIG_MERGE     (1ull << 15)
#define RIG_CONTROL   (1ull << 17 | 1ull << 22)
#define RIG_TABLES    (1ull << 28)
#define RIG_EVENT     (1ull << 29)
#define RIG_MODERN    (1ull << 32)
#define RIG_ALL                                                                                    \
	(RIG_MODERN | RIG_EVENT | RIG_TABLES | RIG_MERGE | RIG_CONTROL | RIG_CSUM |                \
	 RIG_GUEST_ALL | 1ull << 5 | 1ull << 16)

#define RIG_RX(pair) (2 * (pair))
#define RIG_TX(pair) (2 * (pair) + 1)
#define RIG_CTRL     4u

struct rig_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct rig_queue {
	uint16_t size, avail, seen; /* ours; used elements we have seen */
};

struct rig_guest {
	uint8_t *ram;
	struct guest_memory memory;
	struct rig_queue queues[IO_QUEUES];
	unsigned messages[IO_VECTORS]; /* by the data, which is the vector */
	unsigned foreign;	       /* messages nobody asked for */
	/* Called each time after an address was found to be good: another vCPU comes in between. */
	void (*between)(struct rig_guest *guest, uint64_t ipa, size_t size);
	unsigned looked; /* addresses that were asked for */
};

extern struct io_wire rig_wire;
extern struct rig_guest rig_guests[2];

/* Fresh memory, a wire of `pairs`, nobody there yet. */
void rig_init(unsigned pairs, bool offload);
void rig_free(void);

struct io_end *rig_end(unsigned end);
uint32_t rig_read(unsigned end, unsigned offset, unsigned size);
void rig_write(unsigned end, unsigned offset, unsigned size, uint64_t value);
uint8_t rig_status(unsigned end);
bool rig_link(unsigned end);

/* As a driver does: features, queues of `size` entries, MSI-X, DRIVER_OK. */
void rig_negotiate(unsigned end, uint64_t features);
void rig_queue(unsigned end, unsigned queue, uint16_t size);
void rig_start(unsigned end, uint64_t features, uint16_t size);
/* Both, with all features, queues of 256, `buffers` posted to receive at each end's pair 0. */
void rig_up(unsigned pairs, unsigned buffers);

void *rig_at(unsigned end, uint64_t ipa);
uint64_t rig_buffer(unsigned queue, unsigned index); /* its IPA */
void rig_describe(unsigned end, unsigned queue, unsigned index, uint64_t address, uint32_t length,
		  uint16_t flags, uint16_t next);
/* The chain from `head` is made available; kicks are apart. */
void rig_offer(unsigned end, unsigned queue, uint16_t head);
void rig_kick(unsigned end, unsigned queue);
/* Would the driver kick now, by the ring's rules, after the last `count` chains? */
bool rig_must_kick(unsigned end, unsigned queue, unsigned count);
/* Works until there is no more, within a bound; returns the calls it took. */
unsigned rig_work(unsigned end);

/* `count` receive buffers of `size` bytes, one descriptor each. */
void rig_post(unsigned end, unsigned pair, unsigned count, uint32_t size);
/* A packet of `size` bytes without header, made of `seed`, in one descriptor. Not kicked. */
void rig_send(unsigned end, unsigned pair, uint32_t size, unsigned seed);
uint8_t rig_byte(unsigned seed, uint32_t at);
/* Chains given back since the last look; of all that were. */
unsigned rig_new(unsigned end, unsigned queue);
/* Takes the next packet received: its size without header, all its bytes those of `seed`. */
uint32_t rig_receive(unsigned end, unsigned pair, unsigned seed, unsigned *buffers);

#endif
