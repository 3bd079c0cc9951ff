/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical command queue (IHI 0069H 5.2): one batch at a time, written, published, awaited.
 * An ITS that does not answer, or stalls, is given up for good: a slot or a table it may still read
 * is never used again, and whoever asks gets the error at once.
 */
#include "gic.h"

#include "clock.h"

#define QUEUE_SIZE	 KIB(64)
#define ITS_COMMAND_SIZE sizeof(struct its_command)

static struct {
	struct lock lock; /* guards all below, and GITS_CWRITER */
	struct its_command *base;
	uint64_t writer; /* byte offset */
	bool failed;
} queue;

enum status its_queue_init(void)
{
	queue.base = arena_take(gic.tables, QUEUE_SIZE, GIC_TABLE_ALIGN);
	if (!queue.base) {
		return STATUS_NO_MEMORY;
	}
	(void)gic_set_table(gic.its, GITS_CBASER,
			    GITS_TABLE_VALID | (pa_of(queue.base).v & GITS_CBASER_ADDRESS) |
				    field_prep(GITS_CBASER_SIZE, QUEUE_SIZE / KIB(4) - 1),
			    GITS_TABLE_INNER_CACHE, queue.base, QUEUE_SIZE);
	mmio_write64(gic.its, GITS_CWRITER, 0);
	queue.writer = 0;
	queue.failed = false;
	return STATUS_OK;
}

static bool queue_taken(void *context)
{
	uint64_t reader = mmio_read64(gic.its, GITS_CREADR);

	(void)context;
	return (reader & GITS_CREADR_STALLED) || (reader & GITS_QUEUE_OFFSET) == queue.writer;
}

static enum status queue_wait(void)
{
	enum status status = clock_poll(queue_taken, NULL, GIC_TIMEOUT_NS);

	if (status == STATUS_OK && (mmio_read64(gic.its, GITS_CREADR) & GITS_CREADR_STALLED)) {
		status = STATUS_HARDWARE;
	}
	if (status != STATUS_OK) {
		queue.failed = true;
		log_error("ITS: command queue %s at offset 0x%llx of 0x%llx; interrupt routing is "
			  "frozen, restart the machine",
			  status == STATUS_TIMEOUT ? "does not advance" : "stalled",
			  (unsigned long long)mmio_read64(gic.its, GITS_CREADR),
			  (unsigned long long)queue.writer);
	}
	arch_barrier(); /* what the ITS wrote before it advanced is seen by what follows */
	return status;
}

/* The queue is empty between batches, and a batch is far shorter than the queue. */
static enum status queue_send(const struct its_batch *batch)
{
	if (queue.failed) {
		return STATUS_HARDWARE;
	}
	for (unsigned i = 0; i < batch->count; i++) {
		struct its_command *slot = &queue.base[queue.writer / ITS_COMMAND_SIZE];

		*slot = batch->commands[i];
		gic_clean(slot, sizeof(*slot));
		queue.writer = (queue.writer + ITS_COMMAND_SIZE) % QUEUE_SIZE;
	}
	arch_publish();
	mmio_write64(gic.its, GITS_CWRITER, queue.writer);
	return queue_wait();
}

void its_batch_add(struct its_batch *batch, struct its_command command)
{
	if (batch->count == ITS_BATCH) {
		/* An ITS that fails does so for good: the next run says so, too. */
		(void)!its_batch_run(batch);
	}
	batch->commands[batch->count++] = command;
	batch->total++;
}

enum status its_batch_run(struct its_batch *batch)
{
	enum status status = STATUS_OK;

	if (batch->count) {
		lock_acquire(&queue.lock);
		status = queue_send(batch);
		lock_release(&queue.lock);
	}
	batch->count = 0;
	return status;
}
