/* SPDX-License-Identifier: BSD-2-Clause */
/* The event queue and the global errors that concern it (IHI 0070 G.b, 7.2, 7.4, 7.5). */
#include "smmu.h"

#include "clock.h"
#include "event_record.h"
#include "log.h"

#define EVENTS_PER_CALL 128 /* bounds the time with interrupts masked */

static struct lock event_lock;
static const struct event_record *slots;
static uint32_t size, read_index; /* one wrap bit above the slot number */

enum status smmu_eventq_init(struct arena *arena)
{
	size = 1u << smmu.eventq_bits;
	read_index = 0;
	slots = smmu_queue_init(arena, smmu.eventq_bits, sizeof(*slots), SMMU_EVENTQ_BASE,
				SMMU_EVENTQ_PROD, SMMU_EVENTQ_CONS);
	return slots ? STATUS_OK : STATUS_NO_MEMORY;
}

static uint32_t waiting(uint32_t producer)
{
	return (producer - read_index) & (2 * size - 1);
}

static struct iommu_event take(void)
{
	const volatile uint64_t *slot = slots[read_index & (size - 1)].dword;
	struct event_record record = {{slot[0], slot[1], slot[2], slot[3]}};
	struct iommu_event event = event_decode(&record);

	event.owner = stream_owner(event.stream);
	read_index = (read_index + 1) & (2 * size - 1);
	smmu.totals.records++;
	return event;
}

/* Delivery stands still until an abort is acknowledged; the command queue looks after its own. */
static void acknowledge_errors(void)
{
	uint32_t errors = smmu_errors_acknowledge(~(uint32_t)GERROR_CMDQ_ERR);

	if (errors & GERROR_EVENTQ_ABT_ERR) {
		smmu.totals.overflows++;
	}
	if (errors & GERROR_SFM_ERR) {
		log_error("SMMU: service failure, all DMA has stopped; reset the machine");
	}
}

bool iommu_events(void (*report)(void *context, const struct iommu_event *event), void *context)
{
	if (!smmu.ready) {
		return false;
	}
	lock_acquire(&event_lock);
	uint64_t now = clock_ns();
	uint32_t producer = mmio_read32(smmu.registers, SMMU_EVENTQ_PROD);

	arch_barrier(); /* a record is read after the index that covers it (3.5.2) */
	for (uint32_t left = EVENTS_PER_CALL; left && waiting(producer); left--) {
		struct iommu_event event = take();

		if (fault_log_note(&event, now) && report) {
			report(context, &event);
		}
	}
	arch_barrier(); /* and before its slot is given back */
	if ((producer ^ mmio_read32(smmu.registers, SMMU_EVENTQ_CONS)) & EVENTQ_OVFLG) {
		smmu.totals.overflows++;
	}
	mmio_write32(smmu.registers, SMMU_EVENTQ_CONS,
		     read_index | (producer & (uint32_t)EVENTQ_OVFLG));
	acknowledge_errors();

	/* The next interrupt comes only when the queue goes from empty to non-empty (3.18.2). */
	bool more = waiting(mmio_read32(smmu.registers, SMMU_EVENTQ_PROD)) != 0;

	lock_release(&event_lock);
	return more;
}
