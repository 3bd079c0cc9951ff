/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical GICv3, as seen by the hypervisor (Arm IHI 0069). */
#include "clock.h"
#include "core.h"
#include "log.h"
#include "sysreg.h"

REG32(GICD_CTLR, 0x0000);
REG32(GICD_TYPER, 0x0004);
REG32(GICD_IGROUPR, 0x0080);
REG32(GICD_ISENABLER, 0x0100);
REG32(GICD_ICENABLER, 0x0180);
REG32(GICD_ICPENDR, 0x0280);
REG32(GICD_ICACTIVER, 0x0380);
REG32(GICD_IPRIORITYR, 0x0400);
REG32(GICD_ICFGR, 0x0c00);
REG64(GICD_IROUTER, 0x6000);
#define GICD_CTLR_RWP	 BIT(31)
#define GICD_CTLR_ARE	 BIT(4)
#define GICD_CTLR_GROUP1 BIT(1)
#define GICD_TYPER_LINES BITS(4, 0)

REG32(GICR_WAKER, 0x0014);
#define GICR_SGI_FRAME	  0x10000 /* GICD_'s registers of SGIs and PPIs, at the same offsets */
#define GICR_WAKER_SLEEP  BIT(1)
#define GICR_WAKER_ASLEEP BIT(2)

#define PPI_MAINTENANCE	  25
#define PPI_EL2_TIMER	  26
#define SGI_KICK	  0
#define PRIORITY	  0xa0a0a0a0u
#define SPURIOUS	  1020
#define TIMEOUT		  10000000ull /* ns */
#define MAX_HANDLERS	  3	      /* boot.c: the UART's and the SMMU's two */

static mmio_t distributor;
static struct handler {
	unsigned intid;
	void (*handler)(void);
	enum hv_exit_class exit_class;
} handlers[MAX_HANDLERS];
static unsigned handler_count;

static bool distributor_idle(void *context)
{
	(void)context;
	return !(mmio_read32(distributor, GICD_CTLR) & GICD_CTLR_RWP);
}

static void distributor_wait(void)
{
	if (clock_poll(distributor_idle, NULL, TIMEOUT) != STATUS_OK) {
		log_error("GIC distributor: writes still pending after 10 ms");
	}
}

void gic_distributor_init(mmio_t frame)
{
	distributor = frame;
	unsigned lines = (unsigned)field_get(GICD_TYPER_LINES, mmio_read32(frame, GICD_TYPER)) + 1;

	mmio_write32(frame, GICD_CTLR, 0);
	distributor_wait();
	for (unsigned i = 1; i < lines; i++) {
		mmio_write32(frame, reg32_nth(GICD_ICENABLER, i, 4), ~0u);
		mmio_write32(frame, reg32_nth(GICD_IGROUPR, i, 4), ~0u);
		mmio_write32(frame, reg32_nth(GICD_ICFGR, 2 * i, 4), 0); /* level */
		mmio_write32(frame, reg32_nth(GICD_ICFGR, 2 * i + 1, 4), 0);
	}
	mmio_write32(frame, GICD_CTLR, GICD_CTLR_ARE);
	distributor_wait();
	mmio_write32(frame, GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GROUP1);
	distributor_wait();
}

void gic_enable_spi(unsigned intid, const struct core *core)
{
	mmio_write32(distributor, reg32_nth(GICD_IPRIORITYR, intid / 4, 4), PRIORITY);
	mmio_write64(distributor, reg64_nth(GICD_IROUTER, intid, 8), core->affinity);
	mmio_write32(distributor, reg32_nth(GICD_ISENABLER, intid / 32, 4), 1u << intid % 32);
}

void gic_disable_spi(unsigned intid)
{
	mmio_write32(distributor, reg32_nth(GICD_ICENABLER, intid / 32, 4), 1u << intid % 32);
	distributor_wait();
	mmio_write32(distributor, reg32_nth(GICD_ICACTIVER, intid / 32, 4), 1u << intid % 32);
}

static mmio_t sgi_frame(const struct core *core)
{
	return (mmio_t){core->redistributor.base + GICR_SGI_FRAME};
}

static bool redistributor_awake(void *context)
{
	return !(mmio_read32(*(mmio_t *)context, GICR_WAKER) & GICR_WAKER_ASLEEP);
}

