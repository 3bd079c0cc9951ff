/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * List registers against the model of a CPU interface: what is pending reaches the vCPU it is for,
 * in order, once, and no sooner than it may. A vCPU looks only when it exits by itself, was kicked,
 * or has a maintenance interrupt: whatever else would be needed is a lost interrupt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "arch_sysreg.h"
#include "bits.h"
#include "model_lr.h"
#include "partition.h"

#define VCPUS	 2
#define WIRE	 77u /* the physical SPI behind line 0 */
#define INTX	 (32u + GUEST_INTX_SPI)
#define UART	 (32u + GUEST_UART_SPI)
#define SPI	 64u /* from here on they are edges, and nobody's: the guest makes them pending */
#define TIMER	 27u
#define LPI	 9000u
#define ON	 0xa1 /* configuration byte of an LPI */
#define SGI_BASE 0x10000ull

struct core cores[ARCH_MAX_CORES];
unsigned core_count;
struct hv_hooks partition_hooks;

static struct partition p;
static struct partition_config config;
static unsigned current;
static bool kicked[VCPUS];

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

static void on(unsigned core)
{
	current = core;
	model_lr_core(core, &cores[core]);
}

/* What every exit ends with. */
static void enter(unsigned core)
{
	on(core);
	kicked[core] = false;
	if (__atomic_exchange_n(&p.vcpus[core].alert, 0, __ATOMIC_ACQ_REL)) {
		vgic_sync(&p.vcpus[core]);
	}
}

/* Kicks and maintenance interrupts, as trap.c and gic.c take them, until there is none. */
static void settle(void)
{
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
	assert_string_equal(model_lr_violation(), "");
}

static void gicd(unsigned core, uint64_t offset, unsigned size, uint64_t value)
{
	on(core);
	vgic_distributor_write(&p, offset, size, value);
	enter(core);
	settle();
}

static void gicr(unsigned core, uint64_t offset, uint64_t value)
{
	on(core);
	vgic_redistributor_write(&p, core * GUEST_GICR_STRIDE + SGI_BASE + offset, 4, value);
	enter(core);
	settle();
}

static void priority(unsigned intid, uint8_t value)
{
	gicd(0, 0x400 + intid, 1, value);
}

static void set_bit(uint64_t block, unsigned intid)
{
	gicd(0, block + intid / 32 * 4, 4, 1u << intid % 32);
}

static void enable(unsigned intid, bool on)
{
	set_bit(on ? 0x100 : 0x180, intid);
}

static void pend(unsigned intid)
{
	set_bit(0x200, intid);
}

static void route(unsigned intid, unsigned vcpu)
{
	gicd(0, 0x6000 + 8 * intid, 8, vcpu);
}

static unsigned acknowledge(unsigned core)
{
	on(core);
	unsigned intid = model_lr_acknowledge();

	settle();
	return intid;
}

static void end(unsigned core, unsigned intid)
{
	on(core);
	model_lr_end(intid);
	settle();
}

static bool signals(unsigned core)
{
	on(core);
	return model_lr_signals();
}

static void assert_comes(unsigned core, unsigned intid)
{
	assert_int_equal(acknowledge(core), intid);
	end(core, intid);
}

static void assert_quiet(void)
{
	assert_false(signals(0));
	assert_false(signals(1));
}

static void line(unsigned core, bool level)
{
	on(core);
	vgic_set_line(&p, UART, level);
	enter(core);
	settle();
}

/* The device's line is up: the core of vCPU 0 takes it. */
static void wire(void)
{
	model_lr_physical(WIRE);
	on(0);
	assert_true(vgic_take_wire(&p, WIRE));
	enter(0);
	settle();
}

static void timer(unsigned core)
{
	on(core);
	model_lr_physical(TIMER);
	vgic_inject_timer(&p.vcpus[core], TIMER);
	enter(core);
	settle();
}

/* A guest's ITS command on that core; the other one's kicks wait. */
static void map_only(unsigned core, unsigned slot, unsigned vcpu, uint32_t intid, uint8_t property)
{
	on(core);
	vgic_lpi_route(&p, slot, vcpu, intid, property);
	enter(core);
}

static void map(unsigned slot, unsigned vcpu, uint32_t intid, uint8_t property)
{
	map_only(0, slot, vcpu, intid, property);
	settle();
}

/* It is taken on the core of its vCPU. */
static void ring_only(unsigned slot, unsigned core)
{
	on(core);
	vgic_lpi_pend(&p, slot, true);
	enter(core);
}

