/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered of faults. Each stream has a slot of its own, so one that floods the queue
 * cannot push another's faults out of sight; streams nobody owns get only a share of the slots.
 * Written with the event lock held, or the SMMU lock for reserving; counters are read without one.
 */
#include "smmu.h"

#include <string.h>

#include "clock.h"
#include "log.h"

#define SLOTS		 128
#define SLOTS_FOR_NOBODY 48
#define SLOT_NONE	 0
#define SLOT_OTHER	 (SLOTS - 1) /* shared by what found no slot */
#define RECENT		 8
#define WINDOW_NS	 1000000000ull
#define REPORTS_A_WINDOW 16

static struct slot {
	struct iommu_counters counters;
	struct log_quota quota;
	struct {
		uint64_t key;
		uint64_t seen_ns;
	} recent[RECENT];
	unsigned next;
	stream_id_t stream; /* the last one that made a record here */
	uint64_t window_ns; /* when its second began */
	unsigned in_window; /* records since */
} slots[SLOTS];

static uint8_t *slot_of; /* for each stream of the table */
static struct lock slots_lock;
static unsigned slots_used, used_by_nobody;

enum status fault_log_init(struct arena *arena)
{
	memset(slots, 0, sizeof(slots));
	slots_used = SLOT_NONE + 1;
	used_by_nobody = 0;
	slot_of = arena_take(arena, (size_t)1 << smmu.stream_id_bits, 1);
	return slot_of ? STATUS_OK : STATUS_NO_MEMORY;
}

static unsigned slot_index(stream_id_t stream)
{
	if ((uint64_t)stream.v >> smmu.stream_id_bits) {
		return SLOT_OTHER;
	}
	return __atomic_load_n(&slot_of[stream.v], __ATOMIC_RELAXED);
}

static unsigned find_slot(stream_id_t stream, bool nobody)
{
	unsigned index = slot_index(stream);

	if (index != SLOT_NONE && (index != SLOT_OTHER || nobody)) {
		return index;
	}
	lock_acquire(&slots_lock);
	if (slots_used == SLOT_OTHER || (nobody && used_by_nobody == SLOTS_FOR_NOBODY)) {
		index = SLOT_OTHER;
	} else {
		index = slots_used++;
		used_by_nobody += nobody;
	}
	__atomic_store_n(&slot_of[stream.v], (uint8_t)index, __ATOMIC_RELAXED);
	lock_release(&slots_lock);
	return index;
}

void fault_log_reserve(stream_id_t stream)
{
	(void)find_slot(stream, false);
}

/* Reported within the window? */
static bool is_repeat(struct slot *slot, uint64_t key, uint64_t now_ns)
{
	for (unsigned age = 1; age <= RECENT; age++) { /* usually the same as the last */
		unsigned i = (slot->next - age) % RECENT;

		if (slot->recent[i].key == key && now_ns - slot->recent[i].seen_ns < WINDOW_NS) {
			return true;
		}
	}
	return false;
}

bool iommu_flooding_stream(unsigned records, stream_id_t *stream)
{
	struct slot *most = NULL;
	uint64_t now_ns = clock_ns();

	for (unsigned i = 0; i < SLOTS; i++) {
		if (slots[i].in_window > (most ? most->in_window : records) &&
		    now_ns - slots[i].window_ns < WINDOW_NS) {
			most = &slots[i];
		}
	}
	if (!most) {
		return false;
	}
	most->in_window -= records;
	*stream = most->stream;
	return true;
}

bool fault_log_note(const struct iommu_event *event, uint64_t now_ns)
{
	bool nobody = partition_is(event->owner, PARTITION_NONE);
	struct slot *slot = &slots[find_slot(event->stream, nobody)];
	/* The kind of fault, never 0, takes the place of the offset in the page. */
	uint64_t key = (event->address.v & ~(uint64_t)(PAGE_SIZE - 1)) | event->raw_type;

	key ^= (uint64_t)event->owner.v << 56;
	if (now_ns - slot->window_ns >= WINDOW_NS) {
		slot->window_ns = now_ns;
		slot->in_window = 0;
	}
	slot->stream = event->stream;
	slot->in_window++;
	slot->counters.faults++;
	if (is_repeat(slot, key, now_ns) ||
	    !log_allowed(&slot->quota, now_ns, REPORTS_A_WINDOW, WINDOW_NS)) {
		return false;
	}
	slot->recent[slot->next].key = key;
	slot->recent[slot->next].seen_ns = now_ns;
	slot->next = (slot->next + 1) % RECENT;
	slot->counters.distinct++;
	return true;
}

struct iommu_counters iommu_stream_counters(stream_id_t stream)
{
	unsigned index = smmu.ready ? slot_index(stream) : SLOT_NONE;

	return index == SLOT_NONE ? (struct iommu_counters){0} : slots[index].counters;
}
