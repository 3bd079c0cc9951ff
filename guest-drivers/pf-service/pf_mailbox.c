/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mailbox protocol of igbvf drivers (datasheet 7.10.2.9; message layout in igb_regs.h). Each
 * VF has one 64-byte buffer shared by both directions, taken by setting PFU or VFU. Nothing a VF
 * writes is trusted: lengths follow from the message type, every word is read once, and a VF gets
 * at most one answer in a round, so that one that floods its mailbox delays nobody else.
 */
#include "pf.h"

#include <string.h>

#include "runtime.h"

#define HELD_LIMIT   64u	   /* rounds after which a kept buffer is taken away */
#define UNREAD_NS    100000000ull  /* after which an answer may be overwritten by a ping */
#define REMIND_NS    2000000000ull /* between pings of a VF that has to reset */
#define LINES	     4u
#define LINES_WINDOW 10000000000ull

static unsigned words_of(uint32_t type)
{
	switch (type) {
	case MBX_SET_MAC:
		return 3;
	case MBX_SET_MULTICAST:
		return MAILBOX_WORDS;
	case MBX_SET_VLAN:
	case MBX_SET_LPE:
		return 2;
	default:
		return 1;
	}
}

static reg32_t buffer(unsigned n, unsigned word)
{
	return (reg32_t){IGB_VMBMEM.offset + 64 * n + 4 * word};
}

static reg32_t control(unsigned n)
{
	return reg32_nth(IGB_P2VMAILBOX0, n, 4);
}

static bool take_buffer(struct pf *pf, unsigned n)
{
	mmio_write32(pf->regs, control(n), (uint32_t)P2V_PFU);
	return mmio_read32(pf->regs, control(n)) & P2V_PFU;
}

static void clear_events(struct pf *pf, unsigned n)
{
	mmio_write32(pf->regs, IGB_MBVFICR, 0x00010001u << n);
}

/* The rest of the buffer is zeroed: nothing of an earlier owner is left to read. */
static void send(struct pf *pf, unsigned n, const uint32_t *message, unsigned words)
{
	for (unsigned i = 0; i < MAILBOX_WORDS; i++) {
		mmio_write32(pf->regs, buffer(n, i), i < words ? message[i] : 0);
	}
	mmio_write32(pf->regs, control(n), (uint32_t)P2V_STS); /* and gives the buffer back */
	pf->vfs[n].scrub_due = false;
	pf->vfs[n].reply_unread = true;
	pf->vfs[n].reply_ns = clock_ns();
}

static bool may_say(struct pf_vf *vf)
{
	return log_allowed(&vf->quota, clock_ns(), LINES, LINES_WINDOW);
}

static void say_refused(struct pf_vf *vf, unsigned n, uint32_t word, const char *why)
{
	if (may_say(vf)) {
		say("pf-service: VF %u: message 0x%08x refused: %s", n, word, why);
	}
}

/*
 * The reset of a VF as we learn of it, its own or its partition's. What its owner wrote goes: at
 * once, and from the buffer as soon as it is ours, or an answer fills it.
 */
static void vf_was_reset(struct pf *pf, unsigned n)
{
	pf->vfs[n].clear_to_send = false;
	pf->vfs[n].scrub_due = true;
	pf->vfs[n].held = 0;
	pf_vf_quiet(pf, n);
}

/*
 * An owner that went with the buffer in its hands never gives it back: it is taken away. A message
 * that came since this round looked is the reset's own, and the next round's: now that the buffer
 * is ours no other can come.
 */
static void scrub_buffer(struct pf *pf, unsigned n)
{
	struct pf_vf *vf = &pf->vfs[n];
	bool taken = take_buffer(pf, n);

	if (!taken && ++vf->held < HELD_LIMIT) {
		return;
	}
	if (taken && (mmio_read32(pf->regs, IGB_MBVFICR) & 1u << n)) {
		mmio_write32(pf->regs, control(n), 0);
		return;
	}
	pf_buffer_clear(pf, n);
	mmio_write32(pf->regs, control(n), taken ? 0 : (uint32_t)P2V_RVFU);
	vf->scrub_due = false;
	vf->reply_unread = false;
	vf->held = 0;
}

