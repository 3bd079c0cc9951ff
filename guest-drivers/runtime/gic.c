/* SPDX-License-Identifier: BSD-2-Clause */
/* GICv3 (IHI 0069), affinity routing, group 1 only; nothing is taken, everything is polled. */
#include "internal.h"

REG32(GICD_CTLR, 0x0000);
#define GICD_CTLR_GROUP1 BIT(1)
#define GICD_CTLR_ARE	 BIT(4)
#define GICD_CTLR_RWP	 BIT(31)

REG64(GICR_TYPER, 0x0008);
#define GICR_TYPER_VLPIS BIT(1)
#define GICR_TYPER_LAST	 BIT(4)
REG32(GICR_WAKER, 0x0014);
#define GICR_WAKER_SLEEP  BIT(1)
#define GICR_WAKER_ASLEEP BIT(2)
#define GICR_SGI_FRAME	  0x10000u
REG32(GICR_IGROUPR0, GICR_SGI_FRAME + 0x0080);
REG32(GICR_ISENABLER0, GICR_SGI_FRAME + 0x0100);
REG32(GICR_IPRIORITYR0, GICR_SGI_FRAME + 0x0400);

#define ICC_SRE_EL1	"s3_0_c12_c12_5"
#define ICC_PMR_EL1	"s3_0_c4_c6_0"
#define ICC_IGRPEN1_EL1 "s3_0_c12_c12_7"
#define ICC_IAR1_EL1	"s3_0_c12_c12_0"
#define ICC_EOIR1_EL1	"s3_0_c12_c12_1"

#define PRIORITY	0xa0a0a0a0u
#define SPURIOUS	1020u /* and above, up to 1023 */
#define POLL_LIMIT	4096u /* of one irq_poll(): a storm cannot hold the guest */
#define HANDSHAKE_NS	1000000ull
#define VLPI_STRIDE	0x40000u /* of GICv4 redistributors */

static const mmio_t distributor = {GUEST_GICD_BASE};
/* Only the core that polls LPIs (the boot core) writes these. */
static uint32_t counts[LPI_COUNT];
static uint32_t count_all;

static bool distributor_settled(void *context)
{
	(void)context;
	return !(mmio_read32(distributor, GICD_CTLR) & GICD_CTLR_RWP);
}

enum status gic_start_distributor(void)
{
	mmio_write32(distributor, GICD_CTLR, GICD_CTLR_ARE);
	mmio_write32(distributor, GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GROUP1);
	return clock_poll(distributor_settled, NULL, HANDSHAKE_NS);
}

bool gic_redistributor(mmio_t *frame)
{
	uint64_t mpidr = sysreg_read("mpidr_el1");
	uint64_t self = (mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24;
	uint64_t at = GUEST_GICR_BASE;

	for (unsigned i = 0; i < GUEST_MAX_VCPUS; i++) {
		uint64_t typer = mmio_read64((mmio_t){at}, GICR_TYPER);

		if (typer >> 32 == self) {
			frame->base = at;
			return true;
		}
		if (typer & GICR_TYPER_LAST) {
			break;
		}
		at += typer & GICR_TYPER_VLPIS ? VLPI_STRIDE : GUEST_GICR_STRIDE;
	}
	return false;
}

static bool awake(void *frame)
{
	return !(mmio_read32(*(mmio_t *)frame, GICR_WAKER) & GICR_WAKER_ASLEEP);
}

enum status gic_start_core(void)
{
	mmio_t frame;
	enum status status;

	sysreg_write(ICC_SRE_EL1, 7);
	if (!gic_redistributor(&frame)) {
		return STATUS_NOT_FOUND;
	}
	mmio_write32(frame, GICR_WAKER,
		     mmio_read32(frame, GICR_WAKER) & ~(uint32_t)GICR_WAKER_SLEEP);
	status = clock_poll(awake, &frame, HANDSHAKE_NS);
	mmio_write32(frame, GICR_IGROUPR0, ~0u);
	mmio_write32(frame, reg32_nth(GICR_IPRIORITYR0, TIMER_INTID / 4, 4), PRIORITY);
	mmio_write32(frame, GICR_ISENABLER0, 1u << TIMER_INTID);
	sysreg_write(ICC_PMR_EL1, 0xf0);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	clock_use_interrupt();
	return status;
}

void gic_enable_private(unsigned intid)
{
	mmio_t frame;
	reg32_t priority = reg32_nth(GICR_IPRIORITYR0, intid / 4, 4);

	if (gic_redistributor(&frame)) {
		mmio_write32(frame, priority, PRIORITY);
		mmio_write32(frame, GICR_ISENABLER0, 1u << intid);
	}
}

uint32_t irq_take(void)
{
	for (;;) {
		uint32_t intid = (uint32_t)sysreg_read(ICC_IAR1_EL1) & 0xffffff;

		if (intid >= SPURIOUS && intid <= 1023) {
			return 1023;
		}
		__asm__ volatile("dsb sy" ::: "memory");
		if (intid == TIMER_INTID) {
			sysreg_write("cntv_ctl_el0", 0); /* so this is the last of them */
		}
		sysreg_write(ICC_EOIR1_EL1, intid);
		if (intid != TIMER_INTID) {
			count_all++;
			if (intid - LPI_FIRST < LPI_COUNT) {
				counts[intid - LPI_FIRST]++;
			}
			return intid;
		}
	}
}

unsigned irq_poll(void)
{
	unsigned seen = 0;

	while (seen < POLL_LIMIT && irq_take() != 1023) {
		seen++;
	}
	return seen;
}

uint32_t irq_count(uint32_t intid)
{
	irq_poll();
	return intid - LPI_FIRST < LPI_COUNT ? counts[intid - LPI_FIRST] : 0;
}

uint32_t irq_count_all(void)
{
	irq_poll();
	return count_all;
}
