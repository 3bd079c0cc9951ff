/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores: bringing them up, what they do without a guest, and entering one. */
#include "core.h"

#include <string.h>

#include "arch.h"
#include "log.h"
#include "sysreg.h"

#define STACK_SIZE 16384

struct core cores[ARCH_MAX_CORES];
unsigned core_count;
static unsigned char stacks[ARCH_MAX_CORES][STACK_SIZE] NOINIT __attribute__((aligned(16)));

struct core *this_core(void)
{
	return (struct core *)sysreg_read(tpidr_el2);
}

void *core_stack(struct core *core)
{
	return stacks[core->number] + STACK_SIZE;
}

REG64(GICR_TYPER, 0x0008);
#define GICR_TYPER_VLPIS    BIT(1) /* a frame twice as large */
#define GICR_TYPER_LAST	    BIT(4)
#define GICR_TYPER_AFFINITY BITS(63, 32)
#define MPIDR_AFFINITY	    0xff00ffffffull

static bool find_redistributor(struct core *core, const struct ranges *gicr)
{
	uint64_t packed = (core->affinity >> 32 & 0xff) << 24 | (core->affinity & 0xffffff);

	for (unsigned i = 0; i < gicr->count; i++) {
		uint64_t type = 0;

		for (uint64_t at = 0;
		     at + 0x20000 <= gicr->ranges[i].size && !(type & GICR_TYPER_LAST);
		     at += type & GICR_TYPER_VLPIS ? 0x40000 : 0x20000) {
			core->redistributor.base = gicr->ranges[i].base + at;
			type = mmio_read64(core->redistributor, GICR_TYPER);
			if (field_get(GICR_TYPER_AFFINITY, type) == packed) {
				return true;
			}
		}
	}
	return false;
}

unsigned cores_find(const uint64_t *affinities, unsigned count, const struct ranges *gicr)
{
	uint64_t boot = sysreg_read(mpidr_el1) & MPIDR_AFFINITY;
	unsigned next = 1, found = 0;

	cores[0].affinity = boot;
	for (unsigned i = 0; i < count; i++) {
		if (affinities[i] != boot && next < ARCH_MAX_CORES) {
			cores[next].number = next;
			cores[next++].affinity = affinities[i];
		}
	}
	while (found < next && find_redistributor(&cores[found], gicr)) {
		found++;
	}
	return found;
}

void core_init(struct core *core)
{
	sysreg_write(tpidr_el2, (uint64_t)(uintptr_t)core);
	/* RES1, TTA, TAM: floating point and SIMD are the guest's, trace and activity monitors not
	 */
	sysreg_write(cptr_el2, 0x32ff | BIT(20) | BIT(30));
	sysreg_write(ICH_HCR_EL2, 0);
	if (sysreg_read(id_aa64pfr0_el1) & BITS(35, 32)) { /* SVE: as long as arch_copy() keeps */
		sysreg_write(S3_4_C1_C2_0, 0);		   /* ZCR_EL2 */
	}
	sysreg_write(hstr_el2, 0);
	sysreg_write(cnthctl_el2, 3); /* EL1 may use the physical counter and timer */
	sysreg_write(cntvoff_el2, 0);
	sysreg_write(vpidr_el2, sysreg_read(midr_el1));
	gic_core_init(core);
}

/* PSCI brought this core here; the boot core waits for `online`. */
_Noreturn void core_main(struct core *core)
{
	core_init(core);
	if (partition_hooks.core_up(core->number) != STATUS_OK) {
		log_error("core %u: its redistributor takes no LPIs; its partition gets no "
			  "interrupts from devices",
			  core->number);
	}
	__atomic_store_n(&core->online, true, __ATOMIC_RELEASE);
	core_loop();
}

void arch_publish_code(void)
{
	__asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" ::: "memory");
}

/* TTRF, TPMS, TDRA, TDOSA, HPMD: no trace, profiling or OS lock; EL2 is not counted. */
#define MDCR_TRAPS (BIT(19) | BIT(14) | BIT(11) | BIT(10) | BIT(17))

static void reset_pmu(void)
{
	uint64_t version = sysreg_read(id_aa64dfr0_el1) >> 8 & 15;

	sysreg_write(mdcr_el2, MDCR_TRAPS);
	if (version == 0 || version == 15) { /* no PMU of this architecture */
		return;
	}
	uint64_t counters = sysreg_read(pmcr_el0) >> 11 & 31;

	sysreg_write(mdcr_el2, MDCR_TRAPS | counters); /* HPMN: all counters are the guest's */
	sysreg_write(pmcr_el0, 6);		       /* reset them */
	sysreg_write(pmcntenclr_el0, ~0ul >> 32);
	sysreg_write(pmintenclr_el1, ~0ul >> 32);
	sysreg_write(pmovsclr_el0, ~0ul >> 32);
	sysreg_write(pmuserenr_el0, 0);
}

