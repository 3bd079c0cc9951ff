/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions from guests, and our own. Every exit is counted, with its reason and its cost. */
#include "trap.h"

#include "clock.h"
#include "core.h"
#include "log.h"
#include "sysreg.h"

#define FAULT_LINES	   5 /* a second */

#define VECTOR_SYNC_SP0	   0x000
#define VECTOR_SYNC_SPX	   0x200
#define VECTOR_SYNC_64	   0x400
#define VECTOR_SYNC_32	   0x600
#define PSTATE_MODE	   BITS(3, 0)
#define PSTATE_AARCH32	   BIT(4)
#define PSTATE_EL1H_MASKED 0x3c5ull
#define DFSC_EXTERNAL	   0x10
#define S1PTW_TO_ISV	   17 /* bits in between */

/* Makes the guest take a synchronous exception to its EL1 (Arm ARM D1.3). */
static void inject(uint64_t exception_class, uint64_t iss, bool address)
{
	uint64_t pstate = sysreg_read(spsr_el2), mode = pstate & PSTATE_MODE;
	uint64_t vector = pstate & PSTATE_AARCH32 ? VECTOR_SYNC_32
			  : mode == 0		  ? VECTOR_SYNC_64
			  : mode == 4		  ? VECTOR_SYNC_SP0
						  : VECTOR_SYNC_SPX;

	/* The "same EL" encodings of aborts are one above the "lower EL" ones. */
	if (address && mode != 0 && !(pstate & PSTATE_AARCH32)) {
		exception_class++;
	}
	sysreg_write(esr_el1, exception_class << 26 | BIT(25) | iss);
	if (address) {
		sysreg_write(far_el1, sysreg_read(far_el2));
	}
	sysreg_write(elr_el1, sysreg_read(elr_el2));
	sysreg_write(spsr_el1, pstate);
	sysreg_write(elr_el2, sysreg_read(vbar_el1) + vector);
	sysreg_write(spsr_el2, PSTATE_EL1H_MASKED);
}

/* The instruction was emulated. */
static inline void step_over(void)
{
	sysreg_write(elr_el2, sysreg_read(elr_el2) + 4);
}

static enum hv_exit_class refuse_access(struct vcpu *vcpu, uint64_t esr, ipa_t ipa)
{
	struct partition *partition = vcpu->partition;
	bool fetch = field_get(ESR_EC, esr) == EC_IABT_LOWER;
	const char *what = fetch ? "fetch from" : esr & ESR_ISS_WNR ? "write of" : "read of";

	if (log_allowed(&partition->fault_quota, clock_ns(), FAULT_LINES, CLOCK_SECOND)) {
		log_warn("%s: vcpu %u %s 0x%lx is not its own: %s abort injected",
			 partition->config->name, vcpu->index, what, ipa.v,
			 fetch ? "instruction" : "data");
	}
	inject(fetch ? EC_IABT_LOWER : EC_DABT_LOWER,
	       DFSC_EXTERNAL | (esr & (ESR_ISS_WNR | ESR_ISS_CM)), true);
	return HV_EXIT_FAULT;
}

/* An aligned access: what begins inside also ends there. The virtual GIC's regions come first. */
static inline const struct hv_mmio_region *find_trap(const struct partition *partition, ipa_t ipa)
{
	const struct hv_mmio_region *region = partition->traps;

	for (unsigned i = 0; i < PARTITION_TRAPS; i++, region++) { /* unused ones have no size */
		if (ipa.v - region->base.v < region->size) {
			return region;
		}
	}
	return NULL;
}

static uint64_t sign_extend(uint64_t value, uint64_t esr, unsigned size)
{
	if (size < 8 && value >> (size * 8 - 1) & 1) {
		value |= ~0ull << size * 8;
	}
	return esr & ESR_ISS_SF ? value : (uint32_t)value;
}

/* HPFAR_EL2.FIPA begins at bit 4; what it leaves free is zero, or (NS, bit 63) shifted out. */
static inline ipa_t fault_page(void)
{
	return (ipa_t){sysreg_read(hpfar_el2) << 8};
}

/* The bytes that an access transfers, by ESR_ISS_SAS. */
static const uint64_t masks[] = {0xff, 0xffff, 0xffffffff, ~0ull};

static inline void emulate(const struct hv_mmio_region *region, struct guest_registers *regs,
			   uint64_t esr, ipa_t ipa, unsigned size)
{
	uint64_t *reg = &regs->x[field_get(ESR_ISS_SRT, esr)], offset = ipa.v - region->base.v;
	uint64_t mask = masks[field_get(ESR_ISS_SAS, esr)];

	if (esr & ESR_ISS_WNR) {
		region->write(region->context, offset, size, *reg & mask);
		return;
	}
	*reg = region->read(region->context, offset, size) & mask;
	if (esr & ESR_ISS_SSE) {
		*reg = sign_extend(*reg, esr, size);
	}
}

