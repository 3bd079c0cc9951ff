/* SPDX-License-Identifier: BSD-2-Clause */
/* How partitions start, stop and start again. Set-up at boot is in partition_init.c. */
#include "partition.h"

#include <string.h>

#include "arch.h"
#include "clock.h"
#include "log.h"

#define RESETS_IN_WINDOW 20
#define RESET_WINDOW	 (10 * CLOCK_SECOND)
#define SLICE		 KIB(8)
#define STOP_TIMEOUT	 (10 * CLOCK_SECOND) /* a guest's own FLR may hold its vCPU for 2.1 s */

struct partition partitions[HV_MAX_PARTITIONS];
unsigned partition_count;
struct hv_hooks partition_hooks;

const char *partition_state_name(enum partition_state state)
{
	static const char *const names[] = {"off", "running", "crashed"};

	return names[state];
}

enum status vcpu_power_on(struct vcpu *vcpu, uint64_t entry, uint64_t argument)
{
	enum vcpu_state expected = VCPU_OFF;
	unsigned *vcpus_on = &vcpu->partition->vcpus_on;

	__atomic_fetch_add(vcpus_on, 1, __ATOMIC_ACQ_REL);
	if (__atomic_load_n(&vcpu->partition->request, __ATOMIC_ACQUIRE) != REQUEST_NONE ||
	    !__atomic_compare_exchange_n(&vcpu->state, &expected, VCPU_CLAIMED, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		__atomic_fetch_sub(vcpus_on, 1, __ATOMIC_ACQ_REL);
		return STATUS_BUSY;
	}
	vcpu->entry = entry;
	vcpu->argument = argument;
	/* "Go" only after entry and argument are there: see core_loop(). */
	__atomic_store_n(&vcpu->state, VCPU_STARTING, __ATOMIC_RELEASE);
	core_kick(vcpu->core);
	return STATUS_OK;
}

void vcpu_left_guest(struct vcpu *vcpu)
{
	vgic_cpu_stop(vcpu);
	partition_hooks.vcpu_leave(vcpu->partition->id, vcpu->index);
	vcpu->stop = false;
	/* With the last one off nobody is left to turn one on again. Dropped when a request is
	 * there. */
	if (__atomic_fetch_sub(&vcpu->partition->vcpus_on, 1, __ATOMIC_ACQ_REL) == 1) {
		partition_request(vcpu->partition, REQUEST_OFF);
	}
	__atomic_store_n(&vcpu->state, VCPU_OFF, __ATOMIC_RELEASE);
}

void partition_request(struct partition *partition, enum partition_request request)
{
	enum partition_request none = REQUEST_NONE;

	if (!partition->startable ||
	    !__atomic_compare_exchange_n(&partition->request, &none, request, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		return;
	}
	for (unsigned i = 0; i < partition->config->vcpus; i++) {
		vcpu_alert(&partition->vcpus[i]);
		core_kick(partition->vcpus[i].core);
	}
}

bool vcpu_must_stop(const struct vcpu *vcpu)
{
	return vcpu->stop ||
	       __atomic_load_n(&vcpu->partition->request, __ATOMIC_SEQ_CST) != REQUEST_NONE;
}

bool vcpu_may_start(struct vcpu *vcpu)
{
	if (__atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) != VCPU_STARTING) {
		return false;
	}
	if (__atomic_load_n(&vcpu->partition->request, __ATOMIC_SEQ_CST) == REQUEST_NONE) {
		return true;
	}
	__atomic_fetch_sub(&vcpu->partition->vcpus_on, 1, __ATOMIC_ACQ_REL);
	__atomic_store_n(&vcpu->state, VCPU_OFF, __ATOMIC_RELEASE);
	return false;
}

static bool all_stopped(void *context)
{
	struct partition *partition = context;

	hv_pause();
	(void)vcpu_may_start(&partition->vcpus[0]); /* a CPU_ON for this core that came too late */
	for (unsigned i = 0; i < partition->config->vcpus; i++) {
		if (__atomic_load_n(&partition->vcpus[i].state, __ATOMIC_ACQUIRE) != VCPU_OFF) {
			return false;
		}
	}
	return true;
}

/*
 * Into memory itself, for a guest starts with its caches off; without a source, zeroes. This core's
 * interrupts, which may be others' (SMMU, console), wait no longer than a slice.
 */
static void write_slice(unsigned char *to, const unsigned char *from, size_t size)
{
	if (from) {
		memcpy(to, from, size);
	} else {
		memset(to, 0, size);
	}
	arch_clean(to, size);
	hv_pause();
}

static enum status load(struct partition *partition, const struct fit_image *image, ipa_t at)
{
	volatile void *target =
		image->size ? partition->guest_memory.at(partition, at, image->size) : NULL;

