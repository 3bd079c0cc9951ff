/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F36, F30, F43: an error at every step of attach and detach. Afterwards the device is as if nobody
 * had asked for it, or it is quarantined for good; never in between. A bystander goes on.
 */
#include "glue_rig.h"

#include <string.h>

static partition_id_t red, blue, green;
static bool want_vf;
static unsigned hang_at, stall_at;

static struct model_pci_function *dut(void)
{
	return want_vf ? rig_vf(0) : rig_nvme;
}

/* Red and blue want the same device; green has one of its own, and uses it. */
static void set_up(void)
{
	rig_tear_down(NULL);
	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
	green = hv_host_partition("green", 1, 2);
	for (unsigned i = 0; i < 2; i++) {
		if (want_vf) {
			hv_host_vf(i ? blue : red, "dut", RIG_PF, 0);
		} else {
			hv_host_function(i ? blue : red, "dut", RIG_NVME);
		}
	}
	hv_host_vf(green, "own", RIG_PF, 1);
	assert_int_equal(rig_start_with(&(struct rig_options){.its_hang_at = hang_at,
							      .its_stall_at = stall_at}),
			 STATUS_OK);
	rig_ask(blue, 0, false);
	assert_int_equal(rig_hooks.partition_start(green), STATUS_OK);
	rig_guest_run(green);
	rig_assert_works(green, 0, rig_vf(1));
}

static void assert_free(void)
{
	assert_false(rig_assignment(red, 0)->stuck);
	if (want_vf) {
		assert_true(partition_is(rig_pool_vf(0)->owner, PARTITION_NONE));
		assert_int_equal(rig_pool_vf(0)->state, VF_FREE);
		assert_false(rig_pool_vf(0)->resetting);
	}
	rig_ask(red, 0, false);
	rig_ask(blue, 0, true);
	assert_true(rig_hooks.partition_start(blue) == STATUS_OK);
	assert_true(rig_assignment(blue, 0)->attached);
	rig_guest_run(blue);
	rig_assert_works(blue, 0, dut());
}

static void assert_quarantined(void)
{
	unsigned lines = models_log_count("red (dut): refused");

	if (want_vf) {
		assert_true(rig_pool_vf(0)->state == VF_QUARANTINED ||
			    rig_pool_vf(0)->state == VF_DEAD);
		assert_true(partition_is(rig_pool_vf(0)->owner, PARTITION_NONE));
	}
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	/* A whole function has one possible owner, a VF's pool knows by itself. */
	rig_ask(red, 0, false);
	rig_ask(blue, 0, want_vf);
	assert_int_equal(rig_hooks.partition_start(blue), STATUS_OK);
	assert_int_equal(models_log_count("red (dut): refused"), lines + 1);
	assert_false(rig_assignment(red, 0)->attached);
	assert_false(rig_assignment(blue, 0)->attached);
	rig_assert_hidden(red, 0, dut());
	rig_assert_hidden(blue, 0, dut());
	rig_hooks.report();
	assert_true(models_log_count("@device partition=red") ==
		    models_log_count("state=quarantined"));
}

/* --- injections: the n-th event of a kind goes wrong. False: there is no n-th ------------------
 */

struct injection {
	const char *name;
	void (*prepare)(unsigned n); /* before the machine starts */
	void (*arm)(unsigned n);
	void (*disarm)(void);
	unsigned steps; /* at least so many times it must have hit */
	bool harmless;	/* attach can undo all it did */
};

static unsigned syncs_left;

static void stick_sync(void *context)
{
	(void)context;
	/* The SMMU may look at any time. */
	model_smmu_prefetch(&rig_smmu, RIG_STREAM_BASE + model_pci_rid(dut()));
	rig_smmu.sync_stuck = rig_smmu.syncs_completed >= syncs_left;
}

static void arm_sync(unsigned n)
{
	syncs_left = (unsigned)rig_smmu.syncs_completed + n - 1;
	models_observer(stick_sync, NULL);
}

static void disarm_sync(void)
{
	models_observer(NULL, NULL);
	rig_smmu.sync_stuck = false;
}

static void arm_refusal(unsigned n)
{
	rig_smmu.refuse_in = n;
}

static void disarm_refusal(void)
{
	rig_smmu.refuse_in = 0;
}

static void arm_map(unsigned n)
{
	hv_host_fail_map(n, STATUS_NO_MEMORY);
}

static void disarm_map(void)
{
	hv_host_fail_map(0, STATUS_OK);
}

/* Which command it is is known only after a run without. */
static unsigned commands_before;

static void prepare_hang(unsigned n)
{
	hang_at = commands_before + n;
}

static void prepare_stall(unsigned n)
{
	stall_at = commands_before + n;
}

static void nothing(void)
{
}

static void disarm_its(void)
{
	hang_at = stall_at = 0; /* it never recovers: that is for the next machine */
}

static void gone(unsigned n)
{
	(void)n;
	dut()->gone = true;
}

static void dies(unsigned n)
{
	(void)n;
	dut()->dies_on_reset = true;
}

static void slow(unsigned n)
{
	(void)n;
	dut()->slow_reset_ns = 5000000000ull;
}

