/* SPDX-License-Identifier: BSD-2-Clause */
/* Lives of partitions: start, restart, off, crash; and when the machine goes off. */
#include "hv_fixture.h"
#include "hv_host.h"

#include <string.h>

static int set_up(void **state)
{
	(void)state;
	fixture_partitions(3);
	return 0;
}

static void turn(void *partition)
{
	partition_turn(partition);
}

static bool ends(unsigned number)
{
	return fixture_ends(turn, &partitions[number]);
}

static void request(unsigned number, enum partition_request what)
{
	partition_request(&partitions[number], what);
}

/* As its core does, once it has left the guest. */
static void leave(unsigned number)
{
	for (unsigned v = 0; v < 2; v++) {
		if (partitions[number].vcpus[v].state != VCPU_OFF) {
			vcpu_left_guest(&partitions[number].vcpus[v]);
		}
	}
}

static void start(unsigned number)
{
	request(number, REQUEST_START);
	assert_false(ends(number));
	assert_int_equal(partitions[number].state, PARTITION_RUNNING);
	partitions[number].vcpus[0].state = VCPU_RUNNING;
}

static void starts(void **state)
{
	unsigned char *ram = va_of(partitions[0].memory);

	(void)state;
	memset(ram, 0xee, MIB(2));
	hv_host_pauses = 0;
	request(0, REQUEST_START);
	assert_int_equal(fixture.kicks[0] + fixture.kicks[1], 2);
	assert_int_equal(fixture.kicks[2], 0);
	assert_false(ends(0));
	assert_int_equal(partitions[0].state, PARTITION_RUNNING);
	assert_int_equal(partitions[0].vcpus[0].state, VCPU_STARTING);
	assert_int_equal(partitions[0].vcpus[1].state, VCPU_OFF);
	assert_int_equal(partitions[0].vcpus[0].entry, GUEST_RAM_BASE);
	assert_int_equal(partitions[0].vcpus[0].argument, GUEST_RAM_BASE + KIB(64));
	assert_int_equal(fixture.starts, 1);
	assert_int_equal(ram[0], 'x');
	assert_int_equal(ram[KIB(64)], 'x');
	assert_int_equal(ram[1] | ram[MIB(2) - 1], 0);	/* F37 */
	assert_true(hv_host_pauses >= MIB(2) / KIB(8)); /* F71: not after all of it */
	assert_int_equal(partitions[1].state, PARTITION_OFF);
}

static void restarts(void **state)
{
	(void)state;
	start(0);
	partitions[0].released = true;
	request(0, REQUEST_RESET);
	assert_true(vcpu_must_stop(&partitions[0].vcpus[0]));
	leave(0);
	assert_false(ends(0));
	assert_int_equal(fixture.stops, 1);
	assert_int_equal(fixture.starts, 2);
	assert_int_equal(partitions[0].resets, 1);
	assert_false(partitions[0].released);
	assert_int_equal(fixture.calls[0].what, S2_MAP); /* blocks given up are back */
	assert_int_equal(fixture.calls[0].size, MIB(2));
	assert_int_equal(partitions[0].vcpus[0].state, VCPU_STARTING);
	assert_false(vcpu_must_stop(&partitions[0].vcpus[0]));
}

/* Others depend on a service: it starts anew after a crash, until the quota says no. */
static void a_service_restarts_after_a_crash(void **state)
{
	struct partition_config service = *partitions[0].config;

	(void)state;
	service.service = true;
	partitions[0].config = &service;
	start(0);
	start(1);
	for (unsigned i = 0; i <= 20; i++) {
		assert_int_equal(partitions[0].state, PARTITION_RUNNING);
		request(0, REQUEST_CRASH);
		leave(0);
		assert_false(ends(0));
	}
	assert_int_equal(partitions[0].resets, 20);
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
	request(1, REQUEST_CRASH);
	leave(1);
	assert_true(ends(1));
	assert_int_equal(partitions[1].resets, 0);
}

/* The devices' own tree, too. */
static void restarts_with_stage_1(void **state)
{
	(void)state;
	fixture_smmu(true);
	start(0);
	partitions[0].released = true;
	request(0, REQUEST_RESET);
	leave(0);
	assert_false(ends(0));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fixture.calls[i].what, S2_MAP);
		assert_int_equal(fixture.calls[i].size, MIB(2));
	}
	assert_ptr_equal(fixture.calls[0].root, partitions[0].cpu_root);
	assert_int_equal(fixture.calls[0].kind, STAGE2_RAM);
	assert_ptr_equal(fixture.calls[1].root, partitions[0].device_root);
	assert_int_equal(fixture.calls[1].kind, STAGE1_RAM);
}

static void one_request_at_a_time(void **state)
{
	(void)state;
	start(0);
	request(0, REQUEST_OFF);
	request(0, REQUEST_RESET);
	leave(0);
	start(1);
	assert_false(ends(0));
	assert_int_equal(partitions[0].state, PARTITION_OFF);
	assert_int_equal(partitions[0].resets, 0);
	assert_false(ends(0)); /* nothing is asked */
	assert_int_equal(fixture.stops, 1);
}

