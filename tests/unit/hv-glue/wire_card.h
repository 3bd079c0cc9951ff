/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's driver of a wire's card, written from virtio 1.2 alone: what it knows of the card it
 * has from configuration space. Queues of CARD_RING entries, one descriptor for a packet.
 */
#ifndef CW_WIRE_CARD_H
#define CW_WIRE_CARD_H

#include "glue_rig.h"
#include "io_host.h"

#define CARD_RING     8u
#define CARD_SLOT     2048u /* bytes of a buffer */
#define CARD_RX	      0u
#define CARD_TX	      1u
#define CARD_DOORBELL (GUEST_ITS_DOORBELL + 0x40)
#define CARD_NEXT     1u
#define CARD_WRITE    2u

/* Device status. */
#define CARD_SOUND  0x0fu
#define CARD_FAILED 0x4fu

struct card {
	partition_id_t partition;
	unsigned device; /* as the rig counts: slot - 1 */
	uint64_t bar, common, notify, specific, msix;
	uint32_t multiplier;
	uint16_t avail[2], seen[2];
};

/* Reads the configuration space. */
void card_find(struct card *card, partition_id_t partition, unsigned device);
uint32_t card_read(const struct card *card, uint64_t address, unsigned size);
void card_write(const struct card *card, uint64_t address, unsigned size, uint32_t value);
uint8_t card_status(const struct card *card);
bool card_link(const struct card *card);

/*
 * ITS events, MSI-X entries for `doorbell` with their number as data, features, two queues, receive
 * buffers, DRIVER_OK. The partition's guest is booted.
 */
void card_start_with(struct card *card, uint64_t doorbell);
void card_start(struct card *card);

/* Where a queue's table and a buffer of it lie. */
uint64_t card_table(const struct card *card, unsigned queue);
uint64_t card_buffer(const struct card *card, unsigned queue, unsigned index);
/* A chain is made available, of one descriptor; kicks are apart. */
void card_offer(struct card *card, unsigned queue, uint64_t address, uint32_t length,
		uint16_t flags);
void card_send(struct card *card, uint32_t size, unsigned seed);
void card_kick(const struct card *card, unsigned queue);
/* Chains of a queue that came back and were not looked at yet. */
unsigned card_back(const struct card *card, unsigned queue);
/* The next packet that came is all of `seed`: its size. Its buffer is given again. */
uint32_t card_receive(struct card *card, unsigned seed);
/* A packet of each size from here to there; all of it arrives, nothing else does. */
void card_talk(struct card *from, struct card *to, unsigned seed);

/* Is the interrupt of this MSI-X vector pending for the guest? Then it is no more. */
bool card_interrupted(const struct card *card, unsigned vector);

/*
 * --- red - blue - green: two wires. Blue has a VF besides, so its ends are in slots 2 and 3. ---
 */

extern const struct hv_wire_request wires_requests[2];
extern partition_id_t red, blue, green;
extern struct card left, right;	  /* ends of the wire that red asked for: red's, blue's */
extern struct card third, fourth; /* of the other one: green's, blue's */

/* NULL: as usual. Its wires are those above unless it names some. */
void wires_machine(const struct rig_options *options);
void wires_boot_one(partition_id_t partition);
void wires_halt(partition_id_t partition);
void wires_boot(void); /* all three, cards found */
void wires_start_all(const struct rig_options *options);
/* The operator's report has a line with this in it. */
void wires_report_says(const char *text);

#endif
