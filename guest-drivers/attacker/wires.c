/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver at the end of a wire that breaks every rule. Each step begins with a sound driver whose
 * frames are answered, lies in one point, and says what its card is then: `failed` (it needs a
 * reset), `sound`, or `refused` (features were). Then a reset, and frames are answered again.
 */
#include "wire.h"

#include <string.h>

#define RX VNET_RX
#define TX VNET_TX

static uint32_t sequence;
static uint8_t page[2 * PAGE_SIZE] __attribute__((aligned(4096)));
static struct vnet_descriptor inner[512] __attribute__((aligned(4096)));

static bool ready(void)
{
	return (wire.common || wire_find()) && wire_start() && wire_asks(sequence++);
}

/* What became of it; then everything works again. */
static void done(const char *step)
{
	uint8_t status;

	vnet_kick(&wire, TX);
	vnet_kick(&wire, RX);
	status = vnet_status(&wire);
	report(step, status & VNET_NEEDS_RESET ? "failed" : "sound", "status=0x%x link=%u", status,
	       vnet_link(&wire));
	if (!ready()) {
		report("control-after", "failed", "of=%s status=0x%x link=%u", step,
		       vnet_status(&wire), vnet_link(&wire));
	}
}

static bool begin(void)
{
	if (!ready()) {
		report("control-before", "failed", "status=0x%x link=%u", vnet_status(&wire),
		       vnet_link(&wire));
		return false;
	}
	outcome("control-before", "ok");
	return true;
}

static void describe(unsigned queue, unsigned index, uint64_t address, uint32_t length,
		     uint16_t flags, uint16_t next)
{
	wire.queues[queue].table[index] = (struct vnet_descriptor){address, length, flags, next};
}