/* A vCPU that is being switched on while its partition stops does not start. */
static void cpu_on_in_between(void **state)
{
	struct partition *p = &partitions[0];

	(void)state;
	start(1);
	start(0);
	assert_int_equal(vcpu_power_on(&p->vcpus[1], GUEST_RAM_BASE, 0), STATUS_OK);
	request(0, REQUEST_OFF);
	assert_false(vcpu_may_start(&p->vcpus[1]));
	assert_int_equal(p->vcpus[1].state, VCPU_OFF);
	assert_int_equal(vcpu_power_on(&p->vcpus[1], GUEST_RAM_BASE, 0), STATUS_BUSY);
	leave(0);
	assert_false(ends(0));
	assert_int_equal(p->state, PARTITION_OFF);
	assert_false(vcpu_may_start(&partitions[1].vcpus[1]));
}

static void hook_that_fails(void **state)
{
	(void)state;
	start(1);
	fixture.start_status = STATUS_HARDWARE;
	request(0, REQUEST_START);
	assert_false(ends(0));
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
	assert_int_equal(partitions[0].vcpus[0].state, VCPU_OFF);
	assert_int_equal(models_log_count("p0: not started"), 1);
}

static void image_that_does_not_fit(void **state)
{
	(void)state;
	start(1);
	fixture_config.partitions[0].images[IMAGE_DTB].load.v = GUEST_RAM_BASE + MIB(2);
	request(0, REQUEST_START);
	assert_false(ends(0));
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
	assert_int_equal(fixture.starts, 1); /* p1's: no device was given */
}

static void not_startable(void **state)
{
	(void)state;
	partitions[0].startable = false;
	request(0, REQUEST_START);
	assert_int_equal(partitions[0].request, REQUEST_NONE);
	assert_false(ends(0));
	assert_int_equal(fixture.starts, 0);
}

static void too_many_restarts(void **state)
{
	unsigned i = 0;

	(void)state;
	start(1);
	start(0);
	for (; i < 100 && partitions[0].state == PARTITION_RUNNING; i++) {
		request(0, REQUEST_RESET);
		leave(0);
		assert_false(ends(0));
	}
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
	assert_int_equal(i, 21);
	assert_int_equal(fixture.starts - fixture.stops, 1); /* p1 */
}

static void machine_goes_off(void **state)
{
	(void)state;
	fixture_config.partitions[2].service = true;
	for (unsigned i = 0; i < 3; i++) {
		start(i);
	}
	request(0, REQUEST_OFF);
	leave(0);
	assert_false(ends(0));
	request(1, REQUEST_OFF);
	leave(1);
	assert_true(ends(1)); /* the service does not keep it on */
	assert_true(fixture.powered_off);
	assert_false(fixture.failed);
	assert_int_equal(fixture.reports, 1);
}

static void machine_goes_off_failed(void **state)
{
	(void)state;
	start(0);
	start(1);
	request(0, REQUEST_CRASH);
	leave(0);
	assert_false(ends(0));
	assert_int_equal(partitions[0].state, PARTITION_CRASHED);
	request(1, REQUEST_OFF);
	leave(1);
	assert_true(ends(1));
	assert_true(fixture.powered_off && fixture.failed);
}

/* Another partition that is about to start keeps it on. */
static void machine_stays_on(void **state)
{
	(void)state;
	start(0);
	request(1, REQUEST_START);
	request(0, REQUEST_OFF);
	leave(0);
	assert_false(ends(0));
	assert_false(fixture.powered_off);
}

/* So does one that crashed, and that the operator restarts. */
static void machine_stays_on_for_a_restart(void **state)
{
	(void)state;
	start(0);
	start(1);
	request(1, REQUEST_CRASH);
	leave(1);
	assert_false(ends(1));
	request(1, REQUEST_RESET);
	request(0, REQUEST_OFF);
	leave(0);
	assert_false(ends(0));
	assert_false(ends(1));
	assert_int_equal(partitions[1].state, PARTITION_RUNNING);
	request(1, REQUEST_OFF);
	leave(1);
	assert_true(ends(1)); /* nobody is left */
	assert_false(fixture.failed);
}

/* Only our own bug leaves a vCPU in its guest: that ends the machine, it does not hang it. */
static void vcpu_that_stays(void **state)
{
	(void)state;
	start(0);
	request(0, REQUEST_OFF);
	assert_true(ends(0));
	assert_true(fixture.failed);
	assert_int_equal(models_log_count("panic: p0: a vCPU does not stop"), 1);
}

#define T(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(starts),
		T(restarts),
		T(restarts_with_stage_1),
		T(a_service_restarts_after_a_crash),
		T(one_request_at_a_time),
		T(cpu_on_in_between),
		T(hook_that_fails),
		T(image_that_does_not_fit),
		T(not_startable),
		T(too_many_restarts),
		T(machine_goes_off),
		T(machine_goes_off_failed),
		T(machine_stays_on),
		T(machine_stays_on_for_a_restart),
		T(vcpu_that_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
