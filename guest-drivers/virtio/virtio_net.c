/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtio_net.h"

#include <string.h>

#define VENDOR	    0x1af4u
#define DEVICE	    0x1041u
#define DOORBELL    0x08090040ull
#define CAP_VENDOR  9u
#define TYPE_COMMON 1u
#define TYPE_NOTIFY 2u
#define TYPE_DEVICE 4u
#define VECTORS	    3u
#define RESET_TRIES 1000u

/* Common configuration (4.1.4.3). */
#define FEATURE_SELECT 0x08u
#define FEATURE	       0x0cu
#define CONFIG_VECTOR  0x10u
#define STATUS	       0x14u
#define QUEUE_SELECT   0x16u
#define QUEUE_SIZE     0x18u
#define QUEUE_VECTOR   0x1au
#define QUEUE_ENABLE   0x1cu
#define QUEUE_TABLE    0x20u
#define QUEUE_AVAIL    0x28u
#define QUEUE_USED     0x30u
#define LINK	       6u /* in the device's own configuration */

static struct vnet_descriptor tables[2][VNET_RING] __attribute__((aligned(4096)));
static uint16_t avails[2][VNET_RING + 4] __attribute__((aligned(4096)));
static uint16_t useds[2][4 * VNET_RING + 4] __attribute__((aligned(4096)));
static uint8_t buffers[2][VNET_RING][VNET_BUFFER] __attribute__((aligned(4096)));

/* --- registers -------------------------------------------------------------------------------- */

void vnet_write16(uint64_t address, uint16_t value)
{
	arch_mmio_write16(address, value);
}

static void write64(uint64_t address, uint64_t value)
{
	arch_mmio_write32(address, (uint32_t)value);
	arch_mmio_write32(address + 4, (uint32_t)(value >> 32));
}

bool vnet_find(struct vnet *net)
{
	memset(net, 0, sizeof(*net));
	if (!pci_find(VENDOR, DEVICE, 0, &net->pci)) {
		return false;
	}
	pci_enable(&net->pci);
	for (uint32_t at = pci_read(&net->pci, 0x34, 1), hop = 0; at && hop < 16; hop++) {
		uint32_t type = pci_read(&net->pci, (uint16_t)(at + 3), 1);
		uint64_t where = pci_bar(&net->pci, pci_read(&net->pci, (uint16_t)(at + 4), 1)) +
				 pci_read(&net->pci, (uint16_t)(at + 8), 4);

		if (pci_read(&net->pci, (uint16_t)at, 1) != CAP_VENDOR) {
			type = 0;
		}
		net->common = type == TYPE_COMMON ? where : net->common;
		net->specific = type == TYPE_DEVICE ? where : net->specific;
		if (type == TYPE_NOTIFY) {
			net->notify = where;
			net->multiplier = pci_read(&net->pci, (uint16_t)(at + 16), 4);
		}
		at = pci_read(&net->pci, (uint16_t)(at + 1), 1);
	}
	if (!net->common || !net->notify || !net->specific) {
		return false;
	}
	for (unsigned i = 0; i < sizeof(net->mac); i++) {
		net->mac[i] = arch_mmio_read8(net->specific + i);
	}
	for (unsigned queue = 0; queue < 2; queue++) {
		net->queues[queue] = (struct vnet_queue){.table = tables[queue],
							 .avail = avails[queue],
							 .used = useds[queue],
							 .buffers = buffers[queue]};
	}
	return true;
}

uint8_t vnet_status(const struct vnet *net)
{
	return arch_mmio_read8(net->common + STATUS);
}

bool vnet_link(const struct vnet *net)
{
	return arch_mmio_read16(net->specific + LINK) & 1;
}

void vnet_kick(const struct vnet *net, unsigned queue)
{
	arch_publish();
	arch_mmio_write16(net->notify + (uint64_t)queue * net->multiplier, (uint16_t)queue);
}

/* --- start ------------------------------------------------------------------------------------ */

void vnet_reset(struct vnet *net)
{
	arch_mmio_write8(net->common + STATUS, 0);
	for (unsigned i = 0; i < RESET_TRIES && vnet_status(net); i++) {
	}
}

bool vnet_negotiate(struct vnet *net, uint64_t features)
{
	arch_mmio_write8(net->common + STATUS, VNET_ACKNOWLEDGE);
	arch_mmio_write8(net->common + STATUS, VNET_ACKNOWLEDGE | VNET_DRIVER);
	for (unsigned half = 0; half < 2; half++) {
		arch_mmio_write32(net->common + FEATURE_SELECT, half);
		arch_mmio_write32(net->common + FEATURE, (uint32_t)(features >> 32 * half));
	}
	arch_mmio_write8(net->common + STATUS, VNET_ACKNOWLEDGE | VNET_DRIVER | VNET_FEATURES_OK);
	return vnet_status(net) & VNET_FEATURES_OK;
}

