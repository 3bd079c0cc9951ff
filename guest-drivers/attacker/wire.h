/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scenarios at the end of a wire share: frames, and a driver that is sound between them.
 */
#ifndef ATTACKER_WIRE_H
#define ATTACKER_WIRE_H

#include "attack.h"
#include "virtio_net.h"

#define FRAME 1000u

extern struct vnet wire;

/* Finds the card; interrupts are events that are mapped. Says so and returns false otherwise. */
bool wire_find(void);
/* Sound, with buffers. */
bool wire_start(void);
/* A frame that is made of `sequence`; op 0 asks for it back, 1 is that. */
bool wire_send(unsigned op, uint32_t sequence);
/* Takes what came; answers what asks for it. How many came back, sound. */
unsigned wire_collect(void);
extern unsigned wire_answered, wire_corrupt;
/* The other end sends a frame back, within a while. */
bool wire_asks(uint32_t sequence);

#endif