void gic_core_init(struct core *core)
{
	mmio_t frame = core->redistributor, sgi = sgi_frame(core);

	mmio_write32(frame, GICR_WAKER,
		     mmio_read32(frame, GICR_WAKER) & ~(uint32_t)GICR_WAKER_SLEEP);
	if (clock_poll(redistributor_awake, &frame, TIMEOUT) != STATUS_OK) {
		panic("core %u: its redistributor does not wake up", core->number);
	}
	if (field_get(ICH_VTR_LISTREGS, sysreg_read(ICH_VTR_EL2)) == 0) {
		panic("core %u has one list register, two are needed", core->number);
	}
	mmio_write32(sgi, GICD_ICENABLER, ~0u);
	mmio_write32(sgi, GICD_IGROUPR, ~0u);
	for (unsigned i = 0; i < 8; i++) {
		mmio_write32(sgi, reg32_nth(GICD_IPRIORITYR, i, 4), PRIORITY);
	}
	gic_quiesce_private(core);
	mmio_write32(sgi, GICD_ISENABLER,
		     1u << SGI_KICK | 1u << PPI_MAINTENANCE | 1u << PPI_EL2_TIMER |
			     1u << PPI_VIRTUAL_TIMER | 1u << PPI_PHYS_TIMER);
	sysreg_write(ICC_SRE_EL2, 0xf); /* system registers, for EL1 too */
	isb();
	sysreg_write(ICC_CTLR_EL1, ICC_CTLR_EOIMODE); /* a guest's EOI deactivates its timer */
	sysreg_write(ICC_PMR_EL1, 0xff);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
}

/* What a stopped vCPU left active or pending in this core's private interrupts. */
void gic_quiesce_private(struct core *core)
{
	uint32_t timers = 1u << PPI_VIRTUAL_TIMER | 1u << PPI_PHYS_TIMER;

	mmio_write32(sgi_frame(core), GICD_ICACTIVER, timers);
	mmio_write32(sgi_frame(core), GICD_ICPENDR, timers);
}

void core_kick(unsigned number)
{
	uint64_t a = cores[number].affinity;

	arch_publish();
	sysreg_write(ICC_SGI1R_EL1, (a >> 32 & 0xff) << 48 | (a >> 16 & 0xff) << 32 |
					    (a >> 8 & 0xff) << 16 | (a >> 4 & 0xf) << 44 |
					    (uint64_t)SGI_KICK << 24 | 1ull << (a & 0xf));
	isb();
}

void interrupt_listen(const struct machine_interrupt *interrupt, void (*handler)(void),
		      enum hv_exit_class exit_class)
{
	unsigned intid = interrupt->intid;
	reg32_t config = reg32_nth(GICD_ICFGR, intid / 16, 4);

	if (!intid) {
		return;
	}
	handlers[handler_count++] = (struct handler){intid, handler, exit_class};
	if (interrupt->edge) {
		mmio_write32(distributor, config,
			     mmio_read32(distributor, config) | 2u << intid % 16 * 2);
	}
	gic_enable_spi(intid, &cores[0]);
}

static enum hv_exit_class handle_spi(unsigned intid)
{
	for (unsigned i = 0; i < handler_count; i++) {
		if (handlers[i].intid == intid) {
			handlers[i].handler();
			return handlers[i].exit_class;
		}
	}
	gic_disable_spi(intid); /* nobody's: a line that is stuck would come for ever */
	return HV_EXIT_OTHER;
}

static enum hv_exit_class handle(struct vcpu *vcpu, unsigned intid)
{
	switch (intid) {
	case PPI_VIRTUAL_TIMER: /* of a guest that is gone */
	case PPI_PHYS_TIMER:
		sysreg_write(cntv_ctl_el0, 0);
		sysreg_write(cntp_ctl_el0, 0);
		return HV_EXIT_OTHER;
	case PPI_MAINTENANCE:
		sysreg_write(ICH_HCR_EL2, 0); /* drops the level; vgic_sync() turns it on again */
		isb();
		if (vcpu) {
			vcpu_alert(vcpu);
		}
		return HV_EXIT_OTHER;
	case PPI_EL2_TIMER:
		sysreg_write(cnthp_ctl_el2, 0);
		partition_hooks.alarm(this_core()->number);
		return HV_EXIT_INJECT;
	case SGI_KICK:
		return HV_EXIT_IPI;
	default:
		return intid >= 32 ? handle_spi(intid) : HV_EXIT_OTHER;
	}
}

enum hv_exit_class interrupt_handle(struct vcpu *vcpu, unsigned intid)
{
	if (intid >= FIRST_LPI) {
		interrupt_take_lpi(this_core()->number, intid);
		return HV_EXIT_INJECT;
	}
	if (intid >= SPURIOUS) {
		return HV_EXIT_OTHER;
	}
	arch_barrier(); /* acknowledged before what it announces is looked at */
	interrupt_drop(intid);
	if (intid >= 32 && this_core()->vcpu &&
	    vgic_take_wire(this_core()->vcpu->partition, intid)) {
		return HV_EXIT_INJECT; /* active until the guest ends it */
	}
	enum hv_exit_class exit_class = handle(vcpu, intid);

	sysreg_write(ICC_DIR_EL1, intid);
	return exit_class;
}
