/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bare driver for a virtio network card on PCI (virtio 1.2: 2.7, 4.1, 5.1): one pair of queues,
 * one descriptor for a packet, MSI-X vectors 0 (configuration), 1 and 2. Everything it tells the
 * device can be told by the caller instead, so that an attacker may lie in one point at a time.
 */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include "runtime.h"

#define VNET_RING   16u
#define VNET_BUFFER 2048u
#define VNET_HEADER 12u
#define VNET_RX	    0u
#define VNET_TX	    1u

/* Of a descriptor. */
#define VNET_NEXT     1u
#define VNET_WRITE    2u
#define VNET_INDIRECT 4u

/* Device status. */
#define VNET_ACKNOWLEDGE 0x01u
#define VNET_DRIVER	 0x02u
#define VNET_DRIVER_OK	 0x04u
#define VNET_FEATURES_OK 0x08u
#define VNET_NEEDS_RESET 0x40u
#define VNET_SOUND	 0x0fu

/* VERSION_1, indirect tables, MAC and STATUS, and the offloads a wire insists on. */
#define VNET_FEATURES (BIT(32) | BIT(28) | BIT(16) | BIT(5) | BIT(1) | BIT(7) | BIT(8))

struct vnet_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct vnet_queue {
	struct vnet_descriptor *table;
	volatile uint16_t *avail, *used; /* flags, index, entries */
	uint8_t (*buffers)[VNET_BUFFER];
	uint16_t given, seen;
};

struct vnet {
	struct pci_device pci;
	uint64_t common, notify, specific; /* addresses of its registers */
	uint32_t multiplier;
	uint8_t mac[6];
	struct vnet_queue queues[2];
};

/* The only one of this partition. Its registers' places are read from its capabilities. */
bool vnet_find(struct vnet *net);

/* --- steps --- */

void vnet_reset(struct vnet *net);
/* False: the device does not take these. */
bool vnet_negotiate(struct vnet *net, uint64_t features);
void vnet_set_queue(struct vnet *net, unsigned queue, unsigned size, uint64_t table, uint64_t avail,
		    uint64_t used);
/* Its own areas, empty. */
void vnet_usual_queue(struct vnet *net, unsigned queue);
void vnet_go(struct vnet *net); /* DRIVER_OK */
uint8_t vnet_status(const struct vnet *net);
bool vnet_link(const struct vnet *net);
/* A number nobody may have is as good. */
void vnet_kick(const struct vnet *net, unsigned queue);
void vnet_write16(uint64_t address, uint16_t value);

/* Events 0 to 2 become LPIs from LPI_FIRST on. Once. */
enum status MUST_USE vnet_interrupts(struct vnet *net);
/* All of it, with `buffers` (at most VNET_RING) to receive into. */
bool vnet_start(struct vnet *net, unsigned buffers);

/* --- packets --- */

/* The chain that begins at `head` is available. */
void vnet_offer(struct vnet *net, unsigned queue, uint16_t head);
/* A frame, copied; kicks. False: all buffers are still the device's. */
bool vnet_send(struct vnet *net, const void *frame, unsigned size);
/* Buffers that the device has not given back. */
unsigned vnet_busy(const struct vnet *net, unsigned queue);
/* The next frame that came, or NULL; it is the device's again with the next call. */
const uint8_t *vnet_receive(struct vnet *net, unsigned *size);

#endif
