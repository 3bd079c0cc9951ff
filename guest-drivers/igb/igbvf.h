/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bare VF driver: mailbox, queue pair 0, MSI-X vector 0. Rings and buffers are the caller's, so
 * that an attacker can point them anywhere.
 */
#ifndef IGBVF_H
#define IGBVF_H

#include "igb_regs.h"
#include "runtime.h"

#define IGBVF_RING 16u /* descriptors of each ring */

union igb_tx_descriptor {
	struct {
		uint64_t address;
		uint32_t command;
		uint32_t option;
	} read;
	struct {
		uint64_t reserved;
		uint32_t sequence;
		uint32_t status;
	} done;
};

union igb_rx_descriptor {
	struct {
		uint64_t address;
		uint64_t header;
	} read;
	struct {
		uint64_t hash;
		uint32_t status;
		uint16_t length;
		uint16_t vlan;
	} done;
};

struct igbvf {
	mmio_t regs;
	uint8_t mac[6];
	volatile union igb_tx_descriptor *tx;
	volatile union igb_rx_descriptor *rx;
	unsigned tx_next, rx_next; /* the next descriptor to use, to look at */
};

/*
 * Resets the VF (datasheet 4.3, 7.10.2.9) and learns its MAC. STATUS_TIMEOUT: the PF is in reset
 * or silent; STATUS_DENIED: the PF refused.
 */
enum status MUST_USE igbvf_reset(struct igbvf *vf, mmio_t regs);

/* Sends `words` words and takes the answer into the same array. */
enum status MUST_USE igbvf_ask(struct igbvf *vf, uint32_t *message, unsigned words);
/* Sends without waiting for anything. False: the PF has the buffer. */
bool igbvf_post(struct igbvf *vf, const uint32_t *message, unsigned words);

/* Starts both queues on rings of IGBVF_RING descriptors; the addresses are as the device sees them.
 */
enum status MUST_USE igbvf_queues(struct igbvf *vf, uint64_t tx_ring, uint64_t rx_ring);
/* Gives a 2 KiB buffer to the device; at most IGBVF_RING - 1 at a time. */
void igbvf_give(struct igbvf *vf, uint64_t address);
/* One whole frame; waits until it is gone. */
enum status MUST_USE igbvf_send(struct igbvf *vf, uint64_t address, unsigned size);
/* The next received frame's length, 0 when there is none. */
unsigned igbvf_received(struct igbvf *vf);

/* Interrupts of queue pair 0 on MSI-X vector 0, once after each enabling. */
void igbvf_interrupts(struct igbvf *vf);
void igbvf_fire(struct igbvf *vf); /* vector 0, by software */

/*
 * igbvf_state.c. Calls `found` for each register that is not as after the part's reset; returns how
 * many. The other one writes all of them full, the mailbox's buffer too, and takes it for good;
 * returns how many hold what was written: those an owner could find again.
 */
unsigned igbvf_residue(mmio_t regs, void (*found)(uint32_t offset, uint32_t value));
unsigned igbvf_litter(mmio_t regs);

#endif
