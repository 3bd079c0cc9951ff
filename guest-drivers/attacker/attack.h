/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attacker guest: its scenarios of one boot, in order, are `attack=NAME[,NAME…]` on the command
 * line. It prints one line for each step,
 *     @attack name=NAME step=STEP result=RESULT [key=value …]
 * and `@done` at its end. What it cannot see itself (did a write land in another partition?) it
 * reports as `issued`; the test reads the victim's canary for it.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "edu.h"
#include "igbvf.h"
#include "runtime.h"

#define TARGETS	 16u
#define BLOCK	 64u /* bytes of one transfer */
#define DOORBELL 0x08090040ull

struct attack {
	const char *name;
	void (*run)(void);
};

/* One line; report() adds key=value pairs. */
void outcome(const char *step, const char *result);
__attribute__((format(printf, 3, 4))) void report(const char *step, const char *result,
						  const char *format, ...);

bool in_own_ram(uint64_t address, uint64_t size);
/* Page `index` of RAM nothing else uses: above the image, clear of the device tree. */
uint64_t scratch_page(unsigned index);

/* --- the DMA engine: `engine=edu|vf`, or whichever is there
 * --------------------------------------- */

struct engine {
	const char *name;
	struct pci_device pci;
	uint64_t bar; /* of its registers */
};

/* Finds and starts it; says so and returns false when there is none. May be called again. */
bool engine_start(void);
const struct engine *engine(void);
/* The device writes BLOCK bytes, each word `value`, to an address. */
enum status MUST_USE engine_store(uint64_t to, uint32_t value);
/*
 * The device reads BLOCK bytes there and hands them over. Where the read was blocked, `data` holds
 * zeroes or what it held before.
 */
enum status MUST_USE engine_fetch(uint64_t from, uint32_t data[BLOCK / 4]);
/* `size` bytes of words `value` by plain DMA; false: this engine cannot write so little. */
bool engine_store_bytes(uint64_t to, uint32_t value, unsigned size);
/* Again: without a word to its configuration space. False: this engine cannot. */
bool engine_ring(void);
/* What edu's own buffer holds: it outlives a restart of its partition. */
enum status MUST_USE engine_remember(uint32_t value);
uint32_t engine_remembered(void);
/* The device's own message interrupt, with any address and data. */
enum status MUST_USE engine_interrupt(uint64_t address, uint32_t data);
/* A write and a read of own RAM: a block that is not for lack of an engine. */
bool engine_control(const char *step);

/* --- scenarios, by file --------------------------------------------------------------------------
 */

void attack_dma_write(void); /* dma.c */
void attack_dma_read(void);
void attack_dma_regs(void);
void attack_dma_sweep(void);
void attack_dma_reset(void);
void attack_dma_off(void);
void attack_vf_rings(void);
void attack_reuse(void);	/* reuse.c */
void attack_translated(void);	/* translated.c */
void attack_doorbell_dma(void); /* interrupts.c */
void attack_event_sweep(void);
void attack_doorbell_odd(void);
void attack_storm(void);
void attack_pending_reset(void); /* lpis.c */
void attack_lpis(void);
/* An engine, an ITS, and event 0 of the engine's device mapped to LPI_FIRST. */
bool interrupts_start(void);
/* Rings event 0: exactly one interrupt arrives, and it is LPI_FIRST. */
void interrupts_control(const char *step);
void attack_msi_elsewhere(void); /* messages.c */
void attack_msix_table(void);
void attack_config_order(void); /* order.c */
void attack_doorbell_cpu(void); /* cpu.c */
void attack_cpu_sweep(void);
void attack_release(void);
void attack_fault_flood(void);
void attack_config_sweep(void); /* config.c */
void attack_config_decode(void);
void attack_config_bars(void);
void attack_power_race(void); /* vcpu.c */
void attack_restart(void);
void attack_active_interrupts(void);
void attack_timer_pending(void);
void attack_no_tables(void);
void attack_instructions(void); /* traps.c */
void attack_calls(void);
void attack_registers(void);
void attack_vectors(void);
void attack_register_sweep(void);
void attack_gic_sweep(void);
void attack_fetch(void);
void attack_litter(void);     /* litter.c */
void attack_stuck_line(void); /* lines.c */
void attack_mailbox(void);    /* mailbox.c */
void attack_ask(void);
void attack_late(void);
void attack_idle(void); /* victim.c */
void attack_ping(void);
void canary_plant(void);
void canary_verify(void);
void attack_wire_echo(void); /* wire_peers.c */
void attack_wire_ping(void);
void attack_wire_outside(void); /* wires.c */
void attack_wire_chains(void);
void attack_wire_numbers(void);
void attack_wire_features(void);
void attack_wire_kicks(void);
void attack_wire_deaf(void);
void attack_wire_resets(void);
void attack_wire_flips(void);

#endif
