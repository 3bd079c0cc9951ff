/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Those at the other end of wires, and beside: one that answers every frame and keeps a canary
 * (attack=wire-echo), and one that asks all the time (attack=wire-ping). `c` has them say how they
 * are, `q` ends them.
 */
#include "wire.h"

#include <string.h>

#define STEP_NS	  200000ull
#define ANSWER_NS 50000000ull
#define TYPE_HIGH 0x88
#define TYPE_LOW  0xb5
#define HEADER	  20u
#define PING_NS	  2000000ull

struct vnet wire;
unsigned wire_answered, wire_corrupt;

/* --- frames: addresses, type, op, -, sequence, then bytes that depend on it ---------------------
 */

static uint8_t byte_of(uint32_t sequence, unsigned i)
{
	return (uint8_t)(sequence * 31 + i * 7 + (i >> 8));
}

bool wire_send(unsigned op, uint32_t sequence)
{
	uint8_t frame[FRAME];

	memset(frame, 0xff, 6);
	memcpy(frame + 6, wire.mac, 6);
	frame[12] = TYPE_HIGH;
	frame[13] = TYPE_LOW;
	frame[14] = (uint8_t)op;
	frame[15] = 0;
	memcpy(frame + 16, &sequence, 4);
	for (unsigned i = HEADER; i < FRAME; i++) {
		frame[i] = byte_of(sequence, i);
	}
	return vnet_send(&wire, frame, FRAME);
}

static bool is_whole(const uint8_t *frame, unsigned size, uint32_t sequence)
{
	bool whole = size == FRAME && frame[12] == TYPE_HIGH && frame[13] == TYPE_LOW;

	for (unsigned i = HEADER; whole && i < FRAME; i++) {
		whole = frame[i] == byte_of(sequence, i);
	}
	return whole;
}

unsigned wire_collect(void)
{
	unsigned size, back = 0, count = 0;
	const uint8_t *frame;

	while (count++ < VNET_RING && (frame = vnet_receive(&wire, &size))) {
		uint32_t sequence;

		memcpy(&sequence, frame + 16, 4);
		if (!is_whole(frame, size, sequence)) {
			wire_corrupt++;
		} else if (frame[14]) {
			back++;
		} else {
			wire_answered += wire_send(1, sequence);
		}
	}
	return back;
}

bool wire_find(void)
{
	if (!vnet_find(&wire) || vnet_interrupts(&wire) != STATUS_OK) {
		outcome("wire", "missing");
		return false;
	}
	return true;
}

bool wire_start(void)
{
	return vnet_start(&wire, VNET_RING - 1);
}

bool wire_asks(uint32_t sequence)
{
	uint64_t start = clock_ns();

	if (!wire_send(0, sequence)) {
		return false;
	}
	while (clock_ns() - start < ANSWER_NS) {
		if (wire_collect()) {
			return true;
		}
		clock_sleep_ns(STEP_NS);
	}
	return false;
}

/* --- roles ------------------------------------------------------------------------------------ */

/* How the link was, each time it changed. */
static unsigned ups, downs;
static bool link;

static void watch_link(void)
{
	bool now = vnet_link(&wire);

	ups += now && !link;
	downs += !now && link;
	link = now;
	irq_poll();
}

static void tell(const char *role, unsigned asked, unsigned lost)
{
	say("@wire %s status=0x%x link=%u ups=%u downs=%u answered=%u asked=%u lost=%u corrupt=%u "
	    "config-irqs=%u rx-irqs=%u",
	    role, vnet_status(&wire), link, ups, downs, wire_answered, asked, lost, wire_corrupt,
	    irq_count(LPI_FIRST), irq_count(LPI_FIRST + 1));
}

void attack_wire_echo(void)
{
	if (!wire_find() || !wire_start()) {
		return;
	}
	canary_plant();
	for (int c = 0; c != 'q'; clock_sleep_ns(STEP_NS)) {
		c = console_poll();
		watch_link();
		wire_collect();
		if (c == 'c') {
			canary_verify();
			tell("echo", 0, 0);
		}
	}
}

void attack_wire_ping(void)
{
	unsigned asked = 0, lost = 0;

	if (!wire_find() || !wire_start()) {
		return;
	}
	while (!vnet_link(&wire)) { /* the other one may not be there yet */
		clock_sleep_ns(STEP_NS);
	}
	say("@wire ping ready");
	for (int c = 0; c != 'q'; clock_sleep_ns(PING_NS)) {
		c = console_poll();
		watch_link();
		lost += !wire_asks(asked++);
		if (c == 'c') {
			tell("ping", asked, lost);
		}
	}
}
