/* SPDX-License-Identifier: BSD-2-Clause */
/* Bring-up of the physical ITS on machines of many kinds, its encoders, and an ITS that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "irq_rig.h"

static void check_words(struct its_command c, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	assert_int_equal(c.word[0], w0);
	assert_int_equal(c.word[1], w1);
	assert_int_equal(c.word[2], w2);
	assert_int_equal(c.word[3], w3);
}

/* Words written out by hand from IHI 0069H 5.3. */
static void encoders(void **state)
{
	const device_id_t d = {0x1234};
	const event_id_t e = {5};

	(void)state;
	check_words(its_mapd(d, 5, (pa_t){0x41234500}), 0x0000123400000008, 4, 0x8000000041234500,
		    0);
	check_words(its_event_command(ITS_MAPD, d, (event_id_t){0}), 0x0000123400000008, 0, 0, 0);
	check_words(its_mapc(3, 2), 0x09, 0, 0x8000000000020003, 0);
	check_words(its_mapc(3, 0x80a), 0x09, 0, 0x80000000080a0003, 0);
	check_words(its_sync(2), 0x05, 0, 0x20000, 0);
	check_words(its_invall(7), 0x0d, 0, 7, 0);
	check_words(its_event_command(ITS_INV, d, e), 0x000012340000000c, 5, 0, 0);
	check_words(its_vmapp(9, 1, (pa_t){0x40010000}, 14), 0x29, 0x0000000900000000,
		    0x8000000000010000, 0x4001000d);
	check_words(its_vpe_command(ITS_VMAPP, 9), 0x29, 0x0000000900000000, 0, 0);
	check_words(its_vpe_command(ITS_VSYNC, 9), 0x25, 0x0000000900000000, 0, 0);
	check_words(its_vpe_command(ITS_VINVALL, 9), 0x2d, 0x0000000900000000, 0, 0);
}

/* A whole life on this machine: an interrupt arrives, the model has nothing to say. */
static void works_on(const struct model_its_config *config)
{
	rig_start_with(config);
	rig_guest_usual(0);
	assert_true(rig_lands(0, 1, 0, RIG_VLPI + 1));
	assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI + 1));
	assert_int_equal(irq_device_unbind(&rig_partitions[0], RIG_DEVICE(0), hv_pause), STATUS_OK);
	/* The last DeviceID: the table is as large as it was meant to be. */
	assert_int_equal(irq_device_bind(&rig_partitions[0], (device_id_t){0xffff},
					 (device_id_t){RIG_VIRTUAL}, 1),
			 STATUS_OK);
	rig_check();
}

static void machines(void **state)
{
	const struct model_its_config kinds[] = {
		{.cores = 4, .page_code = 3},
		{.cores = 4, .page_code = 2},
		{.cores = 4, .page_code = 1},
		{.cores = 4, .page_code = 0},
		{.cores = 4, .page_code = 3, .pta = true},
		{.cores = 4, .page_code = 3, .types_shuffled = true},
		{.cores = 4, .page_code = 3, .lpis_on = true, .its_on = true},
		{.cores = 16, .page_code = 3},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		works_on(&kinds[i]);
		assert_int_equal(model_counters.cleans, 0);
	}
}

/* A GIC that does not snoop: everything it reads is cleaned. */
static void not_snooping(void **state)
{
	(void)state;
	works_on(&(struct model_its_config){.cores = 4, .page_code = 3, .not_snooping = true});
	assert_true(model_counters.cleans > 20);
	assert_int_equal(models_log_count("not snooped"), 1);

	/* MAPD, SYNC and the ITT, which the ITS writes: no older line of it may come later. */
	uint64_t before = model_counters.cleans;

	assert_int_equal(irq_device_bind(&rig_partitions[0], RIG_DEVICE(0), (device_id_t){0x20}, 2),
			 STATUS_OK);
	assert_int_equal(model_counters.cleans - before, 3);
	/* VMAPTI, INV, VSYNC and the event's configuration byte. */
	assert_true(rig_mapd(0, 0x20, 1, true));
	before = model_counters.cleans;
	assert_true(rig_mapti(0, 0x20, 0, RIG_VLPI, 0));
	assert_int_equal(model_counters.cleans - before, 4);
	/* A reset: besides its commands each vPE's pending table, and the property table. */
	rig_guest_residency(0, false);
	before = model_counters.cleans - rig_physical_commands();
	assert_int_equal(irq_partition_reset(&rig_partitions[0], hv_pause), STATUS_OK);
	assert_int_equal(model_counters.cleans - rig_physical_commands() - before, RIG_VCPUS + 1);
	rig_check();
}

static void refuses(const struct model_its_config *config, const char *text)
{
	unsigned core = 0;
	struct guest_memory memory = {0};

	assert_int_equal(rig_machine(config), STATUS_UNSUPPORTED);
	assert_int_equal(models_log_count(text), 1);
	assert_int_equal(model_its_complaints(), 0);
	assert_int_equal(
		irq_partition_init(&rig_partitions[0], (partition_id_t){0}, &memory, 1, &core),
		STATUS_UNSUPPORTED);
}

static void unsupported_machines(void **state)
{
	(void)state;
	refuses(&(struct model_its_config){.cores = 4, .no_physical = true}, "GITS_TYPER.Physical");
	refuses(&(struct model_its_config){.cores = 4, .no_plpis = true}, "GICR_TYPER.PLPIS");
}

