/* SPDX-License-Identifier: BSD-2-Clause */
/* The command queue (IHI 0070 G.b, 3.5, 4.1, 7.1): never overfilled, every wait bounded. */
#include "smmu.h"

#include "clock.h"
#include "log.h"

#define CMDQ_TIMEOUT_NS 1000000000ull
#define CMDQ_MAX_ERRORS 16 /* refused commands handled in one wait */

/* Indexes carry one wrap bit above the slot number. */
static struct cmdq {
	struct smmu_command *slots;
	uint32_t size;
	uint32_t write;	    /* our index: next free slot */
	bool timed_out;	    /* until the queue is seen empty, nothing more is put into it */
	enum status result; /* of what was submitted since the last smmu_sync() */
	struct log_quota quota;
} queue;

static uint32_t consumer(void)
{
	return mmio_read32(smmu.registers, SMMU_CMDQ_CONS) & (2 * queue.size - 1);
}

static uint32_t used(void)
{
	return (queue.write - consumer()) & (2 * queue.size - 1);
}

static void put(uint32_t index, struct smmu_command command)
{
	volatile uint64_t *slot = queue.slots[index & (queue.size - 1)].dword;

	slot[0] = command.dword[0];
	slot[1] = command.dword[1];
	if (!smmu.coherent) {
		arch_clean(slot, sizeof(command));
	}
}

enum status smmu_cmdq_init(struct arena *arena)
{
	queue = (struct cmdq){.size = 1u << smmu.cmdq_bits};
	queue.slots = smmu_queue_init(arena, smmu.cmdq_bits, sizeof(*queue.slots), SMMU_CMDQ_BASE,
				      SMMU_CMDQ_PROD, SMMU_CMDQ_CONS);
	return queue.slots ? STATUS_OK : STATUS_NO_MEMORY;
}

static void complain(const char *what, unsigned detail)
{
	smmu.totals.command_errors++;
	if (log_allowed(&queue.quota, clock_ns(), 4, CMDQ_TIMEOUT_NS)) {
		log_error("SMMU command queue: %s (%u); what waited for it has failed", what,
			  detail);
	}
}

/*
 * 7.1: consumption has stopped at the refused command. It becomes a SYNC, which cannot be refused,
 * and the acknowledgement restarts the queue. CONS.ERR means nothing but while the error is active.
 */
static void recover(void)
{
	uint32_t cons = mmio_read32(smmu.registers, SMMU_CMDQ_CONS);

	complain("command refused", (unsigned)field_get(CMDQ_CONS_ERR, cons));
	put(cons, command_plain(CMD_SYNC));
	(void)smmu_errors_acknowledge(GERROR_CMDQ_ERR);
}

static bool settled(void *most)
{
	return (smmu_errors_active() & GERROR_CMDQ_ERR) || used() <= *(uint32_t *)most;
}

/* Waits until at most `most` commands are left; a refused one never counts as done. */
static void wait_for(uint32_t most)
{
	for (unsigned errors = 0; errors < CMDQ_MAX_ERRORS; errors++) {
		if (clock_poll(settled, &most, CMDQ_TIMEOUT_NS) != STATUS_OK) {
			queue.timed_out = true;
			complain("no answer, commands left", used());
			return;
		}
		if (!(smmu_errors_active() & GERROR_CMDQ_ERR)) {
			return;
		}
		recover();
		queue.result = STATUS_HARDWARE;
	}
}

void smmu_submit(struct smmu_command command)
{
	uint32_t waiting = used();

	queue.timed_out &= waiting != 0;
	if (waiting >= queue.size && !queue.timed_out) {
		wait_for(queue.size - 1);
		waiting = used();
	}
	if (queue.timed_out || waiting >= queue.size) {
		queue.result = STATUS_TIMEOUT;
		return;
	}
	put(queue.write, command);
	queue.write = (queue.write + 1) & (2 * queue.size - 1);
	smmu.totals.commands++;
	mmio_write32(smmu.registers, SMMU_CMDQ_PROD, queue.write); /* after the slot: mmio.h */
}

/* CS=0: no interrupt. That CONS has passed it says that all before it is complete (4.7.3). */
enum status smmu_sync(void)
{
	smmu_submit(command_plain(CMD_SYNC));
	if (!queue.timed_out) {
		wait_for(0);
	}
	enum status result = queue.timed_out ? STATUS_TIMEOUT : queue.result;

	queue.result = STATUS_OK;
	return result;
}
