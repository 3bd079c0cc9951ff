/* SPDX-License-Identifier: BSD-2-Clause */
/* What is never given: said in one line that names function, partition and reason; the rest goes
 * on. */
#include "glue_rig.h"

#include <string.h>

static partition_id_t red, blue;

static void build(void)
{
	rig_build();
	red = hv_host_partition("red", 1, 0);
	blue = hv_host_partition("blue", 1, 1);
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

/* Device `device` of red is refused with `line`, once; a second one, always red's last, works. */
static void assert_refused(unsigned device, const char *line)
{
	assert_false(rig_assignment(red, device)->attached);
	assert_int_equal(models_log_count(line), 1);
	assert_int_equal(models_log_count("refused") + models_log_count("cannot"), 1);
	assert_int_equal(rig_config_read(red, device, PCI_VENDOR_ID, 4), 0xffffffff);
}

static void one_bad_one_good(rid_t bad, const char *line)
{
	build();
	hv_host_function(red, "bad", bad);
	hv_host_vf(red, "good", RIG_PF, 1);
	rig_start();
	start(red);
	assert_refused(0, line);
	rig_assert_works(red, 1, rig_vf(1));
	assert_int_equal(hv_host_mapped(red), 2);
	stop(red);
	rig_check();
}

static void missing(void **state)
{
	(void)state;
	one_bad_one_good((rid_t){0x500}, "0000:05:00.0 red (bad): refused: there is no such");
	rig_tear_down(NULL);
	one_bad_one_good((rid_t){0x008}, "0000:00:01.0 red (bad): refused: there is no such");
}

static void beyond_the_smmu(void **state)
{
	(void)state;
	one_bad_one_good(RIG_FAR, "0000:04:00.0 red (bad): refused: its bus bypasses the SMMU");
	assert_false(model_pci_masters(rig_far));
}

static void no_msi_map(void **state)
{
	(void)state;
	build();
	hv_host_function(red, "bad", RIG_NVME);
	rig_start();
	glue.bus.host.msi_map[0].length = 0x200;
	start(red);
	assert_refused(0, "0000:02:00.0 red (bad): refused: its interrupts do not");
	rig_check();
}

static void vf_beyond_the_last(void **state)
{
	const uint16_t wrong[] = {7, 8, 100, 0xffff};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		build();
		hv_host_vf(red, "bad", RIG_PF, wrong[i]);
		hv_host_vf(red, "good", RIG_PF, 2);
		rig_start();
		start(red);
		assert_refused(0, "0000:01:00.0 red (bad): refused: VF ");
		assert_int_equal(glue.pools[0].count, 3);
		rig_assert_works(red, 1, rig_vf(2));
		rig_check();
		rig_tear_down(NULL);
	}
}

static void vf_of_no_pf(void **state)
{
	(void)state;
	build();
	hv_host_vf(red, "bad", RIG_NVME, 0);
	hv_host_vf(red, "good", RIG_PF, 2);
	rig_start();
	start(red);
	assert_refused(0, "0000:02:00.0 red (bad): refused: VF 0: it has 0 VFs");
	rig_assert_works(red, 1, rig_vf(2));
	rig_check();
}

static void vfs_that_do_not_come(void **state)
{
	(void)state;
	build();
	hv_host_vf(red, "bad", RIG_PF, 0);
	hv_host_function(red, "good", RIG_NVME);
	rig_igb->sriov_rules.absent_vfs = 1;
	rig_start();
	start(red);
	assert_int_equal(models_log_count("0000:01:00.0: cannot enable 1 VFs"), 1);
	assert_int_equal(models_log_count("0000:01:00.0 red (bad): refused: VF 0: it has 8 VFs, of "
					  "which 0 are enabled"),
			 1);
	rig_assert_works(red, 1, rig_nvme);
	rig_check();
}