static void ring(unsigned slot, unsigned core)
{
	ring_only(slot, core);
	settle();
}

static void sgi(unsigned from, unsigned to, unsigned intid)
{
	on(from);
	vgic_send_sgi(&p.vcpus[from], (uint64_t)intid << 24 | 1u << to);
	enter(from);
	settle();
}

static void power_on(unsigned list_registers, bool lpis_look_active)
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

static int set_up(void **state)
{
	(void)state;
	power_on(4, true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	settle();
	return model_lr_violations();
}

/* --- order --------------------------------------------------------------------------------------
 */

/* The most urgent first, and one that is more urgent comes in between. */
static void priorities(void **state)
{
	(void)state;
	priority(SPI, 0x80);
	priority(SPI + 1, 0x40);
	priority(SPI + 2, 0xa0);
	for (unsigned i = 0; i < 3; i++) {
		pend(SPI + i);
	}
	assert_int_equal(acknowledge(0), SPI + 1);
	assert_false(signals(0));
	priority(SPI + 3, 0x20);
	pend(SPI + 3);
	assert_comes(0, SPI + 3);
	end(0, SPI + 1);
	assert_comes(0, SPI);
	assert_comes(0, SPI + 2);
	assert_quiet();
}

/* However few list registers there are; also what comes late and is more urgent. */
static void more_than_list_registers(void **state)
{
	static const unsigned counts[] = {2, 3, 4, 16};

	(void)state;
	for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
		power_on(counts[c], true);
		for (unsigned i = 0; i < 24; i++) {
			priority(SPI + i, (uint8_t)(0xf0 - 8 * i));
		}
		for (unsigned i = 0; i < 24; i += 2) {
			pend(SPI + i);
		}
		assert_comes(0, SPI + 22);
		for (unsigned i = 1; i < 22; i += 2) {
			pend(SPI + i);
		}
		for (unsigned i = 22; i-- > 0;) {
			assert_comes(0, SPI + i);
		}
		assert_quiet();
	}
}

/* Every list register is active, one inside the other; one more waits for the first that is not. */
static void all_active(void **state)
{
	static const unsigned counts[] = {2, 4, 16};

	(void)state;
	for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
		unsigned n = counts[c];

		power_on(n, true);
		for (unsigned i = 0; i <= n; i++) {
			priority(SPI + i, (uint8_t)(0xe0 - 8 * i));
		}
		for (unsigned i = 0; i < n; i++) {
			pend(SPI + i);
			assert_int_equal(acknowledge(0), SPI + i);
		}
		pend(SPI + n);
		for (unsigned i = n; i-- > 0;) {
			if (signals(0)) {
				assert_comes(0, SPI + n);
				n = 0;
			}
			end(0, SPI + i);
		}
		if (n) {
			assert_comes(0, SPI + n);
		}
		assert_quiet();
	}
}

/* A level's line is looked at again at its end; what is latched once is taken once. */
static void levels_and_edges(void **state)
{
	(void)state;
	line(1, true);
	assert_comes(0, UART);
	assert_int_equal(acknowledge(0), UART);
	assert_false(signals(0));
	line(0, false);
	end(0, UART);
	assert_quiet();
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	pend(SPI); /* again, while it is active */
	assert_false(signals(0));
	end(0, SPI);
	assert_comes(0, SPI);
	assert_quiet();
}

/* --- whose it is --------------------------------------------------------------------------------
 */

/* The line rings again after the end, for the new target alone: its list register is the old one's.
 */
static void wire_moved_while_active(void **state)
{
	(void)state;
	wire();
	assert_int_equal(acknowledge(0), INTX);
	route(INTX, 1);
	assert_true(model_lr_physical_active(WIRE));
	end(0, INTX);
	assert_false(model_lr_physical_active(WIRE));
	for (unsigned i = 0; i < 3; i++) {
		wire();
		assert_false(signals(0));
		assert_comes(1, INTX);
		assert_false(model_lr_physical_active(WIRE));
	}
	route(INTX, 0);
	wire();
	assert_comes(0, INTX);
	assert_quiet();
}

static void moved_while_pending(void **state)
{
	(void)state;
	wire();
	pend(SPI);
	route(INTX, 1);
	route(SPI, 1);
	assert_false(signals(0));
	assert_comes(1, INTX);
	assert_comes(1, SPI);
	assert_quiet();
}

