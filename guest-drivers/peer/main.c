/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition with a VF that behaves: it talks to others like it and checks every byte. On the
 * command line, role=
 *   mesh  (me= peers= count=)  sends `count` frames to each of the others and takes theirs
 *   echo                       sends back what it gets, for ever
 *   churn (to= count=)         `count` frames to an echo and back, then restarts; `q` ends that
 */
#include <string.h>

#include "igbvf.h"

#define DOORBELL  0x08090040ull
#define FRAME	  1500u
#define HEADER	  20u
#define MAC_LAST  5u
#define TRIES	  60u
#define RETRY_NS  100000000ull
#define STEP_NS	  200000ull
#define ANSWER_NS 200000000ull
#define HELLO_NS  20000000000ull
#define QUIET_NS  500000000ull
#define LIFE_NS	  700000000ull /* the hypervisor takes 20 restarts in 10 s, no more */
#define PEERS_MAX 8u

enum op { OP_HELLO, OP_DATA, OP_ECHO };

static struct igbvf vf;
static uint8_t buffers[IGBVF_RING][2048] __attribute__((aligned(4096)));
static uint8_t outgoing[2048] __attribute__((aligned(4096)));
static union igb_tx_descriptor tx_ring[IGBVF_RING] __attribute__((aligned(4096)));
static union igb_rx_descriptor rx_ring[IGBVF_RING] __attribute__((aligned(4096)));
static unsigned sent, corrupt;
static unsigned got[PEERS_MAX];
static bool heard[PEERS_MAX];
static uint32_t echoed; /* the last sequence number that came back, plus 1 */

/* --- the VF ----------------------------------------------------------------------------------- */

static void give_next(void)
{
	unsigned tail = mmio_read32(vf.regs, IGBVF_RDT) % IGBVF_RING;

	igbvf_give(&vf, (uint64_t)(uintptr_t)buffers[tail]);
}

static bool listen(const struct pci_device *device)
{
	device_id_t id = pci_device_id(device);

	if (its_start() != STATUS_OK || its_map_device(id, 5) != STATUS_OK ||
	    its_map_event(id, (event_id_t){0}, LPI_FIRST) != STATUS_OK ||
	    pci_msix_set(device, 0, DOORBELL, 0) != STATUS_OK) {
		return false;
	}
	igbvf_interrupts(&vf);
	return true;
}

/* The PF may come up later. */
static bool start_vf(void)
{
	struct pci_device device;
	enum status status = STATUS_TIMEOUT;
	uint64_t bar;

	if (!pci_find(IGB_VENDOR, IGB_DEVICE_VF, 0, &device) || !(bar = pci_bar(&device, 0))) {
		return false;
	}
	pci_enable(&device);
	for (unsigned i = 0; i < TRIES && status != STATUS_OK; i++) {
		status = igbvf_reset(&vf, (mmio_t){bar});
		if (status != STATUS_OK || !(mmio_read32(vf.regs, IGB_STATUS) & STATUS_LINK_UP)) {
			status = STATUS_TIMEOUT;
			clock_sleep_ns(RETRY_NS);
		}
	}
	if (status != STATUS_OK || !listen(&device) ||
	    igbvf_queues(&vf, (uint64_t)(uintptr_t)tx_ring, (uint64_t)(uintptr_t)rx_ring) !=
		    STATUS_OK) {
		return false;
	}
	for (unsigned i = 0; i < IGBVF_RING - 1; i++) {
		give_next();
	}
	return true;
}

/* --- frames: addresses, type, op, from, to, -, sequence, then bytes that depend on all of it -----
 */

static uint8_t byte_at(const uint8_t *frame, unsigned at)
{
	return (uint8_t)(at * 7 + frame[15] * 31 + frame[16] * 13 + frame[18] + frame[19] * 3);
}

static bool send(enum op op, unsigned to, uint32_t sequence)
{
	uint8_t me = vf.mac[MAC_LAST];

	memcpy(outgoing, vf.mac, 6);
	outgoing[MAC_LAST] = (uint8_t)to;
	if (op == OP_HELLO) {
		memset(outgoing, 0xff, 6);
	}
	memcpy(outgoing + 6, vf.mac, 6);
	outgoing[12] = 0x88;
	outgoing[13] = 0xb5;
	outgoing[14] = (uint8_t)op;
	outgoing[15] = me;
	outgoing[16] = (uint8_t)to;
	outgoing[17] = 0;
	outgoing[18] = (uint8_t)sequence;
	outgoing[19] = (uint8_t)(sequence >> 8);
	for (unsigned i = HEADER; i < FRAME; i++) {
		outgoing[i] = byte_at(outgoing, i);
	}
	if (igbvf_send(&vf, (uint64_t)(uintptr_t)outgoing, FRAME) != STATUS_OK) {
		return false;
	}
	sent++;
	return true;
}