static void stuck_lpis(void **state)
{
	(void)state;
	assert_int_equal(rig_machine(&(struct model_its_config){
				 .cores = 1, .page_code = 3, .lpis_on = true, .lpis_stuck = true}),
			 STATUS_OK);
	assert_int_equal(irq_route_core_init(0), STATUS_STATE);
	assert_int_equal(irq_route_core_init(1), STATUS_RANGE);
	rig_check();
}

/* No room for tables is an error, not a half-built ITS. */
static void small_arena(void **state)
{
	static unsigned char small[KIB(256)] __attribute__((aligned(65536)));
	struct irq_route_config route = {.its = {MODEL_ITS_BASE}, .cores = 1, .device_bits = 16};
	struct arena arena = {.base = small, .size = sizeof(small)};

	(void)state;
	models_reset();
	model_its_start(&(struct model_its_config){.cores = 1, .page_code = 3});
	route.redistributors[0].base = MODEL_GICR_BASE;
	route.tables = &arena;
	assert_int_equal(irq_route_init(&route), STATUS_NO_MEMORY);
}

/* Everything the full machine needs fits in the arena: 16 cores, 8 partitions of 8 vCPUs. */
static void arena_is_enough(void **state)
{
	static struct irq_partition partitions[8];
	unsigned cores[GUEST_MAX_VCPUS] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct guest_memory memory = {0};

	(void)state;
	assert_int_equal(rig_machine(&(struct model_its_config){.cores = 16, .page_code = 3}),
			 STATUS_OK);
	for (unsigned core = 0; core < 16; core++) {
		assert_int_equal(irq_route_core_init(core), STATUS_OK);
	}
	for (unsigned p = 0; p < 8; p++) {
		assert_int_equal(irq_partition_init(&partitions[p], (partition_id_t){(uint8_t)p},
						    &memory, 8, cores),
				 STATUS_OK);
		for (uint32_t d = 0; d < IRQ_PARTITION_MAX_DEVICES; d++) {
			assert_int_equal(irq_device_bind(&partitions[p],
							 (device_id_t){0x100 + p * 8 + d},
							 (device_id_t){d}, 32),
					 STATUS_OK);
		}
		assert_int_equal(irq_device_bind(&partitions[p], (device_id_t){0x900},
						 (device_id_t){0x99}, 1),
				 STATUS_NO_MEMORY);
	}
	rig_check();
}

/* The physical queue wraps many times. */
static void queue_wrap(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	uint64_t before = rig_physical_commands();

	for (unsigned i = 0; i < 1500; i++) {
		assert_true(rig_event(0, ITS_INV, RIG_VIRTUAL, i % RIG_VECTORS));
	}
	assert_true(rig_physical_commands() - before >= 3000);
	assert_int_equal(rig_refused(0), 0);
	rig_check();
}

/* An ITS that stops: a bounded wait, an error, and nobody waits again. Nothing is given away. */
static void its_hangs(void **state)
{
	(void)state;
	rig_start();
	rig_guest_usual(0);
	model_its_hang_now();
	uint64_t start = models_time();

	assert_int_equal(irq_device_unbind(&rig_partitions[0], RIG_DEVICE(0), hv_pause),
			 STATUS_TIMEOUT);
	assert_true(models_time() - start < 200000000);
	assert_int_equal(models_log_count("does not advance"), 1);
	start = models_time();
	assert_int_equal(irq_device_unbind(&rig_partitions[0], RIG_DEVICE(0), hv_pause),
			 STATUS_HARDWARE);
	assert_int_equal(irq_partition_reset(&rig_partitions[1], hv_pause), STATUS_STATE);
	rig_guest_residency(1, false);
	assert_int_equal(irq_partition_reset(&rig_partitions[1], hv_pause), STATUS_HARDWARE);
	assert_int_equal(models_time() - start < 100000, true);
	/* Still owned: no other partition can have it, and its ITT is not used again. */
	assert_true(rig_partitions[0].devices[0].bound);
	assert_int_equal(irq_device_bind(&rig_partitions[1], RIG_DEVICE(0), (device_id_t){3}, 1),
			 STATUS_BUSY);
	/* The guest sees a stalled queue, not a wait. */
	assert_false(rig_mapti(0, RIG_VIRTUAL, 0, RIG_VLPI, 0));
	assert_true(vits_read(&rig_partitions[0], 0x90, 8) & GITS_CREADR_STALLED);
}

static void its_stalls(void **state)
{
	(void)state;
	assert_int_equal(
		rig_machine(&(struct model_its_config){.cores = 1, .page_code = 3, .stall_at = 2}),
		STATUS_OK);
	assert_int_equal(irq_route_core_init(0), STATUS_HARDWARE);
	assert_int_equal(models_log_count("stalled"), 1);
}

/* A bind that the ITS never answered leaves the slot taken. */
static void bind_hangs(void **state)
{
	const device_id_t device = {0x300};

	(void)state;
	rig_start();
	model_its_hang_now();
	assert_int_equal(irq_device_bind(&rig_partitions[0], device, device, 4), STATUS_TIMEOUT);
	assert_int_equal(irq_device_bind(&rig_partitions[1], device, device, 4), STATUS_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encoders),	   cmocka_unit_test(machines),
		cmocka_unit_test(not_snooping),	   cmocka_unit_test(unsupported_machines),
		cmocka_unit_test(stuck_lpis),	   cmocka_unit_test(small_arena),
		cmocka_unit_test(arena_is_enough), cmocka_unit_test(queue_wrap),
		cmocka_unit_test(its_hangs),	   cmocka_unit_test(its_stalls),
		cmocka_unit_test(bind_hangs),
	};

	return cmocka_run_group_tests_name("irq-route: physical ITS", tests, NULL, NULL);
}