void vnet_set_queue(struct vnet *net, unsigned queue, unsigned size, uint64_t table, uint64_t avail,
		    uint64_t used)
{
	arch_mmio_write16(net->common + QUEUE_SELECT, (uint16_t)queue);
	arch_mmio_write16(net->common + QUEUE_SIZE, (uint16_t)size);
	arch_mmio_write16(net->common + QUEUE_VECTOR, (uint16_t)(1 + queue));
	write64(net->common + QUEUE_TABLE, table);
	write64(net->common + QUEUE_AVAIL, avail);
	write64(net->common + QUEUE_USED, used);
	arch_mmio_write16(net->common + QUEUE_ENABLE, 1);
}

void vnet_usual_queue(struct vnet *net, unsigned queue)
{
	struct vnet_queue *q = &net->queues[queue];

	memset(tables[queue], 0, sizeof(tables[queue]));
	memset(avails[queue], 0, sizeof(avails[queue]));
	memset(useds[queue], 0, sizeof(useds[queue]));
	q->given = q->seen = 0;
	arch_publish();
	vnet_set_queue(net, queue, VNET_RING, (uint64_t)(uintptr_t)q->table,
		       (uint64_t)(uintptr_t)q->avail, (uint64_t)(uintptr_t)q->used);
}

void vnet_go(struct vnet *net)
{
	arch_mmio_write16(net->common + CONFIG_VECTOR, 0);
	arch_mmio_write8(net->common + STATUS, VNET_SOUND);
}

enum status vnet_interrupts(struct vnet *net)
{
	device_id_t id = pci_device_id(&net->pci);
	enum status status = its_start();

	status = status == STATUS_OK ? its_map_device(id, 3) : status;
	for (uint32_t event = 0; status == STATUS_OK && event < VECTORS; event++) {
		status = its_map_event(id, (event_id_t){event}, LPI_FIRST + event);
		if (status == STATUS_OK) {
			status = pci_msix_set(&net->pci, event, DOORBELL, event);
		}
	}
	return status;
}

static void give(struct vnet *net)
{
	struct vnet_queue *q = &net->queues[VNET_RX];
	uint16_t slot = q->given % VNET_RING;

	q->table[slot] = (struct vnet_descriptor){(uint64_t)(uintptr_t)q->buffers[slot],
						  VNET_BUFFER, VNET_WRITE, 0};
	vnet_offer(net, VNET_RX, slot);
}

bool vnet_start(struct vnet *net, unsigned count)
{
	vnet_reset(net);
	if (!vnet_negotiate(net, VNET_FEATURES)) {
		return false;
	}
	vnet_usual_queue(net, VNET_RX);
	vnet_usual_queue(net, VNET_TX);
	for (unsigned i = 0; i < count; i++) {
		give(net);
	}
	vnet_go(net);
	vnet_kick(net, VNET_RX);
	return vnet_status(net) == VNET_SOUND;
}

/* --- packets ---------------------------------------------------------------------------------- */

void vnet_offer(struct vnet *net, unsigned queue, uint16_t head)
{
	struct vnet_queue *q = &net->queues[queue];

	q->avail[2 + q->given % VNET_RING] = head;
	arch_publish();
	q->avail[1] = ++q->given;
}

unsigned vnet_busy(const struct vnet *net, unsigned queue)
{
	const struct vnet_queue *q = &net->queues[queue];

	return (uint16_t)(q->given - q->used[1]);
}

bool vnet_send(struct vnet *net, const void *frame, unsigned size)
{
	struct vnet_queue *q = &net->queues[VNET_TX];
	uint16_t slot = q->given % VNET_RING;

	if (vnet_busy(net, VNET_TX) >= VNET_RING || size > VNET_BUFFER - VNET_HEADER) {
		return false;
	}
	memset(q->buffers[slot], 0, VNET_HEADER);
	memcpy(q->buffers[slot] + VNET_HEADER, frame, size);
	q->table[slot] = (struct vnet_descriptor){(uint64_t)(uintptr_t)q->buffers[slot],
						  VNET_HEADER + size, 0, 0};
	vnet_offer(net, VNET_TX, slot);
	vnet_kick(net, VNET_TX);
	return true;
}

const uint8_t *vnet_receive(struct vnet *net, unsigned *size)
{
	struct vnet_queue *q = &net->queues[VNET_RX];
	const volatile uint16_t *element = &q->used[2 + 4 * (q->seen % VNET_RING)];

	if (q->used[1] == q->seen) {
		return NULL;
	}
	arch_barrier();
	q->seen++;
	*size = (element[2] | (uint32_t)element[3] << 16) - VNET_HEADER;
	/* Buffers come back in their order: this one was given longest ago. */
	if ((uint16_t)(q->given - q->seen) < VNET_RING - 1) {
		give(net);
		vnet_kick(net, VNET_RX);
	}
	return q->buffers[element[0] % VNET_RING] + VNET_HEADER;
}
