/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual wire: a link between two partitions, each end a virtio-net device on PCI. Packets are
 * taken from one end's transmit queues and copied, once, into the other end's receive queues;
 * nobody's memory is mapped for anybody else. What a guest wrote is read once and never believed: a
 * driver that breaks a rule gets DEVICE_NEEDS_RESET, and its peer a link that is down.
 *
 * Leans on: lib. Specification: virtio 1.2: 2.7 (split virtqueues), 4.1 (PCI), 5.1 (network).
 * Locks: one for each direction (`struct io_inlet`); registers change under both of a wire. Inside
 * them `msix_lock`, and what `raise` takes. Everything is static, and no guest can write it.
 */
#ifndef CW_IO_HOST_H
#define CW_IO_HOST_H

#include "guest_memory.h"
#include "lock.h"
#include "types.h"

#define IO_PAIRS       2		  /* of queues, at most: receive 2n, transmit 2n + 1 */
#define IO_QUEUES      (2 * IO_PAIRS + 1) /* and the control queue */
#define IO_VECTORS     (IO_QUEUES + 1)
#define IO_RING_MAX    256   /* entries of a queue, and of an indirect table */
#define IO_PACKET_MIN  14    /* bytes, without the virtio-net header */
#define IO_PACKET_MAX  65550 /* 64 KiB less 1, and an Ethernet header */
#define IO_HEADER      12    /* bytes of a virtio-net header (5.1.6) */
#define IO_BAR_SIZE    KIB(8)
#define IO_IMAGE_WORDS 64

struct io_descriptor;

/* A queue, device side (ring.c). A partition's RAM never moves: its areas are looked up once. */
struct io_ring {
	const struct guest_memory *memory;
	const volatile struct io_descriptor *table; /* NULL: the queue is not enabled */
	volatile uint16_t *avail;		    /* flags, index, ring, used_event */
	volatile uint16_t *used;		    /* flags, index, elements, avail_event */
	uint16_t size;
	uint16_t taken, published;  /* chains, in order: used, and known to be */
	uint16_t told;		    /* `published` when an interrupt was last thought of */
	bool event_index, indirect; /* negotiated */
	const char *fault;	    /* what the driver did */
};

/* A chain, as far as one has come. */
struct io_cursor {
	const volatile struct io_descriptor *table;
	uint16_t size, next, left; /* left: descriptors that it may still have */
	uint16_t head;
	bool more, nested;
	volatile uint8_t *at; /* the present segment */
	uint32_t length;
};

enum io_drop {
	IO_DROP_LINK,	/* nobody at the other end */
	IO_DROP_SIZE,	/* shorter than IO_PACKET_MIN, longer than IO_PACKET_MAX */
	IO_DROP_HEADER, /* split, contradicts itself or the packet, an offload nobody negotiated */
	IO_DROP_ROOM,	/* the receiver's buffers cannot hold it */
	IO_DROPS
};

struct io_counters {
	uint64_t packets, bytes; /* delivered; bytes without the virtio-net header */
	uint64_t dropped[IO_DROPS];
	uint64_t blocked; /* times that the receiver had no buffer: the sender keeps its own */
};

/* struct virtio_net_hdr (5.1.6) */
struct io_header {
	uint8_t flags, gso_type;
	uint16_t header_length, gso_size, csum_start, csum_offset, buffers;
};

/* Packets on their way to one end, one at a time (wire.c). */
struct io_inlet {
	struct lock lock;
	bool open;	/* a packet is under way: tx, rx, from, header */
	bool chain;	/* and `to`, a buffer for it */
	uint8_t source; /* the pair of the peer that was served last */
	struct io_ring *tx, *rx;
	struct io_cursor from, to;
	struct io_header header;
	uint32_t position;	   /* in header and packet */
	uint32_t filled;	   /* bytes in `to` */
	uint32_t checked;	   /* where the checksum field ends, or 0 */
	uint16_t held;		   /* receive buffers that are full */
	volatile uint8_t *buffers; /* where the number of them goes */
	uint32_t moved;		   /* bytes, by the last step */
	struct io_counters counters;
};

/* The BAR's first page: 4.1.4.3, ISR, 5.1.4, MSI-X (PCIe 5.0 7.7.2: address, data, mask). */
struct io_queue_registers {
	uint16_t size, vector, enable, notify;
	uint64_t table, driver, device; /* areas */
};

struct io_device {
	uint8_t mac[6];
	uint16_t link;	/* 1: up */
	uint16_t pairs; /* 1 to IO_PAIRS: as many as its partition has vCPUs */
	uint16_t mtu;	/* at least 68 */
};

struct io_registers {
	uint32_t device_select, device_feature, driver_select, driver_feature;
	uint16_t config_vector, queues;
	uint8_t status, generation; /* atomic */
	uint16_t queue_select;
	struct io_queue_registers queue; /* a copy of the selected one's */
	uint32_t isr;			 /* always 0: there is no INTx */
	struct io_device device;
	uint32_t msix[IO_VECTORS][4];
	uint64_t pending;
};

struct io_end_config {
	struct io_device device;
	bool offload; /* both ends: checksums and segmentation are left to who needs them */
	const struct guest_memory *memory;
	/* An MSI-X message; any core, inlets' locks may be held. */
	void (*raise)(void *context, uint64_t address, uint32_t data);
	void *context;
};

struct io_end {
	struct io_end_config config;
	struct io_end *peer;
	struct io_inlet inlet;
	uint8_t due;	   /* atomic: who has work (virtio_net.c) */
	uint8_t pairs;	   /* in use */
	uint64_t accepted; /* features */
	const char *fault; /* why it needs a reset, or NULL */
	struct io_registers registers;
	struct io_queue_registers queues[IO_QUEUES];
	struct io_ring rings[IO_QUEUES];
	struct lock msix_lock;
	bool msix_enabled, msix_masked;
};

struct io_wire {
	struct io_end ends[2];
};

/* At boot. The wire is up while both ends have a driver that has not failed. */
void io_wire_init(struct io_wire *wire, const struct io_end_config configs[2]);

/*
 * The device's only BAR, IO_BAR_SIZE; any core; `size` 1, 2, 4 or 8. What is no register, or is not
 * accessed in its own width, reads 0 and drops the write. After each write: io_end_work().
 */
uint64_t io_end_read(const struct io_end *end, uint64_t offset, unsigned size);
void io_end_write(struct io_end *end, uint64_t offset, unsigned size, uint64_t value);

/*
 * Moves packets for what this end's guest did, some 4,000 instructions at most. True: there is
 * more; call again, and let others have their turn in between.
 */
bool io_end_work(struct io_end *end);

/* The function's MSI-X Message Control changed (PCIe 5.0 7.7.2.2). */
void io_end_msix(struct io_end *end, bool enabled, bool masked);

/*
 * Its partition stopped, or the function was reset: as after power-on. Nothing of it is in use when
 * the call returns. Then io_end_work(), for the peer's packets.
 */
void io_end_reset(struct io_end *end);

/* The function's configuration space at reset (4.1.2, 4.1.4), BAR 0 without an address. */
extern const uint32_t io_end_image[IO_IMAGE_WORDS];

#endif
