/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of devices that no hardware is: they happen as if one had sent them, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "irq_rig.h"

#define P0	(&rig_partitions[0])
#define P1	(&rig_partitions[1])
#define RAISED	model_its_count(ITS_INT)
#define NOWHERE 0x200u

static const struct model_its_config gicv3 = {
	.cores = 4, .page_code = 3, .no_virtual = true, .no_vlpis = true};

static unsigned pending_anywhere(void)
{
	unsigned count = 0;

	for (unsigned p = 0; p < RIG_PARTITIONS; p++) {
		for (unsigned vcpu = 0; vcpu < RIG_VCPUS; vcpu++) {
			count += P0->why_injected
					 ? hv_host_lpis_pending((partition_id_t){(uint8_t)p}, vcpu)
					 : model_its_pending_count(rig_vpe(p, vcpu));
		}
	}
	return count;
}

static void take_all(void)
{
	for (unsigned core = 0; core < 4 && P0->why_injected; core++) {
		(void)rig_take(core);
	}
}

static bool lands(unsigned event, unsigned vcpu)
{
	irq_device_raise(P0, RIG_DEVICE(0), event);
	if (!P0->why_injected) {
		return model_its_signalled(rig_vpe(0, vcpu), RIG_VLPI + event);
	}
	if (rig_take(P0->vpes[vcpu].core) != 1) {
		return false;
	}
	bool pending = rig_lpi(0, event)->pending && rig_lpi(0, event)->vcpu == vcpu &&
		       rig_lpi(0, event)->intid == RIG_VLPI + event;

	hv_lpi_clear((partition_id_t){0}, event);
	return pending;
}

static void start(bool injected)
{
	if (injected) {
		rig_start_with(&gicv3);
	} else {
		rig_start();
	}
	rig_guest_usual(0);
	rig_guest_usual(1);
	clock_sleep_ns(20000000); /* a window of the storm limit */
}

static void raised(bool injected)
{
	start(injected);
	for (unsigned event = 0; event < RIG_VECTORS; event++) {
		assert_true(lands(event, 0));
	}
	assert_true(rig_movi(0, RIG_VIRTUAL, 1, 1));
	assert_true(lands(1, 1)); /* where its guest has moved it */
	rig_check();
}

/* What nobody is to hear: not one command goes to the ITS. */
static void dropped(bool injected)
{
	const unsigned beyond[] = {RIG_VECTORS, 31, 32, 33, 255, 256, 0x10000, 0x80000000, ~0u};
	unsigned before;

	start(injected);
	before = RAISED;
	for (unsigned i = 0; i < ARRAY_SIZE(beyond); i++) {
		irq_device_raise(P0, RIG_DEVICE(0), beyond[i]);
	}
	irq_device_raise(P0, RIG_DEVICE(1), 0); /* the neighbour's */
	irq_device_raise(P0, (device_id_t){NOWHERE}, 0);
	irq_device_raise(P0, (device_id_t){0}, 0);
	irq_device_raise(P0, (device_id_t){~0u}, 0);
	assert_int_equal(RAISED, before);
	take_all();
	assert_int_equal(pending_anywhere(), 0);

	assert_true(rig_event(0, ITS_DISCARD, RIG_VIRTUAL, 1));
	irq_device_raise(P0, RIG_DEVICE(0), 1);
	assert_true(rig_mapc(0, 0, 0, false)); /* and all the others: nowhere to go */
	irq_device_raise(P0, RIG_DEVICE(0), 0);
	assert_int_equal(RAISED, before);
	assert_true(rig_mapc(0, 0, 0, true));
	assert_true(lands(0, 0));
	assert_true(rig_mapd(0, RIG_VIRTUAL, 2, false));
	before = RAISED;
	irq_device_raise(P0, RIG_DEVICE(0), 0);
	assert_int_equal(RAISED, before);
	assert_int_equal(irq_device_unbind(P0, RIG_DEVICE(0), hv_pause), STATUS_OK);
	for (unsigned event = 0; event < 32; event++) {
		irq_device_raise(P0, RIG_DEVICE(0), event);
	}
	assert_int_equal(RAISED, before);
	irq_device_raise(P1, RIG_DEVICE(1), 0); /* and the neighbour has its own */
	assert_int_equal(RAISED, before + 1);
	rig_check();
}

/* Off in the guest's configuration: it waits, as a message would. */
static void waits(void **state)
{
	(void)state;
	start(false);
	rig_property(0, RIG_VLPI, 0xa0);
	assert_true(rig_event(0, ITS_INV, RIG_VIRTUAL, 0));
	assert_false(lands(0, 0));
	assert_true(model_its_pending(rig_vpe(0, 0), RIG_VLPI));
	rig_property(0, RIG_VLPI, 0xa1);
	assert_true(rig_event(0, ITS_INV, RIG_VIRTUAL, 0));
	assert_true(model_its_signalled(rig_vpe(0, 0), RIG_VLPI));
	rig_check();
}

/* An ITS that has failed: nothing happens, in no time. */
static void after_a_failure(void **state)
{
	uint64_t then;

	(void)state;
	start(false);
	model_its_hang_now();
	irq_device_raise(P0, RIG_DEVICE(0), 0);
	assert_int_equal(models_log_count("does not advance"), 1);
	then = models_time();
	for (unsigned i = 0; i < 1000; i++) {
		irq_device_raise(P0, RIG_DEVICE(0), i % 4);
	}
	assert_true(models_time() - then < 1000000);
	assert_int_equal(models_log_count("does not advance"), 1);
}

static void raised_direct(void **state)
{
	(void)state;
	raised(false);
}

static void raised_injected(void **state)
{
	(void)state;
	raised(true);
}

static void dropped_direct(void **state)
{
	(void)state;
	dropped(false);
}

static void dropped_injected(void **state)
{
	(void)state;
	dropped(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raised_direct),  cmocka_unit_test(raised_injected),
		cmocka_unit_test(dropped_direct), cmocka_unit_test(dropped_injected),
		cmocka_unit_test(waits),	  cmocka_unit_test(after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
