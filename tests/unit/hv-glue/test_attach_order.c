/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device given and taken back, looked at after every store: at no moment does it have more than
 * its next step allows.
 */
#include "glue_rig.h"

enum { OWNED = 1, RESET = 2, STREAM = 4, VECTORS = 8, BARS = 16, SHOWN = 32, ALL = 63 };

static struct watch {
	partition_id_t partition;
	rid_t rid;
	struct model_pci_function *f;
	unsigned resets; /* before */
	bool stopping;
	const char *wrong;
	uint64_t seen_masks; /* one bit each */
} watch;

static unsigned mask_now(void)
{
	const struct partition_side *side = &glue.sides[watch.partition.v];
	const struct assignment *a = &side->assignments[0];
	bool on = rig_stream_meaning(watch.rid) != MODEL_STE_ABORT;
	/* Who else asks for a whole function is refused before anything: there is no claim to see.
	 */
	bool owned = a->request->wants_vf ? partition_is(rig_pool_vf(a->request->vf_index)->owner,
							 watch.partition)
		     : watch.stopping	  ? on
					  : watch.f->resets > watch.resets;

	return (owned ? OWNED : 0) | (watch.f->resets > watch.resets ? RESET : 0) |
	       (on ? STREAM : 0) | (model_its_device_mapped(watch.rid.v) ? VECTORS : 0) |
	       (hv_host_mapped(watch.partition) ? BARS : 0) |
	       (side->bridge.slots[1].present ? SHOWN : 0);
}

/* Each fact holds only while those before it do; and the device tries to get through all the time.
 */
static void look(void *context)
{
	unsigned mask = mask_now();
	bool masters = model_pci_peek(watch.f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;

	(void)context;
	model_smmu_prefetch(&rig_smmu, watch.rid.v + RIG_STREAM_BASE);
	(void)rig_stream_open(watch.rid, RIG_MEMORY); /* F31: whatever its Command says */
	watch.seen_masks |= 1ull << mask;
	if (watch.stopping) {
		if ((mask & RESET) && (mask & ~(RESET | OWNED))) {
			watch.wrong = "reset before it was shut off";
		}
		mask |= RESET;
		if (!(mask & OWNED)) {
			mask &= ~(unsigned)RESET;
		}
	}
	if (mask & (mask + 1)) {
		watch.wrong = "out of order";
	}
	if (masters && !(mask & SHOWN)) {
		watch.wrong = "bus mastering on and not shown";
	}
	if (watch.stopping && watch.f->pf && !(mask_now() & RESET) &&
	    rig_pool_vf(watch.f->vf_index)->state == VF_FREE) {
		watch.wrong = "free before it was reset";
	}
}

static void watch_begin(bool stopping)
{
	watch.stopping = stopping;
	watch.resets = watch.f->resets;
	watch.wrong = "";
	watch.seen_masks = 0;
	models_observer(look, NULL);
	hv_host_on_map(look, NULL);
}

static void watch_end(void)
{
	models_observer(NULL, NULL);
	hv_host_on_map(NULL, NULL);
	assert_string_equal(watch.wrong, "");
}

static void watch_one(partition_id_t partition, struct model_pci_function *f)
{
	watch.partition = partition;
	watch.f = f;
	watch.rid = (rid_t){model_pci_rid(f)};
	for (unsigned i = 0; i < 3; i++) {
		watch_begin(false);
		assert_int_equal(rig_hooks.partition_start(partition), STATUS_OK);
		watch_end();
		assert_int_equal(mask_now(), ALL);
		for (unsigned mask = f->pf ? OWNED : OWNED | RESET; mask < ALL;
		     mask = mask * 2 + 1) {
			assert_true(watch.seen_masks >> mask & 1);
		}
		rig_guest_run(partition);
		rig_assert_works(partition, 0, f);
		rig_guest_halt(partition);
		watch_begin(true);
		rig_hooks.partition_stop(partition);
		watch_end();
		assert_int_equal(mask_now(), RESET);
		rig_assert_gone(partition, 0, f);
		assert_int_equal(rig_cached(partition), 0);
	}
	rig_check();
}

static void order_of_a_vf(void **state)
{
	partition_id_t red;

	(void)state;
	rig_build();
	red = hv_host_partition("red", 1, 0);
	hv_host_vf(red, "eth0", RIG_PF, 3);
	rig_start();
	watch_one(red, rig_vf(3));
}

static void order_of_a_function(void **state)
{
	partition_id_t blue;

	(void)state;
	rig_build();
	hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
	hv_host_function(blue, "disk", RIG_NVME);
	rig_start();
	watch_one(blue, rig_nvme);
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(order_of_a_vf),
		RIG_TEST(order_of_a_function),
	};

	return run_on_both_stages(tests);
}