/* The MSI-X table is found outside its BAR by pci/virt, after everything else. */
static void bogus_msix(unsigned n)
{
	(void)n;
	model_pci_poke(dut(), want_vf ? 0x74 : 0x44, 4, 0x8000 | (want_vf ? 3 : 0));
}

static void sound_msix(void)
{
	model_pci_poke(dut(), want_vf ? 0x74 : 0x44, 4, want_vf ? 3 : 0);
}

/* At the last moment the VF is not ours any more. */
static void seize(void *context)
{
	(void)context;
	glue.pools[0].vfs[0].state = VF_DEAD;
	glue.pools[0].vfs[0].owner = PARTITION_NONE;
}

static void arm_seize(unsigned n)
{
	(void)n;
	hv_host_on_map(seize, NULL);
}

static void disarm_seize(void)
{
	hv_host_on_map(NULL, NULL);
}

/* --- attach ---------------------------------------------------------------------------------- */

static void run_red(void)
{
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	rig_guest_run(red);
	rig_assert_works(red, 0, dut());
	rig_guest_halt(red);
}

static void begin(const struct injection *injection, unsigned n, bool running)
{
	hang_at = stall_at = 0;
	if (injection->prepare) {
		injection->prepare(n);
	}
	set_up();
	if (running) {
		run_red();
	}
	if (injection->arm) {
		injection->arm(n);
	}
}

/* True while the n-th failure still comes. */
static bool attach_fails(const struct injection *injection, unsigned n)
{
	const struct assignment *a;

	begin(injection, n, false);
	a = rig_assignment(red, 0);
	uint64_t before = rig_state_hash();

	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	if (a->attached && injection->prepare) {
		return false; /* the ITS fails later: see detach */
	}
	injection->disarm();
	if (a->attached) {
		rig_guest_run(red);
		rig_assert_works(red, 0, dut());
		return false;
	}
	assert_false(a->stuck && injection->harmless);
	rig_assert_hidden(red, 0, dut());
	assert_int_equal(hv_host_mapped(red), 0);
	assert_int_equal(
		models_log_count("red (dut): cannot") + models_log_count("red (dut): refused"), 1);
	if (a->stuck) {
		assert_quarantined();
	} else {
		rig_assert_gone(red, 0, dut());
		assert_int_equal(rig_cached(red), 0);
		assert_int_equal(rig_state_hash(), before);
		assert_free();
	}
	assert_true(rig_dma_lands(rig_vf(1), green, RIG_MEMORY));
	assert_false(rig_msi(rig_vf(1), 1).dropped);
	rig_check();
	return true;
}

static void sweep(bool (*fails)(const struct injection *, unsigned),
		  const struct injection *injection, unsigned most)
{
	unsigned n = 1;

	while (n <= most && fails(injection, n)) {
		n++;
	}
	if (n - 1 < injection->steps) {
		print_error("%s: only %u steps failed\n", injection->name, n - 1);
	}
	assert_true(n - 1 >= injection->steps);
}

static const struct injection sync_stuck = {"SYNC", NULL, arm_sync, disarm_sync, 2, false};
static const struct injection refusal = {"CERROR_ILL", NULL, arm_refusal, disarm_refusal, 4, true};
static const struct injection map = {"hv_map_device", NULL, arm_map, disarm_map, 1, true};
static const struct injection hang = {"ITS hangs", prepare_hang, NULL, disarm_its, 2, false};
static const struct injection stall = {"ITS stalls", prepare_stall, NULL, disarm_its, 2, false};
static const struct injection surprise = {"removed", NULL, gone, nothing, 1, false};
static const struct injection death = {"dies in FLR", NULL, dies, nothing, 1, false};
static const struct injection sloth = {"slow FLR", NULL, slow, nothing, 1, false};
static const struct injection msix = {"bogus MSI-X", NULL, bogus_msix, sound_msix, 1, true};
static const struct injection seized = {"seized", NULL, arm_seize, disarm_seize, 1, false};

static void attach_with_errors(void)
{
	set_up();
	commands_before = rig_its_commands();
	sweep(attach_fails, &sync_stuck, 100);
	sweep(attach_fails, &refusal, 100);
	sweep(attach_fails, &map, 100);
	sweep(attach_fails, &hang, 100);
	sweep(attach_fails, &stall, 100);
	sweep(attach_fails, &surprise, 1);
	sweep(attach_fails, &death, 1);
	sweep(attach_fails, &sloth, 1);
	sweep(attach_fails, &msix, 1);
	if (want_vf) {
		sweep(attach_fails, &seized, 1);
	}
}

static void attach_vf(void **state)
{
	(void)state;
	want_vf = true;
	attach_with_errors();
}

static void attach_function(void **state)
{
	(void)state;
	want_vf = false;
	attach_with_errors();
}

/* --- the checker itself: an undo that forgets one step is seen in the state ------------------ */

static void claimed(void)
{
	assert_int_equal(vf_claim(&glue.pools[0], &glue.pools[0].vfs[0], red), STATUS_OK);
}