/* The next one is the new target's, and not before the old one has ended this one. */
static void moved_while_active(void **state)
{
	(void)state;
	priority(UART, 0x80);
	priority(SPI, 0x40);
	line(0, true);
	assert_int_equal(acknowledge(0), UART);
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	route(SPI, 1);
	route(UART, 1);
	pend(SPI);
	assert_quiet();
	end(0, SPI);
	assert_false(signals(0));
	assert_comes(1, SPI);
	assert_false(signals(1));
	end(0, UART);
	assert_false(signals(0));
	assert_int_equal(acknowledge(1), UART);
	line(0, false);
	end(1, UART);
	assert_quiet();
}

/* Private interrupts stay with their vCPU. */
static void software_interrupts(void **state)
{
	(void)state;
	sgi(0, 0, 3);
	assert_comes(0, 3);
	sgi(0, 1, 4);
	assert_false(signals(0));
	assert_int_equal(acknowledge(1), 4);
	sgi(0, 1, 4);
	sgi(1, 1, 5);
	end(1, 4);
	assert_int_equal(acknowledge(1) + acknowledge(1), 4 + MODEL_LR_SPURIOUS);
	end(1, 4);
	assert_comes(1, 5);
	on(1);
	vgic_send_sgi(&p.vcpus[1], BIT(40) | 6u << 24); /* all but oneself */
	enter(1);
	settle();
	assert_comes(0, 6);
	assert_quiet();
}

/* Into the first list register while everything else is there, too; its end is the physical one's.
 */
static void timers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		timer(0);
		timer(1);
		pend(SPI + i);
		assert_comes(1, TIMER);
		assert_comes(0, TIMER);
		assert_comes(0, SPI + i);
		assert_false(model_lr_physical_active(TIMER));
		assert_quiet();
	}
	gicr(0, 0x180, 1u << TIMER);
	timer(0);
	assert_quiet();
	gicr(0, 0x280, 1u << TIMER); /* its pending state is the physical one's */
	gicr(0, 0x100, 1u << TIMER);
	assert_comes(0, TIMER);
	assert_quiet();
}

/* --- switched off -------------------------------------------------------------------------------
 */

static void disabled_in_a_list_register(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		uint64_t block = how == 0 ? 0x180 : 0x080;

		pend(SPI);
		sgi(0, 0, 1);
		assert_true(signals(0));
		if (how == 2) {
			gicd(1, 0, 4, 0);
		} else {
			gicd(1, block + SPI / 8, 4, how == 0);
			gicr(0, block, how == 0 ? ~0u : 0);
		}
		assert_quiet();
		gicd(1, 0, 4, 2);
		gicd(1, (how == 0 ? 0x100 : 0x080) + SPI / 8, 4, ~0u);
		gicr(0, how == 0 ? 0x100 : 0x080, ~0u);
		assert_int_equal(acknowledge(0), 1);
		end(0, 1);
		assert_comes(0, SPI);
		assert_quiet();
	}
}

/* Pending once more while it is active, then disabled: it waits when that one has ended. */
static void disabled_while_active(void **state)
{
	(void)state;
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	pend(SPI);
	enable(SPI, false);
	end(0, SPI);
	assert_quiet();
	enable(SPI, true);
	assert_comes(0, SPI);
	assert_quiet();
	pend(SPI);
	assert_int_equal(acknowledge(0), SPI);
	pend(SPI);
	set_bit(0x280, SPI); /* and what is cleared meanwhile never comes */
	end(0, SPI);
	assert_quiet();
}

/* --- LPIs ---------------------------------------------------------------------------------------
 */

static void lpis(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		power_on(4, kind);
		for (unsigned slot = 0; slot < 40; slot++) {
			map(slot, slot & 1, LPI + slot, (uint8_t)(0xf9 - 8 * (slot % 16)));
		}
		for (unsigned slot = 0; slot < 16; slot++) {
			ring(slot, slot & 1);
			ring(slot, slot & 1); /* twice is once */
		}
		for (unsigned slot = 16; slot-- > 0;) {
			assert_comes(slot & 1, LPI + slot);
		}
		assert_quiet();
		for (unsigned i = 0; i < 3; i++) { /* pending again while the guest handles it */
			ring(2, 0);
			assert_int_equal(acknowledge(0), LPI + 2);
			ring(2, 0);
			ring(34, 0);
			timer(0);
			end(0, LPI + 2);
			assert_int_equal(acknowledge(0), TIMER);
			end(0, TIMER);
			assert_comes(0, LPI + 2);
			assert_comes(0, LPI + 34);
			assert_quiet();
		}
	}
}