static inline enum hv_exit_class data_abort(struct vcpu *vcpu, struct guest_registers *regs,
					    uint64_t esr)
{
	unsigned size = 1u << field_get(ESR_ISS_SAS, esr);
	ipa_t ipa = {fault_page().v | (sysreg_read(far_el2) & 0xfff)};
	bool plain = field_get(ESR_ISS_ISV, esr & ~(esr << S1PTW_TO_ISV));
	const struct hv_mmio_region *region =
		plain && !(ipa.v & (size - 1)) ? find_trap(vcpu->partition, ipa) : NULL;

	if (!region) {
		return refuse_access(vcpu, esr, ipa);
	}
	step_over();
	emulate(region, regs, esr, ipa, size);
	return region->exit_class;
}

/* MSR/MRS that trap: op0, op1, CRn, CRm, op2 as ESR_EL2 packs them, direction and register left. */
#define SYSREG_ISS(op0, op1, crn, crm, op2)                                                        \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define SYSREG_ALL SYSREG_ISS(3u, 7u, 15u, 15u, 7u)
#define SYSREG_CRN SYSREG_ISS(3u, 7u, 15u, 0u, 0u) /* whatever CRm and op2 are */
#define SYSREG_CRM SYSREG_ISS(3u, 7u, 15u, 15u, 0u)
#define ISS_SGI1R  SYSREG_ISS(3u, 0u, 12u, 11u, 5u)

/* What trap_synchronous() answers with zero, and drops; a register without a row is undefined. */
static const struct {
	uint32_t mask, value;
} quiet_registers[] = {
	{SYSREG_ALL, SYSREG_ISS(3u, 0u, 1u, 0u, 1u)}, /* ACTLR_EL1 */
	{SYSREG_ALL, SYSREG_ISS(1u, 0u, 7u, 6u, 2u)}, /* DC ISW: set/way means nothing to a guest */
	{SYSREG_ALL, SYSREG_ISS(1u, 0u, 7u, 10u, 2u)}, /* DC CSW */
	{SYSREG_ALL, SYSREG_ISS(1u, 0u, 7u, 14u, 2u)}, /* DC CISW */
	{SYSREG_CRN, SYSREG_ISS(2u, 0u, 1u, 0u, 0u)},  /* OS lock, MDRAR_EL1 */
	{SYSREG_CRM, SYSREG_ISS(3u, 0u, 5u, 3u, 0u)},  /* ERRIDR_EL1, ERRSELR_EL1 */
	{SYSREG_CRM, SYSREG_ISS(3u, 0u, 5u, 4u, 0u)},  /* ERX*: error records that cores share */
	{SYSREG_CRM, SYSREG_ISS(3u, 0u, 5u, 5u, 0u)},
	{SYSREG_CRM, SYSREG_ISS(3u, 0u, 10u, 4u, 0u)}, /* LORegions */
	{SYSREG_CRN, SYSREG_ISS(3u, 3u, 13u, 0u, 0u)}, /* activity monitors */
};

static bool is_quiet(uint32_t which)
{
	for (unsigned i = 0; i < ARRAY_SIZE(quiet_registers); i++) {
		if ((which & quiet_registers[i].mask) == quiet_registers[i].value) {
			return true;
		}
	}
	return false;
}

static enum hv_exit_class system_register(struct vcpu *vcpu, struct guest_registers *regs,
					  uint64_t esr)
{
	uint64_t *reg = &regs->x[esr >> 5 & 31];
	bool read = esr & 1;
	uint32_t which = (uint32_t)esr & SYSREG_ALL;

	if (which == ISS_SGI1R && !read) {
		step_over();
		vgic_send_sgi(vcpu, *reg);
		return HV_EXIT_IPI;
	}
	if (is_quiet(which)) {
		step_over();
		*reg = read ? 0 : *reg;
	} else {
		inject(EC_UNKNOWN, 0, false);
	}
	return HV_EXIT_OTHER;
}

static inline void bill(struct vcpu *vcpu, enum hv_exit_class exit_class, uint64_t start)
{
	struct exit_cost *cost = &vcpu->exits[exit_class];
	uint64_t ticks = counter_ticks() - start;

	cost->count++;
	cost->ticks += ticks;
	if (ticks > cost->longest) {
		cost->longest = ticks;
	}
}

/* An interrupt became pending, or it is asked to stop. */
static void finish_alerted(struct vcpu *vcpu, enum hv_exit_class exit_class, uint64_t start)
{
	__atomic_exchange_n(&vcpu->alert, 0, __ATOMIC_ACQ_REL);
	vgic_sync(vcpu);
	bill(vcpu, exit_class, start);
	if (vcpu_must_stop(vcpu)) {
		vcpu_left_guest(vcpu);
		core_leave_guest();
	}
}