static void bars(void **state)
{
	(void)state;
	build();
	hv_host_vf(red, "bad", RIG_PF, 1);
	hv_host_function(red, "good", RIG_NVME);
	rig_start();
	/* A card that does not keep to the system's page size. */
	glue.pools[0].vfs[1].bars[3].size = 0x800;
	start(red);
	assert_refused(0, "0000:01:10.2 red (bad): refused: its BAR 3 shares a page with those of "
			  "VFs 0 to 1 of 0000:01:00.0; give the whole card to one partition");
	rig_assert_works(red, 1, rig_nvme);
	rig_tear_down(NULL);

	build();
	model_pci_bar(rig_nvme, 2, MODEL_PCI_MEM64 | MODEL_PCI_PREFETCH, GIB(1));
	hv_host_function(red, "bad", RIG_NVME);
	rig_start();
	start(red);
	assert_refused(0, "0000:02:00.0 red (bad): refused: one of its BARs has no address");
	rig_tear_down(NULL);

	build();
	model_pci_bar(rig_nvme, 2, MODEL_PCI_MEM32, GIB(1));
	hv_host_function(red, "bad", RIG_NVME);
	rig_start();
	start(red);
	assert_refused(0, "0000:02:00.0 red (bad): refused: one of its BARs has no address");
	rig_check();
}

/* Two BARs of one function, smaller than a page, have pages of their own; the rest is nobody's. */
static void bars_smaller_than_a_page(void **state)
{
	uint64_t pa, next;

	(void)state;
	build();
	model_pci_bar(rig_nvme, 2, MODEL_PCI_MEM32, 0x100);
	model_pci_bar(rig_nvme, 3, MODEL_PCI_MEM32, 0x10);
	hv_host_function(red, "small", RIG_NVME);
	hv_host_function(blue, "other", RIG_EDU)->keep_without_reset = true;
	rig_start();
	start(red);
	start(blue);
	rig_assert_works(red, 0, rig_nvme);
	rig_assert_works(blue, 0, rig_edu);
	for (unsigned i = 0; i < glue.bus.function_count; i++) {
		const struct pci_function *f = &glue.bus.functions[i];

		for (unsigned n = 0; n < PCI_BUS_BARS && f->rid.v != RIG_NVME.v; n++) {
			if (f->bars[n].space >= PCI_SPACE_MEM32) {
				pa = f->bars[n].cpu_address.v;
				assert_false(f->rid.v != RIG_NVME.v &&
					     hv_host_lookup(red, pa, &next));
			}
		}
	}
	stop(red);
	rig_assert_gone(red, 0, rig_nvme);
	rig_check();
}

/* The function has more vectors than a partition's device can have: the guest is told of 32. */
static void more_vectors_than_are_shown(void **state)
{
	(void)state;
	build();
	model_pci_poke(rig_nvme, 0x42, 2, 63);
	hv_host_function(red, "many", RIG_NVME);
	rig_start();
	start(red);
	assert_int_equal(rig_config_read(red, 0, 0x42, 2) & 0x7ff, IRQ_DEVICE_MAX_EVENTS - 1);
	rig_assert_works(red, 0, rig_nvme);
	assert_true(rig_msi(rig_nvme, IRQ_DEVICE_MAX_EVENTS).dropped);
	assert_true(rig_msi(rig_nvme, 63).dropped);
	stop(red);
	rig_assert_gone(red, 0, rig_nvme);
	rig_check();
}

/* As many as a config can hold: each has its slot, its ITT and its report line. */
static void as_many_as_there_can_be(void **state)
{
	(void)state;
	build();
	for (uint16_t i = 0; i < 7; i++) {
		hv_host_vf(red, "eth", RIG_PF, i);
	}
	hv_host_function(red, "eighth", RIG_NVME);
	rig_start();
	start(red);
	for (unsigned i = 0; i < 7; i++) {
		rig_assert_works(red, i, rig_vf(i));
	}
	rig_assert_works(red, 7, rig_nvme);
	rig_hooks.report();
	assert_int_equal(models_log_count("state=assigned"), 8);
	assert_int_equal(models_log_count("function=0000:02:00.0 kind=function"), 1);
	stop(red);
	rig_check();
}

