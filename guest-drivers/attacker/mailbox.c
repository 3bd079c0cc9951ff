/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F52, a VF's mailbox from two sides: who floods, fuzzes and keeps its own (attack=mailbox), and
 * who needs an answer meanwhile (attack=ask). And who lets the service see its reset before it
 * writes the message that belongs to it (attack=late).
 */
#include "attack.h"

#define WORDS	  16u
#define POSTS	  200u
#define POST_NS	  200000ull
#define KEEP_NS	  100000000ull
#define POLL_NS	  1000000ull
#define QUESTIONS 200u
#define SEED	  0x9e3779b97f4a7c15ull
#define FRAME	  1522u
#define RESETS	  10u
#define LATE_NS	  8000000ull /* some of the service's rounds */

static uint64_t random_state = SEED;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

/* Every fourth is a reset, the others anything. */
static bool post_anything(struct igbvf *vf, unsigned i)
{
	uint32_t message[WORDS];

	for (unsigned n = 0; n < WORDS; n++) {
		message[n] = random32();
	}
	message[0] = i % 4 ? message[0] : MBX_VF_RESET;
	return igbvf_post(vf, message, WORDS);
}

/* Until a 'q' comes. */
void attack_mailbox(void)
{
	struct igbvf vf;
	unsigned posted = 0, rounds = 0;

	if (!engine_start() || igbvf_reset(&vf, (mmio_t){engine()->bar}) != STATUS_OK) {
		outcome("begin", "failed");
		return;
	}
	outcome("begin", "ok");
	for (; console_poll() != 'q'; rounds++) {
		mmio_write32(vf.regs, IGBVF_MAILBOX, (uint32_t)(V2P_VFU | V2P_REQ));
		clock_sleep_ns(KEEP_NS);
		for (unsigned i = 0; i < POSTS; i++) {
			posted += post_anything(&vf, i);
			clock_sleep_ns(POST_NS);
		}
	}
	report("end", posted && rounds ? "ok" : "failed", "posted=%u kept=%u", posted, rounds);
}

/* After an 'a': how long the slowest answer took. */
void attack_ask(void)
{
	struct igbvf vf;
	unsigned answered = 0;
	uint64_t worst = 0;

	if (!engine_start() || igbvf_reset(&vf, (mmio_t){engine()->bar}) != STATUS_OK) {
		outcome("ready", "failed");
		return;
	}
	outcome("ready", "ok");
	while (console_poll() != 'a') {
		clock_sleep_ns(POLL_NS);
	}
	for (unsigned i = 0; i < QUESTIONS && answered == i; i++) {
		uint32_t message[2] = {MBX_SET_LPE, FRAME};
		uint64_t start = clock_ns();

		answered += igbvf_ask(&vf, message, 2) == STATUS_OK &&
			    message[0] == (MBX_SET_LPE | (uint32_t)(MBX_ACK | MBX_CTS));
		worst = clock_ns() - start > worst ? clock_ns() - start : worst;
		clock_sleep_ns(POLL_NS);
	}
	report("answers", answered == QUESTIONS ? "ok" : "failed", "answered=%u worst-us=%lu",
	       answered, worst / 1000);
}

/* None of the messages is taken for what was there before the reset. */
void attack_late(void)
{
	struct igbvf vf;
	unsigned answered = 0;

	if (!engine_start() || igbvf_reset(&vf, (mmio_t){engine()->bar}) != STATUS_OK) {
		outcome("begin", "failed");
		return;
	}
	for (unsigned i = 0; i < RESETS; i++) {
		uint32_t message[3] = {MBX_VF_RESET};

		mmio_write32(vf.regs, IGB_CTRL, (uint32_t)CTRL_RST);
		clock_sleep_ns(LATE_NS);
		answered += igbvf_ask(&vf, message, 3) == STATUS_OK &&
			    message[0] == (MBX_VF_RESET | (uint32_t)MBX_ACK);
	}
	report("late", answered == RESETS ? "ok" : "failed", "answered=%u of=%u", answered, RESETS);
}