static void answer_reset(struct pf *pf, unsigned n, uint32_t message[MAILBOX_WORDS])
{
	struct pf_vf *vf = &pf->vfs[n];
	const uint8_t *mac = vf->contract.mac;

	/* This message stands for the reset before it; a later one sets the bit again. */
	mmio_write32(pf->regs, IGB_VFLRE, 1u << n);
	vf_was_reset(pf, n);
	if (!vf->contract.present) {
		message[0] = MBX_VF_RESET | (uint32_t)MBX_NACK;
		send(pf, n, message, 1);
		say_refused(vf, n, MBX_VF_RESET, "no contract");
		return;
	}
	vf->clear_to_send = true;
	pf_vf_enable(pf, n);
	message[0] = MBX_VF_RESET | (uint32_t)MBX_ACK; /* without CTS: drivers compare the word */
	message[1] =
		mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
	message[2] = mac[4] | (uint32_t)mac[5] << 8;
	send(pf, n, message, 3);
	if (may_say(vf)) {
		say("pf-service: VF %u reset, MAC %02x:%02x:%02x:%02x:%02x:%02x vlan %u", n, mac[0],
		    mac[1], mac[2], mac[3], mac[4], mac[5], vf->contract.vlan);
	}
}

static const char *set_mac(const struct pf_vf *vf, const uint32_t *message)
{
	uint8_t mac[6];

	switch (field_get(MBX_INFO, message[0])) {
	case 0:
		memcpy(mac, &message[1], sizeof(mac));
		return memcmp(mac, vf->contract.mac, sizeof(mac)) ? "not its MAC" : NULL;
	case MAC_FILTER_CLEAR:
		return NULL; /* it has none */
	default:
		return "further MAC addresses";
	}
}

static const char *set_multicast(struct pf *pf, struct pf_vf *vf, const uint32_t *message)
{
	unsigned count = (unsigned)field_get(MBX_INFO, message[0]);

	if (count > MULTICAST_MAX) {
		return "too many multicast addresses";
	}
	vf->multicasts = count;
	memcpy(vf->multicast, &message[1], count * sizeof(vf->multicast[0]));
	pf_multicast_update(pf);
	return NULL;
}

static const char *set_vlan(const struct pf_vf *vf, const uint32_t *message)
{
	/* Untagged VFs take priority-tagged frames anyway; stock drivers ask for VLAN 0. */
	return message[1] == 0 && vf->contract.vlan == 0 ? NULL : "its VLAN is fixed";
}

static const char *set_frame_size(struct pf *pf, unsigned n, const uint32_t *message)
{
	if (message[1] < FRAME_MIN || message[1] > FRAME_MAX - 4) {
		return "frame size";
	}
	pf_vf_frame_size(pf, n, message[1]);
	return NULL;
}

/* Does what is asked; the reason why not, or NULL. */
static const char *obey(struct pf *pf, unsigned n, const uint32_t *message)
{
	struct pf_vf *vf = &pf->vfs[n];

	switch (field_get(MBX_TYPE, message[0])) {
	case MBX_SET_MAC:
		return set_mac(vf, message);
	case MBX_SET_MULTICAST:
		return set_multicast(pf, vf, message);
	case MBX_SET_VLAN:
		return set_vlan(vf, message);
	case MBX_SET_LPE:
		return set_frame_size(pf, n, message);
	case MBX_SET_PROMISC:
		return field_get(MBX_INFO, message[0]) ? "promiscuous mode" : NULL;
	default:
		return "unknown type";
	}
}