/* Nobody gets what several ask for, whoever starts first; the rest goes on. */
static void claimed_twice(void **state)
{
	(void)state;
	build();
	hv_host_vf(red, "eth", RIG_PF, 4);
	hv_host_vf(red, "eth-again", RIG_PF, 4);
	hv_host_function(red, "disk", RIG_NVME);
	hv_host_vf(blue, "eth", RIG_PF, 3);
	hv_host_function(blue, "disk", RIG_NVME);
	hv_host_vf(blue, "own", RIG_PF, 5);
	rig_start();
	start(red);
	start(blue);
	assert_int_equal(
		models_log_count("0000:01:11.0 red (eth): refused: given to red (eth-again) too"),
		1);
	assert_int_equal(
		models_log_count("0000:01:11.0 red (eth-again): refused: given to red (eth) too"),
		1);
	assert_int_equal(
		models_log_count("0000:02:00.0 red (disk): refused: given to blue (disk) too"), 1);
	assert_int_equal(
		models_log_count("0000:02:00.0 blue (disk): refused: given to red (disk) too"), 1);
	rig_assert_works(blue, 0, rig_vf(3));
	rig_assert_works(blue, 2, rig_vf(5));
	assert_false(rig_stream_open(RIG_NVME, RIG_MEMORY));
	assert_int_equal(rig_nvme->resets, 0);
	stop(blue);
	stop(red);
	rig_check();
}

/* The specification wants FLR of every VF (9.2.2.2); one without could carry state to the next. */
static void vf_without_a_reset(void **state)
{
	(void)state;
	build();
	hv_host_vf(red, "bad", RIG_PF, 0);
	hv_host_vf(red, "good", RIG_PF, 1);
	rig_start();
	model_pci_poke(rig_vf(0), 0xa0 + 4, 4, 0); /* Device Capabilities */
	start(red);
	assert_refused(0, "0000:01:10.0 red (bad): cannot reset it: ");
	assert_true(rig_assignment(red, 0)->stuck);
	rig_assert_works(red, 1, rig_vf(1));
	rig_check();
}

/* A PF whose VFs others drive needs somebody who drives it for them. */
static void whole_pf_and_its_vfs(void **state)
{
	(void)state;
	build();
	hv_host_function(red, "nic", RIG_PF);
	hv_host_vf(blue, "eth", RIG_PF, 0);
	rig_start();
	start(red);
	start(blue);
	assert_int_equal(models_log_count("0000:01:00.0 red (nic): refused: a PF whose VF blue has "
					  "(eth); make this partition a pf-service"),
			 1);
	assert_int_equal(
		models_log_count("0000:01:10.0 blue (eth): refused: a VF of the PF that red "
				 "has (nic), which is no pf-service"),
		1);
	rig_check();
	rig_tear_down(NULL);

	build();
	hv_host_function(red, "nic", RIG_PF);
	hv_host_service(red);
	hv_host_vf(blue, "eth", RIG_PF, 0);
	rig_start();
	start(red);
	start(blue);
	rig_assert_works(red, 0, rig_igb);
	rig_assert_works(blue, 0, rig_vf(0));
	rig_check();
}

