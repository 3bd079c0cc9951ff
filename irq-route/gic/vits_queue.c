/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's command queue. One trap does a bounded piece of work: what is left goes on when the
 * guest polls GITS_CREADR.
 */
#include "gic.h"

#include "clock.h"

/* The command that passes the second bound is finished: see vits_commands.c for its own. */
#define SLICE_GUEST_COMMANDS	64u
#define SLICE_PHYSICAL_COMMANDS 256u

#define LOG_BURST		4u
#define LOG_WINDOW_NS		1000000000ull

static bool log_permitted(struct irq_partition *partition)
{
	return log_allowed(&partition->quota, clock_ns(), LOG_BURST, LOG_WINDOW_NS);
}

static uint64_t queue_size(const struct irq_partition *partition)
{
	return (field_get(GITS_CBASER_SIZE, partition->cbaser) + 1) * KIB(4);
}

static void stall(struct irq_partition *partition, const char *why)
{
	partition->creadr |= GITS_CREADR_STALLED;
	if (log_permitted(partition)) {
		log_warn("partition %u: virtual ITS stalled at queue offset 0x%llx: %s",
			 partition->owner.v,
			 (unsigned long long)(partition->creadr & GITS_QUEUE_OFFSET), why);
	}
}

static void refuse(struct irq_partition *partition, const struct its_command *command,
		   enum status why)
{
	partition->counters.refused++;
	if (log_permitted(partition)) {
		log_warn("partition %u: ITS command 0x%02llx for DeviceID 0x%llx refused: %s; the "
			 "guest may only name devices, events and vCPUs of its own",
			 partition->owner.v,
			 (unsigned long long)field_get(ITS_W0_OPCODE, command->word[0]),
			 (unsigned long long)field_get(ITS_W0_DEVICE, command->word[0]),
			 status_name(why));
	}
}

/* The guest may change the slot at any time: each word is read once, and only the copy is used. */
static bool fetch(const struct irq_partition *partition, struct its_command *command)
{
	const struct guest_memory *memory = &partition->memory;
	ipa_t at = {(partition->cbaser & GITS_CBASER_ADDRESS) + partition->creadr};
	const volatile uint64_t *slot = memory->at(memory->context, at, sizeof(*command));

	for (unsigned i = 0; slot && i < ARRAY_SIZE(command->word); i++) {
		command->word[i] = guest_read64(&slot[i]);
	}
	return slot != NULL;
}

/* False: the queue has stalled. */
static bool process_one(struct irq_partition *partition)
{
	struct its_command command;

	if (!fetch(partition, &command)) {
		partition->counters.refused++;
		stall(partition, "the queue is not in the partition's RAM, see GITS_CBASER");
		return false;
	}
	enum status status = vits_command(partition, &command);

	partition->counters.commands++;
	if (status_is_unconfirmed(status)) {
		stall(partition, "the physical ITS does not answer");
		return false;
	}
	if (status != STATUS_OK) {
		refuse(partition, &command, status);
	}
	partition->creadr = (partition->creadr + sizeof(command)) % queue_size(partition);
	return true;
}

void vits_queue_process(struct irq_partition *partition)
{
	if (!(partition->ctlr & GITS_CTLR_ENABLED) || !(partition->cbaser & GITS_TABLE_VALID) ||
	    partition->creadr & GITS_CREADR_STALLED ||
	    partition->cwriter >= queue_size(partition)) {
		return;
	}
	unsigned before = partition->batch->total;

	for (unsigned i = 0; i < SLICE_GUEST_COMMANDS &&
			     partition->batch->total - before < SLICE_PHYSICAL_COMMANDS &&
			     partition->creadr != partition->cwriter;
	     i++) {
		if (!process_one(partition)) {
			return;
		}
	}
}