/* What was taken on one vCPU rings for the other; what was not, goes along. */
static void lpis_move(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		power_on(4, kind);
		map(5, 0, LPI, ON);
		map(6, 1, LPI + 1, ON);
		ring(5, 0);
		map_only(1, 5, 1, LPI, ON);
		settle();
		assert_false(signals(0));
		assert_comes(1, LPI);
		map(5, 0, LPI, ON);
		ring(5, 0);
		assert_int_equal(acknowledge(0), LPI);
		/* It moves, and rings on its new core before the old one's kick is taken. */
		sgi(0, 1, 1);
		ring_only(6, 1);
		map_only(1, 5, 1, LPI, ON);
		ring_only(5, 1);
		settle();
		assert_comes(1, 1);
		unsigned first = acknowledge(1);

		end(1, first);
		assert_comes(1, LPI + LPI + 1 - first);
		end(0, LPI);
		assert_quiet();
	}
}

/* CLEAR, or another INTID, while a list register has it. */
static void lpis_cleared(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		power_on(4, true);
		map(5, 0, LPI, ON);
		ring(5, 0);
		assert_true(signals(0));
		on(1);
		if (how == 0) {
			vgic_lpi_pend(&p, 5, false);
		} else {
			map_only(1, 5, 0, how == 1 ? 0 : LPI + 1, ON);
		}
		settle();
		assert_quiet();
		map(5, 0, LPI + how, ON);
		ring(5, 0);
		assert_comes(0, LPI + how);
		map(5, 0, LPI + how, ON & ~1); /* disabled: it waits */
		ring(5, 0);
		assert_quiet();
		map(5, 0, LPI + how, ON);
		assert_comes(0, LPI + how);
	}
}

/* A guest may give two events one INTID: never in two list registers. */
static void one_intid_twice(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		power_on(4, kind);
		for (unsigned slot = 0; slot < 4; slot++) {
			map(slot, 0, LPI, ON);
		}
		for (unsigned round = 0; round < 4; round++) {
			for (unsigned i = 0; i < 4; i++) {
				ring((round + i) % 4, 0);
			}
			assert_comes(0, LPI);
			ring(round, 0);
			assert_int_equal(acknowledge(0), LPI);
			ring((round + 1) % 4, 0);
			pend(SPI);
			end(0, LPI);
			assert_comes(0, SPI);
			assert_comes(0, LPI);
			assert_quiet();
		}
	}
}

/* --- lives --------------------------------------------------------------------------------------
 */

/* F25: nothing of the life before, in software or in the interface; nothing is lost by CPU_OFF. */
static void lives(void **state)
{
	(void)state;
	map(5, 0, LPI, ON);
	ring(5, 0);
	pend(SPI);
	route(SPI + 1, 1);
	pend(SPI + 1);
	sgi(0, 0, 2);
	assert_int_equal(acknowledge(0), 2);
	on(0);
	vgic_cpu_stop(&p.vcpus[0]);
	assert_false(model_lr_signals());
	vgic_cpu_start(&p.vcpus[0]);
	assert_comes(0, SPI);
	assert_comes(0, LPI);
	ring(5, 0);
	pend(SPI);
	timer(0);
	for (unsigned v = 0; v < VCPUS; v++) {
		on(v);
		vgic_cpu_stop(&p.vcpus[v]);
	}
	vgic_reset(&p);
	for (unsigned v = 0; v < VCPUS; v++) {
		on(v);
		vgic_cpu_start(&p.vcpus[v]);
	}
	gicd(0, 0, 4, 2);
	for (unsigned bank = 1; bank < VGIC_BANKS; bank++) {
		gicd(0, 0x080 + 4 * bank, 4, ~0u);
		gicd(0, 0x100 + 4 * bank, 4, ~0u);
	}
	gicr(0, 0x080, ~0u);
	gicr(0, 0x100, ~0u);
	assert_quiet();
}

/* --- anything -----------------------------------------------------------------------------------
 */

#define SPIS  6u /* of the software's */
#define LPIS  6u
#define KINDS (SPIS + LPIS + 2)

/* What was raised and not taken since, by INTID. */
static struct {
	unsigned intid, priority, target;
	bool raised, active;
} all[KINDS];

static unsigned nested[VCPUS][32], depth[VCPUS];

static unsigned kind_of(unsigned intid)
{
	for (unsigned i = 0; i < KINDS; i++) {
		if (all[i].intid == intid) {
			return i;
		}
	}
	fail_msg("INTID %u", intid);
	return 0;
}