/* F11 and its like: whole legs are missing. */
static void machine_without(const struct rig_options *options, const char *why)
{
	uint64_t value;

	build();
	hv_host_vf(red, "eth", RIG_PF, 0);
	hv_host_function(red, "disk", RIG_NVME);
	assert_int_equal(rig_start_with(options), STATUS_OK);
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	rig_hooks.vcpu_enter(red, 0);
	rig_hooks.lpi_enable(red, 0, true);
	assert_int_equal(models_log_count(why), 2);
	assert_int_equal(models_log_count("0000:02:00.0 red (disk): refused"), 1);
	assert_false(rig_assignment(red, 0)->attached || rig_assignment(red, 1)->attached);
	assert_false(model_pci_masters(rig_nvme) || model_pci_masters(rig_vf(0)));
	assert_int_equal(hv_host_mapped(red), 0);
	assert_int_equal(rig_config_read(red, 1, 0, 4), 0xffffffff);
	assert_true(hv_host_read(red, GUEST_ITS_BASE + 8, 8, &value)); /* no fault */
	if (options->no_its) {
		assert_int_equal(value, 0); /* and no ITS */
		assert_true(hv_host_write(red, GUEST_ITS_BASE, 4, 1));
		assert_true(hv_host_read(red, GUEST_ITS_BASE, 4, &value));
		assert_int_equal(value, 0);
	}
	rig_hooks.report();
	assert_int_equal(models_log_count("state=refused"), 2);
	rig_hooks.vcpu_leave(red, 0);
	rig_hooks.partition_stop(red);
	assert_string_equal(model_pci_violation(rig_pci), "");
	assert_int_equal(model_its_complaints(), 0);
	rig_tear_down(NULL);
}

static void without_a_leg(void **state)
{
	(void)state;
	machine_without(&(struct rig_options){.no_smmu = true}, "no SMMU that fences");
	machine_without(&(struct rig_options){.no_its = true}, "no ITS to deliver");
}

/* An SMMU that does not take the abort may be passing DMA: nothing is started at all. */
static void smmu_that_does_not_block(void **state)
{
	(void)state;
	build();
	hv_host_function(red, "disk", RIG_NVME);
	models_reset();
	rig_pci = (model_pci_free(rig_pci), NULL);
	model_smmu_add(&rig_smmu, 0x9050000);
	rig_smmu.gbpa_stuck = true;
	assert_int_equal(glue_start(&(struct glue_machine){.smmu = {0x9050000},
							   .smmu_size = MODEL_SMMU_SIZE},
				    &rig_hooks),
			 STATUS_HARDWARE);
}

/* Streams are counted where the map has them, not where the last bus would be. */
static void streams_of_the_last_bus(void **state)
{
	(void)state;
	for (unsigned buses = 2; buses < 6; buses++) {
		build();
		hv_host_vf(red, "eth", RIG_PF, 0);
		hv_host_function(red, "disk", RIG_NVME);
		assert_int_equal(rig_start_with(&(struct rig_options){.iommu_buses = buses}),
				 STATUS_OK);
		start(red);
		rig_assert_works(red, 0, rig_vf(0));
		assert_int_equal(rig_assignment(red, 1)->attached, buses > 2);
		rig_check();
		rig_tear_down(NULL);
	}
}

/* And no larger than it must be: the table is zeroed at boot. */
static void streams_that_can_be(void **state)
{
	(void)state;
	build();
	hv_host_vf(red, "eth", RIG_PF, 0);
	assert_int_equal(rig_start_with(&(struct rig_options){.iommu_buses = 256}), STATUS_OK);
	assert_int_equal(rig_smmu.strtab_cfg & 63, 13); /* five buses from RIG_STREAM_BASE on */
	start(red);
	rig_assert_works(red, 0, rig_vf(0));
	rig_check();
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(missing),
		RIG_TEST(beyond_the_smmu),
		RIG_TEST(no_msi_map),
		RIG_TEST(vf_beyond_the_last),
		RIG_TEST(vf_of_no_pf),
		RIG_TEST(vfs_that_do_not_come),
		RIG_TEST(bars),
		RIG_TEST(bars_smaller_than_a_page),
		RIG_TEST(more_vectors_than_are_shown),
		RIG_TEST(as_many_as_there_can_be),
		RIG_TEST(claimed_twice),
		RIG_TEST(vf_without_a_reset),
		RIG_TEST(whole_pf_and_its_vfs),
		RIG_TEST(without_a_leg),
		RIG_TEST(smmu_that_does_not_block),
		RIG_TEST(streams_of_the_last_bus),
		RIG_TEST(streams_that_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
