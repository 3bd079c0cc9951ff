/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The owner of an igb physical function: it resets the part, sets up link, pools and filters from
 * the contract, and answers the VFs' mailboxes. A VF gets what its contract says and cannot change
 * it. Nothing is kept across restarts: whatever an earlier life left, in the part and in its VFs,
 * is reset, and the contract is written anew and read back. One core; no locks.
 */
#ifndef PF_H
#define PF_H

#include "igb_regs.h"
#include "log.h"
#include "status.h"
#include "types.h"

struct pf_contract {
	bool present;
	uint8_t mac[6];
	uint16_t vlan; /* 0: untagged */
};

/*
 * A VF is SILENT until its VF_RESET was acknowledged, then CLEAR (to send) until it is reset.
 * Only a CLEAR VF has its queues enabled and any other message of it answered but by NACK.
 */
struct pf_vf {
	struct pf_contract contract;
	bool clear_to_send;
	bool ping_due;
	bool scrub_due;	   /* it was reset; its buffer still holds what it did */
	bool reply_unread; /* the buffer still holds our answer */
	unsigned held;	   /* rounds in a row in which the VF kept the buffer */
	uint64_t reply_ns, ping_ns;
	unsigned multicasts;
	uint16_t multicast[MULTICAST_MAX];
	struct log_quota quota;
};

struct pf {
	mmio_t regs;
	bool link;
	unsigned contracts;
	struct pf_vf vfs[IGB_VF_MAX];
	uint32_t mta[MTA_WORDS]; /* what the hardware has */
	uint64_t verified_ns;
	unsigned mended; /* registers found wrong, and set again, since the start */
	struct log_quota quota;
};

/* A register, or some bits of one, that a contract decides. */
struct pf_register {
	const char *name;
	reg32_t reg;
	uint32_t mask, value;
};
#define PF_REGISTERS	6u /* rows of a VF, or of all */
#define PF_SPOOF_CHECKS ((uint32_t)(DTXSWC_MAC_SPOOF | DTXSWC_VLAN_SPOOF))

/*
 * Resets the PF and programs the contract. VFs find their PF ready (RSTD) on return; the link
 * comes up later. STATUS_TIMEOUT: the reset did not finish.
 */
enum status MUST_USE pf_setup(struct pf *pf, mmio_t regs, const struct pf_contract *contracts,
			      unsigned count);

/* One round: link, resets, then at most one message of each VF. Returns whether any VF was busy. */
bool pf_round(struct pf *pf);

/* Parts of the two above, by file: pf_switch.c. */
void pf_program_switch(struct pf *pf);
/* Queues off; nothing of the last owner is left in them, in its filters, vectors and masks. */
void pf_vf_quiet(struct pf *pf, unsigned n);
void pf_vf_enable(struct pf *pf, unsigned n); /* queues on */
void pf_multicast_update(struct pf *pf);
void pf_vf_frame_size(struct pf *pf, unsigned n, uint32_t size);

/* What VF n's contract, and what the contract of all, looks like in registers. */
unsigned pf_contract_registers(const struct pf *pf, unsigned n, struct pf_register *rows);
unsigned pf_common_registers(struct pf_register *rows);
void pf_open_pool(const struct pf *pf, unsigned n); /* writes the former, */
void pf_open_switch(const struct pf *pf);	    /* the latter */

/* pf_scrub.c. */
void pf_vf_scrub(const struct pf *pf, unsigned n);
void pf_buffer_clear(const struct pf *pf, unsigned n); /* of its mailbox; to be held */

/*
 * pf_verify.c. Reads every contract back from the part. What differs is said, counted and written
 * again. Returns how many registers are wrong still: that part does not hold the contract.
 */
unsigned pf_verify(struct pf *pf);
void pf_verify_round(struct pf *pf); /* from time to time */

/* pf_mailbox.c. */
bool pf_mailbox_round(struct pf *pf);

#endif
