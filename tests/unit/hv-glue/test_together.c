/* SPDX-License-Identifier: BSD-2-Clause */
/* Isolation groups (F09, F12), shared requester ids, and resets of a whole bus. */
#include "glue_rig.h"

static partition_id_t red, blue;
static struct model_pci_function *a, *b; /* two that belong together */
static struct model_pci_function *above;

static struct model_pci_function *disk(struct model_pci_function *parent, uint8_t devfn)
{
	struct model_pci_function *f = model_pci_endpoint(rig_pci, parent, devfn, 0x1b36, 0x0011);

	model_pci_bar(f, 0, MODEL_PCI_MEM32, 0x4000);
	model_pci_msix(f, 0x40, 3, 0, 0);
	return f;
}

static void build(void)
{
	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
}

/* On buses 5 and up, beyond what the rig has: a and b below a switch without ACS. */
static void build_switch(void)
{
	build();
	above = model_pci_bridge(rig_pci, NULL, 0x30, MODEL_PCI_ROOT_PORT);
	model_pci_acs(above, 0x148, 0x1d);
	above = model_pci_bridge(rig_pci, above, 0, MODEL_PCI_UPSTREAM);
	a = disk(model_pci_bridge(rig_pci, above, 0, MODEL_PCI_DOWNSTREAM), 0);
	b = disk(model_pci_bridge(rig_pci, above, 8, MODEL_PCI_DOWNSTREAM), 0);
}

static void build_bridge(enum model_pci_port kind)
{
	build();
	above = model_pci_bridge(rig_pci, NULL, 0x30, MODEL_PCI_ROOT_PORT);
	model_pci_acs(above, 0x148, 0x1d);
	above = model_pci_bridge(rig_pci, above, 0, kind);
	a = disk(above, 0x08);
	b = disk(above, 0x10);
}

#define SWITCH_A ((rid_t){0x700})
#define SWITCH_B ((rid_t){0x800})
#define BRIDGE_A ((rid_t){0x608})
#define BRIDGE_B ((rid_t){0x610})

static void go(void)
{
	assert_int_equal(rig_start_with(&(struct rig_options){.iommu_buses = 256}), STATUS_OK);
}

static void start(partition_id_t partition)
{
	assert_int_equal(rig_hooks.partition_start(partition), STATUS_OK);
	rig_guest_run(partition);
}

static void stop(partition_id_t partition)
{
	rig_guest_halt(partition);
	rig_hooks.partition_stop(partition);
}

/* F12: neither of two owners gets one, and each is told who has the rest. */
static void two_owners(void **state)
{
	(void)state;
	build_switch();
	hv_host_function(red, "one", SWITCH_A);
	hv_host_function(blue, "two", SWITCH_B);
	hv_host_vf(blue, "eth", RIG_PF, 0);
	go();
	start(red);
	start(blue);
	assert_int_equal(models_log_count("0000:07:00.0 red (one): refused: it is in one isolation "
					  "group with 1 others"),
			 1);
	assert_int_equal(models_log_count("with 0000:08:00.0, which blue has (two); give the"), 1);
	assert_int_equal(models_log_count("with 0000:07:00.0, which red has (one); give the"), 1);
	assert_false(rig_stream_open(SWITCH_A, RIG_MEMORY) ||
		     rig_stream_open(SWITCH_B, RIG_MEMORY));
	assert_int_equal(hv_host_mapped(red), 0);
	assert_int_equal(a->bus_resets + b->bus_resets, 0);
	rig_assert_works(blue, 1, rig_vf(0));
	rig_check();
}

static void part_of_a_group(void **state)
{
	(void)state;
	build_switch();
	hv_host_function(red, "one", SWITCH_A);
	go();
	start(red);
	assert_false(rig_assignment(red, 0)->attached);
	assert_int_equal(
		models_log_count("with 0000:08:00.0, which nobody has (whole); give the whole"), 1);
	rig_check();
}

static void the_whole_group(void **state)
{
	(void)state;
	build_switch();
	hv_host_function(red, "one", SWITCH_A);
	hv_host_function(red, "two", SWITCH_B);
	go();
	for (unsigned i = 0; i < 3; i++) {
		start(red);
		rig_assert_works(red, 0, a);
		rig_assert_works(red, 1, b);
		stop(red);
		rig_assert_gone(red, 0, a);
		rig_assert_gone(red, 1, b);
	}
	assert_int_equal(a->bus_resets, 6); /* no FLR: its downstream port resets it each time */
	rig_check();
}

