/* SPDX-License-Identifier: BSD-2-Clause */
/* What the attacker does to its own vCPUs: their power, their interrupts, and restarts for ever. */
#include "attack.h"

#include "guest_map.h"
#include "sysreg.h"

#define PSCI_CPU_OFF	   0x84000002ull
#define PSCI_CPU_ON	   0xc4000003ull
#define PSCI_AFFINITY_INFO 0xc4000004ull
#define PSCI_SYSTEM_RESET  0x84000009ull
#define POWER_CYCLES	   10u
#define WAIT_NS		   2000000000ull

extern char stub_cpu_off[], stub_wait[];

/* No sleep, and so no timer: the closer to the event the better. */
static bool spin(bool (*done)(void))
{
	uint64_t start = clock_ns();

	while (!done()) {
		if (clock_ns() - start > WAIT_NS) {
			return false;
		}
	}
	return true;
}

static bool first_is_off(void)
{
	return hypercall(PSCI_AFFINITY_INFO, 0, 0, 0) == 1;
}

static bool first_on(const char *stub)
{
	return spin(first_is_off) && !hypercall(PSCI_CPU_ON, 0, (uint64_t)(uintptr_t)stub, 0);
}

/* On vCPU 1: vCPU 0 goes off and on, and in the end is switched on and the partition reset at once.
 */
static void race(void *argument)
{
	unsigned cycles = 0;

	(void)argument;
	while (cycles < POWER_CYCLES && first_on(stub_cpu_off)) {
		cycles++;
	}
	report("cycles", cycles == POWER_CYCLES ? "ok" : "stuck", "cycles=%u", cycles);
	if (first_on(stub_wait)) {
		hypercall(PSCI_SYSTEM_RESET, 0, 0, 0);
	}
	outcome("reset", "returned");
}

void attack_power_race(void)
{
	if (core_start(1, race, NULL) != STATUS_OK) {
		outcome("second", "failed");
		return;
	}
	hypercall(PSCI_CPU_OFF, 0, 0, 0);
	outcome("off", "returned");
}

void attack_restart(void)
{
	outcome("restart", "issued");
	power_reset();
}

/* --- list registers --------------------------------------------------------------------------- */

#define ICC_SGI1R_EL1	 "s3_0_c12_c11_5"
#define ICC_IAR1_EL1	 "s3_0_c12_c12_0"
#define ICC_EOIR1_EL1	 "s3_0_c12_c12_1"
#define ICC_DIR_EL1	 "s3_0_c12_c11_1"
#define ICC_CTLR_EL1	 "s3_0_c12_c12_4"
#define ICC_CTLR_EOIMODE 2ull /* EOI drops the priority, DIR deactivates */
#define SPURIOUS	 1020u
#define SGIS		 16u /* as many as there can be list registers */
#define ACK_TRIES	 2000u

static const mmio_t redistributor = {GUEST_GICR_BASE}; /* of vCPU 0 */
REG32(GICR_IGROUPR0, 0x10080);
REG32(GICR_ISENABLER0, 0x10100);
REG32(GICR_ICENABLER0, 0x10180);
REG32(GICR_ISPENDR0, 0x10200);
REG32(GICR_ICPENDR0, 0x10280);

/* The next interrupt, or SPURIOUS when none comes for a while. */
static uint32_t acknowledge(void)
{
	uint32_t intid = SPURIOUS;

	for (unsigned i = 0; i < ACK_TRIES && intid >= SPURIOUS && intid < LPI_FIRST; i++) {
		intid = (uint32_t)sysreg_read(ICC_IAR1_EL1) & 0xffffff;
	}
	return intid;
}

/*
 * Fills all list registers with interrupts that stay active, then sends more: whoever waits for a
 * free list register by an interrupt of its own may wait for ever, and do nothing else.
 */
void attack_active_interrupts(void)
{
	unsigned held = 0, late = 0;
	uint32_t intid = 0;

	mmio_write32(redistributor, GICR_ISENABLER0, 0xffff);
	sysreg_write(ICC_CTLR_EL1, ICC_CTLR_EOIMODE);
	for (uint64_t sgi = 0; sgi < SGIS; sgi++) {
		sysreg_write(ICC_SGI1R_EL1, sgi << 24 | 1);
		intid = acknowledge();
		if (intid == sgi) {
			held++;
			sysreg_write(ICC_EOIR1_EL1, intid);
		}
	}
	report("held", held ? "ok" : "failed", "held=%u of=%u", held, SGIS);
	for (unsigned i = 0; i < held; i++) {
		sysreg_write(ICC_DIR_EL1, i);
	}
	while ((intid = acknowledge()) < SGIS) {
		late++;
		sysreg_write(ICC_EOIR1_EL1, intid);
		sysreg_write(ICC_DIR_EL1, intid);
	}
	sysreg_write(ICC_CTLR_EL1, 0);
	mmio_write32(redistributor, GICR_ICENABLER0, 0xffff);
	report("late", held + late == SGIS ? "ok" : "lost", "late=%u", late);
}

