/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one exit costs: each event is measured ROUNDS times, and the worst and the best are printed.
 * Under the hypervisor and on a plain machine (EL1, no EL2) it is the same program, so their
 * difference is what the hypervisor adds. It needs an `edu` for the message interrupt. On the
 * command line: bare=1 on a plain machine; restart=1 gives memory up and resets the partition in
 * the end.
 */
#include "edu.h"
#include "guest_map.h"
#include "measure.h"
#include "runtime.h"
#include "sysreg.h"

#define ROUNDS	      32
#define SMCCC_VERSION 0x80000000ull
#define RELEASE	      0xc6000001ull
#define RELEASE_PAGES 512ull
#define SGI_INTID     5u
#define SGI_TO_SELF   (SGI_INTID << 24 | 1u)
#define TIMER_INTID   (16u + GUEST_PPI_TIMER_VIRT)
#define TIMER_AHEAD   2000u
#define EDU_IRQ_RAISE 0x60u
#define EVENT_BITS    5u
#define EDU_IRQ_ACK   0x64u
#define ITS_INVALL    13u
#define DOORBELL      (GUEST_ITS_DOORBELL + 0x40)
#define GICD(offset)  (GUEST_GICD_BASE + (offset))

struct range {
	uint64_t best, worst;
};

static void add(struct range *range, uint64_t ticks)
{
	range->best = ticks < range->best ? ticks : range->best;
	range->worst = ticks > range->worst ? ticks : range->worst;
}

static void print(const char *name, const struct range *range)
{
	say("@probe name=%s worst=%lu best=%lu", name, range->worst, range->best);
}

static void failed(const char *name, const char *why, uint64_t value)
{
	say("@probe name=%s failed=%s value=%lu", name, why, value);
}

static void measure_calls(void)
{
	struct range nothing = {NEVER, 0}, call = {NEVER, 0};

	for (unsigned i = 0; i < ROUNDS; i++) {
		add(&nothing, measure_nothing());
	}
	print("nothing", &nothing);
	if (!boot_number("bare", 0)) { /* who answers there is the emulator itself */
		for (unsigned i = 0; i < ROUNDS; i++) {
			add(&call, measure_hypercall(SMCCC_VERSION));
		}
		print("hypercall", &call);
	}
}

/* Every kind of register a driver reads at run time; the worst of them is the figure. */
static void measure_distributor(void)
{
	static const struct {
		const char *name;
		uint64_t offset;
	} reads[] = {
		{"gicd_read-ctlr", 0x0000},	 {"gicd_read-typer", 0x0004},
		{"gicd_read-isenabler", 0x0104}, {"gicd_read-ispendr", 0x0204},
		{"gicd_read-ipriorityr", 0x420}, {"gicd_read-icfgr", 0x0c08},
		{"gicd_read-irouter", 0x6100},	 {"gicd_read-pidr2", 0xffe8},
	};
	struct range write = {NEVER, 0};

	for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
		struct range read = {NEVER, 0};

		for (unsigned k = 0; k < ROUNDS; k++) {
			add(&read, measure_read32(GICD(reads[i].offset)));
		}
		print(reads[i].name, &read);
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		add(&write, measure_write32(GICD(0x0104), 0)); /* ISENABLER1: enables nothing */
	}
	print("gicd_noop_write", &write);
}

static void measure_private(const char *name, bool timer)
{
	struct range range = {NEVER, 0};

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t intid = 0, ticks = timer ? measure_timer(TIMER_AHEAD, &intid)
						  : measure_sgi(SGI_TO_SELF, &intid);

		if (ticks == NEVER || intid != (timer ? TIMER_INTID : SGI_INTID)) {
			failed(name, ticks == NEVER ? "no-interrupt" : "wrong-interrupt", intid);
			return;
		}
		add(&range, ticks);
	}
	print(name, &range);
}

/* All the events a device can have, so that its detach is the longest there is. */
static bool start_edu(struct edu *edu)
{
	bool started = edu_start(edu) == STATUS_OK && its_start() == STATUS_OK &&
		       its_map_device(pci_device_id(&edu->pci), EVENT_BITS) == STATUS_OK &&
		       pci_msi_set(&edu->pci, DOORBELL, 0) == STATUS_OK;

	for (unsigned n = 0; started && n < 1u << EVENT_BITS; n++) {
		started = its_map_event(pci_device_id(&edu->pci), (event_id_t){n}, LPI_FIRST + n) ==
			  STATUS_OK;
	}
	return started;
}

static void measure_message(void)
{
	struct range range = {NEVER, 0};
	struct edu edu;

	if (!start_edu(&edu)) {
		failed("msi", "no-device", 0);
		return;
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t intid = 0, raise = edu.regs.base + EDU_IRQ_RAISE,
			 ticks = measure_store_to_interrupt(raise, 1, &intid);

		if (ticks == NEVER || intid != LPI_FIRST) {
			failed("msi", ticks == NEVER ? "no-interrupt" : "wrong-interrupt", intid);
			return;
		}
		add(&range, ticks);
		arch_mmio_write32(edu.regs.base + EDU_IRQ_ACK, 1);
	}
	print("msi", &range);
}

/* The dearest command: every event is looked at again. The guest's own part is in it. */
static void measure_invall(void)
{
	struct range range = {NEVER, 0};

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t since = clock_ns();

		if (its_command((const uint64_t[4]){ITS_INVALL, 0, 0, 0}) != STATUS_OK) {
			failed("its_invall", "refused", i);
			return;
		}
		add(&range, clock_ns() - since);
	}
	print("its_invall", &range);
}

/* The next life has the memory again. */
static void give_memory_up(void)
{
	uint64_t base, end;

	guest_ram(&base, &end);
	hypercall(RELEASE, end - RELEASE_PAGES * PAGE_SIZE, RELEASE_PAGES, 0);
}

void guest_main(void)
{
	say("@probe name=first_instruction worst=%lu best=%lu", first_instruction(),
	    first_instruction());
	measure_calls();
	measure_distributor();
	gic_enable_private(SGI_INTID);
	measure_private("self_sgi", false);
	measure_private("vtimer", true);
	measure_message();
	if (!boot_number("bare", 0) && !boot_number("restart", 0)) {
		measure_invall();
	}
	say("@probe done");
	if (boot_number("restart", 0)) {
		give_memory_up();
		power_reset();
	}
}
