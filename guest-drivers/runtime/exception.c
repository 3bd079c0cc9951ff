/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses that may fault are recorded and stepped over; any other exception ends the guest. */
#include "internal.h"

#define ESR_EC(esr)	   ((esr) >> 26 & 0x3f)
#define EC_FETCH_ABORT_EL1 0x21u
#define EC_DATA_ABORT_EL1  0x25u
/* Index of the vector, in groups of four: synchronous, IRQ, FIQ, SError (Arm ARM D1.3.2). */
#define VECTOR_SYNC   4u
#define VECTOR_SERROR 7u

struct probe {
	bool active, call;
	struct probe_result result;
};

static struct probe probes[GUEST_MAX_VCPUS]; /* each core its own */
static bool restarts;

void restart_on_crash(void)
{
	restarts = true;
}

static bool record(unsigned kind, struct exception_frame *frame)
{
	struct probe *probe = &probes[this_core() % GUEST_MAX_VCPUS];
	bool data = kind == VECTOR_SYNC && ESR_EC(frame->esr) == EC_DATA_ABORT_EL1;

	if (!probe->active ||
	    !(data || kind == VECTOR_SERROR || (kind == VECTOR_SYNC && probe->call))) {
		return false;
	}
	probe->active = false;
	probe->result = (struct probe_result){
		.faulted = true,
		.esr = frame->esr,
		.far = frame->far,
	};
	if (kind == VECTOR_SYNC) {
		bool fetch = ESR_EC(frame->esr) == EC_FETCH_ABORT_EL1;

		frame->elr = fetch ? frame->x[30] : frame->elr + 4;
	}
	return true;
}

void exception_entry(unsigned kind, struct exception_frame *frame)
{
	if (record(kind, frame)) {
		return;
	}
	say("guest: unexpected exception, vector %u on core %u: esr 0x%lx far 0x%lx elr 0x%lx",
	    kind, this_core(), frame->esr, frame->far, frame->elr);
	for (unsigned i = 0; i + 3 < 30; i += 4) {
		say("guest: x%02u %016lx %016lx %016lx %016lx", i, frame->x[i], frame->x[i + 1],
		    frame->x[i + 2], frame->x[i + 3]);
	}
	if (restarts) {
		power_reset();
	}
	power_off();
}

/* An SError may arrive late: the barriers and the unmasked window catch it inside the probe. */
static struct probe *probe_begin(bool call)
{
	struct probe *probe = &probes[this_core() % GUEST_MAX_VCPUS];

	*probe = (struct probe){.active = true, .call = call};
	__asm__ volatile("dsb sy\n\tmsr daifclr, #4\n\tisb" ::: "memory");
	return probe;
}

static struct probe_result probe_end(struct probe *probe, uint64_t value)
{
	__asm__ volatile("dsb sy\n\tisb\n\tmsr daifset, #4" ::: "memory");
	if (!probe->result.faulted) {
		probe->result.value = value;
	}
	probe->active = false;
	return probe->result;
}

struct probe_result probe_read(uint64_t address, unsigned size)
{
	struct probe *probe = probe_begin(false);
	uint64_t value = 0;

	switch (size) {
	case 1:
		value = arch_mmio_read8(address);
		break;
	case 2:
		value = arch_mmio_read16(address);
		break;
	case 4:
		value = arch_mmio_read32(address);
		break;
	default:
		value = arch_mmio_read64(address);
		break;
	}
	return probe_end(probe, value);
}

struct probe_result probe_write(uint64_t address, unsigned size, uint64_t value)
{
	struct probe *probe = probe_begin(false);

	switch (size) {
	case 1:
		arch_mmio_write8(address, (uint8_t)value);
		break;
	case 2:
		arch_mmio_write16(address, (uint16_t)value);
		break;
	case 4:
		arch_mmio_write32(address, (uint32_t)value);
		break;
	default:
		arch_mmio_write64(address, value);
		break;
	}
	return probe_end(probe, 0);
}

struct probe_result probe_call(uint64_t (*function)(uint64_t argument), uint64_t argument)
{
	struct probe *probe = probe_begin(true);

	return probe_end(probe, function(argument));
}
