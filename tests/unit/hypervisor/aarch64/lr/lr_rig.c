/* SPDX-License-Identifier: BSD-2-Clause */
#include "lr_rig.h"

#include <string.h>

#include "arch_sysreg.h"
#include "bits.h"
#include "model_lr.h"

struct core cores[ARCH_MAX_CORES];
unsigned core_count;
struct hv_hooks partition_hooks;

struct partition p;
static struct partition_config config;
unsigned current;
bool kicked[VCPUS];

struct core *this_core(void)
{
	return &cores[current];
}

void core_kick(unsigned core)
{
	kicked[core] = true;
}

void gic_quiesce_private(struct core *core)
{
	(void)core;
}

/* --- the machine --------------------------------------------------------------------------------
 */

void on(unsigned core)
{
	current = core;
	model_lr_core(core, &cores[core]);
}

/* What every exit ends with. */
void enter(unsigned core)
{
	on(core);
	kicked[core] = false;
	if (__atomic_exchange_n(&p.vcpus[core].alert, 0, __ATOMIC_ACQ_REL)) {
		vgic_sync(&p.vcpus[core]);
	}
}

/* Kicks and maintenance interrupts, as trap.c and gic.c take them, until there is none. */
void settle(void)
{
	unsigned before = current;

	for (unsigned rounds = 0, quiet = 0; quiet < VCPUS; rounds++) {
		unsigned core = rounds % VCPUS;

		assert_true(rounds < 32); /* a storm of our own */
		on(core);
		if (model_lr_maintenance()) {
			sysreg_write(ICH_HCR_EL2, 0);
			vcpu_alert(&p.vcpus[core]);
			kicked[core] = true;
		}
		quiet = kicked[core] ? 0 : quiet + 1;
		if (kicked[core]) {
			enter(core);
		}
	}
	on(before);
	assert_string_equal(model_lr_violation(), "");
}

void gicd(unsigned core, uint64_t offset, unsigned size, uint64_t value)
{
	on(core);
	vgic_distributor_write(&p, offset, size, value);
	enter(core);
	settle();
}

void gicr(unsigned core, uint64_t offset, uint64_t value)
{
	on(core);
	vgic_redistributor_write(&p, core * GUEST_GICR_STRIDE + SGI_BASE + offset, 4, value);
	enter(core);
	settle();
}

void priority(unsigned intid, uint8_t value)
{
	gicd(0, 0x400 + intid, 1, value);
}

void set_bit(uint64_t block, unsigned intid)
{
	gicd(0, block + intid / 32 * 4, 4, 1u << intid % 32);
}

void enable(unsigned intid, bool on)
{
	set_bit(on ? 0x100 : 0x180, intid);
}

void pend(unsigned intid)
{
	set_bit(0x200, intid);
}

void route(unsigned intid, unsigned vcpu)
{
	gicd(0, 0x6000 + 8 * intid, 8, vcpu);
}

unsigned acknowledge(unsigned core)
{
	on(core);
	unsigned intid = model_lr_acknowledge();

	settle();
	return intid;
}

void end(unsigned core, unsigned intid)
{
	on(core);
	model_lr_end(intid);
	settle();
}

bool signals(unsigned core)
{
	on(core);
	return model_lr_signals();
}

void assert_comes(unsigned core, unsigned intid)
{
	assert_int_equal(acknowledge(core), intid);
	end(core, intid);
}

void assert_quiet(void)
{
	assert_false(signals(0));
	assert_false(signals(1));
}

void line(unsigned core, bool level)
{
	on(core);
	vgic_set_line(&p, UART, level);
	enter(core);
	settle();
}

/* The device's line is up: the core of vCPU 0 takes it. */
void wire(void)
{
	model_lr_physical(WIRE);
	on(0);
	assert_true(vgic_take_wire(&p, WIRE));
	enter(0);
	settle();
}

void timer(unsigned core)
{
	on(core);
	model_lr_physical(TIMER);
	vgic_inject_timer(&p.vcpus[core], TIMER);
	enter(core);
	settle();
}

/* A guest's ITS command on that core; the other one's kicks wait. */
void map_only(unsigned core, unsigned slot, unsigned vcpu, uint32_t intid, uint8_t property)
{
	on(core);
	vgic_lpi_route(&p, slot, vcpu, intid, property);
	enter(core);
}

void map(unsigned slot, unsigned vcpu, uint32_t intid, uint8_t property)
{
	map_only(0, slot, vcpu, intid, property);
	settle();
}

/* It is taken on the core of its vCPU. */
void ring_only(unsigned slot, unsigned core)
{
	on(core);
	vgic_lpi_pend(&p, slot);
	enter(core);
}

void ring(unsigned slot, unsigned core)
{
	ring_only(slot, core);
	settle();
}

void sgi(unsigned from, unsigned to, unsigned intid)
{
	on(from);
	vgic_send_sgi(&p.vcpus[from], (uint64_t)intid << 24 | 1u << to);
	enter(from);
	settle();
}

void power_on(unsigned list_registers, bool lpis_look_active)
{
	model_lr_reset((struct model_lr_config){list_registers, 5, lpis_look_active});
	memset(&p, 0, sizeof(p));
	memset(kicked, 0, sizeof(kicked));
	config.vcpus = VCPUS;
	p.config = &config;
	for (unsigned v = 0; v < VCPUS; v++) {
		p.vcpus[v] = (struct vcpu){.partition = &p, .index = v, .core = v};
		cores[v] = (struct core){.number = v, .vcpu = &p.vcpus[v]};
	}
	vgic_reset(&p);
	p.gic.wires[0] = WIRE;
	p.gic.spis[0].held = VGIC_INTX_BIT(0);
	for (unsigned v = 0; v < VCPUS; v++) {
		on(v);
		p.vcpus[v].state = VCPU_RUNNING;
		vgic_cpu_start(&p.vcpus[v]);
	}
	assert_quiet();
	gicd(0, 0, 4, 2);
	for (unsigned bank = 1; bank < VGIC_BANKS; bank++) {
		gicd(0, 0x080 + 4 * bank, 4, ~0u);
		gicd(0, 0x100 + 4 * bank, 4, ~0u);
	}
	gicd(0, 0xc00 + SPI / 4, 4, CONFIG_EDGES);
	gicd(0, 0xc04 + SPI / 4, 4, CONFIG_EDGES);
	for (unsigned v = 0; v < VCPUS; v++) {
		gicr(v, 0x080, ~0u);
		gicr(v, 0x100, ~0u);
	}
}

int set_up(void **state)
{
	(void)state;
	power_on(4, true);
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	settle();
	return model_lr_violations();
}