/* A PF and its VFs below a port without ACS are one group as well. */
static void vfs_below_a_port_without_acs(void **state)
{
	(void)state;
	build();
	a = rig_igb;
	rig_igb->parent->writable[0x14e] = 0;
	hv_host_function(red, "pf", RIG_PF);
	hv_host_service(red);
	hv_host_vf(red, "own", RIG_PF, 1);
	hv_host_vf(blue, "eth", RIG_PF, 0);
	go();
	start(red);
	start(blue);
	assert_false(rig_assignment(red, 0)->attached || rig_assignment(red, 1)->attached ||
		     rig_assignment(blue, 0)->attached);
	assert_int_equal(models_log_count("with 0000:01:00.0, which blue has (eth)"), 2);
	assert_int_equal(models_log_count("with 0000:01:00.0, which red has (pf)"), 1);
	rig_check();
}

/* Below a conventional bridge all have one stream and one DeviceID: the guest sees them as one. */
static void aliases(enum model_pci_port kind)
{
	build_bridge(kind);
	hv_host_vf(red, "eth", RIG_PF, 0);
	hv_host_function(red, "one", BRIDGE_A);
	hv_host_function(red, "two", BRIDGE_B);
	go();
	for (unsigned i = 0; i < 2; i++) {
		uint16_t own = model_pci_requester(a);

		assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
		/* b's reset, of their bus, came after a was told to leave its line alone. */
		assert_true(model_pci_peek(a, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF);
		rig_guest_run(red);
		assert_int_equal(own, kind == MODEL_PCI_TO_PCI ? 0x600 : 0x500);
		assert_int_equal(rig_assignment(red, 2)->speaks_as, 2);
		rig_assert_works(red, 0, rig_vf(0));
		assert_true(rig_dma_lands(a, red, RIG_MEMORY) && rig_dma_lands(b, red, RIG_MEMORY));
		assert_int_equal(rig_msi(b, 1).vlpi, RIG_VLPI + 8 + 1); /* as slot 2 */
		/* Under their own names they reach nothing. */
		assert_false(rig_stream_open(BRIDGE_A, RIG_MEMORY) ||
			     rig_stream_open(BRIDGE_B, RIG_MEMORY));
		stop(red);
		rig_assert_gone(red, 1, a);
		rig_assert_gone(red, 2, b);
		assert_false(rig_stream_open((rid_t){own}, RIG_MEMORY));
	}
	rig_check();
}

static void express_to_pci(void **state)
{
	(void)state;
	aliases(MODEL_PCI_TO_PCI);
}

static void conventional(void **state)
{
	(void)state;
	aliases(MODEL_PCI_CONVENTIONAL);
}

/* One of them does not get up again: the whole bus is suspect, and stays with nobody. */
static void a_bus_that_does_not_come_back(void **state)
{
	(void)state;
	build_bridge(MODEL_PCI_TO_PCI);
	hv_host_function(red, "one", BRIDGE_A);
	hv_host_function(red, "two", BRIDGE_B);
	go();
	start(red);
	b->dies_on_reset = true;
	stop(red);
	assert_true(rig_assignment(red, 0)->stuck && rig_assignment(red, 1)->stuck);
	start(red);
	assert_false(rig_assignment(red, 0)->attached || rig_assignment(red, 1)->attached);
	assert_false(rig_stream_open((rid_t){model_pci_requester(a)}, RIG_MEMORY));
	assert_string_equal(model_pci_violation(rig_pci), "");
}

/* A shared stream that is not confirmed aborting is nobody's again: none that share it come back.
 */
static void unconfirmed_stream(void **state)
{
	(void)state;
	build_bridge(MODEL_PCI_TO_PCI);
	hv_host_function(red, "one", BRIDGE_A);
	hv_host_function(red, "two", BRIDGE_B);
	go();
	start(red);
	rig_guest_halt(red);
	rig_smmu.sync_stuck = true;
	rig_hooks.partition_stop(red);
	rig_smmu.sync_stuck = false;
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	assert_false(rig_assignment(red, 0)->attached || rig_assignment(red, 1)->attached);
	assert_int_equal(hv_host_mapped(red), 0);
}

/* Reset or flag, or nothing. */
static void without_any_reset(void **state)
{
	(void)state;
	build();
	a = rig_edu;
	hv_host_function(red, "edu", RIG_EDU);
	go();
	start(red);
	assert_int_equal(
		models_log_count("0000:00:05.0 red (edu): refused: it has no reset; put it "
				 "behind a port of its own"),
		1);
	assert_false(rig_stream_open(RIG_EDU, RIG_MEMORY));
	rig_check();
	rig_tear_down(NULL);

	/* Two functions with ACS of one slot: apart, but one bus. */
	build();
	above = model_pci_bridge(rig_pci, NULL, 0x30, MODEL_PCI_ROOT_PORT);
	model_pci_acs(above, 0x148, 0x1d);
	a = disk(above, 0);
	b = disk(above, 1);
	for (unsigned i = 0; i < 2; i++) {
		model_pci_express(i ? b : a, 0x80, 0, false);
		model_pci_acs(i ? b : a, 0x100, 0x0c);
	}
	hv_host_function(red, "one", (rid_t){0x500});
	hv_host_function(blue, "two", (rid_t){0x501});
	go();
	start(red);
	assert_int_equal(models_log_count("0000:05:00.0 red (one): refused: it has no reset, and "
					  "that of its bus would hit 0000:05:00.1"),
			 1);
	assert_int_equal(b->bus_resets, 0);
	rig_check();
}

/* --- F32, F33: it is pulled, or another is put in its place ---------------------------------- */

static struct model_pci_function *pulled;

static void pull(void *context)
{
	(void)context;
	pulled->gone = true;
}

/* Whoever asks next is told: all-ones, for good, whatever answers there later. */
static void assert_told(const struct model_pci_function *f)
{
	assert_int_equal(rig_config_read(red, 0, PCI_VENDOR_ID, 4), ~0u);
	assert_int_equal(rig_config_read(red, 0, PCI_COMMAND, 2), 0xffff);
	rig_config_write(red, 0, PCI_COMMAND, 2, 0x0407);
	assert_int_equal(models_log_count("it is gone, or another is in its place"), 1);
	assert_false(model_pci_peek(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

/* Mid-config: its owner reads as one does whose card was pulled; then it stays with nobody. */
static void pulled_while_in_use(void **state)
{
	(void)state;
	for (unsigned replaced = 0; replaced < 2; replaced++) {
		build();
		hv_host_function(red, "disk", RIG_NVME);
		hv_host_vf(red, "eth", RIG_PF, 0);
		a = rig_nvme;
		go();
		start(red);
		model_pci_poke(rig_nvme, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		if (replaced) {
			/* F33: the same address, another device; it has no BARs, and masters
			 * nothing */
			model_pci_poke(rig_nvme, PCI_VENDOR_ID, 4, 0x11e81234);
			model_pci_poke(rig_nvme, PCI_COMMAND, 2, 0);
		} else {
			rig_nvme->gone = true;
		}
		assert_told(rig_nvme);
		rig_assert_works(red, 1, rig_vf(0)); /* the others go on */
		unsigned resets = rig_nvme->resets;

		stop(red);
		assert_true(rig_assignment(red, 0)->stuck);
		assert_false(rig_stream_open(RIG_NVME, RIG_MEMORY));
		start(red);
		assert_false(rig_assignment(red, 0)->attached);
		assert_int_equal(models_log_count("(disk): refused: it is quarantined"), 1);
		rig_assert_works(red, 1, rig_vf(0));
		assert_int_equal(rig_nvme->resets, resets); /* what is there now was not touched */
		stop(red);
		rig_check();
		rig_tear_down(NULL);
	}
}

/* Mid-invalidate, and at every access of a detach and of an attach: bounded, and nobody's after. */
static void pulled_at_any_moment(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < 4; moment++) {
		uint64_t began;

		build();
		hv_host_function(red, "disk", RIG_NVME);
		a = pulled = rig_nvme;
		go();
		if (moment < 2) {
			start(red);
			rig_guest_halt(red);
		}
		began = models_time();
		if (moment % 2) {
			models_observer(pull, NULL); /* before the first access that follows */
		} else {
			hv_host_on_map(pull, NULL);
			pulled->gone = moment < 2;
		}
		if (moment < 2) {
			rig_hooks.partition_stop(red);
		} else {
			assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
			rig_hooks.partition_stop(red);
		}
		models_observer(NULL, NULL);
		hv_host_on_map(NULL, NULL);
		assert_false(rig_assignment(red, 0)->attached);
		assert_false(rig_stream_open(RIG_NVME, RIG_MEMORY));
		assert_int_equal(hv_host_mapped(red), 0);
		/* Who finds it missing keeps it from everybody. */
		assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
		assert_true(rig_assignment(red, 0)->stuck);
		assert_true(models_time() - began < 3000000000ull);
		rig_tear_down(NULL);
	}
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(two_owners),
		RIG_TEST(part_of_a_group),
		RIG_TEST(the_whole_group),
		RIG_TEST(vfs_below_a_port_without_acs),
		RIG_TEST(express_to_pci),
		RIG_TEST(conventional),
		RIG_TEST(a_bus_that_does_not_come_back),
		RIG_TEST(unconfirmed_stream),
		RIG_TEST(without_any_reset),
		RIG_TEST(pulled_while_in_use),
		RIG_TEST(pulled_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