static bool is_whole(const uint8_t *frame, unsigned length)
{
	bool whole = length == FRAME && frame[15] < PEERS_MAX;

	for (unsigned i = HEADER; i < FRAME && whole; i++) {
		whole = frame[i] == byte_at(frame, i);
	}
	return whole;
}

static void take(const uint8_t *frame, unsigned length)
{
	uint32_t sequence = frame[18] | (uint32_t)frame[19] << 8;

	if (!memcmp(frame + 6, vf.mac, 6)) {
		return; /* a broadcast of our own, looped back */
	}
	if (!is_whole(frame, length)) {
		corrupt++;
		return;
	}
	heard[frame[15]] = true;
	if (frame[14] == OP_DATA) {
		got[frame[15]]++;
	}
	if (frame[14] == OP_ECHO) {
		echoed = sequence + 1;
	}
}

static unsigned collect(void (*use)(const uint8_t *frame, unsigned length))
{
	unsigned count = 0;

	for (; count < IGBVF_RING; count++) {
		unsigned slot = vf.rx_next, length = igbvf_received(&vf);

		if (!length) {
			break;
		}
		use(buffers[slot], length);
		give_next();
	}
	return count;
}

/* --- roles ------------------------------------------------------------------------------------ */

static bool all_heard(unsigned peers)
{
	for (unsigned n = 0; n < peers; n++) {
		if (n != vf.mac[MAC_LAST] && !heard[n]) {
			return false;
		}
	}
	return true;
}

static unsigned total(void)
{
	unsigned sum = 0;

	for (unsigned n = 0; n < PEERS_MAX; n++) {
		sum += got[n];
	}
	return sum;
}

static void mesh(void)
{
	unsigned me = vf.mac[MAC_LAST], peers = (unsigned)boot_number("peers", 2);
	uint32_t count = (uint32_t)boot_number("count", 100);
	uint64_t start = clock_ns(), last;
	bool ok = true;

	peers = peers < PEERS_MAX ? peers : PEERS_MAX;
	while (!all_heard(peers) && clock_ns() - start < HELLO_NS) {
		send(OP_HELLO, me, 0);
		clock_sleep_ns(RETRY_NS);
		collect(take);
	}
	send(OP_HELLO, me, 0); /* for the last one to come */
	for (uint32_t i = 0; i < count; i++) {
		for (unsigned n = 1; n < peers; n++) { /* each begins with another one */
			ok &= send(OP_DATA, (me + n) % peers, i);
			clock_sleep_ns(STEP_NS);
			collect(take);
		}
	}
	for (last = clock_ns(); clock_ns() - last < QUIET_NS; clock_sleep_ns(STEP_NS)) {
		last = collect(take) ? clock_ns() : last;
	}
	for (unsigned n = 0; n < peers; n++) {
		if (n != me) {
			say("@peer from=%u frames=%u of=%u", n, got[n], count);
		}
	}
	say("@peer mesh result=%s sent=%u received=%u corrupt=%u irqs=%u", ok ? "ok" : "failed",
	    sent, total(), corrupt, irq_count(LPI_FIRST));
}

static void answer(const uint8_t *frame, unsigned length)
{
	take(frame, length);
	if (length == FRAME && frame[14] == OP_DATA && is_whole(frame, length)) {
		send(OP_ECHO, frame[15], frame[18] | (uint32_t)frame[19] << 8);
	}
}

static void echo(void)
{
	say("@peer echo ready");
	while (console_poll() != 'q') {
		collect(answer);
		clock_sleep_ns(STEP_NS);
	}
	say("@peer echo sent=%u received=%u corrupt=%u", sent, total(), corrupt);
}

static bool came_back(void *sequence)
{
	collect(take);
	return echoed == *(uint32_t *)sequence + 1;
}

static void churn(void)
{
	unsigned to = (unsigned)boot_number("to", 1);
	uint32_t count = (uint32_t)boot_number("count", 5), back = 0;
	uint64_t start = clock_ns();
	bool last;

	for (uint32_t i = 0; i < count; i++) {
		back += send(OP_DATA, to, i) && clock_poll(came_back, &i, ANSWER_NS) == STATUS_OK;
	}
	last = console_poll() == 'q';
	say("@peer churn result=%s back=%u corrupt=%u irqs=%u", back == count ? "ok" : "failed",
	    back, corrupt, irq_count(LPI_FIRST));
	if (last) {
		return;
	}
	if (clock_ns() - start < LIFE_NS) {
		clock_sleep_ns(LIFE_NS - (clock_ns() - start));
	}
	power_reset();
}

void guest_main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} roles[] = {{"mesh", mesh}, {"echo", echo}, {"churn", churn}};
	char role[8] = "";

	boot_text("role", role, sizeof(role));
	if (!start_vf()) {
		say("@peer failed: no VF, or its PF does not answer");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(roles); i++) {
		if (!strcmp(role, roles[i].name)) {
			roles[i].run();
			say("@done");
			return;
		}
	}
	say("@peer failed: role=mesh, echo or churn, not %s", role);
}
