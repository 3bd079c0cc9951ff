/* SPDX-License-Identifier: BSD-2-Clause */
#include "igbvf.h"

#include <string.h>

#define ANSWER_NS  500000000ull
#define RSTI_NS	   10000000ull
#define ENABLE_NS  10000000ull
#define SEND_NS	   100000000ull
#define BUFFER_KIB 2u

struct wait {
	struct igbvf *vf;
	uint32_t bits;
};

/* Reading the mailbox clears its events: only one waiter looks at a time. */
static bool mailbox_has(void *context)
{
	const struct wait *wait = context;

	return mmio_read32(wait->vf->regs, IGBVF_MAILBOX) & wait->bits;
}

static bool out_of_reset(void *context)
{
	return !(mmio_read32(*(mmio_t *)context, IGBVF_MAILBOX) & (V2P_RSTI | V2P_RSTD));
}

static bool take_buffer(struct igbvf *vf)
{
	mmio_write32(vf->regs, IGBVF_MAILBOX, (uint32_t)V2P_VFU);
	return mmio_read32(vf->regs, IGBVF_MAILBOX) & V2P_VFU;
}

bool igbvf_post(struct igbvf *vf, const uint32_t *message, unsigned words)
{
	if (!take_buffer(vf)) {
		return false;
	}
	for (unsigned i = 0; i < words; i++) {
		mmio_write32(vf->regs, reg32_nth(IGB_VMBMEM, i, 4), message[i]);
	}
	mmio_write32(vf->regs, IGBVF_MAILBOX, (uint32_t)V2P_REQ);
	return true;
}

enum status igbvf_ask(struct igbvf *vf, uint32_t *message, unsigned words)
{
	struct wait answered = {vf, (uint32_t)V2P_PFSTS};

	if (!igbvf_post(vf, message, words)) {
		return STATUS_BUSY;
	}
	/* The acknowledgement comes first, the answer right behind it. */
	if (clock_poll(mailbox_has, &answered, ANSWER_NS) != STATUS_OK) {
		return STATUS_TIMEOUT;
	}
	if (!take_buffer(vf)) {
		return STATUS_BUSY;
	}
	for (unsigned i = 0; i < words; i++) {
		message[i] = mmio_read32(vf->regs, reg32_nth(IGB_VMBMEM, i, 4));
	}
	mmio_write32(vf->regs, IGBVF_MAILBOX, (uint32_t)V2P_ACK);
	return STATUS_OK;
}

enum status igbvf_reset(struct igbvf *vf, mmio_t regs)
{
	uint32_t message[3] = {MBX_VF_RESET, 0, 0};
	enum status status;

	memset(vf, 0, sizeof(*vf));
	vf->regs = regs;
	mmio_write32(regs, IGB_CTRL, (uint32_t)CTRL_RST);
	if (clock_poll(out_of_reset, &vf->regs, RSTI_NS) != STATUS_OK) {
		return STATUS_TIMEOUT;
	}
	status = igbvf_ask(vf, message, 3);
	if (status != STATUS_OK) {
		return status;
	}
	if (message[0] != (MBX_VF_RESET | (uint32_t)MBX_ACK)) {
		return STATUS_DENIED;
	}
	memcpy(vf->mac, &message[1], sizeof(vf->mac));
	return STATUS_OK;
}

static bool queues_on(void *context)
{
	mmio_t regs = *(mmio_t *)context;

	return mmio_read32(regs, IGBVF_TXDCTL) & mmio_read32(regs, IGBVF_RXDCTL) & DCTL_ENABLE;
}

enum status igbvf_queues(struct igbvf *vf, uint64_t tx_ring, uint64_t rx_ring)
{
	mmio_t regs = vf->regs;