static void answer(struct pf *pf, unsigned n, uint32_t message[MAILBOX_WORDS])
{
	struct pf_vf *vf = &pf->vfs[n];
	uint32_t asked = message[0] & (uint32_t)(MBX_TYPE | MBX_INFO);
	const char *refusal = vf->clear_to_send ? obey(pf, n, message) : "not reset yet";

	message[0] = asked | (uint32_t)(refusal ? MBX_NACK : MBX_ACK);
	if (vf->clear_to_send) {
		message[0] |= (uint32_t)MBX_CTS;
	}
	send(pf, n, message, 1);
	if (refusal) {
		say_refused(vf, n, asked, refusal);
	}
}

/* A VF that keeps the buffer for long (it died, or means ill) loses it and its request. */
static void count_held(struct pf *pf, unsigned n)
{
	struct pf_vf *vf = &pf->vfs[n];

	if (++vf->held >= HELD_LIMIT) {
		mmio_write32(pf->regs, control(n), (uint32_t)P2V_RVFU);
		clear_events(pf, n);
		vf->held = 0;
		if (may_say(vf)) {
			say("pf-service: VF %u kept its mailbox; taken back", n);
		}
	}
}

static void receive(struct pf *pf, unsigned n)
{
	uint32_t message[MAILBOX_WORDS] = {0};
	unsigned words;

	if (!take_buffer(pf, n)) {
		count_held(pf, n);
		return;
	}
	pf->vfs[n].held = 0;
	/* Before the buffer is read: a request made after this is a new one. */
	clear_events(pf, n);
	message[0] = mmio_read32(pf->regs, buffer(n, 0));
	words = words_of((uint32_t)field_get(MBX_TYPE, message[0]));
	for (unsigned i = 1; i < words; i++) {
		message[i] = mmio_read32(pf->regs, buffer(n, i));
	}
	/* The acknowledgement keeps the buffer ours until the answer stands in it. */
	mmio_write32(pf->regs, control(n), (uint32_t)(P2V_ACK | P2V_PFU));
	if (message[0] == MBX_VF_RESET) {
		answer_reset(pf, n, message);
	} else {
		answer(pf, n, message);
	}
}

/*
 * Tells a VF that the link changed, or, when it has not been reset since we started, that it must
 * reset (NACK without CTS), again and again: stock drivers obey at most every 10 s. Never over an
 * answer it may not have read.
 */
static void ping(struct pf *pf, unsigned n)
{
	struct pf_vf *vf = &pf->vfs[n];
	uint32_t message = MBX_PF_CONTROL | (uint32_t)(vf->clear_to_send ? MBX_CTS : MBX_NACK);

	if (vf->reply_unread && clock_ns() - vf->reply_ns < UNREAD_NS) {
		return;
	}
	if (take_buffer(pf, n)) {
		send(pf, n, &message, 1);
		vf->ping_due = false;
		vf->ping_ns = clock_ns();
	}
}

static bool must_be_reminded(const struct pf_vf *vf)
{
	return vf->contract.present && !vf->clear_to_send && clock_ns() - vf->ping_ns > REMIND_NS;
}

bool pf_mailbox_round(struct pf *pf)
{
	uint32_t resets = mmio_read32(pf->regs, IGB_VFLRE);
	uint32_t events = mmio_read32(pf->regs, IGB_MBVFICR);
	bool busy = false;

	for (unsigned n = 0; n < IGB_VF_MAX; n++) {
		struct pf_vf *vf = &pf->vfs[n];
		bool request = events & 1u << n;

		if (resets & 1u << n) {
			mmio_write32(pf->regs, IGB_VFLRE, 1u << n);
			vf_was_reset(pf, n);
		}
		if (events & 0x10000u << n) {
			mmio_write32(pf->regs, IGB_MBVFICR, 0x10000u << n);
			vf->reply_unread = false;
		}
		if (request) {
			receive(pf, n);
		} else if (vf->scrub_due) {
			scrub_buffer(pf, n);
		} else if (vf->ping_due || must_be_reminded(vf)) {
			ping(pf, n);
		}
		busy |= request || vf->scrub_due || (resets & 1u << n);
	}
	return busy;
}