/* EL1 as after a reset (Arm ARM D1.7): nothing of an earlier life is left. */
static void reset_el1(const struct vcpu *vcpu)
{
	sysreg_write(vmpidr_el2, BIT(31) | vcpu->index);
	sysreg_write(sctlr_el1, 0x30d00800);
	__asm__ volatile(".irp name, cpacr_el1, vbar_el1, ttbr0_el1, ttbr1_el1, tcr_el1, mair_el1, "
			 "amair_el1, contextidr_el1, tpidr_el0, tpidrro_el0, tpidr_el1, sp_el0, "
			 "sp_el1, elr_el1, spsr_el1, esr_el1, far_el1, par_el1, csselr_el1, "
			 "mdscr_el1, cntkctl_el1, cntv_ctl_el0, cntp_ctl_el0\n\t"
			 "msr \\name, xzr\n\t.endr" ::
				 : "memory");
	reset_pmu();
}

/* Everything a vCPU of this partition may have cached, on all cores. */
void stage2_flush(vmid_t vmid)
{
	uint64_t before = sysreg_read(vttbr_el2);

	sysreg_write(vttbr_el2, (uint64_t)vmid.v << 48);
	__asm__ volatile("isb\n\tdsb ishst\n\ttlbi vmalls12e1is\n\tdsb ish\n\tisb" ::: "memory");
	sysreg_write(vttbr_el2, before);
	isb();
}

/* This core's translation for a partition. */
static void stage2_load(const void *root, vmid_t vmid)
{
	uint64_t mmfr0 = sysreg_read(id_aa64mmfr0_el1), mmfr1 = sysreg_read(id_aa64mmfr1_el1);
	uint64_t range = mmfr0 & 15;
	bool wide_vmid = (mmfr1 >> 4 & 15) == 2;

	/* RES1, VS, PS, TG0 = 4 KiB, inner shareable, write-back, SL0 = 1 (start level 1), T0SZ */
	sysreg_write(vtcr_el2, BIT(31) | (uint64_t)wide_vmid << 19 | (range > 5 ? 5 : range) << 16 |
				       3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 |
				       (64 - STAGE2_INPUT_BITS));
	sysreg_write(vttbr_el2, (uint64_t)vmid.v << 48 | (uint64_t)(uintptr_t)root);
	__asm__ volatile("isb\n\ttlbi vmalls12e1\n\tdsb nsh\n\tic iallu\n\tdsb nsh\n\tisb" ::
				 : "memory");
}

/* With x0 = `argument`, from its entry on, in reset state. */
static _Noreturn void vcpu_enter_guest(struct vcpu *vcpu)
{
	struct partition *partition = vcpu->partition;
	struct guest_registers regs __attribute__((aligned(16))) = {.x = {vcpu->argument}};

	sysreg_write(elr_el2, vcpu->entry);
	sysreg_write(spsr_el2, 0x3c5); /* EL1h, everything masked */
	reset_el1(vcpu);
	stage2_load(partition->cpu_root, partition_vmid(partition));
	sysreg_write(hcr_el2, HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB |
				      HCR_BSU_IS | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW |
				      HCR_RW | HCR_TEA | HCR_TLOR | HCR_TERR | HCR_APK | HCR_API);
	isb();
	partition_hooks.vcpu_enter(partition->id, vcpu->index);
	__atomic_store_n(&vcpu->state, VCPU_RUNNING,
			 __ATOMIC_RELEASE); /* kicks reach it from here */
	vgic_cpu_start(vcpu);
	guest_first_entry(&regs);
}

void hv_pause(void)
{
	(void)interrupt_handle(NULL, interrupt_acknowledge());
}

_Noreturn void core_loop(void)
{
	struct core *core = this_core();

	for (;;) {
		struct vcpu *vcpu = core->vcpu;

		hv_pause();
		if (!vcpu) {
			wfi();
			continue;
		}
		if (vcpu->index == 0) {
			partition_turn(vcpu->partition);
		}
		if (vcpu_may_start(vcpu)) {
			vcpu_enter_guest(vcpu);
		}
		wfi();
	}
}
