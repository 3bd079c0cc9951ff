/* SPDX-License-Identifier: BSD-2-Clause */
/* The joint's doors for guests: virtual bus, virtual ITS, LPI registers; and its life with vCPUs.
 */
#include "glue_rig.h"

#include <string.h>

#define PROPBASER 0x70
#define PENDBASER 0x78

static partition_id_t red, blue;

static void set_up(void)
{
	rig_build();
	red = hv_host_partition("red", 2, 0);
	blue = hv_host_partition("blue", 2, 2);
	hv_host_vf(red, "eth", RIG_PF, 0)->vf_was_free = true;
	hv_host_function(blue, "disk", RIG_NVME);
	rig_start();
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	assert_int_equal(rig_hooks.partition_start(blue), STATUS_OK);
}

/* Each sees its own bus and nothing of the other's, at every width, whatever the offset. */
static void buses_are_apart(void **state)
{
	uint64_t value;

	(void)state;
	set_up();
	assert_int_equal(rig_config_read(red, 0, 0, 4), 0x10ca8086);
	assert_int_equal(rig_config_read(blue, 0, 0, 4), 0x00101b36);
	for (unsigned device = 1; device < 31; device++) {
		assert_int_equal(rig_config_read(red, device, 0, 4), 0xffffffff);
		assert_int_equal(rig_config_read(blue, device, 0, 4), 0xffffffff);
	}
	for (uint64_t at = 0; at < GUEST_ECAM_SIZE; at += 0x7f8) {
		for (unsigned size = 1; size <= 8; size *= 2) {
			assert_true(
				hv_host_read(red, GUEST_ECAM_BASE + (at & ~7ull), size, &value));
			assert_true(
				hv_host_write(red, GUEST_ECAM_BASE + (at & ~7ull), size, ~0ull));
		}
	}
	assert_false(hv_host_read(red, GUEST_ECAM_BASE + GUEST_ECAM_SIZE, 4, &value));
	assert_int_equal(rig_config_read(blue, 0, PCI_COMMAND, 2), 0);
	assert_false(model_pci_masters(rig_nvme));
	rig_check();
}

/* F17, F18: every word of the ITS frame, every width; the page behind it faults. */
static void its_frame(void **state)
{
	uint64_t value;

	(void)state;
	set_up();
	for (uint64_t at = 0; at < 0x10000; at += 4) {
		for (unsigned size = 1; size <= 8; size *= 2) {
			uint64_t ipa = GUEST_ITS_BASE + (at & ~(size - 1ull));

			assert_true(hv_host_write(red, ipa, size, ~0ull));
			assert_true(hv_host_read(red, ipa, size, &value));
			assert_true(hv_host_write(red, ipa, size, 0));
		}
	}
	for (uint64_t at = GUEST_ITS_DOORBELL; at < GUEST_ITS_BASE + GUEST_ITS_SIZE; at += 0x40) {
		assert_false(hv_host_write(red, at, 4, 1));
		assert_false(hv_host_read(red, at, 4, &value));
	}
	rig_check();
}

static void lpi_registers(void **state)
{
	const uint64_t address = GUEST_RAM_BASE + 0x40000;

	(void)state;
	set_up();
	rig_hooks.lpi_write(red, 0, PROPBASER, address | 13, 8);
	assert_int_equal(rig_hooks.lpi_read(red, 1, PROPBASER), address | 13); /* common */
	assert_int_equal(rig_hooks.lpi_read(blue, 0, PROPBASER), 0);
	rig_hooks.lpi_write(red, 0, PROPBASER + 4, 0x12, 4);
	assert_int_equal(rig_hooks.lpi_read(red, 0, PROPBASER), 0x1200000000 | address | 13);
	assert_int_equal(rig_hooks.lpi_read(red, 0, PROPBASER + 4), 0x12);
	rig_hooks.lpi_write(red, 0, PROPBASER, (uint32_t)address, 4);
	assert_int_equal(rig_hooks.lpi_read(red, 0, PROPBASER), 0x1200000000 | address);

	rig_hooks.lpi_write(red, 1, PENDBASER, address, 8);
	assert_int_equal(rig_hooks.lpi_read(red, 1, PENDBASER), address);
	assert_int_equal(rig_hooks.lpi_read(red, 0, PENDBASER), 0); /* each its own */
	rig_hooks.lpi_write(red, 1, PENDBASER + 4, 1, 4);
	assert_int_equal(rig_hooks.lpi_read(red, 1, PENDBASER), 0x100000000 | address);
	for (unsigned size = 1; size < 4; size++) {
		for (uint32_t at = PROPBASER; at < PENDBASER + 8; at++) {
			rig_hooks.lpi_write(red, 1, at, ~0ull, size); /* no such access */
		}
	}
	assert_int_equal(rig_hooks.lpi_read(red, 1, PENDBASER), 0x100000000 | address);
	assert_int_equal(rig_hooks.lpi_read(red, 1, PROPBASER), 0x1200000000 | address);
	/* vCPUs there are not. */
	rig_hooks.lpi_write(red, 7, PENDBASER, ~0ull, 8);
	rig_hooks.lpi_enable(red, 7, true);
	assert_int_equal(rig_hooks.lpi_read(red, 7, PENDBASER), 0);
	rig_check();
}