static uint64_t own(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* A chain of one descriptor to send; a frame of zeroes when it is sound. */
static void send_one(uint64_t address, uint32_t length, uint16_t flags, uint16_t next)
{
	unsigned slot = wire.queues[TX].given % VNET_RING;

	describe(TX, slot, address, length, flags, next);
	vnet_offer(&wire, TX, (uint16_t)slot);
}

/* --- F59: what is not its own ----------------------------------------------------------------- */

static unsigned places(uint64_t *found, unsigned room)
{
	uint64_t base, end;
	unsigned count = boot_numbers("target", found, room - 6);

	guest_ram(&base, &end);
	found[count++] = end;
	found[count++] = base - 16;
	found[count++] = DOORBELL;
	found[count++] = wire.common & ~0xfffull;
	found[count++] = ~0xfull;
	found[count++] = 1ull << 63;
	return count;
}

static void areas_at(uint64_t address)
{
	uint64_t usual[3] = {own(wire.queues[TX].table), own((const void *)wire.queues[TX].avail),
			     own((const void *)wire.queues[TX].used)};

	for (unsigned i = 0; i < 3; i++) {
		uint64_t areas[3] = {usual[0], usual[1], usual[2]};

		areas[i] = address;
		vnet_reset(&wire);
		if (!vnet_negotiate(&wire, VNET_FEATURES)) {
			outcome("area", "refused");
		}
		vnet_set_queue(&wire, TX, VNET_RING, areas[0], areas[1], areas[2]);
		vnet_go(&wire);
		done("area");
	}
}

void attack_wire_outside(void)
{
	uint64_t targets[TARGETS], base, end;
	unsigned count;

	if (!begin()) {
		return;
	}
	count = places(targets, TARGETS);
	for (unsigned i = 0; i < count; i++) {
		areas_at(targets[i]);
		send_one(targets[i], 64, 0, 0);
		done("send-from");
		describe(RX, 0, 0, 0, 0, 0);
		for (unsigned n = 0; n < VNET_RING; n++) {
			describe(RX, n, targets[i], VNET_BUFFER, VNET_WRITE, 0);
		}
		(void)!wire_asks(sequence++); /* the answer would land there */
		done("receive-to");
	}
	guest_ram(&base, &end);
	areas_at(end - 16);
	send_one(end - 32, 64, 0, 0);
	done("send-from");
	send_one(base, 0xffffffff, 0, 0);
	done("send-from");
	send_one(own(page), 64, VNET_INDIRECT, 0);
	done("send-from"); /* zeroes there: a descriptor at 0 */
	memset(inner, 0, sizeof(inner));
	send_one(end - 16, 32, VNET_INDIRECT, 0);
	done("send-from");
}

/* --- F60, F61: chains ------------------------------------------------------------------------- */

static void loops(void)
{
	unsigned slot = wire.queues[TX].given % VNET_RING;

	send_one(own(page), 64, VNET_NEXT, (uint16_t)slot);
	done("loop");
	for (unsigned i = 0; i < VNET_RING; i++) { /* round and round, all of them */
		describe(TX, i, own(page), 16, VNET_NEXT, (uint16_t)((i + 1) % VNET_RING));
	}
	vnet_offer(&wire, TX, 3);
	done("loop");
	send_one(own(page), 64, VNET_NEXT, VNET_RING);
	done("loop");
	send_one(own(page), 64, VNET_NEXT, 0xffff);
	done("loop");
	for (unsigned i = 0; i < ARRAY_SIZE(inner); i++) {
		inner[i] = (struct vnet_descriptor){own(page), i ? 4 : 16, VNET_NEXT,
						    (uint16_t)((i + 1) % 256)};
	}
	send_one(own(inner), 256 * 16, VNET_INDIRECT, 0);
	done("loop");
	send_one(own(inner), 512 * 16, VNET_INDIRECT, 0);
	done("loop");
	send_one(own(inner), 0xfffffff0, VNET_INDIRECT, 0);
	done("loop");
}

static void malformed(void)
{
	send_one(own(page), 0, 0, 0);
	done("malformed");
	send_one(own(page), 64, VNET_WRITE, 0);
	done("malformed");
	inner[0] = (struct vnet_descriptor){own(inner + 1), 16, VNET_INDIRECT, 0};
	inner[1] = (struct vnet_descriptor){own(page), 64, 0, 0};
	send_one(own(inner), 16, VNET_INDIRECT, 0); /* nested */
	done("malformed");
	send_one(own(inner + 1), 16, VNET_INDIRECT | VNET_NEXT, 0);
	done("malformed");
	send_one(own(inner + 1), 8, VNET_INDIRECT, 0);
	done("malformed");
	send_one(own(inner + 1), 0, VNET_INDIRECT, 0);
	done("malformed");
	for (unsigned n = 0; n < VNET_RING; n++) { /* a buffer that is not to be written */
		describe(RX, n, own(page), VNET_BUFFER, 0, 0);
	}
	(void)!wire_asks(sequence++);
	done("malformed");
	for (unsigned n = 0; n < VNET_RING; n++) { /* that holds no header */
		describe(RX, n, own(page), 8, VNET_WRITE, 0);
	}
	(void)!wire_asks(sequence++);
	done("malformed");
}

/* Packets that are none: they are dropped, and nobody has failed. */
static void odd_packets(void)
{
	unsigned slot = wire.queues[TX].given % VNET_RING;

	memset(page, 0, sizeof(page));
	send_one(own(page), VNET_HEADER, 0, 0);
	send_one(own(page), VNET_HEADER + 13, 0, 0);
	send_one(own(page), VNET_HEADER - 1, 0, 0);
	done("odd-packet");
	slot = wire.queues[TX].given % VNET_RING; /* a header in two pieces */
	describe(TX, (slot + 1) % VNET_RING, own(page), 100, 0, 0);
	send_one(own(page), 4, VNET_NEXT, (uint16_t)((slot + 1) % VNET_RING));
	done("odd-packet");
	for (unsigned i = 0; i < VNET_RING; i++) { /* 64 KiB and more, of its own RAM */
		describe(TX, i, own(page), sizeof(page), i + 1 < VNET_RING ? VNET_NEXT : 0,
			 (uint16_t)(i + 1));
	}
	vnet_offer(&wire, TX, 0);
	done("odd-packet");
	memset(page, 0xff, VNET_HEADER); /* all offloads at once */
	send_one(own(page), 100, 0, 0);
	done("odd-packet");
}

void attack_wire_chains(void)
{
	if (begin()) {
		loops();
		malformed();
		odd_packets();
	}
}

/* --- F62, F68: numbers and features ----------------------------------------------------------- */

static void indices(void)
{
	static const uint16_t jumps[] = {VNET_RING + 1, 0x100, 0x7fff, 0x8000, 0xffff};
	static const uint16_t heads[] = {VNET_RING, 0x100, 0xffff};

	for (unsigned i = 0; i < ARRAY_SIZE(jumps); i++) {
		for (unsigned queue = 0; queue < 2; queue++) {
			wire.queues[queue].avail[1] =
				(uint16_t)(wire.queues[queue].used[1] + jumps[i]);
			if (queue == RX) {
				(void)!wire_asks(sequence++);
			}
			done("index");
		}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(heads); i++) {
		vnet_offer(&wire, TX, heads[i]);
		done("index");
	}
}

static void sizes(void)
{
	static const uint16_t bad[] = {0, 3, 255, 257, 512, 0x8000, 0xffff};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		vnet_reset(&wire);
		(void)!vnet_negotiate(&wire, VNET_FEATURES);
		vnet_set_queue(&wire, TX, bad[i], own(wire.queues[TX].table),
			       own((const void *)wire.queues[TX].avail),
			       own((const void *)wire.queues[TX].used));
		vnet_go(&wire);
		done("size");
	}
}

/* Queues that are not there, doorbells that are nobody's: as if nothing had been said. */
static void numbers(void)
{
	static const uint16_t queues[] = {5, 6, 0x100, 0xffff};

	for (unsigned i = 0; i < ARRAY_SIZE(queues); i++) {
		vnet_set_queue(&wire, queues[i], VNET_RING, DOORBELL, DOORBELL, DOORBELL);
	}
	for (uint64_t at = wire.notify & ~0xfffull; at < (wire.notify | 0xfff); at += 4) {
		vnet_write16(at, 0xffff);
	}
	done("number");
	for (unsigned queue = 2; queue < 5; queue++) { /* these are there, with two vCPUs */
		vnet_set_queue(&wire, queue, VNET_RING, DOORBELL, DOORBELL, DOORBELL);
		done("late-queue");
	}
}