/* What every exit ends with. */
static inline void finish(struct vcpu *vcpu, enum hv_exit_class exit_class, uint64_t start)
{
	if (__atomic_load_n(&vcpu->alert, __ATOMIC_ACQUIRE)) {
		finish_alerted(vcpu, exit_class, start);
		return;
	}
	bill(vcpu, exit_class, start);
}

/* ISR_EL1: what is pending for EL2, which has taken the interrupts (Arm ARM D19.2.65). */
bool hv_again(void)
{
	if (!sysreg_read(isr_el1)) {
		return false;
	}
	sysreg_write(elr_el2, sysreg_read(elr_el2) - 4);
	return true;
}

void trap_hypercall(struct guest_registers *regs)
{
	uint64_t start = counter_ticks();
	struct vcpu *vcpu = this_vcpu();

	regs->x[0] = (uint64_t)hypercall(vcpu, regs->x);
	finish(vcpu, HV_EXIT_PSCI, start);
}

static enum hv_exit_class other_exception(struct vcpu *vcpu, struct guest_registers *regs,
					  uint64_t esr)
{
	switch (field_get(ESR_EC, esr)) {
	case EC_SYSREG:
		return system_register(vcpu, regs, esr);
	case EC_IABT_LOWER:
		return refuse_access(vcpu, esr, fault_page());
	case EC_SMC64:
		step_over(); /* the firmware is not the guest's to call */
		regs->x[0] = (uint64_t)PSCI_NOT_SUPPORTED;
		return HV_EXIT_OTHER;
	default:
		inject(EC_UNKNOWN, 0, false);
		return HV_EXIT_OTHER;
	}
}

void trap_synchronous(struct guest_registers *regs, uint64_t esr)
{
	uint64_t start = counter_ticks();
	struct vcpu *vcpu = this_vcpu();

	finish(vcpu,
	       field_get(ESR_EC, esr) == EC_DABT_LOWER ? data_abort(vcpu, regs, esr)
						       : other_exception(vcpu, regs, esr),
	       start);
}

void trap_interrupt(void)
{
	uint64_t start = counter_ticks();
	struct vcpu *vcpu = this_vcpu();
	unsigned intid = interrupt_acknowledge();

	if (vcpu->partition->uart.used) {
		vuart_flush_idle(vcpu->partition, CONSOLE_IDLE_NS);
	}
	if (intid == PPI_VIRTUAL_TIMER || intid == PPI_PHYS_TIMER) { /* the guest's own */
		interrupt_drop(intid); /* it stays active until the guest's EOI */
		vgic_inject_timer(vcpu, intid);
		finish(vcpu, HV_EXIT_TIMER, start);
	} else if (intid >= FIRST_LPI) {
		interrupt_take_lpi(vcpu->core, intid);
		finish(vcpu, HV_EXIT_INJECT, start);
	} else {
		finish(vcpu, interrupt_handle(vcpu, intid), start);
	}
}

/* An error the guest's own access raised: that partition is stopped, nobody else hears of it. */
void trap_serror(void)
{
	struct vcpu *vcpu = this_vcpu();

	log_error("%s: vcpu %u: SError, ESR 0x%lx, at pc 0x%lx: partition stopped",
		  vcpu->partition->config->name, vcpu->index, sysreg_read(esr_el2),
		  sysreg_read(elr_el2));
	partition_request(vcpu->partition, REQUEST_CRASH);
	finish(vcpu, HV_EXIT_FAULT, counter_ticks());
}

void trap_own(const struct guest_registers *regs, unsigned kind)
{
	static const char *const kinds[4] = {"synchronous exception", "interrupt", "fast interrupt",
					     "SError"};
	const struct core *core = this_core(); /* NULL: in the boot */

	log_error("%s at EL2: ESR 0x%lx FAR 0x%lx HPFAR 0x%lx", kinds[kind & 3],
		  sysreg_read(esr_el2), sysreg_read(far_el2), sysreg_read(hpfar_el2));
	for (unsigned i = 0; i < 30; i += 3) {
		log_error("x%02u 0x%016lx  x%02u 0x%016lx  x%02u 0x%016lx", i, regs->x[i], i + 1,
			  regs->x[i + 1], i + 2, regs->x[i + 2]);
	}
	log_error("lr  0x%016lx  pc  0x%016lx  pstate 0x%lx", regs->x[30], regs->pc, regs->pstate);
	panic("unexpected %s in the hypervisor; core %u, owner %s", kinds[kind & 3],
	      core ? core->number : 0,
	      core && core->vcpu ? core->vcpu->partition->config->name : "nobody");
}