/* Residency is said twice, or not at all: told, and survived. */
static void residency(void **state)
{
	(void)state;
	set_up();
	rig_hooks.vcpu_enter(red, 0);
	rig_hooks.vcpu_enter(red, 1);
	rig_hooks.vcpu_enter(red, 1);
	assert_int_equal(models_log_count("red: vcpu 1 gets no interrupts"), 1);
	rig_hooks.vcpu_leave(red, 1);
	rig_hooks.vcpu_leave(red, 0);
	rig_hooks.vcpu_leave(red, 0);
	assert_int_equal(models_log_count("red: vcpu 0: its redistributor"), 1);
	rig_hooks.partition_stop(red);
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	rig_guest_run(red);
	rig_assert_works(red, 0, rig_vf(0));
	rig_check();
}

/* A vPE that did not leave: nothing of that partition's is used again, the others live. */
static void stop_with_a_resident_vpe(void **state)
{
	(void)state;
	set_up();
	rig_guest_run(red);
	rig_guest_run(blue);
	rig_hooks.partition_stop(red); /* without vcpu_leave */
	assert_int_equal(models_log_count("red: its virtual ITS did not reset"), 1);
	rig_assert_gone(red, 0, rig_vf(0));
	assert_int_equal(rig_hooks.partition_start(red), STATUS_OK);
	assert_false(rig_assignment(red, 0)->attached);
	rig_hooks.vcpu_enter(red, 0);
	rig_hooks.vcpu_leave(red, 0);
	rig_hooks.partition_stop(red);
	rig_assert_works(blue, 0, rig_nvme);
	rig_check();
}

static void report_lines(void **state)
{
	(void)state;
	set_up();
	rig_guest_run(red);
	rig_hooks.report();
	assert_int_equal(
		models_log_count("@device partition=red function=0000:01:10.0 kind=VF "
				 "dma=smmu-stage2 interrupts=vlpi label=eth guest=0000:00:01.0 "
				 "state=assigned direct=vf-free config="),
		1);
	assert_int_equal(models_log_count("state=assigned direct=asked config="), 1);
	assert_int_equal(models_log_count("red (eth): direct, for a VF was free; DMA by SMMU"), 1);
	assert_int_equal(models_log_count("partition=blue function=0000:02:00.0 kind=function"), 1);
	rig_check();
}

/* More regions than the hypervisor can trap: glue_start() fails, it does not start half a guest. */
static void no_room_for_traps(void **state)
{
	const struct hv_mmio_region region = {.base = {0x1000}, .size = 0x100};

	(void)state;
	rig_build();
	red = hv_host_partition("red", 1, 0);
	for (unsigned i = 0; i < HV_HOST_TRAPS - 1; i++) {
		struct hv_mmio_region other = region;

		other.base.v += i * 0x1000;
		assert_int_equal(hv_trap_region(red, &other), STATUS_OK);
	}
	assert_int_equal(rig_start_with(&(struct rig_options){0}), STATUS_NO_MEMORY);
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_tear_down)

/* Each side's registers, whose they are in every line, and no guest's counter moves. */
static void a_dump_shows_both_sides(void **state)
{
	(void)state;
	set_up();
	uint64_t before = glue.sides[red.v].bridge.slots[1].accesses;

	rig_hooks.dump();
	assert_int_equal(models_log_count("@machine smmu=1 its=1"), 1);
	assert_int_equal(models_log_count("@pci - 0000:01:00.0 000: 10c98086"), 1);
	assert_int_equal(models_log_count("@pci - 0000:01:10.0 000: ffffffff"), 1); /* a VF */
	assert_int_equal(models_log_count("@bar 0000:01:00.0 0 space=2"), 1);
	assert_int_equal(models_log_count("@vf-bar 0000:01:00.0 0 "), 1);
	assert_int_equal(models_log_count("@iommu-map rid=0x0 count=0x400"), 1);
	assert_int_equal(models_log_count("@pci red 0000:00:00.0 000: 00081b36"), 1);
	assert_int_equal(models_log_count("@pci red 0000:00:01.0 000: 10ca8086"), 1);
	assert_int_equal(models_log_count("@pci red 0000:00:02.0"), 0);
	assert_int_equal(models_log_count("@pci blue 0000:00:01.0 000: 00101b36"), 1);
	assert_int_equal(glue.sides[red.v].bridge.slots[1].accesses, before);
	/* What a guest has not is not shown: here while the function is gone. */
	rig_hooks.partition_stop(blue);
	rig_hooks.dump();
	assert_int_equal(models_log_count("@pci blue 0000:00:00.0 000:"), 2);
	assert_int_equal(models_log_count("@pci blue 0000:00:01.0 000:"), 1);
	rig_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(buses_are_apart),   RIG_TEST(its_frame),
		RIG_TEST(lpi_registers),     RIG_TEST(residency),
		RIG_TEST(report_lines),	     RIG_TEST(stop_with_a_resident_vpe),
		RIG_TEST(no_room_for_traps), RIG_TEST(a_dump_shows_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