	if (!target) {
		log_error(
			"%s: an image of %lu bytes does not fit at 0x%lx; give the partition more "
			"memory",
			partition->config->name, image->size, at.v);
		return STATUS_NO_SPACE;
	}
	for (size_t done = 0; done < image->size; done += SLICE) {
		write_slice((unsigned char *)target + done,
			    (const unsigned char *)image->data + done,
			    image->size - done < SLICE ? image->size - done : SLICE);
	}
	return STATUS_OK;
}

/* Zeroed memory, then the images: what an earlier life left is gone. */
static enum status load_all(struct partition *partition)
{
	const struct partition_config *config = partition->config;
	enum status status = STATUS_OK;

	for (uint64_t at = 0; at < config->memory_size; at += SLICE) {
		write_slice(va_of((pa_t){partition->memory.v + at}), NULL, SLICE);
	}
	for (unsigned i = 0; i < CONFIG_IMAGES && status == STATUS_OK; i++) {
		if (config->images[i].name[0]) {
			status = load(partition, &partition->images[i], config->images[i].load);
		}
	}
	arch_publish_code();
	return status;
}

static enum status start(struct partition *partition)
{
	const struct partition_config *config = partition->config;
	enum status status = load_all(partition);

	/* Blocks given up in an earlier life are part of its RAM again, zeroed. */
	if (status == STATUS_OK && partition->released) {
		partition->released = false;
		status = partition_map_memory(partition);
	}
	vgic_reset(partition);
	vuart_reset(partition);
	hv_pause();
	if (status == STATUS_OK) {
		status = partition_hooks.partition_start(partition->id);
	}
	if (status != STATUS_OK) {
		log_error("%s: not started: %s", config->name, status_name(status));
		return status;
	}
	partition->state = PARTITION_RUNNING;
	__atomic_store_n(&partition->request, REQUEST_NONE, __ATOMIC_RELEASE);
	/* Refused only when the next request is there already; partition_turn() sees to that one.
	 */
	(void)!vcpu_power_on(&partition->vcpus[0], config->entry.v,
			     config->images[IMAGE_DTB].load.v);
	return STATUS_OK;
}

/* A service never keeps the machine on by itself. */
static void power_off_when_all_are_done(void)
{
	bool failed = false;

	for (unsigned i = 0; i < partition_count; i++) {
		struct partition *partition = &partitions[i];
		bool asked = __atomic_load_n(&partition->request, __ATOMIC_ACQUIRE) != REQUEST_NONE;

		if ((partition->state == PARTITION_RUNNING || asked) &&
		    !partition->config->service) {
			return;
		}
		failed |= partition->state == PARTITION_CRASHED;
	}
	report_print();
	log_info("every partition is off: powering off%s", failed ? ", one had crashed" : "");
	firmware_power_off(failed);
}

static void stop(struct partition *partition, enum partition_state state)
{
	partition->state = state;
	log_info("%s: %s", partition->config->name, partition_state_name(state));
	__atomic_store_n(&partition->request, REQUEST_NONE, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* two that stop at once: one sees both off */
	power_off_when_all_are_done();
}

void partition_turn(struct partition *partition)
{
	enum partition_request request = __atomic_load_n(&partition->request, __ATOMIC_ACQUIRE);

	if (request == REQUEST_NONE) {
		return;
	}
	if (clock_poll(all_stopped, partition, STOP_TIMEOUT) != STATUS_OK) {
		panic("%s: a vCPU does not stop", partition->config->name); /* our own bug */
	}
	if (partition->state == PARTITION_RUNNING) {
		partition_hooks.partition_stop(partition->id);
		hv_pause();
	}
	if (request == REQUEST_CRASH && partition->config->service) {
		request = REQUEST_RESET; /* others depend on it; the quota below ends it */
	}
	if (request == REQUEST_RESET &&
	    !log_allowed(&partition->reset_quota, clock_ns(), RESETS_IN_WINDOW, RESET_WINDOW)) {
		log_error("%s: more than %u restarts in 10 s: stopped", partition->config->name,
			  RESETS_IN_WINDOW);
		request = REQUEST_CRASH;
	}
	if (request == REQUEST_RESET) {
		partition->resets++;
		log_info("%s: restarting (%u)", partition->config->name, partition->resets);
	}
	partition->state = PARTITION_OFF;
	if (request == REQUEST_OFF) {
		stop(partition, PARTITION_OFF);
	} else if (request == REQUEST_CRASH || start(partition) != STATUS_OK) {
		stop(partition, PARTITION_CRASHED);
	}
}