static void bound(void)
{
	const struct assignment *a = rig_assignment(red, 0);

	assert_int_equal(iommu_attach(a->stream, &a->tables, red), STATUS_OK);
}

static void routed(void)
{
	struct assignment *a = &glue.sides[red.v].assignments[0];

	assert_int_equal(
		irq_device_bind(&glue.sides[red.v].irq, a->device, (device_id_t){a->slot << 3}, 3),
		STATUS_OK);
}

static void mapped(void)
{
	const struct pci_bar *bar = &rig_assignment(red, 0)->identity.bars[0];

	assert_int_equal(
		hv_map_device(red, (ipa_t){bar->cpu_address.v}, bar->cpu_address, bar->size),
		STATUS_OK);
}

static void shown(void)
{
	glue.sides[red.v].bridge.slots[rig_assignment(red, 0)->slot].present = true;
}

static void mastering(void)
{
	model_pci_poke(dut(), PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void a_forgotten_undo_is_seen(void **state)
{
	static void (*const forget[])(void) = {claimed, bound, routed, mapped, shown, mastering};

	(void)state;
	want_vf = true;
	hang_at = stall_at = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(forget); i++) {
		set_up();
		uint64_t before = rig_state_hash();

		arm_map(1);
		assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
		disarm_map();
		assert_int_equal(rig_state_hash(), before);
		forget[i]();
		assert_int_not_equal(rig_state_hash(), before);
	}
}

/* The ITS fails in the undoing of an attach that something else had ended. */
static void fails_in_the_undo(void **state)
{
	unsigned stuck = 0;

	(void)state;
	want_vf = true;
	hang_at = stall_at = 0;
	set_up();
	commands_before = rig_its_commands();
	for (unsigned n = 1; n <= 6; n++) {
		hang_at = commands_before + n;
		set_up();
		arm_map(1);
		assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
		disarm_map();
		rig_assert_hidden(red, 0, dut());
		assert_false(rig_stream_open(RIG_VF(0), RIG_MEMORY));
		if (rig_assignment(red, 0)->stuck) {
			assert_quarantined();
			stuck = n;
		}
	}
	assert_int_equal(stuck, 4); /* MAPD, SYNC; MAPD, SYNC; then nothing more */
	disarm_its();
}

/* --- detach ---------------------------------------------------------------------------------- */

static bool detach_fails(const struct injection *injection, unsigned n)
{
	const struct assignment *a;

	begin(injection, n, true);
	a = rig_assignment(red, 0);
	rig_hooks.partition_stop(red);
	injection->disarm();
	rig_assert_hidden(red, 0, dut());
	assert_int_equal(hv_host_mapped(red), 0);
	assert_true(rig_dma_lands(rig_vf(1), green, RIG_MEMORY));
	assert_false(rig_msi(rig_vf(1), 1).dropped);
	if (!a->stuck) {
		rig_assert_gone(red, 0, dut());
		assert_int_equal(rig_cached(red), 0);
		if (glue.sides[red.v].irq_ready) {
			assert_free();
		}
		return false;
	}
	assert_int_equal(models_log_count("red (dut): it"), 1);
	assert_quarantined();
	rig_check();
	return true;
}

/* Asked for once more what the hardware did not confirm: still nobody's. */
static void green_goes_too(void)
{
	rig_guest_halt(green);
	rig_hooks.partition_stop(green);
	rig_assert_hidden(green, 0, rig_vf(1));
}

static void detach_with_errors(void)
{
	set_up();
	run_red();
	commands_before = rig_its_commands();
	sweep(detach_fails, &sync_stuck, 100);
	sweep(detach_fails, &refusal, 100);
	sweep(detach_fails, &hang, 100);
	green_goes_too();
	sweep(detach_fails, &stall, 100);
	sweep(detach_fails, &surprise, 1);
	sweep(detach_fails, &death, 1);
	sweep(detach_fails, &sloth, 1);
}

static void detach_vf(void **state)
{
	(void)state;
	want_vf = true;
	detach_with_errors();
}

static void detach_function(void **state)
{
	(void)state;
	want_vf = false;
	detach_with_errors();
}

/* A device that ignores its reset and its Command goes on: the stream alone stops it. */
static void ignores_everything(void **state)
{
	(void)state;
	want_vf = true;
	set_up();
	run_red();
	rig_vf(0)->ignores_reset = true;
	memset(rig_vf(0)->writable + PCI_COMMAND, 0, 2);
	rig_hooks.partition_stop(red);
	assert_true(model_pci_masters(rig_vf(0)));
	assert_false(rig_dma(rig_vf(0), RIG_MEMORY));
	assert_true(rig_msi(rig_vf(0), 0).dropped);
	assert_int_equal(rig_cached(red), 0);
	assert_false(rig_assignment(red, 0)->stuck);
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(attach_vf),
		RIG_TEST(attach_function),
		RIG_TEST(detach_vf),
		RIG_TEST(detach_function),
		RIG_TEST(ignores_everything),
		RIG_TEST(fails_in_the_undo),
		RIG_TEST(a_forgotten_undo_is_seen),
	};

	return run_on_both_stages(tests);
}