	vf->tx = (volatile union igb_tx_descriptor *)(uintptr_t)tx_ring;
	vf->rx = (volatile union igb_rx_descriptor *)(uintptr_t)rx_ring;
	vf->tx_next = vf->rx_next = 0;
	mmio_write32(regs, IGBVF_TXDCTL, 0);
	mmio_write32(regs, IGBVF_RXDCTL, 0);
	mmio_write32(regs, IGBVF_TDBAL, (uint32_t)tx_ring);
	mmio_write32(regs, IGBVF_TDBAH, (uint32_t)(tx_ring >> 32));
	mmio_write32(regs, IGBVF_TDLEN, IGBVF_RING * sizeof(union igb_tx_descriptor));
	mmio_write32(regs, IGBVF_TDH, 0);
	mmio_write32(regs, IGBVF_TDT, 0);
	mmio_write32(regs, IGBVF_RDBAL, (uint32_t)rx_ring);
	mmio_write32(regs, IGBVF_RDBAH, (uint32_t)(rx_ring >> 32));
	mmio_write32(regs, IGBVF_RDLEN, IGBVF_RING * sizeof(union igb_rx_descriptor));
	mmio_write32(regs, IGBVF_SRRCTL, (uint32_t)(SRRCTL_ADVANCED | SRRCTL_DROP) | BUFFER_KIB);
	mmio_write32(regs, IGBVF_RDH, 0);
	mmio_write32(regs, IGBVF_RDT, 0);
	mmio_write32(regs, IGBVF_TXDCTL, (uint32_t)DCTL_ENABLE);
	mmio_write32(regs, IGBVF_RXDCTL, (uint32_t)DCTL_ENABLE);
	return clock_poll(queues_on, &regs, ENABLE_NS);
}

void igbvf_give(struct igbvf *vf, uint64_t address)
{
	uint32_t tail = mmio_read32(vf->regs, IGBVF_RDT) % IGBVF_RING;

	vf->rx[tail].read.address = address;
	vf->rx[tail].read.header = 0;
	mmio_write32(vf->regs, IGBVF_RDT, (tail + 1) % IGBVF_RING);
}

static bool sent(void *descriptor)
{
	const volatile union igb_tx_descriptor *at = descriptor;

	return at->done.status & DESC_DONE;
}

enum status igbvf_send(struct igbvf *vf, uint64_t address, unsigned size)
{
	volatile union igb_tx_descriptor *at = &vf->tx[vf->tx_next];

	at->read.address = address;
	at->read.option = size << TXD_PAYLEN_SHIFT;
	at->read.command = size | TXD_DATA | TXD_DEXT | TXD_IFCS | TXD_RS | TXD_EOP;
	vf->tx_next = (vf->tx_next + 1) % IGBVF_RING;
	mmio_write32(vf->regs, IGBVF_TDT, vf->tx_next);
	return clock_poll(sent, (void *)(uintptr_t)at, SEND_NS);
}

unsigned igbvf_received(struct igbvf *vf)
{
	volatile union igb_rx_descriptor *at = &vf->rx[vf->rx_next];
	unsigned length;

	/* A descriptor still to be used by the device holds an address there, never a status. */
	if (vf->rx_next == mmio_read32(vf->regs, IGBVF_RDT) || !(at->done.status & DESC_DONE)) {
		return 0;
	}
	arch_barrier(); /* the length and the frame are read after the status */
	length = at->done.length;
	vf->rx_next = (vf->rx_next + 1) % IGBVF_RING;
	return length;
}

void igbvf_interrupts(struct igbvf *vf)
{
	mmio_write32(vf->regs, IGB_IVAR0, (uint32_t)(IVAR_VALID | IVAR_VALID << 8)); /* vector 0 */
	mmio_write32(vf->regs, IGBVF_EIAC, 1);
	mmio_write32(vf->regs, IGBVF_EICR, 7);
	mmio_write32(vf->regs, IGBVF_EIMS, 1);
}

void igbvf_fire(struct igbvf *vf)
{
	mmio_write32(vf->regs, IGBVF_EICS, 1);
}