void attack_wire_numbers(void)
{
	if (begin()) {
		indices();
		sizes();
		numbers();
	}
}

void attack_wire_features(void)
{
	static const uint64_t bad[] = {0,
				       BIT(32),
				       VNET_FEATURES & ~BIT(32),
				       VNET_FEATURES & ~BIT(1),
				       VNET_FEATURES | BIT(63),
				       VNET_FEATURES | BIT(34),
				       VNET_FEATURES | BIT(9),
				       ~0ull};

	if (!begin()) {
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		bool taken;

		vnet_reset(&wire);
		taken = vnet_negotiate(&wire, bad[i]);
		vnet_usual_queue(&wire, TX);
		vnet_go(&wire); /* all the same */
		send_one(own(page), 100, 0, 0);
		vnet_kick(&wire, TX);
		report("features", taken || vnet_link(&wire) ? "taken" : "refused",
		       "features=0x%lx status=0x%x", bad[i], vnet_status(&wire));
	}
	/* In mid-flight: what was agreed on stays. */
	if (!ready()) {
		outcome("control-after", "failed");
	}
	for (unsigned half = 0; half < 2; half++) {
		arch_mmio_write32(wire.common + 0x08, half);
		arch_mmio_write32(wire.common + 0x0c, 0);
	}
	report("flipped", wire_asks(sequence++) ? "sound" : "failed", "status=0x%x",
	       vnet_status(&wire));
	done("flipped");
}

/* --- F65, F67, F70: too much, too little, gone -------------------------------------------------
 */

void attack_wire_kicks(void)
{
	unsigned kicks = (unsigned)boot_number("kicks", 20000);

	if (begin()) {
		for (unsigned i = 0; i < kicks; i++) {
			vnet_kick(&wire, i % 4 ? TX : i % 256);
		}
		report("kicks", "issued", "count=%u", kicks);
		done("kicks");
	}
}

/* It asks and asks, and has no room for an answer: the other one's frames wait, in its own RAM. */
void attack_wire_deaf(void)
{
	unsigned sent = 0;

	if (!begin() || !vnet_start(&wire, 0)) {
		return;
	}
	for (unsigned i = 0; i < 10 * VNET_RING; i++) {
		sent += wire_send(0, sequence++);
		clock_sleep_ns(100000);
	}
	report("deaf", vnet_status(&wire) == VNET_SOUND ? "sound" : "failed", "sent=%u", sent);
	done("deaf");
}

/* Gone and back while the other one's frames are on their way. */
void attack_wire_resets(void)
{
	unsigned resets = (unsigned)boot_number("resets", 300);

	if (!begin()) {
		return;
	}
	for (unsigned i = 0; i < resets; i++) {
		if (!vnet_start(&wire, i % VNET_RING)) {
			outcome("restart", "failed");
		}
		for (unsigned n = 0; n < 1 + i % 7; n++) {
			(void)!wire_send(0, sequence++);
		}
		if (i % 3 == 0) {
			clock_sleep_ns(50000);
		}
		vnet_reset(&wire);
	}
	report("resets", "issued", "count=%u", resets);
	done("resets");
}

/* --- F63, F69: another vCPU writes all the time ------------------------------------------------
 */

static volatile bool flipping, flipped;

static void flip(void *context)
{
	static const uint64_t addresses[] = {0, DOORBELL, 0x3ffffff0, ~0ull};
	uint32_t n = 0;

	(void)context;
	while (flipping) {
		struct vnet_descriptor *d = &wire.queues[n & 1].table[n / 2 % VNET_RING];

		d->address = n & 4 ? addresses[n % 4] : own(page);
		d->length = n & 8 ? n * 0x01000193u : 64;
		d->flags = (uint16_t)(n >> 3);
		d->next = (uint16_t)(n * 7);
		if (n % 64 == 0) {
			wire.queues[n / 64 & 1].avail[1] = (uint16_t)(n * 13);
		}
		n++;
	}
	flipped = true;
}

void attack_wire_flips(void)
{
	uint64_t time = boot_number("flip-ms", 300) * 1000000, start;
	unsigned rounds = 0, failures = 0;

	if (!begin()) {
		return;
	}
	flipping = true;
	if (core_start(1, flip, NULL) != STATUS_OK) {
		outcome("flips", "failed");
		return;
	}
	for (start = clock_ns(); clock_ns() - start < time; rounds++) {
		if (!vnet_start(&wire, VNET_RING - 1)) {
			failures++; /* it breaks the rules before it has begun */
		}
		for (unsigned i = 0; i < 4; i++) {
			(void)!wire_send(0, sequence++);
			vnet_kick(&wire, RX);
		}
		failures += vnet_status(&wire) != VNET_SOUND;
	}
	flipping = false;
	while (!flipped) {
		clock_sleep_ns(100000);
	}
	report("flips", "issued", "rounds=%u failures=%u", rounds, failures);
	done("flips");
}