static bool any_one_more_urgent(unsigned core, unsigned priority)
{
	for (unsigned i = 0; i < KINDS; i++) {
		if (all[i].raised && !all[i].active && all[i].target == core &&
		    all[i].priority < priority) {
			return true;
		}
	}
	return false;
}

static void raise_one(unsigned i)
{
	if (i < SPIS) {
		pend(all[i].intid);
	} else if (i < SPIS + LPIS) {
		ring(i, all[i].target);
	} else if (i == SPIS + LPIS) {
		if (model_lr_physical_active(WIRE)) {
			return;
		}
		wire();
	} else {
		sgi(all[i].target, all[i].target, all[i].intid);
	}
	all[i].raised = true;
}

static void move_one(unsigned i)
{
	if (i > SPIS + LPIS) {
		return;
	}
	all[i].target ^= 1;
	if (i >= SPIS && i < SPIS + LPIS) {
		map_only((unsigned)rand() % VCPUS, i, all[i].target, all[i].intid,
			 (uint8_t)(all[i].priority | 1));
		settle();
	} else {
		route(all[i].intid, all[i].target);
	}
}

/* One step of a guest that has interrupts on. */
static bool take(unsigned core, bool in_order)
{
	if (!signals(core) || depth[core] == 30) {
		return false;
	}
	unsigned intid = acknowledge(core), i = kind_of(intid);

	assert_int_equal(all[i].target, core);
	assert_true(all[i].raised && !all[i].active);
	if (in_order) {
		assert_false(any_one_more_urgent(core, all[i].priority));
	}
	all[i].raised = false;
	all[i].active = intid < 8192;
	nested[core][depth[core]++] = intid;
	return true;
}

static bool leave(unsigned core)
{
	if (!depth[core]) {
		return false;
	}
	unsigned intid = nested[core][--depth[core]];

	all[kind_of(intid)].active = false;
	end(core, intid);
	return true;
}

static void prepare(unsigned list_registers, bool lpis_look_active)
{
	power_on(list_registers, lpis_look_active);
	memset(depth, 0, sizeof(depth));
	for (unsigned i = 0; i < KINDS; i++) {
		all[i].priority = (unsigned)rand() % 30 * 8;
		all[i].target = 0;
		all[i].raised = all[i].active = false;
		if (i < SPIS) {
			all[i].intid = SPI + i;
		} else if (i < SPIS + LPIS) {
			all[i].intid = LPI + i;
			map(i, 0, LPI + i, (uint8_t)(all[i].priority | 1));
		} else {
			all[i].intid = i == SPIS + LPIS ? INTX : 7;
		}
		if (all[i].intid >= 32 && all[i].intid < 8192) {
			priority(all[i].intid, (uint8_t)all[i].priority);
		}
	}
	on(0);
	vgic_redistributor_write(&p, SGI_BASE + 0x407, 1, all[KINDS - 1].priority);
	enter(0);
	settle();
}

/* Nothing is lost, nothing comes to the wrong one or too soon, the order holds. */
static void anything(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		bool moves = seed % 3 == 0;

		srand(seed);
		prepare(2 + seed % 5, seed & 1);
		for (unsigned step = 0; step < 200; step++) {
			unsigned i = (unsigned)rand() % KINDS, core = (unsigned)rand() % VCPUS;

			switch (rand() % (moves ? 5 : 4)) {
			case 0:
			case 1:
				raise_one(i);
				break;
			case 2:
				take(core, !moves);
				break;
			case 3:
				leave(core);
				break;
			default:
				move_one(i);
				break;
			}
		}
		while (take(0, false) || take(1, false) || leave(0) || leave(1)) {
			;
		}
		for (unsigned i = 0; i < KINDS; i++) {
			if (all[i].raised) {
				fail_msg("seed %u: INTID %u never came", seed, all[i].intid);
			}
		}
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(priorities),
		T(more_than_list_registers),
		T(all_active),
		T(levels_and_edges),
		T(wire_moved_while_active),
		T(moved_while_pending),
		T(moved_while_active),
		T(software_interrupts),
		T(timers),
		T(disabled_in_a_list_register),
		T(disabled_while_active),
		T(lpis),
		T(lpis_move),
		T(lpis_cleared),
		T(one_intid_twice),
		T(lives),
		T(anything),
	};

	return cmocka_run_group_tests_name("virtual GIC: list registers", tests, NULL, NULL);
}