/* --- the virtual timer ------------------------------------------------------------------------ */

#define TIMER_INTID (16 + GUEST_PPI_TIMER_VIRT)
#define TIMER_BIT   (1u << TIMER_INTID)

enum timer_step { END, ENABLE, DISABLE, SET, CLEAR, GROUP0, GROUP1, TIMER_OFF, TIMER_ON, TAKE };

static const struct {
	const char *name;
	uint8_t steps[8];
} timer_abuses[] = {
	{"clear", {CLEAR}},
	{"disable-clear-enable", {DISABLE, CLEAR, ENABLE}},
	{"disable-off-clear-enable", {DISABLE, TIMER_OFF, CLEAR, ENABLE}},
	{"disable-set-clear-enable", {DISABLE, SET, CLEAR, ENABLE}},
	{"set-clear", {SET, CLEAR}},
	{"take-clear", {TAKE, CLEAR}},
	{"take-set-clear", {TAKE, SET, DISABLE, CLEAR, ENABLE}},
	{"take-twice", {TAKE, TIMER_ON, TAKE, DISABLE, CLEAR, ENABLE}},
	{"other-group", {GROUP0, CLEAR, DISABLE, ENABLE, GROUP1}},
	{"off-on", {TIMER_OFF, TIMER_ON, DISABLE, CLEAR, TIMER_OFF, ENABLE}},
};

static bool timer_taken(void)
{
	uint32_t intid = acknowledge();

	if (intid < SPURIOUS) {
		sysreg_write("cntv_ctl_el0", 0); /* its level, before its EOI */
		sysreg_write(ICC_EOIR1_EL1, intid);
	}
	return intid == TIMER_INTID;
}

static void timer_due(void)
{
	sysreg_write("cntv_cval_el0", 0);
	sysreg_write("cntv_ctl_el0", 1);
}

static void timer_step(enum timer_step step)
{
	switch (step) {
	case ENABLE:
		mmio_write32(redistributor, GICR_ISENABLER0, TIMER_BIT);
		break;
	case DISABLE:
		mmio_write32(redistributor, GICR_ICENABLER0, TIMER_BIT);
		break;
	case SET:
		mmio_write32(redistributor, GICR_ISPENDR0, TIMER_BIT);
		break;
	case CLEAR:
		mmio_write32(redistributor, GICR_ICPENDR0, TIMER_BIT);
		break;
	case GROUP0:
		mmio_write32(redistributor, GICR_IGROUPR0, ~TIMER_BIT);
		break;
	case GROUP1:
		mmio_write32(redistributor, GICR_IGROUPR0, ~0u);
		break;
	case TIMER_OFF:
		sysreg_write("cntv_ctl_el0", 0);
		break;
	case TIMER_ON:
		timer_due();
		break;
	case TAKE:
		timer_taken();
		break;
	case END:
		break;
	}
}

static bool timer_pending(void)
{
	return mmio_read32(redistributor, GICR_ISPENDR0) & TIMER_BIT;
}

/* Whatever is done to a timer while it is pending, the next one must still come. */
void attack_timer_pending(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(timer_abuses); i++) {
		bool due;

		timer_step(DISABLE); /* to see it pending */
		timer_due();
		due = spin(timer_pending);
		timer_step(ENABLE);
		for (const uint8_t *step = timer_abuses[i].steps; *step != END; step++) {
			timer_step(*step);
		}
		sysreg_write("cntv_ctl_el0", 0);
		for (unsigned left = 0; left < SGIS && timer_taken(); left++) {
		}
		timer_due();
		report(timer_abuses[i].name, due && timer_taken() ? "ok" : "lost", "due=%u", due);
	}
}

/* --- translation ------------------------------------------------------------------------------ */

/* Its translation tables lie where nothing is: all it can do is fault, its own handlers first. */
void attack_no_tables(void)
{
	uint64_t base, end;

	guest_ram(&base, &end);
	outcome("begin", "issued");
	sysreg_write("ttbr0_el1", end);
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
	outcome("begin", "returned");
}
